"""Levels of a series: where it stood before, where it went, since when, and whether it came back.

Robust statistics in numpy: a two-sample split (the largest standardised gap between two means) cuts
the series at most twice; levels are medians; distance is in spreads of the first level, with a floor
so that a constant series does not score infinity.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LEAST_POINTS = 8
LEAST_GAP = 4.0
"""Splits of plain noise seldom reach this, in standard errors, over all places to split."""
FLOOR = 0.05
"""A move below a twentieth of the first level is not told from noise."""
SHORTEST_LEVEL = 3


@dataclass(frozen=True)
class Move:
    """How a series left its first level: medians, the time of leaving, and its strength in spreads."""

    before: float
    during: float
    last: float
    onset: datetime
    strength: float

    @property
    def over(self) -> bool:
        """Whether the last level is back near the first one."""
        return abs(self.last - self.before) < 0.25 * abs(self.during - self.before)


def moved(points: Sequence[Sequence[Any]]) -> Move | None:
    """The largest move of a series of (unix seconds, value); None for one that kept its level."""
    import numpy as np  # noqa: PLC0415 - a tenth of a second that a triage without metrics saves

    table = np.array([[float(at), float(value)] for at, value in points], dtype=float)
    table = table[~np.isnan(table[:, 1])] if len(table) else table
    if len(table) < LEAST_POINTS:
        return None
    values = table[:, 1]
    edges = [0, *_cuts(values), len(values)]
    levels = [float(np.median(values[a:b])) for a, b in pairwise(edges)]
    if len(levels) == 1:
        return None
    place = max(range(1, len(levels)), key=lambda i: abs(levels[i] - levels[0]))
    return Move(
        before=levels[0],
        during=levels[place],
        last=float(np.median(values[-SHORTEST_LEVEL:])),
        onset=datetime.fromtimestamp(float(table[edges[place], 0]), UTC),
        strength=(levels[place] - levels[0]) / _spread(values[: edges[1]], levels),
    )


def _spread(first: Floats, levels: Sequence[float]) -> float:
    import numpy as np  # noqa: PLC0415 - see `moved`

    mad = 1.4826 * float(np.median(np.abs(first - levels[0])))
    return max(mad, FLOOR * abs(levels[0]), 0.01 * max(map(abs, levels)), 1e-9)


def _cuts(values: Floats) -> list[int]:
    """At most two places where the level changes, in order."""
    place, gap = _split(values)
    if gap < LEAST_GAP:
        return []
    left, left_gap = _split(values[:place])
    right, right_gap = _split(values[place:])
    inner, inner_gap = (left, left_gap) if left_gap > right_gap else (place + right, right_gap)
    return sorted({place, inner}) if inner_gap >= LEAST_GAP else [place]


def _split(values: Floats) -> tuple[int, float]:
    """The place at which two parts differ most, and by how many standard errors."""
    import numpy as np  # noqa: PLC0415 - see `moved`

    n, deviation = len(values), float(values.std())
    if n < 2 * SHORTEST_LEVEL or deviation == 0:
        return 0, 0.0
    total = np.cumsum((values - values.mean()) / deviation)
    k = np.arange(1, n)
    gap = np.abs(total[:-1] / k - (total[-1] - total[:-1]) / (n - k)) * np.sqrt(k * (n - k) / n)
    allowed = gap[SHORTEST_LEVEL - 1 : n - SHORTEST_LEVEL]
    best = int(np.argmax(allowed)) + SHORTEST_LEVEL
    return best, float(gap[best - 1])
