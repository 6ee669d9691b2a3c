"""Reads every service's latency, failures and traffic that stand ready as gauges.

They come as their own samples, so that no step and no look-back bends them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

import numpy as np

from mcp_servers.prometheus.client import Prometheus, Row
from mcp_servers.prometheus.conventions import CLIENT_LABELS
from mcp_servers.prometheus.courses import Floats
from mcp_servers.prometheus.recorded import (
    LATENCY,
    NAMESPACE_LABELS,
    TRAFFIC,
    Meaning,
    naming,
    statistic,
)
from mcp_servers.prometheus.scope import Subject
from mcp_servers.together import together

TOOL = "list_services"
MOST_SAMPLES = 120_000
"""What one gauge may bring into memory; a busy one is asked over a shorter past."""
PER_CENT = 1.5
"""A ratio that goes beyond this is told in per cent."""
RECORDED = "recorded"


@dataclass(frozen=True, slots=True)
class Sampled:
    """One signal of one service, as it was over the past and the window."""

    service: str
    client: str
    namespace: str
    signal: str
    statistic: str
    unit: str
    metric: str
    source: str
    """The convention it was read by; two conventions may tell the same."""
    times: Floats
    values: Floats

    @property
    def key(self) -> tuple[str, str, str, str]:
        """Whose signal it is."""
        return self.namespace, self.client, self.service, self.signal


@dataclass(frozen=True, slots=True)
class Span:
    """The past that is learnt from, the window, and where to look."""

    past: datetime
    start: datetime
    end: datetime
    namespace: str = ""

    @property
    def seconds(self) -> int:
        """From the past's begin to the window's end."""
        return round((self.end - self.past).total_seconds())

    @property
    def window_seconds(self) -> int:
        """The window alone."""
        return round((self.end - self.start).total_seconds())

    def inside(self, label: str = "namespace", more: str = "") -> str:
        """Braces with the matchers of the namespace, or with none."""
        return f"{{{more}{Subject(self.namespace).in_namespace(label)}}}".replace("{,", "{")


@dataclass(frozen=True, slots=True)
class Gauges:
    """Signals that stand ready."""

    prometheus: Prometheus
    span: Span

    async def read(self, meanings: Iterable[Meaning]) -> list[Sampled]:
        """Every series of these metrics that names a service."""
        read = await together([partial(self._read, meaning) for meaning in meanings])
        return [one for rows in read for one in rows]

    async def _read(self, meaning: Meaning) -> list[Sampled]:
        selector = f"{meaning.metric}{self.span.inside()}"
        seconds = self.span.seconds
        counting = f"sum(count_over_time({selector}[{seconds}s]))"
        counted = await self.prometheus.instant(counting, self.span.end, TOOL)
        samples = float(counted[0]["value"][1]) if counted else 0.0
        if samples > MOST_SAMPLES:
            seconds = max(round(seconds * MOST_SAMPLES / samples), self.span.window_seconds)
        query = f"{selector}[{seconds}s]"
        rows = await self.prometheus.instant(query, self.span.end, TOOL) if samples else []
        return list(_named(rows, meaning))


def _named(rows: Sequence[Row], meaning: Meaning) -> Iterable[Sampled]:
    labels = [row["metric"] for row in rows]
    own, client = naming(labels), naming(labels, CLIENT_LABELS)
    for row in rows:
        if row["metric"].get(own):
            times, values = points_of(row)
            yield _gauge(row["metric"], own, client, meaning, times, values)


def _gauge(
    labels: Mapping[str, str],
    own: str,
    client: str,
    meaning: Meaning,
    times: Floats,
    values: Floats,
) -> Sampled:
    values, unit = _in_unit(values, meaning)
    return Sampled(
        service=labels[own],
        client=labels.get(client, "") if client else "",
        namespace=next((labels[name] for name in NAMESPACE_LABELS if labels.get(name)), ""),
        signal=meaning.signal,
        statistic=meaning.statistic or statistic(labels),
        unit=unit,
        metric=meaning.metric,
        source=RECORDED,
        times=times,
        values=values,
    )


def _in_unit(values: Floats, meaning: Meaning) -> tuple[Floats, str]:
    """Latency in seconds where the name tells the unit; availability as the share that failed."""
    if meaning.signal == LATENCY:
        return (values * meaning.seconds, "s") if meaning.seconds else (values, "")
    if meaning.signal == TRAFFIC:
        return values, ""
    whole = 100.0 if len(values) and float(np.nanmax(values)) > PER_CENT else 1.0
    share = values / whole
    return (1 - share if meaning.ill == "down" else share), "ratio"


def points_of(row: Row) -> tuple[Floats, Floats]:
    """The times and the values of a row of Prometheus."""
    table = np.array(row["values"]).astype(np.float64)
    return table[:, 0], table[:, 1]


def without_idle(sampled: Sequence[Sampled]) -> list[Sampled]:
    """The same without what is said of moments at which nobody asked: no share fails of nothing."""
    idle: dict[tuple[str, str], Floats] = {}
    for one in sampled:
        if one.signal == TRAFFIC:
            idle[one.namespace, one.service] = one.times[one.values == 0]
    return [
        one if one.signal == TRAFFIC else _asked(one, idle.get((one.namespace, one.service)))
        for one in sampled
    ]


def _asked(one: Sampled, idle: Floats | None) -> Sampled:
    if idle is None or not len(idle):
        return one
    kept = ~np.isin(one.times, idle)
    return replace(one, times=one.times[kept], values=one.values[kept])
