"""How a series went during an incident, held against its own past: robust statistics. Pure.

Unlike the scan for anything that moved, this one is told when the incident can have begun, so that
two samples can be enough; and it learns from the past how far ordinary life goes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from functools import cache
from math import exp

import numpy as np
from numpy.typing import NDArray

from mcp_servers.prometheus.anomalies import split

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

LEAST_PAST = 12
"""Samples before the window that make a past; with fewer, the window's own first level is one."""
LEAST_LEVEL = 5
LEAST_SUM = 5.0
"""In standard errors: the best of all spells of an hour of plain noise seldom gets there."""
LEAST_STEP = 4.0
LEAST_SAMPLES = 2
STRONGEST = 100.0
CLIPPED = 20.0
"""One wild sample counts no more than this: a spell is made of several."""
USUAL = 0.95
"""This share of the past's own spells is called ordinary."""
BEYOND_USUAL = 1.3
MOST_ROWS = 96
QUARTER = 0.25
CALM_SECONDS = 180.0
CALM_SAMPLES = 3
"""So long, and so many samples, a series must be calm before its spell is called over: an alert that
fires looks back over minutes, and one quiet sample proves nothing."""
RELATIVE_FLOOR = 0.05
PEAK_FLOOR = 0.01
SHARES_FLOOR = 0.02
"""In roots of shares: about how those of some hundred requests scatter. One in a hundred is five."""


class Scale(Enum):
    """By what changes of a series count, so that ordinary life scatters alike at every level."""

    AMOUNTS = "as they are"
    FACTORS = "by what they multiply: latencies scatter so, with a long tail"
    SHARES = "by their roots: counts of rare events scatter so"


@dataclass(frozen=True, slots=True)
class Course:
    """Where a series stood, and went; `onset` is None where it kept its level."""

    before: float
    during: float
    strength: float
    """In spreads of the past, at most 100; negative is down. 0 where nothing left the ordinary."""
    onset: float | None = None
    over: bool = False
    scores: tuple[tuple[float, float], ...] = ()
    """(time, spreads from the past) within the window."""


@dataclass(frozen=True, slots=True)
class _Past:
    middle: float
    spread: float
    usual: float

    def scores(self, values: Floats) -> Floats:
        return np.clip((values - self.middle) / self.spread, -STRONGEST, STRONGEST)


def course(
    times: Floats, values: Floats, since: float, scale: Scale = Scale.AMOUNTS
) -> Course | None:
    """What became of a series in the window from `since` on; None where there is too little of it."""
    known = np.isfinite(values)
    times, values = times[known], _scaled(values[known], scale)
    times, values, first = _thinned(times, values, int(np.searchsorted(times, since)))
    if first < LEAST_PAST:
        first = _first_level(values)
    if LEAST_LEVEL <= first < len(values):
        past = _past(values[:first], len(values) - first, _floor(values, first, scale))
        went = _told(times[first:], values[first:], past)
    elif len(values) >= LEAST_LEVEL:
        went = _level(values)
    else:
        return None
    return replace(went, before=_unscaled(went.before, scale), during=_unscaled(went.during, scale))


def _scaled(values: Floats, scale: Scale) -> Floats:
    """The values as they scatter evenly. Of what is not above zero, the logarithm of a hundredth of
    the usual level is taken.
    """
    if scale is Scale.SHARES:
        roots: Floats = np.sqrt(np.maximum(values, 0.0))
        return roots
    if scale is Scale.FACTORS:
        positive = values[values > 0]
        least = PEAK_FLOOR * float(np.median(positive)) if len(positive) else 1.0
        logarithms: Floats = np.log(np.maximum(values, least))
        return logarithms
    return values


def _unscaled(value: float, scale: Scale) -> float:
    return {Scale.SHARES: value * value, Scale.FACTORS: exp(min(value, 700.0))}.get(scale, value)


def _floor(values: Floats, first: int, scale: Scale) -> float:
    """What a series scatters at least; an amount by a part of its level, and of the highest it went."""
    if scale is Scale.FACTORS:
        return RELATIVE_FLOOR
    if scale is Scale.SHARES:
        return SHARES_FLOOR
    level, peak = abs(float(np.median(values[:first]))), float(np.abs(values).max())
    return max(RELATIVE_FLOOR * level, PEAK_FLOOR * peak, 1e-12)


def _thinned(times: Floats, values: Floats, first: int) -> tuple[Floats, Floats, int]:
    """Medians of so many neighbours that the window has at most `MOST_ROWS`; the past likewise."""
    size = -(-(len(values) - first) // MOST_ROWS)
    if size <= 1:
        return times, values, first
    skipped = first % size
    rows = (len(values) - skipped) // size
    kept = slice(skipped, skipped + rows * size)
    middles = np.median(values[kept].reshape(rows, size), axis=1)
    return times[kept].reshape(rows, size)[:, 0], middles, first // size


def _first_level(values: Floats) -> int:
    """The end of the level that a recording begins with: all of it where it never left that.

    Looked for twice: of a spell that passed, the stronger of the two ends may be its last.
    """
    end, gap = split(values) if len(values) >= 2 * LEAST_LEVEL else (0, 0.0)
    if gap < LEAST_STEP:
        return len(values)
    earlier, earlier_gap = split(values[:end])
    return earlier if earlier_gap >= LEAST_STEP else end


def _level(values: Floats) -> Course:
    """A series without a past that shows no step: its halves, so that who wavers is not called calm."""
    half = len(values) // 2
    return Course(float(np.median(values[:half])), float(np.median(values[half:])), 0.0)


def _past(before: Floats, window: int, floor: float) -> _Past:
    middle = float(np.median(before))
    mad = 1.4826 * float(np.median(np.abs(before - middle)))
    high, low = np.percentile(before, [75, 25])
    past = _Past(middle, max(mad, float(high - low) / 1.349, floor), 0.0)
    return _Past(past.middle, past.spread, _usual(past.scores(before), window))


def _usual(scores: Floats, length: int) -> float:
    """How strong the spells are that stretches of the past show, each as long as the window.

    They overlap, so that a spell on a border is seen; a past of one window tells nothing.
    """
    if len(scores) < 2 * length:
        return 0.0
    stretches = np.lib.stride_tricks.sliding_window_view(scores, length)[:: max(length // 4, 1)]
    return float(np.quantile(np.abs(_sums(stretches)).max(axis=1), USUAL))


def _told(times: Floats, now: Floats, past: _Past) -> Course:
    scores = past.scores(now)
    spells = [_spell(scores, sign) for sign in (1, -1)]
    first, end, total = max(spells, key=lambda spell: abs(spell[2]))
    shown = tuple((float(at), round(float(z), 1)) for at, z in zip(times, scores, strict=True))
    strong = abs(total) >= max(LEAST_SUM, BEYOND_USUAL * past.usual)
    if not strong or end - first < LEAST_SAMPLES:
        return Course(past.middle, float(np.median(now)), 0.0, scores=shown)
    strength = float(np.median(scores[first:end]))
    leaves = first + int(np.argmax(np.abs(scores[first:end]) >= QUARTER * abs(strength)))
    return Course(
        before=past.middle,
        during=float(np.median(now[first:end])),
        strength=round(strength, 1),
        onset=float(times[leaves]),
        over=_over(times, scores, end, strength),
        scores=shown,
    )


def _spell(scores: Floats, sign: int) -> tuple[int, int, float]:
    """(first row, end, signed sum) of the stretch that stands out most, in standard errors."""
    sums = _sums(scores[None, :])[0]
    best = int(np.argmax(sign * sums))
    first, end, _ = _stretches(len(scores))
    return int(first[best]), int(end[best]), float(sums[best])


def _sums(scores: Floats) -> Floats:
    """For each row of scores the sums of all its stretches, in standard errors."""
    first, end, root = _stretches(scores.shape[1])
    nothing = np.zeros((len(scores), 1))
    total = np.hstack((nothing, np.cumsum(np.clip(scores, -CLIPPED, CLIPPED), axis=1)))
    sums: Floats = (total[:, end] - total[:, first]) / root
    return sums


@cache
def _stretches(length: int) -> tuple[Places, Places, Floats]:
    """The ends of every stretch of so many samples, and the roots of their lengths."""
    first, end = np.triu_indices(length + 1, 1)
    return first, end, np.sqrt(end - first)


def _over(times: Floats, scores: Floats, end: int, strength: float) -> bool:
    """Whether the series has been calm for long enough since the spell."""
    after = scores[end:]
    if len(after) < CALM_SAMPLES or times[-1] - times[end] < CALM_SECONDS:
        return False
    return abs(float(np.median(after))) < QUARTER * abs(strength)
