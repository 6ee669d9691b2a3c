"""The tool `find_anomalies`: which series of a scope changed, when, and how strongly."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated

import anyio.to_thread
from pydantic import Field

from mcp_servers.answer import Answer, Status, ToolFailure, found
from mcp_servers.prometheus.arguments import End, Namespace, Start
from mcp_servers.prometheus.client import Prometheus, Row, quoted
from mcp_servers.prometheus.judging import Anomaly, Grid, judged
from mcp_servers.prometheus.scope import Subject
from mcp_servers.prometheus.series import Flat, aligned, choose_step, window
from mcp_servers.together import together

TOOL = "find_anomalies"
MOST_SERIES = 2_000
SERIES_PER_REQUEST = 400
METRICS_PER_REQUEST = 60
MOST_SAMPLES = 400_000
LEAST_POINTS, MOST_POINTS = 60, 300
CONCURRENT = 4
FINEST, MOST_STEPS = 5, 480
BRIEF = 4
"""A recording that fills less than this part of the span is looked at by itself, in fine steps."""
NEVER = r".+_bucket|.+_created|ALERTS|ALERTS_FOR_STATE|.+_timestamp|.+_timestamp_seconds|.+_start_time_seconds|scrape_.+|.+_info"
"""Clocks, labels and histogram buckets: what they say stands in other series."""
UNASKED = r"go_.+|prometheus_.+|promhttp_.+|process_.+|python_.+|net_conntrack_.+|.+_exporter_.+"
"""How the exporters themselves fare: only looked at when they are named."""


class Anomalies(Flat):
    """The strongest changes, and how many series were looked at."""

    anomalies: list[Anomaly]
    examined: int


@dataclass(frozen=True, slots=True)
class Changes:
    """Series held against their own past."""

    prometheus: Prometheus
    longest: timedelta

    async def find_anomalies(
        self,
        start: Start,
        end: End,
        namespace: Namespace = "",
        match: Annotated[
            str, Field(max_length=1000, description='series selector, e.g. {service="checkout"}')
        ] = "",
        baseline_seconds: Annotated[int, Field(ge=300, le=86_400)] = 3600,
        limit: Annotated[int, Field(ge=1, le=100)] = 20,
    ) -> Answer[Anomalies]:
        """Series that changed against their own past, strongest first, with the onset of each.

        Use it when the golden signals do not tell. Counters are taken as rates, histograms as mean
        and rate. Strength is in spreads of the baseline before the window, at most 100; equal
        strengths are ties. It says that something moved, not why, and knows no season or schedule.
        """
        start, end = window(start, end, self.longest)
        selector = await self._selector(namespace, match)
        span = start - timedelta(seconds=baseline_seconds), end
        counts = await self._counts(selector, *span)
        metrics, left_out = affordable(counts)
        recorded = await self._recorded(selector, *span) if counts else span
        grid = _grid(*recorded, start, sum(counts[metric] for metric in metrics))
        rows, types = await self._read(selector, metrics, counts, grid)
        judge = anyio.to_thread.run_sync
        anomalies, examined = await judge(lambda: judged(rows, types, grid))
        return self._answer(anomalies, examined, sum(counts.values()), left_out, limit)

    async def _selector(self, namespace: str, match: str) -> str:
        """The matchers of the scope, without braces, ending in a comma."""
        inside = Subject(namespace).in_namespace().removeprefix(",")
        name, braces, matchers = match.strip().partition("{")
        if braces and not matchers.endswith("}"):
            name = ""
        if match.strip():
            await self.prometheus.parse(match, TOOL)
        if match.strip() and not re.fullmatch(
            r"([a-zA-Z_:][\w:]*)?\s*(\{.*\})?", match.strip(), re.DOTALL
        ):
            raise ToolFailure(
                Status.ERROR,
                f"prometheus.find_anomalies: match {match!r} is not a plain series selector",
                ('give a metric name or matchers, e.g. {service="checkout"}',),
                self.prometheus.source,
            )
        parts = [inside, matchers.removesuffix("}").strip().rstrip(",")]
        named = name.strip()
        parts.append(f"__name__={quoted(named)}" if named else '__name__=~".+"')
        never = NEVER if "__name__" in match or named else f"{NEVER}|{UNASKED}"
        parts.append(f"__name__!~{quoted(never)}")
        return ",".join(part for part in parts if part)

    async def _counts(self, selector: str, start: datetime, end: datetime) -> dict[str, int]:
        """How many series each metric of the scope has, at most, over the window."""
        step = max(300, math.ceil((end - start).total_seconds() / 48))
        query = f"count by (__name__) ({{{selector}}})"
        rows = await self.prometheus.range(query, aligned(start, end, step), end, step, TOOL)
        return {
            row["metric"]["__name__"]: int(max(float(value) for _, value in row["values"]))
            for row in rows
        }

    async def _recorded(
        self, selector: str, start: datetime, end: datetime
    ) -> tuple[datetime, datetime]:
        """The span, or its end where all that was ever recorded are some minutes of it.

        Read in the span's own steps such a recording would be a handful of points.
        """
        step = max(FINEST, math.ceil((end - start).total_seconds() / MOST_STEPS))
        query = f"count({{{selector}}})"
        rows = await self.prometheus.range(query, aligned(start, end, step), end, step, TOOL)
        times = [float(at) for row in rows for at, _ in row["values"]]
        begins = end - timedelta(seconds=end.timestamp() - min(times) + step) if times else start
        brief = end - begins < (end - start) / BRIEF
        return (begins, end) if brief else (start, end)

    async def _read(
        self, selector: str, metrics: list[str], counts: Mapping[str, int], grid: Grid
    ) -> tuple[list[Row], Mapping[str, str]]:
        """All series of `metrics` on the grid, and the types that Prometheus knows."""
        calls = [
            partial(self._series, selector, names, grid) for names in _portions(metrics, counts)
        ]
        types = await self._types() if calls else {}
        portions = await together(calls, CONCURRENT)
        return [row for portion in portions for row in portion], types

    async def _series(self, selector: str, names: list[str], grid: Grid) -> list[Row]:
        query = f"{{{selector},__name__=~{quoted('|'.join(names))}}}"
        return await self.prometheus.range(query, grid.start, grid.end, grid.step, TOOL)

    async def _types(self) -> Mapping[str, str]:
        """Types by metric; without them a counter is known by its name."""
        try:
            known = await self.prometheus.get("metadata", TOOL, [("limit_per_metric", 1)])
        except ToolFailure:
            return {}
        return {name: said[0].get("type", "") for name, said in known.items() if said}

    def _answer(
        self,
        anomalies: list[Anomaly],
        examined: int,
        total: int,
        left_out: list[str],
        limit: int,
    ) -> Answer[Anomalies]:
        data = Anomalies(anomalies=anomalies[:limit], examined=examined)
        cut = len(anomalies) > limit
        answer = found(data, total=len(anomalies), source=self.prometheus.source, truncated=cut)
        reasons = []
        if cut and anomalies[limit].strength == anomalies[limit - 1].strength:
            tied = sum(one.strength == anomalies[limit].strength for one in anomalies)
            reasons.append(f"the list ends within a tie of {tied} equally strong changes")
        if left_out:
            answer.truncated = True
            some = ", ".join(left_out[:5])
            reasons.append(f"examined {examined} of {total} series; not {len(left_out)} ({some}…)")
            answer.suggestions = ["narrow with namespace or match"]
        if not total:
            reasons.append("no series in this scope and window; see list_metrics")
        answer.reason = "; ".join(reasons)
        return answer


def affordable(counts: Mapping[str, int]) -> tuple[list[str], list[str]]:
    """(metrics to read, metrics left out): those with few series first, so that most are seen."""
    taken, left, series = [], [], 0
    for metric in sorted(counts, key=lambda name: (counts[name], name)):
        if series + counts[metric] <= MOST_SERIES:
            taken.append(metric)
            series += counts[metric]
        else:
            left.append(metric)
    return taken, left


def _portions(metrics: list[str], counts: Mapping[str, int]) -> Iterator[list[str]]:
    portion: list[str] = []
    for metric in metrics:
        full = sum(counts[name] for name in portion) + counts[metric] > SERIES_PER_REQUEST
        if portion and (full or len(portion) >= METRICS_PER_REQUEST):
            yield portion
            portion = []
        portion.append(metric)
    if portion:
        yield portion


def _grid(start: datetime, end: datetime, asked: datetime, series: int) -> Grid:
    points = min(max(MOST_SAMPLES // max(series, 1), LEAST_POINTS), MOST_POINTS)
    seconds = (end - start).total_seconds()
    fine = FINEST if seconds <= FINEST * points and start > asked else 0
    step = fine or choose_step(seconds, points)
    first = aligned(start, end, step)
    return Grid(first, end, step, max(round((asked - first).total_seconds() / step), 0))
