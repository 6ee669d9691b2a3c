"""What the lab's tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from eval.lab.world import World
from tests.lab.small_world import small_world


@pytest.fixture
def world() -> World:
    return small_world()


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"
