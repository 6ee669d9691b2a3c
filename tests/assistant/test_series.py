"""Levels of a series: a planted step is found where it was planted, and noise is left alone."""

import math
import random
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assistant.series import LEAST_POINTS, moved

START = 1_773_454_800


def points(values, step=60):
    return [[START + step * i, value] for i, value in enumerate(values)]


def noisy(length, seed, level=100.0, spread=2.0):
    source = random.Random(seed)  # noqa: S311 - noise for a test
    return [level + source.gauss(0, spread) for _ in range(length)]


@given(
    seed=st.integers(0, 10_000),
    length=st.integers(30, 120),
    share=st.floats(0.25, 0.75),
    size=st.floats(8, 60),
    sign=st.sampled_from([-1, 1]),
)
@example(seed=74, length=72, share=0.5625, size=8.0, sign=1)
def test_a_planted_step_is_found_within_two_points(seed, length, share, size, sign):
    place = int(length * share)
    values = noisy(length, seed)
    planted = [v + sign * size * 2.0 * (i >= place) for i, v in enumerate(values)]
    move = moved(points(planted))
    assert move is not None
    at = (move.onset.timestamp() - START) / 60
    assert abs(at - place) <= 2
    assert math.copysign(1, move.strength) == sign
    assert not move.over


@given(seed=st.integers(0, 10_000), length=st.integers(12, 80), width=st.integers(5, 12))
def test_a_peak_that_ended_is_over(seed, length, width):
    values = noisy(length + width + 10, seed)
    for i in range(length, length + width):
        values[i] += 80
    move = moved(points(values))
    assert move is not None
    assert move.over
    assert move.during > move.before + 40


def test_plain_noise_is_seldom_called_a_move():
    called = sum(
        move is not None and abs(move.strength) >= 3
        for seed in range(300)
        for move in [moved(points(noisy(60, seed)))]
    )
    assert called <= 3


@pytest.mark.parametrize(
    "values",
    [
        [5.0] * 60,
        [0.0] * 60,
        [math.nan] * 60,
        [],
        [1.0, 9.0],
        [1.0] * (LEAST_POINTS - 1),
    ],
)
def test_a_series_without_a_move_has_none(values):
    assert moved(points(values)) is None


def test_gaps_are_left_out_and_do_not_shift_the_onset():
    values = [math.nan if i % 5 == 0 else (1.0 if i < 31 else 9.0) for i in range(60)]
    move = moved(points(values))
    assert move is not None
    assert move.onset == datetime.fromtimestamp(START + 31 * 60, UTC)
    assert (move.before, move.during, move.last) == (1.0, 9.0, 9.0)


def test_a_step_from_a_constant_level_has_a_finite_strength():
    move = moved(points([0.0] * 30 + [1.0] * 30))
    assert move is not None
    assert math.isfinite(move.strength)
    assert move.strength > 3


def test_a_move_below_a_twentieth_of_the_level_is_weak():
    move = moved(points([100.0] * 30 + [101.0] * 30))
    assert move is None or abs(move.strength) < 3


@given(
    st.lists(
        st.one_of(
            st.floats(allow_nan=True, allow_infinity=False, width=32), st.integers(-9, 9).map(float)
        ),
        max_size=70,
    )
)
def test_no_series_breaks_it(values):
    move = moved(points(values))
    assert move is None or math.isfinite(move.strength)
