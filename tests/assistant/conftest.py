"""What is dear to make and shared: the built worlds, and the sample runbooks, ingested once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

RUNBOOKS = Path(__file__).parents[2] / "examples" / "runbooks"


@pytest.fixture(scope="session")
def cache_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The user's cache folder, as XDG_CACHE_HOME names it."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def cache(cache_home: Path) -> Path:
    """Where the lab keeps its worlds under that folder."""
    return cache_home / "incident-assistant" / "lab"


@pytest.fixture(scope="session")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample runbooks, ingested by words alone: no model is needed to find them."""
    folder = tmp_path_factory.mktemp("index")
    command = [sys.executable, "-m", "ingest", "--source", str(RUNBOOKS), "--index", str(folder)]
    done = subprocess.run(
        [*command, "--embedding", "none"], check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return folder
