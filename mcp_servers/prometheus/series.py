"""Series as the tools give them: bounded in range, step and points, without losing a spike. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from statistics import median
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, WithJsonSchema

from mcp_servers.answer import Status, ToolFailure
from mcp_servers.moments import aware, rfc3339

MOST_POINTS = 11_000
"""Prometheus itself refuses more per series."""
FETCHED_POINTS = 2_000
STEPS = (15, 30, 60, 120, 300)
"""Five minutes is as far as Prometheus looks back: a larger step would pass over samples."""
FLAT = 0.1
"""A change of the median below a tenth of the series' own size is no trend."""

Point = tuple[float, float]


def _wordless(schema: dict[str, Any]) -> None:
    """Docstrings and lists of fields (all are always there) would be paid for in each tool list."""
    schema.pop("description", None)
    schema.pop("required", None)


Number = Annotated[float | None, WithJsonSchema({"type": ["number", "null"]})]
"""A figure, or none where there was nothing to compute it from."""


class Flat(BaseModel):
    """A value of a result: nothing but the fields it names."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=_wordless)


class Series(Flat):
    """One series: thinned points, and figures from all of them."""

    labels: dict[str, str]
    points: list[list[float]]
    min: Number
    max: Number
    last: Number
    trend: str


def window(start: datetime, end: datetime, longest: timedelta) -> tuple[datetime, datetime]:
    """Both ends in UTC, or a `ToolFailure` where they make no window that may be asked."""
    start, end = aware(start), aware(end)
    asked = f"window from {rfc3339(start)} to {rfc3339(end)}"
    if end <= start:
        raise ToolFailure(
            Status.ERROR, f"the {asked} ends before it begins", ("swap start and end",)
        )
    if end - start > longest:
        raise ToolFailure(
            Status.LIMITED,
            f"the {asked} is longer than {longest.total_seconds() / 86_400:g} days",
            ("ask a shorter window, or several",),
        )
    return start, end


def choose_step(seconds: float, points: int = FETCHED_POINTS) -> int:
    """The smallest usual step that covers `seconds` in at most `points` points."""
    for step in STEPS:
        if seconds / step <= points:
            return step
    return max(STEPS[-1], math.ceil(seconds / MOST_POINTS))


def aligned(start: datetime, end: datetime, step: int) -> datetime:
    """A start from which the steps end exactly at `end`, so that the newest sample is seen."""
    steps = math.floor((end - start).total_seconds() / step)
    return end - timedelta(seconds=steps * step)


def finite(row: Mapping[str, Any]) -> list[Point]:
    """The points of a row that are numbers: NaN and infinities say nothing that can be drawn."""
    values = [(float(at), float(value)) for at, value in row.get("values", ())]
    return [point for point in values if math.isfinite(point[1])]


def thinned(points: Sequence[Point], most: int) -> list[Point]:
    """At most `most` points that keep every bucket's lowest and highest, and the first and last."""
    if len(points) <= most:
        return list(points)
    inner = points[1:-1]
    buckets = max((most - 2) // 2, 1)
    kept = [points[0]]
    for index in range(buckets):
        bucket = inner[index * len(inner) // buckets : (index + 1) * len(inner) // buckets]
        kept.extend(_extremes(bucket))
    return [*kept, points[-1]]


def _extremes(bucket: Sequence[Point]) -> list[Point]:
    if not bucket:
        return []
    low = min(bucket, key=lambda point: point[1])
    high = max(bucket, key=lambda point: point[1])
    return sorted({low, high})


def trend(points: Sequence[Point]) -> str:
    """`rising`, `falling` or `steady`: the median of the last third against that of the first."""
    third = len(points) // 3
    if not third:
        return "too few points"
    values = [value for _, value in points]
    first, last = median(values[:third]), median(values[-third:])
    size = max(abs(first), abs(last))
    if size == 0 or abs(last - first) < FLAT * size:
        return "steady"
    return "rising" if last > first else "falling"


def summary(row: Mapping[str, Any], max_points: int) -> Series:
    """A row of a range query as a `Series`: the figures are of all its points."""
    points = finite(row)
    values = [value for _, value in points]
    return Series(
        labels=dict(row.get("metric", {})),
        points=[list(point) for point in thinned(points, max_points)],
        min=min(values, default=None),
        max=max(values, default=None),
        last=values[-1] if values else None,
        trend=trend(points),
    )
