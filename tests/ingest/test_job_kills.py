"""kill -9 at any moment: the next run finishes, and nobody who searches meanwhile notices.

A moment is a call of one of our own functions in a real run: the process kills itself there, so
that reading, embedding, writing and publishing are all hit, on a slow machine as on a fast one.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from eval.bench.kills import State, refuse_difference, searched, state
from ingest import vector_cache
from ingest.generations import Generations
from ingest.job import IngestSettings, ingest
from ingest.report import ExitCode
from ingest.writer import SAVED_EVERY
from tests.ingest.conftest import write
from tests.ingest.shelf import pages
from tests.ingest.tiny_model import NAME, write_tiny_model

pytest.importorskip("onnx", reason="the extra `embeddings` is not installed")

ROOT = Path(__file__).parents[2]
SHARES = [0.1, 0.5, 0.8, 0.95, 0.99]
"""About how much of a run is done when it is killed; the moment itself is chosen at random near it."""
RUN_AND_DIE = """
import os, runpy, signal, sys, threading
ours, left, how, count = sys.argv.pop(1), int(sys.argv.pop(1)), int(sys.argv.pop(1)), 0
def wait_until_told():
    from anyio import from_thread
    for _ in range(1000):
        from_thread.check_cancelled()
        threading.Event().wait(0.01)
def watch(frame, event, argument):
    global count
    if event == "call" and frame.f_code.co_filename.startswith(ours):
        count += 1
        if count == left:
            os.kill(os.getpid(), how)
            wait_until_told()
threading.setprofile(watch)
sys.setprofile(watch)
try:
    runpy.run_module("ingest", run_name="__main__", alter_sys=True)
finally:
    sys.setprofile(None)
    print(count)
"""


def run_until(
    settings: IngestSettings,
    moment: int,
    ours: Path = ROOT / "ingest",
    how: signal.Signals = signal.SIGKILL,
) -> subprocess.CompletedProcess[str]:
    """A run that kills itself at its `moment`th call of a function in our files."""
    where = ["--source", str(settings.source), "--index", str(settings.index)]
    command = [sys.executable, "-c", RUN_AND_DIE, str(ours), str(moment), str(int(how)), *where]
    return subprocess.run(
        [*command, "--embedding", settings.embedding],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


@pytest.fixture(scope="module")
def changed(tmp_path_factory) -> IngestSettings:
    """An index with vectors of a tiny model, and a source that has changed since."""
    folder = tmp_path_factory.mktemp("kills")
    settings = IngestSettings(folder / "source", folder / "index", embedding=NAME)
    write_tiny_model(settings.index / "models")
    write(settings.source, pages(60))
    anyio.run(ingest, settings)
    write(settings.source, {"page-0.md": "# Changed\n\nwords\n", **pages(150, "other")})
    (settings.source / "page-1.md").unlink()
    return settings


def copied(settings: IngestSettings, index: Path) -> IngestSettings:
    """The same source, and a copy of its index."""
    shutil.copytree(settings.index, index)
    return IngestSettings(settings.source, index, embedding=NAME)


@pytest.fixture(scope="module")
def calm(changed, tmp_path_factory) -> tuple[int, State]:
    """How many moments a run has that nobody kills, and the index it makes."""
    settings = copied(changed, tmp_path_factory.mktemp("calm") / "index")
    done = run_until(settings, moment=0)
    assert done.returncode == 0, done.stderr
    return int(done.stdout.split()[-1]), state(settings.index)


@pytest.fixture
def settings(changed, tmp_path) -> IngestSettings:
    return copied(changed, tmp_path / "index")


@pytest.mark.parametrize("share", SHARES)
def test_the_run_after_a_kill_ends_as_if_nothing_had_happened(settings, calm, share):
    moments, expected = calm
    moment = int(moments * random.uniform(share - 0.04, share + 0.009))  # noqa: S311 - a moment
    killed = run_until(settings, moment)
    assert killed.returncode == -9, (moment, killed.stderr)
    anyio.run(ingest, settings)
    refuse_difference(expected, state(settings.index))
    left = {file.name for file in settings.index.iterdir()}
    assert left == {"current", "generations", "lock.sqlite", "models"}
    assert not list((settings.index / "generations").glob(".*"))


def test_a_search_in_another_process_notices_no_kill(settings, calm):
    moments, _ = calm
    with searched(settings.index) as seen:
        for share in (0.6, 0.97):
            run_until(settings, int(moments * share))
        anyio.run(ingest, settings)
        assert generation(settings) == "000002"
    assert seen["searches"] > 1
    assert seen["wrong"] == []


def generation(settings: IngestSettings) -> str:
    folder = Generations(settings.index).current()
    return folder.name if folder else ""


def test_a_run_that_is_asked_to_stop_does_so_and_says_so(settings):
    before = generation(settings)
    embedding = ROOT / "ingest/embedding.py"
    stopped = run_until(settings, moment=40, ours=embedding, how=signal.SIGTERM)
    assert stopped.returncode == ExitCode.INTERRUPTED, stopped.stderr
    assert "interrupted; the index is as it was" in stopped.stderr
    assert generation(settings) == before


def test_vectors_that_a_killed_run_had_made_are_not_made_again(settings):
    looked_up, first_saved = 155, 66
    within_the_second = looked_up + first_saved + SAVED_EVERY // 2
    killed = run_until(settings, within_the_second, ROOT / "ingest/vector_cache.py")
    assert killed.returncode == -9, killed.stderr
    assert rows(settings) == SAVED_EVERY
    assert anyio.run(ingest, settings).embedded == 151 - SAVED_EVERY


def rows(settings: IngestSettings) -> int:
    file = Generations(settings.index).embedded
    label = f"{NAME}@{'1' * 64}"
    with vector_cache.opened(file, label) as cache:
        return len(cache)
