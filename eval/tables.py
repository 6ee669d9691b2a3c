"""Shares with their intervals, quantiles, and columns that line up. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

CONFIDENCE_95 = 1.96
WIDTH = 100
"""Columns of a terminal that every page fits into."""


def interval(hits: float, total: int) -> dict[str, float]:
    """A share and its 95 % interval, rounded, as JSON holds it."""
    low, high = wilson(hits, total)
    part = hits / total if total else 0.0
    return {"share": round(part, 4), "low": round(low, 4), "high": round(high, 4)}


def wilson(hits: float, total: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson's score interval)."""
    if not total:
        return 0.0, 1.0
    square, part = CONFIDENCE_95**2, hits / total
    centre = part + square / (2 * total)
    half = CONFIDENCE_95 * math.sqrt(part * (1 - part) / total + square / (4 * total**2))
    scale = 1 + square / total
    return max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)


def share(row: dict[str, float]) -> str:
    """`0.62 [.54 .70]`; an end that is 1 takes no more room."""
    low, high = (f"{row[end]:.2f}".removeprefix("0").replace("1.00", "1.0") for end in ENDS)
    return f"{row['share']:.2f} [{low} {high}]"


ENDS = ("low", "high")


def quantile(values: Iterable[float], part: float) -> float:
    """The smallest of the values that `part` of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(math.ceil(part * len(ordered)) - 1, 0)]


def columns(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Lines whose first cell stands left and whose others stand right, each as wide as it needs."""
    widths = [max(map(len, cells)) for cells in zip(head, *rows, strict=True)]
    for row in (head, *rows):
        first = f"{row[0]:<{widths[0]}}"
        rest = (f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True))
        yield "  ".join((first, *rest)).rstrip()
