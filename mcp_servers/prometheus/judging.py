"""Rows of a range query -> the series that changed. Pure; what counts as a change is `anomalies`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

import numpy as np

from mcp_servers.moments import from_unix
from mcp_servers.prometheus.anomalies import Floats, change, constant, rate, stride
from mcp_servers.prometheus.client import Row, quoted
from mcp_servers.prometheus.series import Flat

RATE_STEPS = 4
LOOKBACK_SECONDS = 300
"""For so long Prometheus repeats a sample."""
COUNTER = re.compile(r".+_(total|count|sum)|node_netstat_(?!.+CurrEstab).+|node_vmstat_(pg|oom).+")
OF_A_TARGET = ("pod", "instance")

Key = tuple[str, frozenset[tuple[str, str]]]


class Anomaly(Flat):
    """One series that left its own past."""

    metric: str
    labels: dict[str, str]
    query: str
    onset: str
    direction: str
    strength: float
    before: float
    during: float


@dataclass(frozen=True, slots=True)
class Grid:
    """The rows of the scan: `first` is the row at which the asked window begins."""

    start: datetime
    end: datetime
    step: int
    first: int

    @property
    def rows(self) -> int:
        """How many there are."""
        return round((self.end - self.start).total_seconds() / self.step) + 1


class Kind(Enum):
    """What the values of a series are."""

    GAUGE = "as recorded"
    AMOUNTS = "a counter of seconds, bytes and the like"
    EVENTS = "a counter of whole things"
    MEAN = "a histogram's sum by its count"


@dataclass(frozen=True, slots=True)
class Column:
    """One series on the grid."""

    metric: str
    labels: Mapping[str, str]
    values: Floats
    kind: Kind

    @property
    def key(self) -> Key:
        """What tells it from all others."""
        return self.metric, frozenset(self.labels.items())

    @property
    def target(self) -> tuple[str, ...]:
        """Which pod or instance it was scraped from, as far as the labels say."""
        return tuple(self.labels.get(label, "") for label in OF_A_TARGET)


def judged(rows: list[Row], types: Mapping[str, str], grid: Grid) -> tuple[list[Anomaly], int]:
    """(changes, strongest first; how many series were examined)."""
    columns = [_column(row, types, grid) for row in rows]
    if not grid.first:
        _without_echo(columns, grid)
    every = stride((column.values for column in columns), max(LOOKBACK_SECONDS // grid.step, 1))
    moving = [one for one in signals(columns, grid, every) if not constant(one.values)]
    anomalies = [anomaly for one in moving if (anomaly := _judge(one, grid, every))]
    anomalies.sort(
        key=lambda one: (-one.strength, one.onset, one.metric, sorted(one.labels.items()))
    )
    return anomalies, len(columns)


def _column(row: Row, types: Mapping[str, str], grid: Grid) -> Column:
    labels = dict(row["metric"])
    metric = labels.pop("__name__", "")
    numbers = np.array([value for _, value in row["values"]]).astype(np.float64)
    times = np.array([at for at, _ in row["values"]], dtype=np.float64)
    places = np.rint((times - grid.start.timestamp()) / grid.step).astype(int)
    values = np.full(grid.rows, np.nan)
    values[places] = np.where(np.isfinite(numbers), numbers, np.nan)
    kind = Kind.GAUGE
    if types.get(metric, "") == "counter" or COUNTER.fullmatch(metric):
        kind = Kind.EVENTS if bool(np.all(numbers == np.rint(numbers))) else Kind.AMOUNTS
    return Column(metric, labels, values, kind)


def _without_echo(columns: list[Column], grid: Grid) -> None:
    """Of a recording that stopped: drop what Prometheus repeats after its last sample.

    Counters would seem to stand still there. Only where nothing at all moves any more, and only in
    a recording that is looked at by itself.
    """
    moves = [np.flatnonzero(np.abs(np.diff(column.values)) > 0) for column in columns]
    last = max((int(one[-1]) + 1 for one in moves if len(one)), default=grid.rows)
    if grid.rows - last <= LOOKBACK_SECONDS // grid.step:
        for column in columns:
            column.values[last + 1 :] = np.nan


def signals(columns: list[Column], grid: Grid, every: int) -> Iterator[Column]:
    """What is judged: gauges as they are, counters as rates, sums over counts as means.

    A counter that appears on a target that was there before was at zero until then.
    """
    alive = _alive_before(columns, grid.first)
    rates = {one.key: _rate(one, grid, every, alive) for one in columns if one.kind != Kind.GAUGE}
    for column in columns:
        if column.kind is Kind.GAUGE:
            yield column
        elif not column.metric.endswith("_sum"):
            yield Column(column.metric, column.labels, rates[column.key], column.kind)
        elif (mean := _mean(column, rates)) is not None:
            yield Column(column.metric.removesuffix("_sum"), column.labels, mean, Kind.MEAN)


def _alive_before(columns: list[Column], first: int) -> dict[tuple[str, ...], int]:
    """The first row of each pod and instance that was measured in the first half of the baseline."""
    half = max(first // 2, 1)
    found: dict[tuple[str, ...], int] = {}
    for column in columns:
        known = np.flatnonzero(~np.isnan(column.values[:half]))
        if len(known):
            found[column.target] = min(int(known[0]), found.get(column.target, half))
    return found


def _rate(column: Column, grid: Grid, every: int, alive: Mapping[tuple[str, ...], int]) -> Floats:
    """A counter that appears well after its target did began at zero; one that was recorded from
    the target's own begin on did not.
    """
    values = column.values.copy()
    known = np.flatnonzero(~np.isnan(values))
    begins = alive.get(column.target)
    if len(known) and begins is not None and known[0] > begins + rate_steps(every):
        values[: known[0]] = 0.0
    return rate(values, grid.step, rate_steps(every))


def _mean(column: Column, rates: Mapping[Key, Floats]) -> Floats | None:
    """Sum by count; None where the histogram's count is not there."""
    counts = f"{column.metric.removesuffix('_sum')}_count"
    count = rates.get((counts, frozenset(column.labels.items())))
    if count is None:
        return None
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(count > 0, rates[column.key] / count, np.nan)


def rate_steps(every: int) -> int:
    """Over how many steps a rate is taken, where each sample shows on `every` of them."""
    return max(RATE_STEPS, 2 * every)


def _judge(column: Column, grid: Grid, every: int) -> Anomaly | None:
    """The change of one series, on its own samples (repeats left out)."""
    rows = np.flatnonzero(~np.isnan(column.values))[::-1][::every][::-1]
    first = int(np.searchsorted(rows, grid.first))
    each = float(grid.step * every) if column.kind is Kind.EVENTS else 0.0
    moved = change(column.values[rows], first, each)
    if moved is None:
        return None
    onset = grid.start.timestamp() + int(rows[moved.row]) * grid.step
    return Anomaly(
        metric=column.metric,
        labels=dict(column.labels),
        query=_query(column, rate_steps(every) * grid.step),
        onset=from_unix(onset),
        direction="up" if moved.strength > 0 else "down",
        strength=round(abs(moved.strength), 1),
        before=moved.before,
        during=moved.during,
    )


def _query(column: Column, seconds: int) -> str:
    """PromQL that shows the series as it was judged."""
    inside = ",".join(f"{name}={quoted(value)}" for name, value in sorted(column.labels.items()))
    if column.kind is Kind.GAUGE:
        return f"{column.metric}{{{inside}}}"
    ends = ("_sum", "_count") if column.kind is Kind.MEAN else ("",)
    return " / ".join(f"rate({column.metric}{end}{{{inside}}}[{seconds}s])" for end in ends)
