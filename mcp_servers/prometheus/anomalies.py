"""How far a series moved from its own past, and when: robust statistics, no model. Pure.

The scan is a two-sample split; strength is in spreads of the series' own past, with floors, so
that a series that was constant does not score infinity.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEAST_STRENGTH = 3.0
LEAST_GAP = 4.0
"""A split of plain noise rarely reaches this (in standard errors, over all its splits)."""
LEAST_EVENTS = 3
QUARTER = 0.25
LEAST_MOVES = 10
LEAST_BEFORE = 5
LEAST_DURING = 2
RELATIVE_FLOOR = 0.05
"""A move below a twentieth of the series' own level is not told from noise at strength 1."""
PEAK_FLOOR = 0.01
"""Bounds the strength at 100: what rose from nothing is as strong as can be, and ties."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one series: the row at which it began, and medians on both sides."""

    row: int
    strength: float
    before: float
    during: float


def robust_z(before: Floats, during: Floats) -> float:
    """How far the median moved, in spreads of the past; positive is up."""
    middle = float(np.median(before))
    mad = 1.4826 * float(np.median(np.abs(before - middle)))
    high, low = np.percentile(before, [75, 25])
    peak = float(max(np.abs(before).max(), np.abs(during).max()))
    floor = max(RELATIVE_FLOOR * abs(middle), PEAK_FLOOR * peak, 1e-12)
    spread = max(mad, float(high - low) / 1.349, floor)
    return float((np.median(during) - middle) / spread)


def split(values: Floats) -> tuple[int, float]:
    """The row at which two halves differ most, and by how many standard errors; ends trimmed."""
    n = len(values)
    trim = max(n // 20, 1)
    deviation = float(values.std())
    if n < 2 * trim + 2 or deviation == 0:
        return 0, 0.0
    total = np.cumsum((values - values.mean()) / deviation)
    k = np.arange(1, n)
    gap = np.abs(total[:-1] / k - (total[-1] - total[:-1]) / (n - k)) * np.sqrt(k * (n - k) / n)
    best = int(np.argmax(gap[trim - 1 : n - trim])) + trim
    return best, float(gap[best - 1])


def rare(before: Floats, during: Floats, seconds: float) -> Change:
    """The same for rates of events too rare for medians: counts against what was to be expected."""
    expected = float(before.mean()) * seconds * len(during)
    seen = float(during.sum()) * seconds
    strength = (seen - expected) / max(expected, 1.0) ** 0.5
    return Change(len(before), strength, float(before.mean()), float(during.mean()))


def change(values: Floats, first: int, event_seconds: float = 0.0) -> Change | None:
    """The first lasting change that still shows in or after row `first`, or None.

    A second split, inside one side of the first, tells a spell that passed from a step that stays.
    `event_seconds`: the values are events per second, and a row stands for so many seconds.
    """
    cuts = [*_cuts(values), len(values)]
    for position, row in enumerate(cuts[:-1]):
        until, moved = _lasting(values, row, cuts[position + 1 :], event_seconds)
        if moved is not None and until > first:
            return replace(moved, row=_leaves(values, row, moved))
    return None


def _leaves(values: Floats, row: int, moved: Change) -> int:
    """The row at which the series first goes a quarter of the way: a cut may lie a little before."""
    way = np.abs(values[row:] - moved.before) >= QUARTER * abs(moved.during - moved.before)
    return row + int(np.argmax(way))


def _lasting(
    values: Floats, row: int, stops: Sequence[int], event_seconds: float
) -> tuple[int, Change | None]:
    """How far the move at `row` lasts, over stretches that each moved the same way, and the move."""
    before, until, sign = values[:row], row, 0.0
    moved: Change | None = None
    for stop in stops:
        stretch = _compared(before, values[until:stop], event_seconds)
        if stretch is None or stretch.strength * sign < 0:
            break
        until, sign = stop, stretch.strength
        moved = _compared(before, values[row:until], event_seconds) or stretch
    return until, moved


def _compared(before: Floats, during: Floats, event_seconds: float) -> Change | None:
    """The move between two stretches; None where it is weak, or a matter of one or two events."""
    if len(before) < LEAST_BEFORE or len(during) < LEAST_DURING:
        return None
    earlier, later = float(np.median(before)), float(np.median(during))
    if event_seconds and earlier == later == 0:
        moved = rare(before, during, event_seconds)
    elif event_seconds and abs(later - earlier) * event_seconds * len(during) < LEAST_EVENTS:
        return None
    else:
        moved = Change(len(before), robust_z(before, during), earlier, later)
    return moved if abs(moved.strength) >= LEAST_STRENGTH else None


def _cuts(values: Floats) -> list[int]:
    """Up to two rows at which the level changes, in the order of time."""
    row, gap = split(values)
    if gap < LEAST_GAP:
        return []
    left, left_gap = split(values[:row])
    right, right_gap = split(values[row:])
    inner, inner_gap = (left, left_gap) if left_gap > right_gap else (row + right, right_gap)
    return sorted({row, inner}) if inner_gap >= LEAST_GAP else [row]


def rate(values: Floats, step: float, steps: int) -> Floats:
    """Increase per second of a counter over `steps` steps; a reset counts from zero."""
    rises = np.diff(values)
    rises = np.where(rises < 0, values[1:], rises)
    known = ~np.isnan(rises)
    total = np.concatenate([[0.0], np.cumsum(np.where(known, rises, 0.0))])
    count = np.concatenate([[0], np.cumsum(known)])
    rows = np.arange(len(values))
    back = np.maximum(rows - steps, 0)
    covered = count[rows] - count[back]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(covered > 0, (total[rows] - total[back]) / (covered * step), np.nan)


def stride(columns: Iterable[Floats], most: int) -> int:
    """How many rows repeat each sample, at most `most`: Prometheus gives the last one until the
    next comes. Told from the series that moves most often; 1 where none moves often enough to tell.
    """
    often = 0.0
    for column in columns:
        known = column[~np.isnan(column)]
        moves = int(np.count_nonzero(np.diff(known)))
        if moves >= LEAST_MOVES:
            often = max(often, moves / (len(known) - 1))
    return min(max(round(1 / often), 1), most) if often else 1


def constant(values: Floats) -> bool:
    """Whether nothing moved, or nothing was recorded."""
    known = values[~np.isnan(values)]
    return not len(known) or float(np.ptp(known)) <= 1e-9 * max(float(np.abs(known).max()), 1e-9)
