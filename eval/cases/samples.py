"""Series of samples and the OpenMetrics text they make. Knows no system."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

Points = list[tuple[datetime, float]]
Labels = dict[str, str]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
SLOW_STEP = timedelta(seconds=240)
"""How often a value that rarely changes is written: below Prometheus's five minutes of looking back."""


@dataclass(frozen=True)
class Figure:
    """A gauge that one of the programs exports for itself, as a function of time."""

    name: str
    labels: dict[str, str]
    at: Callable[[datetime], float]


@dataclass
class Families:
    """Metric families by name, each with its type and its series."""

    kinds: dict[str, str] = field(default_factory=dict)
    series: dict[str, list[tuple[str, Labels, Points]]] = field(default_factory=dict)

    def add(self, kind: str, name: str, labels: Labels, points: Points, suffix: str = "") -> None:
        """One more series; `suffix` is `_bucket`, `_sum`, `_count` or empty."""
        if points:
            self.kinds[name] = kind
            self.series.setdefault(name, []).append((suffix, labels, points))

    def counter(self, name: str, labels: Labels, points: Points) -> None:
        """A counter; `name` is given without `_total`."""
        self.add("counter", name, labels, points, "_total")

    def gauge(self, name: str, labels: Labels, points: Points) -> None:
        """A gauge."""
        self.add("gauge", name, labels, points)

    def forget(self, beginnings: Sequence[str]) -> None:
        """Drops the families whose names begin so."""
        gone = [name for name in self.series if name.startswith(tuple(beginnings))]
        for name in gone:
            del self.series[name]

    def text(self) -> str:
        """The whole as OpenMetrics: one family after the other, series by series."""
        lines = []
        for name in sorted(self.series):
            lines.append(f"# TYPE {name} {self.kinds[name]}")
            for suffix, labels, points in self.series[name]:
                inner = ",".join(f'{key}="{_escaped(value)}"' for key, value in labels.items())
                head = f"{name}{suffix}{{{inner}}}"
                lines += [f"{head} {number(value)} {_seconds(at)}" for at, value in points]
        return "\n".join([*lines, "# EOF", ""])


def _seconds(at: datetime) -> int:
    return (at - EPOCH) // SECOND


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def number(value: float) -> str:
    """A value with as many digits as a chart can use."""
    return str(int(value)) if value == int(value) else f"{value:.7g}"


def cumulated(times: Sequence[datetime], per_second: Iterable[float], start: float) -> Points:
    """A counter of whole things that grows at these rates."""
    total, points = start, []
    previous = times[0]
    for at, rate in zip(times, per_second, strict=True):
        total += rate * (at - previous).total_seconds()
        points.append((at, float(int(total))))
        previous = at
    return points


def grown(times: Sequence[datetime], per_second: Iterable[float], start: float) -> Points:
    """A counter of seconds that grows at these rates."""
    total, points = start, []
    previous = times[0]
    for at, rate in zip(times, per_second, strict=True):
        total += rate * (at - previous).total_seconds()
        points.append((at, round(total, 3)))
        previous = at
    return points


def seldom(points: Points) -> Points:
    """The same course with fewer samples: all changes, and one sample each few minutes between."""
    kept: Points = []
    for index, (at, value) in enumerate(points):
        last = index == len(points) - 1
        changes = (
            index == 0
            or points[index - 1][1] != value
            or (not last and points[index + 1][1] != value)
        )
        if changes or last or at - kept[-1][0] >= SLOW_STEP:
            kept.append((at, value))
    return kept
