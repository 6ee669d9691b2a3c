"""A series as a sparkline of Unicode blocks, and as an SVG line chart with its onset marked.

Points that are not numbers, and holes in time, stay gaps: nothing is drawn where nothing was seen.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from itertools import pairwise
from statistics import median

from assistant.incident import Series
from assistant.report.words import amount, clean, cut, utc

BLOCKS = "▁▂▃▄▅▆▇█"
GAP = "·"
MOST = 1e300
"""No measure is larger; beyond it differences are no numbers any more."""

Point = tuple[float, float]


def finite(series: Series) -> list[Point]:
    """The points that are numbers, as (unix seconds, value), oldest first."""
    known = [(at, value) for at, value in series.points if abs(value) <= MOST]
    return sorted((utc(at).timestamp(), value) for at, value in known)


def extremes(series: Series) -> tuple[str, str, str]:
    """The lowest, highest and last value, in words; empty where there is no number at all."""
    values = [value for _, value in finite(series)]
    if not values:
        return "", "", ""
    low, high, last = min(values), max(values), values[-1]
    return amount(low, series.unit), amount(high, series.unit), amount(last, series.unit)


def sparkline(series: Series, width: int = 40) -> str:
    """One character per slice of time, at most `width`; `·` where there was no sample."""
    slices = _slices(series, width)
    known = [value for value in slices if value is not None]
    if not known:
        return ""
    low, reach = min(known), max(known) - min(known)
    return "".join(GAP if value is None else _block(value, low, reach) for value in slices)


def _block(value: float, low: float, reach: float) -> str:
    # A constant series is drawn low where it is zero and in the middle elsewhere: it is not a gap.
    share = (value - low) / reach if reach else (0.5 if low else 0.0)
    return BLOCKS[min(int(share * len(BLOCKS)), len(BLOCKS) - 1)]


def onset_column(series: Series, width: int = 40) -> int | None:
    """Under which character of the sparkline the onset falls, or None if outside or unknown."""
    points = finite(series)
    if not points or series.onset is None:
        return None
    at = utc(series.onset).timestamp()
    columns = min(width, max(len(points), 1))
    inside = points[0][0] <= at <= points[-1][0]
    return _column(at, points[0][0], points[-1][0], columns) if inside else None


def sparklines(series: Series, width: int = 40) -> list[str]:
    """The sparkline and, where the onset falls inside it, a second line that points at it."""
    drawn, column = sparkline(series, width), onset_column(series, width)
    if not drawn or column is None or series.onset is None:
        return [drawn] if drawn else []
    words = f"onset {utc(series.onset):%H:%M}"
    # The words stand left of the mark where they would run over the edge.
    fits_right = column + len(words) + 2 <= width
    mark = f"{' ' * column}▲ {words}" if fits_right else f"{words} ▲".rjust(column + 1)
    return [drawn, mark]


def _column(at: float, start: float, end: float, width: int) -> int:
    return min(int((at - start) / ((end - start) or 1) * width), width - 1)


def _slices(series: Series, width: int) -> list[float | None]:
    """Per slice the value farthest from the usual: a peak of one sample must stay visible."""
    points = finite(series)
    if not points:
        return []
    start, end, usual = points[0][0], points[-1][0], median(value for _, value in points)
    slices: list[float | None] = [None] * min(width, len(points))
    for at, value in points:
        column = _column(at, start, end, len(slices))
        held = slices[column]
        if held is None or abs(value - usual) > abs(held - usual):
            slices[column] = value
    return _bridged(slices, _holes(points, len(slices)))


def _holes(points: list[Point], width: int) -> set[int]:
    """The columns that lie wholly inside a hole in time."""
    start, end = points[0][0], points[-1][0]
    columns: set[int] = set()
    for left, right in _gaps(points):
        columns.update(
            range(_column(left, start, end, width) + 1, _column(right, start, end, width))
        )
    return columns


def _bridged(slices: list[float | None], holes: set[int]) -> list[float | None]:
    # Uneven sampling leaves empty columns that are no holes: the value before them still held.
    held: float | None = None
    bridged: list[float | None] = []
    for column, value in enumerate(slices):
        held = value if value is not None else held
        bridged.append(None if column in holes else held)
    return bridged


def _gaps(points: list[Point]) -> list[Point]:
    """Where consecutive samples lie more than three usual steps apart."""
    steps = [right[0] - left[0] for left, right in pairwise(points)]
    usual = median(steps) if steps else 0.0
    return [(a[0], b[0]) for a, b in pairwise(points) if usual and b[0] - a[0] > 3 * usual]


def thin(points: list[Point], most: int) -> list[Point]:
    """At most about `most` points, keeping the lowest and highest of every slice of time."""
    if len(points) <= most:
        return points
    size = math.ceil(len(points) / (most // 2))
    kept: list[Point] = []
    for first in range(0, len(points), size):
        part = points[first : first + size]
        ends = {min(part, key=lambda p: p[1]), max(part, key=lambda p: p[1])}
        kept.extend(sorted(ends))
    return kept


@dataclass(frozen=True)
class Frame:
    """Where time and value land on the drawing."""

    start: float
    end: float
    low: float
    high: float
    width: int = 640
    height: int = 180
    left: int = 64
    right: int = 12
    top: int = 18
    bottom: int = 26

    def x(self, at: float) -> float:
        """The horizontal place of a moment."""
        inner = self.width - self.left - self.right
        return round(self.left + (at - self.start) / ((self.end - self.start) or 1) * inner, 1)

    def y(self, value: float) -> float:
        """The vertical place of a value."""
        inner = self.height - self.top - self.bottom
        share = (value - self.low) / ((self.high - self.low) or 1)
        return round(self.height - self.bottom - share * inner, 1)


def svg(series: Series) -> str:
    """The series as one `<svg>` element, styled by the page's classes; empty without a number."""
    points = finite(series)
    if not points:
        return ""
    frame = _frame(points)
    parts = [_y_axis(frame, series.unit), _x_axis(frame), _line(points, frame)]
    parts.append(_onset(series.onset, frame))
    name = escape(clean(series.title), quote=True)
    return (
        f'<svg class="chart" viewBox="0 0 {frame.width} {frame.height}" role="img" '
        f'aria-label="{name}">{"".join(parts)}</svg>'
    )


def _frame(points: list[Point]) -> Frame:
    """The axis starts at zero for what cannot be negative: a small wobble must look small."""
    values = [value for _, value in points]
    low, high = min(0.0, *values), max(values)
    high = high if high > low else low + (abs(low) or 1.0)
    return Frame(points[0][0], points[-1][0], low, high + (high - low) * 0.06)


def _y_axis(frame: Frame, unit: str) -> str:
    reach = frame.high - frame.low
    ticks = [frame.low + reach * share for share in (0.0, 0.47, 0.94)]
    return "".join(
        f'<line class="grid" x1="{frame.left}" x2="{frame.width - frame.right}" '
        f'y1="{frame.y(tick)}" y2="{frame.y(tick)}"/>'
        f'<text class="tick" x="{frame.left - 8}" y="{frame.y(tick) + 4}" '
        f'text-anchor="end">{escape(cut(amount(tick, unit), 10))}</text>'
        for tick in ticks
    )


def _x_axis(frame: Frame) -> str:
    reach = frame.end - frame.start
    # Not at the very ends, so that no label is cut off by the edge of the drawing.
    ticks = [frame.start + reach * share for share in (0.04, 0.35, 0.65, 0.96)] if reach else []
    return "".join(
        f'<text class="tick" x="{frame.x(tick)}" y="{frame.height - 8}" text-anchor="middle">'
        f"{_hour(tick)}</text>"
        for tick in ticks or [frame.start]
    )


def _hour(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%H:%M}"


def _line(points: list[Point], frame: Frame) -> str:
    runs = _runs(points)
    path = " ".join(
        "M" + " L".join(f"{frame.x(at)} {frame.y(value)}" for at, value in thin(run, 320))
        for run in runs
    )
    dots = "".join(
        f'<circle class="dot" cx="{frame.x(run[0][0])}" cy="{frame.y(run[0][1])}" r="2.5"/>'
        for run in runs
        if len(run) == 1
    )
    return f'<path class="line" d="{path}"/>{dots}'


def _runs(points: list[Point]) -> list[list[Point]]:
    """The stretches between gaps."""
    after_gap = {right for _, right in _gaps(points)}
    runs: list[list[Point]] = [[]]
    for point in points:
        if point[0] in after_gap:
            runs.append([])
        runs[-1].append(point)
    return runs


def _onset(onset: datetime | None, frame: Frame) -> str:
    if onset is None or not frame.start <= utc(onset).timestamp() <= frame.end:
        return ""
    x = frame.x(utc(onset).timestamp())
    # The words stand on the side that has room for them.
    anchor, gap = ("end", -6) if x > frame.width * 0.75 else ("start", 6)
    return (
        f'<line class="onset" x1="{x}" x2="{x}" y1="{frame.top - 6}" '
        f'y2="{frame.height - frame.bottom}"/>'
        f'<text class="onset-text" x="{x + gap}" y="{frame.top + 2}" text-anchor="{anchor}">'
        f"onset {utc(onset):%H:%M}</text>"
    )
