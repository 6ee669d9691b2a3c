"""The command line before systems that accept connections and never say a word."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

pytestmark = pytest.mark.anyio

BUDGET_SECONDS = 6.0
START_SECONDS = 6.0
"""What starting a process and its imports may take on a machine that does other things too."""


@pytest.fixture
def silent() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0), backlog=200) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def environment(url: str, folder: Path) -> dict[str, str]:
    named = {"cluster": "c", "user": "u"}
    config = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": named}],
        "clusters": [{"name": "c", "cluster": {"server": url}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
    }
    (folder / "kubeconfig").write_text(json.dumps(config))
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "ASSISTANT_BUDGET_SECONDS": str(BUDGET_SECONDS),
        "KUBECONFIG": str(folder / "kubeconfig"),
        "PROMETHEUS_URL": url,
        "PAGERDUTY_API_URL": url,
        "PAGERDUTY_TOKEN": "a-token-that-nobody-reads",
    }


async def test_the_process_ends_within_the_budget_though_its_threads_still_wait(
    silent: str, tmp_path: Path
) -> None:
    started = time.monotonic()
    done = await anyio.run_process(
        [sys.executable, "-m", "assistant", "triage", "Q1", "--json"],
        env=environment(silent, tmp_path),
        check=False,
    )
    assert time.monotonic() - started < BUDGET_SECONDS + START_SECONDS
    assert done.returncode == 3
    assert b"Traceback" not in done.stderr
    report = json.loads(done.stdout)
    assert report["verdict"] == "inconclusive"
    assert report["cost"]["seconds"] < BUDGET_SECONDS
    blind = {spot["tool"].partition(".")[0] for spot in report["blind_spots"]}
    assert blind == {"kubernetes", "prometheus", "pagerduty", "runbooks"}
