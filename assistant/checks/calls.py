"""The calls that service-graph metrics show, each with how its latency and failures moved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import anyio

from assistant.checks.case import Case
from assistant.incident import Entity, Evidence
from assistant.series import Move, moved
from assistant.snapshot import listing, mapping
from assistant.topology import called

STEP_SECONDS = 60
LIKE_BEFORE = 0.25
"""A level within a quarter of the one before is called steady: load alone moves it by as much."""
PREFIX = "traces_service_graph_request"
LATENCY = (
    f"sum by (client, server) (rate({PREFIX}_server_seconds_sum[5m]))"
    f" / sum by (client, server) (rate({PREFIX}_server_seconds_count[5m]))"
)
ERRORS = (
    f"sum by (client, server) (rate({PREFIX}_failed_total[5m]))"
    f" / sum by (client, server) (rate({PREFIX}_total[5m]))"
)


@dataclass(frozen=True)
class Edge:
    """Calls of one client to one server."""

    client: Entity
    server: Entity
    server_label: str
    evidence: Evidence = field(repr=False, hash=False, compare=False)
    latency: Move | None = field(default=None, hash=False, compare=False)
    errors: Move | None = field(default=None, hash=False, compare=False)
    level: float | None = field(default=None, hash=False, compare=False)
    """Seconds that an answer takes, where that is much as it was before."""


@dataclass(frozen=True)
class CallGraph:
    """All calls that were measured; empty where nobody exports a service graph."""

    edges: tuple[Edge, ...]


async def asked_graph(case: Case) -> CallGraph:
    """Ask Prometheus for latency and failures of every call over the window."""
    answers: dict[str, Evidence] = {}

    async def one(name: str, query: str) -> None:
        window = case.scope.window
        arguments = {
            "query": query,
            "start": _utc(window.start.isoformat(timespec="seconds")),
            "end": _utc(window.end.isoformat(timespec="seconds")),
            "step_seconds": STEP_SECONDS,
            "max_series": 200,
        }
        answers[name] = await case.ask("prometheus.query_range", arguments, f"{name} of every call")

    if not _exported(case):
        return CallGraph(())
    async with anyio.create_task_group() as group:
        group.start_soon(one, "latency", LATENCY)
        group.start_soon(one, "failures", ERRORS)
    return _joined(case, answers["latency"], answers["failures"])


def _exported(case: Case) -> bool:
    """Whether the first round saw a service graph at all."""
    return any(
        PREFIX in str(item.arguments.get("query")) and listing(item.data, "series")
        for item in case.of_tool("prometheus.query")
    )


def _utc(text: str) -> str:
    return text.replace("+00:00", "Z")


def _joined(case: Case, latency: Evidence, errors: Evidence) -> CallGraph:
    times, failures = _moves(latency), _moves(errors)
    edges = [
        Edge(
            client=called(case.snapshot, client),
            server=called(case.snapshot, server),
            server_label=server,
            evidence=latency if (client, server) in times else errors,
            latency=times.get((client, server), (None, None))[0],
            errors=failures.get((client, server), (None, None))[0],
            level=_steady(times.get((client, server))),
        )
        for client, server in sorted({*times, *failures})
    ]
    return CallGraph(tuple(edges))


def _steady(row: tuple[Move | None, float | None] | None) -> float | None:
    if row is None:
        return None
    move, last = row
    left = move and abs(move.during - move.before) > LIKE_BEFORE * abs(move.before)
    return None if left else last


def _moves(answer: Evidence) -> Mapping[tuple[str, str], tuple[Move | None, float | None]]:
    """(client, server) -> how it moved, and its last value."""
    found: dict[tuple[str, str], tuple[Move | None, float | None]] = {}
    for series in listing(answer.data, "series") if answer.status.seen else []:
        labels = mapping(series, "labels")
        points = [row for row in listing(series, "points") if row[1] is not None]
        key = (str(labels.get("client") or ""), str(labels.get("server") or ""))
        if all(key) and points:
            found[key] = (moved(points), float(points[-1][1]))
    return found
