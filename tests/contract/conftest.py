"""What the contract tests look at: the systems of one lab, and a small index of runbooks."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from anyio.from_thread import start_blocking_portal

from eval.lab.lab import serve
from eval.lab.worlds import find_world
from ingest.job import IngestSettings, ingest
from mcp_servers.moments import rfc3339
from tests.contract.mcp_processes import Scene

RUNBOOKS = Path(__file__).parents[2] / "examples" / "runbooks"


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A demo world that is up for all contract tests, served from a thread of its own."""
    if not (shutil.which("prometheus") and shutil.which("promtool")):
        pytest.skip("needs the programs prometheus and promtool on PATH")
    folder = tmp_path_factory.mktemp("scene")
    cache, index = folder / "cache", folder / "index"
    with start_blocking_portal() as portal:
        portal.call(ingest, IngestSettings(RUNBOOKS, index, embedding="none"))
        world = find_world("amber", cache)
        with portal.wrap_async_context_manager(serve(world, cache=cache)) as lab:
            yield Scene(
                environment={**lab.environment, "RUNBOOKS_INDEX": str(index)},
                now=rfc3339(lab.world.as_of),
                clock=lab.clock,
                incident=lab.world.alert_id,
            )
