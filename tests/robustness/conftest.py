"""Labs that serve a whole module of tests: they are dear to start, and misbehaviour can be undone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from eval.lab.lab import Lab, serve
from eval.lab.world import World, load_world
from eval.lab.worlds import find_world
from tests.robustness.worlds import around


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lab-cache")


@pytest.fixture(scope="session")
def cedar(cache: Path) -> World:
    """The world of a Secret's key that was renamed, which starts a chain through three services.

    Without the other services, which only make each triage longer.
    """
    world = load_world(find_world("cedar", cache))
    return around(world, "portal", "quotes", "tariffs", "bookings", "notices", "payments")


@pytest.fixture(scope="module")
async def lab(cedar: World, cache: Path) -> AsyncIterator[Lab]:
    async with serve(cedar, cache=cache) as lab:
        yield lab


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "state"
