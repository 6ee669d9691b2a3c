"""Levels of a series: where it stood before, where it went, since when, and whether it came back.

Robust statistics in numpy: the interval whose mean differs most from the rest, in standard errors
(circular binary segmentation), cuts the series; levels are medians; distance is in spreads of the
first level, with a floor so that a constant series does not score infinity.
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
LEAST_GAP = 5.0
"""In standard errors: of all intervals of plain noise, the best reaches 4.6 once in a hundred series."""
FLOOR = 0.05
"""A move below a twentieth of the first level is not told from noise."""
SHORTEST_LEVEL = 3
MOST_OF_THE_WAY = 0.5
LARGEST = 1e100
"""NaN, infinities and what lies beyond this are no measurements; their squares are no numbers."""


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
    table = table[np.abs(table[:, 1]) <= LARGEST] if len(table) else table
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
        onset=datetime.fromtimestamp(float(table[edges[_left(levels, place)], 0]), UTC),
        strength=(levels[place] - levels[0]) / _spread(values[: edges[1]], levels),
    )


def _left(levels: Sequence[float], place: int) -> int:
    """The level at which the series had gone most of the way to its farthest one: the move's begin."""
    far = levels[place] - levels[0]
    while place > 1 and (levels[place - 1] - levels[0]) / far > MOST_OF_THE_WAY:
        place -= 1
    return place


def _spread(first: Floats, levels: Sequence[float]) -> float:
    import numpy as np  # noqa: PLC0415 - see `moved`

    mad = 1.4826 * float(np.median(np.abs(first - levels[0])))
    return max(mad, FLOOR * abs(levels[0]), 0.01 * max(map(abs, levels)), 1e-9)


def _cuts(values: Floats) -> list[int]:
    """The places where the level changes, in order: an interval that differs, and one within."""
    cuts, gap = _interval(values)
    if gap < LEAST_GAP or len(cuts) > 1:
        return cuts if gap >= LEAST_GAP else []
    place = cuts[0]
    left, left_gap = _interval(values[:place])
    right, right_gap = _interval(values[place:])
    if max(left_gap, right_gap) < LEAST_GAP:
        return cuts
    return sorted({place, *(left if left_gap > right_gap else (place + cut for cut in right))})


def _interval(values: Floats) -> tuple[list[int], float]:
    """The ends of the interval that differs most from the rest, and by how many standard errors.

    One end alone where the interval begins or ends with the series: a step, not a peak.
    """
    import numpy as np  # noqa: PLC0415 - see `moved`

    n, deviation, least = len(values), float(values.std()), SHORTEST_LEVEL
    if n < 2 * least or deviation == 0:
        return [], 0.0
    total = np.concatenate(([0.0], np.cumsum((values - values.mean()) / deviation)))
    first, last = np.triu_indices(n + 1, least)
    rest = n - (last - first)
    fits = (rest >= least) & ((first == 0) | (first >= least)) & ((last == n) | (n - last >= least))
    first, last, rest = first[fits], last[fits], rest[fits]
    size = n - rest
    gap = np.abs(total[last] - total[first]) * np.sqrt(n / (size * rest))
    best = int(np.argmax(gap))
    # The spread must not count the move itself, or no short series could ever be seen to move.
    share = min(float(gap[best]) ** 2 / n, 1 - 1e-9)
    ends = [int(cut) for cut in (first[best], last[best]) if 0 < cut < n]
    return ends, float(np.sqrt((n - 2) * share / (1 - share)))
