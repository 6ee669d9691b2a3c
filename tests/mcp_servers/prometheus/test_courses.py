"""How a series is held against its own past."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from mcp_servers.prometheus.courses import Scale, course

EVERY = 60
PAST, WINDOW = 300, 60
SINCE = PAST * EVERY
TIMES = np.arange(PAST + WINDOW) * float(EVERY)


def noise(seed, level=1.0, share=0.05):
    return level * np.random.default_rng(seed).normal(1.0, share, PAST + WINDOW)


def spell(values, minutes, factor, ended=0):
    ill = slice(len(values) - minutes, len(values) - ended)
    values[ill] *= factor
    return values


def test_a_level_that_was_left_is_found_with_its_onset_and_its_figures():
    went = course(TIMES, spell(noise(1), 20, 3.0), SINCE)
    assert went.before == pytest.approx(1.0, rel=0.05)
    assert went.during == pytest.approx(3.0, rel=0.1)
    assert went.onset == TIMES[-20]
    assert went.strength > 10
    assert not went.over


def test_a_fall_has_a_negative_strength():
    assert course(TIMES, spell(noise(2), 20, 0.2), SINCE).strength < -3


def test_two_coarse_samples_are_enough_where_the_past_is_calm():
    times = np.arange(300) * 300.0
    values = np.random.default_rng(3).normal(0.1, 0.003, 300)
    values[-3:-1] = (0.15, 0.17)
    went = course(times, values, times[-14])
    assert went.onset == times[-3]
    assert not went.over, "one quiet sample proves nothing"


def test_a_spell_that_ended_a_while_ago_is_over():
    assert course(TIMES, spell(noise(4), 40, 3.0, ended=15), SINCE).over


def test_spells_like_those_of_the_past_are_ordinary_life():
    values = noise(5)
    for begin in range(10, PAST, 40):
        values[begin : begin + 10] *= 3.0
    values[-15:-5] *= 3.0
    assert course(TIMES, values, SINCE).strength == 0


def test_a_recording_without_a_past_is_held_against_its_own_first_level():
    values = np.random.default_rng(6).normal(10, 0.3, 50)
    values[18:40] = 900
    times = np.arange(50) * 5.0
    went = course(times, values, since=-3600.0)
    assert went.onset == times[18]
    assert went.before == pytest.approx(10, rel=0.05)


@pytest.mark.parametrize("values", [[], [1.0], [1.0] * 4, [float("nan")] * 40])
def test_too_little_says_nothing(values):
    assert course(np.arange(len(values)) * 60.0, np.array(values), 0.0) is None


@pytest.mark.parametrize("level", [0.0, 1.0, -5.0, 1e12])
def test_a_constant_never_moves(level):
    assert course(TIMES, np.full(len(TIMES), level), SINCE).strength == 0


def test_a_constant_that_moves_scores_no_infinity():
    values = np.zeros(len(TIMES))
    values[-10:] = 1.0
    assert course(TIMES, values, SINCE).strength == 100


def test_a_share_of_failures_counts_by_how_rare_it_was():
    values = np.zeros(len(TIMES))
    values[-10:] = 0.0001
    assert course(TIMES, values, SINCE, Scale.SHARES).strength == 0
    values[-10:] = 0.05
    assert course(TIMES, values, SINCE, Scale.SHARES).strength > 5


def test_a_latency_counts_by_what_it_multiplies_and_is_told_as_it_was():
    went = course(TIMES, spell(noise(8, level=0.02), 20, 4.0), SINCE, Scale.FACTORS)
    assert (went.before, went.during) == (
        pytest.approx(0.02, rel=0.05),
        pytest.approx(0.08, rel=0.1),
    )
    assert went.strength > 10


@pytest.mark.parametrize("shape", ["normal", "lognormal", "exponential", "poisson"])
def test_of_many_series_of_noise_hardly_any_seems_to_move(shape):
    random = np.random.default_rng(7)
    draw = {
        "normal": lambda: random.normal(1, 0.1, len(TIMES)),
        "lognormal": lambda: random.lognormal(0, 0.5, len(TIMES)),
        "exponential": lambda: random.exponential(1, len(TIMES)),
        "poisson": lambda: random.poisson(3, len(TIMES)).astype(float),
    }[shape]
    scale = Scale.SHARES if shape == "poisson" else Scale.FACTORS
    moved = [course(TIMES, draw(), SINCE, scale) for _ in range(100)]
    seen = [one for one in moved if one.strength >= 3 and one.during > 1.5 * one.before]
    assert len(seen) <= 1


@given(some.integers(3, 50), some.floats(2.0, 50.0), some.integers(0, 1000))
def test_a_clear_spell_is_found_wherever_it_begins(minutes, factor, seed):
    went = course(TIMES, spell(noise(seed), minutes, factor), SINCE)
    assert went.onset == TIMES[-minutes]
    assert went.during == pytest.approx(factor, rel=0.2)
