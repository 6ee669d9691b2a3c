"""The tool `get_metrics`: rate, errors, latency and saturation of one service or workload."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from statistics import median
from typing import Annotated

from pydantic import Field

from mcp_servers.answer import Answer, Status, ToolFailure, found
from mcp_servers.moments import moment
from mcp_servers.prometheus.arguments import End, Namespace, Start
from mcp_servers.prometheus.client import Prometheus, Row
from mcp_servers.prometheus.conventions import GAUGES, REQUESTS, SATURATION, Requests, Saturation
from mcp_servers.prometheus.scope import Scope, Subject, discover
from mcp_servers.prometheus.series import (
    Flat,
    Number,
    Point,
    aligned,
    choose_step,
    finite,
    thinned,
    window,
)
from mcp_servers.together import outcomes

POINTS = 240
SHOWN_POINTS = 60
MOST_PER_SIGNAL = 6
DEFAULT_RATE_SECONDS = 300
SAMPLES_PER_RATE = 4
TOOL = "get_metrics"
_Workload = Annotated[
    str, Field(max_length=253, description="e.g. the Deployment checkout: its pods")
]
_Service = Annotated[
    str, Field(max_length=253, description="as requests are labelled, e.g. checkout")
]
_Onset = Annotated[str, Field(max_length=40, description="RFC 3339: parts before from during")]


class Signal(Flat):
    """One golden signal: medians before and during, and what it may be at most."""

    name: str
    unit: str
    convention: str
    query: str
    labels: dict[str, str]
    before: Number
    during: Number
    max: Number
    last: Number
    limit: Number
    request: Number
    points: list[list[float]]


class Signals(Flat):
    """The signals that could be had."""

    signals: list[Signal]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A signal to be asked for: its query, and the queries of what it may use at most."""

    name: str
    unit: str
    convention: str
    query: str
    limit: str = ""
    request: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """The window, where it is parted, and the step in which it is read."""

    start: datetime
    onset: datetime | None
    end: datetime
    step: int


@dataclass(frozen=True, slots=True)
class GoldenSignals:
    """The signals that matter, by the conventions of whoever exports them."""

    prometheus: Prometheus
    longest: timedelta

    async def get_metrics(
        self,
        start: Start,
        end: End,
        namespace: Namespace = "",
        workload: _Workload = "",
        service: _Service = "",
        onset: _Onset = "",
    ) -> Answer[Signals]:
        """Golden signals of one service, workload or namespace: request rate, error ratio, latency
        p50/p95/p99, CPU with throttling, memory, restarts; limits beside them. Begin with it.

        `before` and `during` are medians up to and from `onset`, else of the window's first half and
        last quarter. `convention` names the exporter. CPU and memory are those of the busiest pod.
        Signals without any known metric are missing, never zero. It cannot say why one moved; for
        other metrics use find_anomalies.
        """
        subject = Subject(namespace, workload, service)
        span = self._span(start, end, onset)
        if not (namespace or workload or service):
            why = "prometheus.get_metrics: no namespace, workload or service was named"
            advice = ("name one of them; find_anomalies looks at everything",)
            raise ToolFailure(Status.ERROR, why, advice, self.prometheus.source)
        scope, there = await discover(self.prometheus, subject, span.start, span.end, TOOL)
        rate = await self._rate(scope, span)
        wanted = list(wanted_signals(scope, f"{rate}s"))
        signals, failures = await self._read_all(wanted, span)
        return self._answer(signals, failures, subject, there)

    def _span(self, start: datetime, end: datetime, onset: str) -> Span:
        start, end = window(start, end, self.longest)
        parted = moment(onset, start, "onset") if onset else None
        if parted is not None and not start < parted < end:
            parted = None
        return Span(start, parted, end, choose_step((end - start).total_seconds(), POINTS))

    async def _rate(self, scope: Scope, span: Span) -> int:
        """Seconds to take rates over: four samples, as often as this scope is sampled."""
        counter, matchers = _some_counter(scope)
        if not counter:
            return max(DEFAULT_RATE_SECONDS, span.step)
        seconds = int(min((span.end - span.start).total_seconds(), 3600))
        query = f"max(count_over_time({counter}{{{matchers}}}[{seconds}s]))"
        result = await self.prometheus.instant(query, span.end, TOOL)
        samples = float(result[0]["value"][1]) if result else 0.0
        if samples <= 1:
            return max(DEFAULT_RATE_SECONDS, span.step)
        every = seconds / samples
        return max(60, math.ceil(SAMPLES_PER_RATE * every / 30) * 30, span.step)

    async def _read_all(self, wanted: list[Wanted], span: Span) -> tuple[list[Signal], list[str]]:
        """All signals, a few at a time; one that fails is named and costs no other."""
        met = await outcomes([partial(self._read, signal, span) for signal in wanted])
        failures = [one for one in met if isinstance(one, ToolFailure)]
        read = [signal for one in met if not isinstance(one, ToolFailure) for signal in one]
        if failures and not read:
            raise failures[0]
        return read, [failure.reason for failure in failures]

    async def _read(self, wanted: Wanted, span: Span) -> list[Signal]:
        first = aligned(span.start, span.end, span.step)
        rows = await self.prometheus.range(wanted.query, first, span.end, span.step, TOOL)
        read = [(row, points) for row in rows if (points := finite(row))]
        read.sort(key=lambda one: -max(value for _, value in one[1]))
        limits = await self._bounds(wanted.limit, span) if read else {}
        requests = await self._bounds(wanted.request, span) if read else {}
        return [
            _signal(wanted, row, points, span, (limits, requests))
            for row, points in read[:MOST_PER_SIGNAL]
        ]

    async def _bounds(self, query: str, span: Span) -> Mapping[str, float]:
        """Limits or requests per container; the one of key "" is for all."""
        if not query:
            return {}
        rows = await self.prometheus.instant(query, span.end, TOOL)
        return {row["metric"].get("container", ""): float(row["value"][1]) for row in rows}

    def _answer(
        self, signals: list[Signal], failures: list[str], subject: Subject, there: frozenset[str]
    ) -> Answer[Signals]:
        data = Signals(signals=signals)
        answer = found(data, total=len(signals), source=self.prometheus.source)
        if failures:
            answer.truncated = True
            answer.reason = "not all signals could be read: " + "; ".join(failures[:3])
        elif not signals:
            has = ", ".join(sorted(there)[:10]) or "none of the known metrics"
            answer.reason = f"no golden signal is known for {subject}; the window holds {has}"
            answer.suggestions = ["see list_metrics for what is recorded", "try find_anomalies"]
        return answer


def wanted_signals(scope: Scope, rate: str) -> Iterator[Wanted]:
    """Per signal the first convention of the table that knows the subject."""
    seen: set[str] = set()
    for signal in (*_requests(scope, rate), *_gauges(scope), *_saturation(scope, rate)):
        if signal.name not in seen:
            seen.add(signal.name)
            yield signal


def _requests(scope: Scope, rate: str) -> Iterator[Wanted]:
    for row in REQUESTS:
        if matchers := _matchers(scope, row, row.requests):
            each = f"sum(rate({row.requests}{{{matchers}}}[{rate}]))"
            yield Wanted("request_rate", "requests/s", row.convention, each)
            if failed := _failed(scope, row, matchers, rate):
                yield Wanted("error_ratio", "ratio", row.convention, f"{failed} / {each}")
        yield from _latency(scope, row, rate)


def _failed(scope: Scope, row: Requests, matchers: str, rate: str) -> str:
    """The rate of failed requests, 0 where none has failed yet; empty where nothing tells."""
    if row.failed:
        selector = f"{row.failed}{{{matchers}}}"
    else:
        labels = [one for one in row.errors if scope.values(row.requests, one[0])]
        if not labels:
            return ""
        label, pattern = labels[0]
        selector = f'{row.requests}{{{matchers},{label}=~"{pattern}"}}'
    return f"(sum(rate({selector}[{rate}])) or vector(0))"


def _latency(scope: Scope, row: Requests, rate: str) -> Iterator[Wanted]:
    factor = "" if row.seconds == 1 else f" * {row.seconds}"
    buckets = f"{row.latency}_bucket"
    total, count = f"{row.latency}_sum", f"{row.latency}_count"
    if matchers := _matchers(scope, row, buckets):
        for name, quantile in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
            each = f"sum by (le) (rate({buckets}{{{matchers}}}[{rate}]))"
            query = f"histogram_quantile({quantile}, {each}){factor}"
            yield Wanted(f"latency_{name}", "seconds", row.convention, query)
    elif matchers := _matchers(scope, row, total):
        means = [f"sum(rate({metric}{{{matchers}}}[{rate}]))" for metric in (total, count)]
        yield Wanted("latency_mean", "seconds", row.convention, f"{means[0]} / {means[1]}{factor}")


def _matchers(scope: Scope, row: Requests, metric: str) -> str:
    matchers = scope.matchers(metric, row.services, row.namespace)
    return f"{matchers},{row.only}" if matchers and row.only else matchers


def _gauges(scope: Scope) -> Iterator[Wanted]:
    labels = REQUESTS[0].services
    for gauge in GAUGES:
        matchers = scope.matchers(gauge.metric, labels, "namespace") if scope.subject.named else ""
        if matchers:
            by = f"by ({','.join(gauge.by)}) " if gauge.by else ""
            ask = "max {by}({metric}{{{matchers}}})"
            query = ask.format(by=by, metric=gauge.metric, matchers=matchers)
            limit = ask.format(by=by, metric=gauge.limit, matchers=matchers) if gauge.limit else ""
            yield Wanted(gauge.name, gauge.unit, f"gauge {gauge.metric}", query, limit)


def _saturation(scope: Scope, rate: str) -> Iterator[Wanted]:
    for signal in SATURATION:
        if pods := scope.pods(signal.metric):
            query = _per_container(scope, signal, _filled(signal.query, pods, rate))
            limit = _bound(scope, signal, signal.limits)
            request = _bound(scope, signal, signal.requests)
            yield Wanted(signal.name, signal.unit, signal.convention, query, limit, request)


def _bound(scope: Scope, signal: Saturation, choices: tuple[tuple[str, str], ...]) -> str:
    for metric, expression in choices:
        if pods := scope.pods(metric):
            return _per_container(scope, signal, _filled(expression, pods, ""))
    return ""


def _per_container(scope: Scope, signal: Saturation, expression: str) -> str:
    """Of a workload the busiest pod's containers; of a whole namespace the sum."""
    if not scope.subject.named or signal.total:
        return f"sum({expression})" if signal.unit != "ratio" else f"max({expression})"
    return f"max by (container) ({expression})"


def _filled(template: str, pods: str, rate: str) -> str:
    return template.replace("{pods}", pods).replace("{rate}", rate)


def _some_counter(scope: Scope) -> tuple[str, str]:
    for row in REQUESTS:
        if matchers := _matchers(scope, row, row.requests):
            return row.requests, matchers
    for signal in SATURATION:
        if signal.metric.endswith("_total") and (pods := scope.pods(signal.metric)):
            return signal.metric, pods
    return "", ""


def _signal(
    wanted: Wanted,
    row: Row,
    points: list[Point],
    span: Span,
    bounds: tuple[Mapping[str, float], Mapping[str, float]],
) -> Signal:
    before, during = _parted(points, span)
    container = row["metric"].get("container", "")
    limit, request = (known.get(container, known.get("")) for known in bounds)
    return Signal(
        name=wanted.name,
        unit=wanted.unit,
        convention=wanted.convention,
        query=wanted.query,
        labels=dict(row["metric"]),
        before=median(before) if before else None,
        during=median(during) if during else None,
        max=max(value for _, value in points),
        last=points[-1][1],
        limit=limit,
        request=request,
        points=[list(point) for point in thinned(points, SHOWN_POINTS)],
    )


def _parted(points: list[Point], span: Span) -> tuple[list[float], list[float]]:
    """Values before and during: parted at the onset, else the first half and the last quarter."""
    start, end = span.start.timestamp(), span.end.timestamp()
    first = span.onset.timestamp() if span.onset else start + (end - start) / 2
    last = span.onset.timestamp() if span.onset else end - (end - start) / 4
    return [v for at, v in points if at < first], [v for at, v in points if at >= last]
