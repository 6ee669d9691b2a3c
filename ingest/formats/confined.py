"""Readers that run in a process of their own, under limits of time and memory.

A PDF's forms draw forms, and its streams unpack to a thousand times their size; a few lines of
reStructuredText keep docutils busy for hours. No check beforehand tells how much work one is.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

from ingest.formats.page import Page, Unreadable

MAX_SECONDS = 30
MAX_MEMORY = 1_500_000_000
MAX_BYTES = 8_000_000
# By where this package lies, whatever the working directory and the environment are.
PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from ingest.formats.confined import main
main(*sys.argv[2:])
"""


def read(format: str, raw: bytes, charset: str = "", seconds: int = MAX_SECONDS) -> Page:
    """The page, as the reader of the format gives it. Raises `Unreadable` where a limit ends it."""
    root = str(Path(__file__).resolve().parents[2])
    command = [sys.executable, "-I", "-c", PROGRAM, root, format, charset, str(seconds)]
    try:
        done = subprocess.run(  # noqa: S603 - our own module, by our own interpreter
            command, input=raw, capture_output=True, timeout=4 * seconds, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise Unreadable(f"not read within {4 * seconds} s; simplify it, or split it") from error
    if done.returncode != 0:
        raise Unreadable(_reason(done.returncode, done.stderr, seconds))
    if len(done.stdout) > MAX_BYTES:
        raise Unreadable(f"holds more than {MAX_BYTES} bytes of text; split it")
    return Page(**json.loads(done.stdout))


def _reason(code: int, errors: bytes, seconds: int) -> str:
    """What the reading process said last, or that a limit ended it."""
    words = errors.decode("utf-8", "replace").strip().rpartition("\n")[2][:300]
    if code == 1 and words:
        return words
    return f"needs more than {seconds} s or too much memory to read; simplify it, or split it"


def main(format: str, charset: str, seconds: str) -> None:
    """The confined side: standard input to JSON; exits with 1 and one line where it is unreadable."""
    # A system that knows no limit of memory still has the one of time, and the caller's own.
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds) + 1))
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    try:
        page: Page = import_module(f"ingest.formats.{format}").read(
            sys.stdin.buffer.read(), charset
        )
        sys.stdout.buffer.write(json.dumps(asdict(page)).encode())
    except (Unreadable, MemoryError) as error:
        sys.exit(str(error) or "needs too much memory to read; split it")
