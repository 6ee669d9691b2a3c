"""Many worlds, some of which end the process that runs them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from eval.pool import over_worlds


def fate(world):
    if world == "dies":
        os.kill(os.getpid(), signal.SIGKILL)
    if world == "raises":
        raise ValueError(world)
    return world.upper()


def test_a_worker_that_dies_takes_no_other_world_with_it():
    made = dict(over_worlds(fate, ["a", "dies", "raises", "b"], 1))
    assert (made["a"], made["b"]) == ("A", "B")
    assert "BrokenProcessPool" in type(made["dies"]).__name__
    assert isinstance(made["raises"], ValueError)


WAITING = """
import sys
from eval.pool import over_worlds
from tests.eval.test_pool import hang
if __name__ == "__main__":
    list(over_worlds(hang, ["a", "b", "c"], 2))
"""


def hang(world):
    sys.stdout.write("working\n")
    sys.stdout.flush()
    while True:
        signal.pause()


def test_who_is_killed_leaves_no_worker_behind(tmp_path):
    (tmp_path / "waiting.py").write_text(WAITING)
    started = subprocess.Popen(
        [sys.executable, str(tmp_path / "waiting.py")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with started:
        started.stdout.readline()
        started.kill()
        # The workers hold the same pipe: it ends when the last of them has ended.
        out, _ = started.communicate(timeout=30)
    assert set(out.split()) <= {b"working"}
