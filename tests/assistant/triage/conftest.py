"""One triage of each demo world; its tests all look at the same outcome."""

from __future__ import annotations

from pathlib import Path

import pytest

from eval.cases import DEMO
from eval.lab.lab import serve
from eval.lab.worlds import find_world
from tests.robustness.scene import Outcome, look


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module", params=DEMO)
async def outcome(
    request: pytest.FixtureRequest,
    cache: Path,
    index: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Outcome:
    home = tmp_path_factory.mktemp(request.param)
    async with serve(find_world(request.param, cache), cache=cache) as lab:
        return await look(lab, home, seconds=60, environment={"RUNBOOKS_INDEX": str(index)})
