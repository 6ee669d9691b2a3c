"""The bench of kills: a real kill, and what it says of an index that was not finished."""

import random
from pathlib import Path

import pytest

from eval.bench.kills import Killing, NotTheSame, measure, refuse_difference, state

RUNBOOKS = Path(__file__).parents[2] / "examples/runbooks"


def test_a_kill_is_made_and_everything_is_as_if_nothing_had_happened():
    told = measure(RUNBOOKS, "none", pages=6, kills=1, seed=4)
    assert (told["kills"], told["same_index"], sum(told["moments"].values())) == (1, 1, 1)
    assert told["searches"] > 0
    assert (told["wrong"], told["wrong_searches"]) == ([], 0)


def test_an_index_that_misses_a_change_is_not_taken_for_the_same(tmp_path):
    killing = Killing(tmp_path, "none", random.Random(4))  # noqa: S311 - as in the bench
    killing.prepare([b"# One\n\nx\n", b"# Two\n\ny\n", b"# Three\n\nz\n"])
    refuse_difference(state(killing.calm), state(killing.index))
    killing._change()
    killing._run(killing.calm)
    with pytest.raises(NotTheSame):
        refuse_difference(state(killing.calm), state(killing.index))
