"""The tools `query` and `query_range`: any PromQL, parsed first and bounded in what it may bring."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import Field

from mcp_servers.answer import Answer, Status, ToolFailure, found
from mcp_servers.moments import from_unix, moment
from mcp_servers.prometheus.arguments import At, End, Promql, Start
from mcp_servers.prometheus.client import Prometheus, Row
from mcp_servers.prometheus.series import (
    FETCHED_POINTS,
    MOST_POINTS,
    Flat,
    Series,
    aligned,
    choose_step,
    summary,
    window,
)
from mcp_servers.spec import Clock

MOST_SAMPLES = 400_000
"""What one answer may bring into memory: about 12 MB of JSON."""
MOST_ROWS = 500


class Sample(Flat):
    """One series at one moment. `NaN` and infinities stay words."""

    labels: dict[str, str]
    time: str
    value: float | str


class Instant(Flat):
    """What a query is at one moment."""

    result_type: str
    series: list[Sample]


class Range(Flat):
    """What a query was over a window."""

    step_seconds: int
    series: list[Series]


@dataclass(frozen=True, slots=True)
class Queries:
    """PromQL as given."""

    prometheus: Prometheus
    clock: Clock
    longest: timedelta

    async def query(
        self,
        query: Promql,
        time: At = "",
    ) -> Answer[Instant]:
        """The value of a PromQL expression at one moment, e.g. `up == 0`, at most 500 series.

        Use it to check one fact. For how something developed use query_range; for the usual
        signals of a service use get_metrics.
        """
        at = moment(time, self.clock())
        await self.prometheus.parse(query, "query")
        kind, samples = _samples(await self.prometheus.instant(query, at, "query"))
        kept = Instant(result_type=kind, series=samples[:MOST_ROWS])
        cut = len(samples) > MOST_ROWS
        return found(kept, total=len(samples), source=self.prometheus.source, truncated=cut)

    async def query_range(
        self,
        query: Promql,
        start: Start,
        end: End,
        step_seconds: Annotated[int, Field(ge=0, le=86_400, description="e.g. 60; 0: fitting")] = 0,
        max_points: Annotated[int, Field(ge=10, le=1000)] = 120,
        max_series: Annotated[int, Field(ge=1, le=200)] = 50,
    ) -> Answer[Range]:
        """How a PromQL expression developed, with min, max, last and trend per series.

        Points are thinned to max_points but every spike stays; the figures are of all points. Of
        too many series those with the highest maxima are given, and the true total is told. Use it
        to see when something began and whether it goes on.
        """
        start, end = window(start, end, self.longest)
        await self.prometheus.parse(query, "query_range")
        step = await self._step(query, start, end, step_seconds)
        first = aligned(start, end, step)
        rows = await self.prometheus.range(query, first, end, step, "query_range")
        answer = self._answer(rows, step, max_points, max_series)
        if step_seconds and step != step_seconds:
            answer.reason = f"step raised from {step_seconds} to {step} s. {answer.reason}".strip()
        return answer

    async def _step(self, query: str, start: datetime, end: datetime, wanted: int) -> int:
        """A step at which the answer stays within bounds, from a count of the series first."""
        seconds = (end - start).total_seconds()
        series = await self._count(query, start, end)
        points = min(MOST_SAMPLES // max(series, 1), MOST_POINTS if wanted else FETCHED_POINTS)
        if series > MOST_SAMPLES // 100:
            raise ToolFailure(
                Status.LIMITED,
                f"query {query!r} matches about {series} series, more than can be read",
                ("aggregate with sum by (…), narrow with labels, or ask topk(10, …)",),
                self.prometheus.source,
            )
        fitting = choose_step(seconds, points)
        least = max(int(-(-seconds // points)), 1)
        return max(wanted, least) if wanted else max(fitting, least)

    async def _count(self, query: str, start: datetime, end: datetime) -> int:
        """About how many series `query` gives, for a tenth of the price. Scalars count as one."""
        step = max(int((end - start).total_seconds() / 10), 1)
        counting = f"count(\n{query}\n)"
        try:
            rows = await self.prometheus.range(counting, start, end, step, "query_range")
        except ToolFailure as failure:
            if "expected type instant vector" not in failure.reason:
                raise
            return 1
        return int(max((float(value) for row in rows for _, value in row["values"]), default=0))

    def _answer(
        self, rows: list[Row], step: int, max_points: int, max_series: int
    ) -> Answer[Range]:
        series = [summary(row, max_points) for row in rows]
        cut = len(series) > max_series
        if cut:
            series.sort(key=lambda one: one.max if one.max is not None else float("-inf"))
            series = series[::-1][:max_series]
        data = Range(step_seconds=step, series=series)
        answer = found(data, total=len(rows), source=self.prometheus.source, truncated=cut)
        if cut:
            answer.reason = f"the {max_series} of {len(rows)} series with the highest maxima"
            answer.suggestions = ["aggregate with sum by (…), or narrow with labels"]
        return answer


def _samples(result: list[Any]) -> tuple[str, list[Sample]]:
    """The type of an instant result and its samples; of a range vector the last of each series."""
    if result and not isinstance(result[0], Mapping):
        at, value = result
        return "scalar", [Sample(labels={}, time=from_unix(at), value=_number(value))]
    kind = "matrix" if result and "values" in result[0] else "vector"
    return kind, [_sample(row) for row in result]


def _sample(row: Mapping[str, Any]) -> Sample:
    at, value = row["value"] if "value" in row else row["values"][-1]
    return Sample(labels=row.get("metric", {}), time=from_unix(at), value=_number(value))


def _number(text: str) -> float | str:
    """A number, or Prometheus's own word where it is none (NaN, +Inf, a string)."""
    try:
        number = float(text)
    except ValueError:
        return text
    return number if number - number == 0 else text
