"""The real Prometheus in the lab; skipped where it is not installed (but for its being absent)."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

from assistant.errors import ToolUnavailable
from eval.lab.lab import Lab, serve
from eval.lab.world import BrokenWorld, World
from tests.lab.small_world import AS_OF, needs_prometheus

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lab(world: World, cache: Path) -> AsyncIterator[Lab]:
    async with serve(world, cache=cache, backends=("prometheus",)) as lab:
        yield lab


async def metrics(lab: Lab, path: str, method: str = "GET", **query: Any) -> httpx2.Response:
    token = lab.environment["PROMETHEUS_TOKEN"]
    headers = {"Authorization": f"Bearer {token}"}
    url = lab.environment["PROMETHEUS_URL"]
    async with httpx2.AsyncClient(base_url=url, headers=headers, timeout=5) as client:
        if method == "POST":
            return await client.post(f"/api/v1/{path}", data=query)
        return await client.get(f"/api/v1/{path}", params=query)


@needs_prometheus
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_now_is_the_worlds_now_and_labels_come_back_as_written(lab: Lab, method: str) -> None:
    answer = await metrics(lab, "query", method, query="up")
    (series,) = answer.json()["data"]["result"]
    assert series["metric"] == {"__name__": "up", "job": "cart", "note": 'a "b"'}
    assert 0 <= series["value"][0] - AS_OF.timestamp() < 60


@needs_prometheus
async def test_a_window_of_the_worlds_past_is_answered(lab: Lab) -> None:
    end = AS_OF.timestamp()
    answer = await metrics(
        lab, "query_range", query="jobs_total", start=end - 600, end=end, step=60
    )
    (series,) = answer.json()["data"]["result"]
    assert [value for _, value in series["values"]] == [str(n) for n in range(20, 31)]


@needs_prometheus
async def test_prometheus_refuses_in_its_own_words(lab: Lab) -> None:
    answer = await metrics(lab, "query", query="rate(up[5m")
    assert answer.status_code == 400
    assert "unclosed left parenthesis" in answer.json()["error"]


@needs_prometheus
async def test_a_wrong_token_is_refused_before_prometheus_hears_of_it(lab: Lab) -> None:
    async with httpx2.AsyncClient(headers={"Authorization": "Bearer old"}) as client:
        response = await client.get(lab.urls["prometheus"] + "/api/v1/query?query=up")
    assert response.status_code == 401


@needs_prometheus
async def test_a_world_without_metrics_is_an_empty_prometheus(world: World, cache: Path) -> None:
    bare = replace(world, metrics=None)
    async with serve(bare, cache=cache, backends=("prometheus",)) as lab:
        names = (await metrics(lab, "label/__name__/values")).json()
    assert names == {"status": "success", "data": []}


@needs_prometheus
async def test_blocks_of_a_file_are_made_once(world: World, cache: Path, tmp_path: Path) -> None:
    file = tmp_path / "metrics.om"
    assert isinstance(world.metrics, bytes)
    file.write_bytes(world.metrics)
    kept = []
    for _ in range(2):
        async with serve(
            replace(world, metrics=file), cache=cache, backends=("prometheus",)
        ) as lab:
            assert (await metrics(lab, "query", query="up")).json()["data"]["result"]
        kept.append(sorted(path.stat().st_mtime_ns for path in (cache / "blocks").iterdir()))
    assert len(kept[0]) == 1
    assert kept[0] == kept[1]


@needs_prometheus
async def test_broken_metrics_name_the_file_and_what_promtool_said(
    world: World, cache: Path, tmp_path: Path
) -> None:
    file = tmp_path / "metrics.om"
    file.write_text("up{ 1 2\n# EOF\n")
    with pytest.raises(BrokenWorld, match=r"metrics\.om: promtool cannot read it: .*label name"):
        async with serve(replace(world, metrics=file), cache=cache, backends=("prometheus",)):
            pass
    assert list((cache / "blocks").iterdir()) == []


async def test_without_prometheus_the_error_says_how_to_install_it(
    world: World, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolUnavailable, match=r"prometheus is not installed.*apt-get install"):
        async with serve(world, cache=cache):
            pass


LAB = """
    import asyncio, os
    from datetime import datetime, UTC
    from eval.lab.lab import serve
    from eval.lab.world import World

    async def main():
        world = World(id="w", as_of=datetime.now(UTC))
        async with serve(world, backends=("prometheus",)) as lab:
            print(lab.environment["PROMETHEUS_URL"], flush=True)
            await asyncio.Event().wait()

    asyncio.run(main())
"""


def children(process: int) -> list[int]:
    text = Path(f"/proc/{process}/task/{process}/children").read_text()
    return [int(word) for word in text.split()]


def ended(process: int) -> bool:
    """Whether a process is gone, or dead and only not yet buried."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


@needs_prometheus
@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's death signal is Linux's")
def test_prometheus_ends_even_when_the_lab_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", textwrap.dedent(LAB)]
    # A killed lab cannot clear up: what it leaves goes with the test's own folder.
    scratch = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=scratch) as lab:
        assert lab.stdout
        assert "http://" in lab.stdout.readline()
        (prometheus,) = children(lab.pid)
        lab.kill()
    deadline = time.monotonic() + 5
    while not ended(prometheus):
        assert time.monotonic() < deadline
        time.sleep(0.01)
