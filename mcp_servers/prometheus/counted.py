"""Computes every service's latency, failures and traffic from counters and histograms.

Rates are taken over four samples, at a step that suits how often the counters were sampled.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

import numpy as np

from mcp_servers.prometheus.client import Prometheus, Row, quoted
from mcp_servers.prometheus.conventions import Requests
from mcp_servers.prometheus.courses import Floats
from mcp_servers.prometheus.measured import TOOL, Sampled, Span, points_of
from mcp_servers.prometheus.recorded import (
    ERRORS,
    LATENCY,
    NAMESPACE_LABELS,
    SERVICE_LABELS,
    TRAFFIC,
    naming,
)
from mcp_servers.prometheus.series import aligned
from mcp_servers.together import together

MOST_GROUPS = 400
WINDOW_POINTS = 240
PAST_POINTS = 150
SAMPLES_PER_RATE = 4
LEAST_SAMPLES = 3
NO_CLIENT = ("", "unknown")
UNITS = {LATENCY: "s", ERRORS: "ratio", TRAFFIC: "/s"}
NOTHING: tuple[Floats, Floats] = (np.array([]), np.array([]))


@dataclass(frozen=True, slots=True)
class Counters:
    """Signals computed from counters and histograms of one convention."""

    prometheus: Prometheus
    span: Span
    row: Requests
    there: frozenset[str]

    async def read(self) -> tuple[list[Sampled], set[tuple[str, str]]]:
        """(the signals of every service, who calls whom)."""
        labels = await self._labels()
        known = list(dict.fromkeys((*self.row.services, *SERVICE_LABELS)))
        own = naming(labels, self.row.services) or naming(labels, known)
        client = naming(labels, self.row.clients)
        calls = {(one.get(client, ""), one.get(own, "")) for one in labels} if client else set()
        calls = {pair for pair in calls if pair[0] not in NO_CLIENT and pair[1]}
        every = await self._sampled_every() if own and len(labels) <= MOST_GROUPS else 0.0
        if not every:
            return [], calls
        by = [label for label in (own, client, self._namespace(labels)) if label]
        wanted = self._queries(labels, by, max(round(SAMPLES_PER_RATE * every), 1))
        read = await together(
            [partial(self._read, signal, query, by, every) for signal, query in wanted]
        )
        return [one for rows in read for one in rows], calls

    async def _labels(self) -> list[Mapping[str, str]]:
        """The distinct sets of the labels that matter, of all series of the window."""
        names = dict.fromkeys((*self.row.services, *SERVICE_LABELS, *self.row.clients))
        names |= dict.fromkeys((*NAMESPACE_LABELS, *(label for label, _ in self.row.errors)))
        selected = self._selected(self.row.requests)
        query = f"count by ({','.join(names)}) (last_over_time({selected}[{self._window}s]))"
        return [row["metric"] for row in await self._instant(query)]

    async def _sampled_every(self) -> float:
        """Seconds between two samples; 0 where there are too few to take a rate of."""
        counted = f"count_over_time({self._selected(self.row.requests)}[{self._window}s])"
        most = await self._instant(f"topk(1, {counted})")
        if not most or float(most[0]["value"][1]) < LEAST_SAMPLES:
            return 0.0
        exact = ",".join(f"{name}={quoted(value)}" for name, value in most[0]["metric"].items())
        rows = await self._instant(f"{self.row.requests}{{{exact}}}[{self._window}s]")
        times = points_of(rows[0])[0] if rows else np.array([])
        return float(np.median(np.diff(times))) if len(times) >= LEAST_SAMPLES else 0.0

    def _queries(
        self, labels: Sequence[Mapping[str, str]], by: list[str], rate: int
    ) -> list[tuple[str, str]]:
        """(signal and statistic, query) of what this convention can tell."""
        group = f"sum by ({','.join(by)})"
        total = f"{group} (rate({self._selected(self.row.requests)}[{rate}s]))"
        queries = [(TRAFFIC, total)]
        if failed := self._failed(labels):
            rates = " or ".join(f"rate({selector}[{rate}s])" for selector in failed)
            queries.append((ERRORS, f"({group} ({rates}) or {total} * 0) / {total}"))
        return [*queries, *self._latencies(by, rate)]

    def _latencies(self, by: list[str], rate: int) -> Iterable[tuple[str, str]]:
        latency, factor = self.row.latency, self.row.seconds
        group = f"sum by ({','.join(by)})"
        if f"{latency}_sum" in self.there:
            parts = [
                f"{group} (rate({self._selected(f'{latency}_{end}')}[{rate}s]))"
                for end in ("sum", "count")
            ]
            yield f"{LATENCY} mean", f"{parts[0]} / {parts[1]} * {factor:g}"
        if f"{latency}_bucket" in self.there:
            buckets = f"rate({self._selected(f'{latency}_bucket')}[{rate}s])"
            each = f"sum by (le,{','.join(by)}) ({buckets})"
            for name, quantile in (("p50", 0.5), ("p95", 0.95)):
                yield f"{LATENCY} {name}", f"histogram_quantile({quantile}, {each}) * {factor:g}"

    def _failed(self, labels: Sequence[Mapping[str, str]]) -> list[str]:
        """The selectors of failed requests, all that apply; empty where nothing tells them apart."""
        if self.row.failed:
            return [self._selected(self.row.failed)] if self.row.failed in self.there else []
        return [
            self._selected(self.row.requests, f'{label}=~"{pattern}"')
            for label, pattern in self.row.errors
            if any(one.get(label) for one in labels)
        ]

    async def _read(self, named: str, query: str, by: list[str], every: float) -> list[Sampled]:
        """One signal over the past, coarsely, and over the window, finely."""
        signal, _, statistic = named.partition(" ")
        span = self.span
        past = partial(self._range, query, span.past, span.start, PAST_POINTS, every)
        window = partial(self._range, query, span.start, span.end, WINDOW_POINTS, every)
        parts = await together([past, window])
        joined: dict[tuple[str, ...], list[tuple[Floats, Floats]]] = {}
        for row in (row for part in parts for row in part):
            key = tuple(row["metric"].get(label, "") for label in by)
            joined.setdefault(key, []).append(points_of(row))
        metric = self.row.latency if signal == LATENCY else self.row.requests
        unit, source = UNITS[signal], self.row.convention
        base = Sampled("", "", "", signal, statistic, unit, metric, source, *NOTHING)
        return [self._of_group(base, by, key, points) for key, points in joined.items()]

    def _of_group(
        self,
        base: Sampled,
        by: list[str],
        key: tuple[str, ...],
        points: list[tuple[Floats, Floats]],
    ) -> Sampled:
        named = dict(zip(by, key, strict=True))
        return replace(
            base,
            service=key[0],
            client=next((named[label] for label in self.row.clients if label in by[1:]), ""),
            namespace=named.get(self.row.namespace, ""),
            times=np.concatenate([times for times, _ in points]),
            values=np.concatenate([values for _, values in points]),
        )

    async def _range(
        self, query: str, start: datetime, end: datetime, points: int, every: float
    ) -> list[Row]:
        seconds = (end - start).total_seconds()
        step = max(math.ceil(every), math.ceil(seconds / points))
        if seconds < step:
            return []
        last = end if end == self.span.end else end - timedelta(seconds=step)
        return await self.prometheus.range(query, aligned(start, last, step), last, step, TOOL)

    def _selected(self, metric: str, more: str = "") -> str:
        matchers = ",".join(one for one in (self.row.only, more) if one)
        return f"{metric}{self.span.inside(self.row.namespace, matchers)}"

    def _namespace(self, labels: Sequence[Mapping[str, str]]) -> str:
        return self.row.namespace if any(one.get(self.row.namespace) for one in labels) else ""

    @property
    def _window(self) -> int:
        return self.span.window_seconds

    async def _instant(self, query: str) -> list[Row]:
        return await self.prometheus.instant(query, self.span.end, TOOL)
