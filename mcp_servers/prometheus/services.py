"""The tool `list_services`: every service that requests are measured of, and who calls whom."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Annotated

import anyio.to_thread
from pydantic import Field

from mcp_servers.answer import Answer, ToolFailure, found
from mcp_servers.moments import from_unix, rfc3339
from mcp_servers.prometheus.arguments import End, Namespace, Start
from mcp_servers.prometheus.client import Prometheus
from mcp_servers.prometheus.conventions import CALLS, REQUESTS
from mcp_servers.prometheus.counted import Counters
from mcp_servers.prometheus.courses import Course, Scale, course
from mcp_servers.prometheus.measured import (
    TOOL,
    Gauges,
    Sampled,
    Span,
    without_idle,
)
from mcp_servers.prometheus.recorded import ERRORS, LATENCY, TRAFFIC, Meaning, central, meaning
from mcp_servers.prometheus.series import Flat, Number, window
from mcp_servers.together import outcomes

MOST_GAUGES = 16
MOST_SIGNALS = 400
PAST = timedelta(days=1)
"""So far back ordinary life is learnt from: a night and a day of it."""
MOST_CELLS = 48
SCALES = {LATENCY: Scale.FACTORS, ERRORS: Scale.SHARES, TRAFFIC: Scale.AMOUNTS}
SHOWN = 3.0
CENTRE, TAIL = "centre", "tail"


class Signal(Flat):
    """One signal of one service, and what became of it.

    The labels say `service`, `signal` (latency, errors, traffic), `statistic`, `unit`, `metric`, and,
    where it is one client's view, `client`.
    """

    labels: dict[str, str]
    before: float
    during: float
    strength: float
    onset: str
    over: bool
    course: list[Number]


class Services(Flat):
    """All signals, strongest first; `course` goes in steps. Calls are of `client` to `server`."""

    signals: list[Signal]
    calls: list[dict[str, str]]
    step_seconds: int


@dataclass(frozen=True, slots=True)
class Judged:
    """A signal and what became of it."""

    sampled: Sampled
    course: Course


@dataclass(frozen=True, slots=True)
class Cells:
    """The steps in which courses are told: no finer than the samples, and few."""

    first: float
    step: int
    count: int


@dataclass(frozen=True, slots=True)
class ServiceSignals:
    """Latency, failures and traffic of all services against their own past."""

    prometheus: Prometheus
    longest: timedelta

    async def list_services(
        self,
        start: Start,
        end: End,
        namespace: Namespace = "",
        service: Annotated[
            str, Field(max_length=253, description="always with course, e.g. checkout")
        ] = "",
    ) -> Answer[Services]:
        """Latency, failed share and traffic of every service against its last day, and who calls
        whom; what moved most first. Use it to see where on the way of calls trouble begins.

        Strength and `course` are in spreads of the past, at most 100. Services that export nothing
        are missing.
        """
        start, end = window(start, end, self.longest)
        span = Span(start - PAST, start, end, namespace)
        sampled, calls, failures = await self._read(span)
        judge = anyio.to_thread.run_sync
        judged = await judge(lambda: _judged(sampled, start.timestamp()))
        return self._answer(judged, calls, failures, service)

    async def _read(self, span: Span) -> tuple[list[Sampled], set[tuple[str, str]], list[str]]:
        params = [("start", rfc3339(span.start)), ("end", rfc3339(span.end))]
        there = frozenset(await self.prometheus.get("label/__name__/values", TOOL, params))
        gauges = [one for name in sorted(there) if (one := meaning(name))][:MOST_GAUGES]
        counters = [
            Counters(self.prometheus, span, row, there)
            for row in (*REQUESTS, *CALLS)
            if row.requests in there
        ]
        calls = [partial(one.read) for one in counters]
        met = await outcomes([partial(self._gauges, span, gauges), *calls])
        if met and all(isinstance(one, ToolFailure) for one in met):
            raise next(one for one in met if isinstance(one, ToolFailure))
        good = [one for one in met if not isinstance(one, ToolFailure)]
        failures = [one.reason for one in met if isinstance(one, ToolFailure)]
        sampled = [one for part, _ in good for one in part]
        return sampled, {pair for _, pairs in good for pair in pairs}, failures

    async def _gauges(
        self, span: Span, gauges: Sequence[Meaning]
    ) -> tuple[list[Sampled], set[tuple[str, str]]]:
        read = await Gauges(self.prometheus, span).read(gauges)
        return read, {(one.client, one.service) for one in read if one.client}

    def _answer(
        self,
        judged: list[Judged],
        calls: set[tuple[str, str]],
        failures: list[str],
        service: str,
    ) -> Answer[Services]:
        cells = _cells(judged)
        data = Services(
            signals=[_signal(one, cells, service) for one in judged[:MOST_SIGNALS]],
            calls=[{"client": client, "server": server} for client, server in sorted(calls)],
            step_seconds=cells.step,
        )
        cut = len(judged) > MOST_SIGNALS
        total = len(judged) + len(calls)
        answer = found(data, total=total, source=self.prometheus.source, truncated=cut)
        if failures:
            answer.truncated = True
            answer.reason = "not all services could be read: " + "; ".join(failures[:3])
        elif not total:
            answer.reason = "no request metric of a known convention in this window"
            answer.suggestions = ["see list_metrics for what is recorded", "try find_anomalies"]
        return answer


def _judged(sampled: Sequence[Sampled], since: float) -> list[Judged]:
    """One centre and one tail for each signal of each service, strongest first."""
    best: dict[tuple[object, ...], Judged] = {}
    for one in preferred(without_idle(sampled)):
        went = course(one.times, one.values, since, SCALES[one.signal])
        if went is None:
            continue
        key = (*one.key, CENTRE if central(one.statistic) else TAIL)
        if key not in best or abs(went.strength) > abs(best[key].course.strength):
            best[key] = Judged(one, went)
    return sorted(best.values(), key=lambda one: (-abs(one.course.strength), one.sampled.key))


def preferred(sampled: Iterable[Sampled]) -> list[Sampled]:
    """Without what a second convention says of a service again: gauges first, they are not smeared
    over a rate's window.
    """
    source: dict[tuple[str, str, str], str] = {}
    return [
        one
        for one in sampled
        if source.setdefault((one.service, one.client, one.signal), one.source) == one.source
    ]


def _cells(judged: Sequence[Judged]) -> Cells:
    """The cells that hold every course: as wide as samples are apart, or wider."""
    told = [one.course.scores for one in judged if one.course.scores]
    if not told:
        return Cells(0.0, 0, 0)
    first = min(scores[0][0] for scores in told)
    last = max(scores[-1][0] for scores in told)
    longest = max(told, key=len)
    apart = (longest[-1][0] - longest[0][0]) / max(len(longest) - 1, 1)
    step = max(round(max(apart, (last - first) / (MOST_CELLS - 1))), 1)
    return Cells(first, step, int((last - first) / step) + 1)


def _signal(one: Judged, cells: Cells, service: str) -> Signal:
    sampled, went = one.sampled, one.course
    told = sampled.service == service or abs(went.strength) >= SHOWN
    return Signal(
        labels=_labels(sampled),
        before=_rounded(went.before),
        during=_rounded(went.during),
        strength=went.strength,
        onset=from_unix(went.onset) if went.onset is not None else "",
        over=went.over,
        course=_course(went, cells) if told else [],
    )


def _labels(sampled: Sampled) -> dict[str, str]:
    named = {
        "service": sampled.service,
        "client": sampled.client,
        "namespace": sampled.namespace,
        "signal": sampled.signal,
        "statistic": sampled.statistic,
        "unit": sampled.unit,
        "metric": sampled.metric,
    }
    return {name: text for name, text in named.items() if text}


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")


def _course(went: Course, cells: Cells) -> list[float | None]:
    """The mean score of each cell; none where nothing was sampled."""
    inside: list[list[float]] = [[] for _ in range(cells.count)]
    for at, score in went.scores:
        place = min(int((at - cells.first) / cells.step), cells.count - 1)
        inside[place].append(score)
    return [round(sum(cell) / len(cell), 1) if cell else None for cell in inside]
