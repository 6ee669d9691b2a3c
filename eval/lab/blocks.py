"""Prometheus blocks made from a world's OpenMetrics text by promtool, kept by content hash."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from assistant.errors import ToolUnavailable
from eval.lab.world import BrokenWorld

INSTALL = "apt-get install prometheus (Debian, Ubuntu) or brew install prometheus (macOS)"

_LONG_BLOCKS = "--max-block-duration=162h"
"""promtool reads its whole input once for each block; two days in two-hour blocks take ten times as long."""


def program(name: str) -> str:
    """The path of one of Prometheus's programs. Raises ToolUnavailable with the install line."""
    path = shutil.which(name)
    if not path:
        raise ToolUnavailable(f"{name} is not installed; the lab needs it: {INSTALL}")
    return path


def fill(data: Path, metrics: bytes | Path | None, cache: Path) -> None:
    """Put blocks of the metrics into Prometheus's data folder. Blocks: call it in a thread.

    Those of a file are kept in the cache; metrics in memory may be others each time.
    """
    data.mkdir(parents=True, exist_ok=True)
    if isinstance(metrics, bytes):
        source = data.parent / "metrics.om"
        source.write_bytes(metrics)
        _build(source, data)
    elif metrics is not None:
        shutil.copytree(_cached(metrics, cache), data, dirs_exist_ok=True, copy_function=_link)


def _cached(metrics: Path, cache: Path) -> Path:
    with metrics.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()[:32]
    kept = cache / "blocks" / digest
    if kept.is_dir():
        return kept
    kept.parent.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix="making-", dir=kept.parent))
    try:
        _build(metrics, making)
        with contextlib.suppress(OSError):  # somebody else made the same in the meantime
            making.rename(kept)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return kept


def _build(metrics: Path, into: Path) -> None:
    command = [program("promtool"), "tsdb", "create-blocks-from", "openmetrics", _LONG_BLOCKS]
    done = subprocess.run(  # noqa: S603 - promtool, on a file that was given
        [*command, str(metrics), str(into)], check=False, capture_output=True
    )
    if done.returncode:
        said = (done.stderr or done.stdout).decode(errors="replace").strip()
        raise BrokenWorld(f"{metrics}: promtool cannot read it: {said}")


def _link(source: str, target: str) -> None:
    """A hard link where the file system can: Prometheus never writes into a block's files."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
