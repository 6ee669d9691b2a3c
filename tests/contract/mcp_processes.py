"""Servers as processes on loopback, and the Node programs that look at them, for contract tests."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

SERVERS = ("kubernetes", "prometheus", "pagerduty", "runbooks")
START_SECONDS = 30


@dataclass(frozen=True)
class Scene:
    """Systems that are up: how the servers find them, their present, and the incident in it."""

    environment: Mapping[str, str]
    now: str
    clock: Callable[[], datetime]
    incident: str


def command(name: str) -> list[str]:
    """How to start a server: one of ours by its name, or the conformance fixture."""
    module = (
        ["tests.fixtures.conformance_server"] if name == "conformance" else ["mcp_servers", name]
    )
    return [sys.executable, "-W", "ignore", "-m", *module]


def environment(folder: Path, backends: Mapping[str, str]) -> dict[str, str]:
    """All that a server is given; its audit lies in `folder`."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, "MCP_AUDIT_FILE": str(folder / "audit.jsonl"), **backends}


@contextmanager
def over_http(name: str, folder: Path, backends: Mapping[str, str]) -> Iterator[str]:
    """The address of a server that runs until the end of the block."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    flags = [] if name == "conformance" else ["--http"]
    arguments = [*command(name), *flags, "--port", str(port)]
    given = environment(folder, backends)
    process = subprocess.Popen(arguments, env=given, stderr=subprocess.DEVNULL)
    try:
        _wait_until_healthy(process, port)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.terminate()
        process.wait(timeout=10)


def _wait_until_healthy(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
                assert json.load(answer)["status"] == "ok"
                return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.05)
    raise AssertionError(f"the server did not come up on port {port}")


def node_program(variable: str, *names: str) -> list[str] | None:
    """A Node program: named by a variable (a script or an executable), or found on PATH."""
    named = os.environ.get(variable) or next(filter(None, map(shutil.which, names)), None)
    node = os.environ.get("NODE_BIN") or shutil.which("node")
    if named is None or node is None:
        return None
    return [node, str(Path(named).resolve())]


def run_node(
    program: Sequence[str], *arguments: str, seconds: int = 110
) -> subprocess.CompletedProcess[str]:
    """What a Node program said and how it ended."""
    node_folder = str(Path(program[0]).resolve().parent)
    path = os.pathsep.join([node_folder, os.environ.get("PATH", "")])
    return subprocess.run(
        [*program, *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=seconds,
        env={**os.environ, "PATH": path},
    )
