"""Metrics that left their own past: who is slow, failing or busy, and the deepest that explains it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from assistant.checks.calls import CallGraph, Edge, asked_graph
from assistant.checks.case import Case
from assistant.incident import Entity, Evidence, Finding
from assistant.series import Move
from assistant.snapshot import dig, listing, mapping, moment
from assistant.topology import called

MEANINGS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("", r"^(kube_|ALERTS|up$|go_|scrape_|prometheus_)"),
        ("disk_low", r"node_filesystem_(avail|free)|volume_stats_available"),
        ("resource_high", r"cpu_usage|memory_(working_set|usage)|process_(cpu|resident)|throttled"),
        ("errors_high", r"fail|error|5xx|availability"),
        ("traffic", r"requests?(_\w+)?(_total|_count)$|_count$|requests_per|rps"),
        ("latency_high", r"latency|duration|seconds|response_time|_p9\d"),
    )
)
"""Tried in order; metric names of exporters and meshes alike. An empty kind is no signal of its own:
what kube-state-metrics says stands in the objects."""

OWN_WORDS = ("deployment", "statefulset", "workload", "app", "service", "job", "container")
STRONG = 3.0
"""Spreads of its own past (robust z): below three is ordinary life."""

THROTTLED = 0.25
"""Share of CPU periods throttled from which on latency suffers."""

SLOWER = 1.5
"""A service is called slow from half as much again on: less is seldom what an alert is about."""

FAILING = 0.01
"""A service is called failing when at least one request in a hundred fails more than before."""


async def check(case: Case) -> list[Finding]:
    """Symptoms from metrics, and the deepest ill service on the way that calls take."""
    graph = await asked_graph(case)
    found = list(_of_graph(graph))
    found.extend(_anomalies(case, whole=not graph.edges))
    return [*found, *_deepest(graph), *_saturated(case)]


@dataclass(frozen=True)
class Ill:
    """What is wrong with one call."""

    kind: str
    edge: Edge
    move: Move


def ill(edge: Edge) -> Ill | None:
    """Whether a call has become slow, or has begun to fail; slow is said first."""
    slow, failing = edge.latency, edge.errors
    if slow and slow.strength >= STRONG and slow.during > SLOWER * slow.before:
        return Ill("latency_high", edge, slow)
    if failing and failing.strength >= STRONG and failing.during - failing.before >= FAILING:
        return Ill("errors_high", edge, failing)
    return None


def _of_graph(graph: CallGraph) -> Iterator[Finding]:
    """One symptom for each server and kind: its worst call."""
    worst: dict[tuple[str, Entity], Ill] = {}
    for edge in graph.edges:
        bad = ill(edge)
        if bad:
            key = (bad.kind, edge.server)
            if key not in worst or bad.move.strength > worst[key].move.strength:
                worst[key] = bad
    for (kind, server), bad in worst.items():
        yield _of_call(kind, server, bad)


def _of_call(kind: str, server: Entity, bad: Ill) -> Finding:
    edge, move = bad.edge, bad.move
    what = "answers take" if bad.kind == "latency_high" else "share of failed requests"
    return Finding(
        kind=kind,
        entity=server,
        statement=f"{server}: {what} {_amount(bad.kind, move.during)} for {edge.client.name}, "
        f"{_amount(bad.kind, move.before)} before",
        citations=(edge.evidence.cite(edge.server_label),),
        began=move.onset,
        active=not move.over,
        strength=min(1.0, 0.7 + move.strength / 50),
        details={"signal": bad.kind, "client": edge.client.name},
    )


def _amount(kind: str, value: float) -> str:
    if kind == "errors_high":
        return f"{value:.1%}"
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.1f} s"


def _deepest(graph: CallGraph) -> Iterator[Finding]:
    """Ill servers that call no other ill one: where the trouble begins.

    The call graph is walked down from the alerting service, as in PetShop's traversal baseline
    (arXiv 2311.04806): a victim has an ill callee, a culprit has none. Ties are given as ties.
    """
    bad = {edge: found for edge in graph.edges if (found := ill(edge))}
    for server in sorted({edge.server for edge in bad}, key=str):
        mine = [found for edge, found in bad.items() if edge.server == server]
        below = [edge for edge in graph.edges if edge.client == server]
        if any(edge in bad for edge in below):
            continue
        worst = max(mine, key=lambda found: (found.kind == "latency_high", found.move.strength))
        slow = worst.kind == "latency_high"
        finding = _of_call("slow_dependency" if slow else "failing_dependency", server, worst)
        said = "; nothing that it calls is ill" if below else "; it calls nothing that is measured"
        yield finding.model_copy(update={"statement": finding.statement + said})
    yield from _steady(graph, bad)


def _steady(graph: CallGraph, bad: Mapping[Edge, Ill]) -> Iterator[Finding]:
    """Callees of ill servers that kept their level: looked at, and found innocent."""
    sick = {edge.server for edge in bad}
    told: set[Entity] = set()
    for edge in graph.edges:
        if edge.client in sick and edge.server not in sick | told and edge.level is not None:
            told.add(edge.server)
            yield Finding(
                kind="dependency_steady",
                entity=edge.server,
                statement=f"{edge.server} answers {edge.client.name} in "
                f"{_amount('latency_high', edge.level)}, as before",
                citations=(edge.evidence.cite(edge.server_label),),
            )


def _anomalies(case: Case, *, whole: bool) -> Iterator[Finding]:
    """Series that left their past; calls among them only where no call graph tells it better."""
    told: dict[tuple[str, Entity], Finding] = {}
    for answer in case.of_tool("prometheus.find_anomalies"):
        for row in listing(answer.data, "anomalies"):
            finding = _symptom(case, answer, mapping(row))
            if finding and (whole or finding.kind in ("disk_low", "resource_high")):
                told.setdefault((finding.kind, finding.entity), finding)
    yield from told.values()


def _symptom(case: Case, answer: Evidence, row: Mapping[str, Any]) -> Finding | None:
    metric, labels = str(row.get("metric") or ""), mapping(row, "labels")
    kind = _kind(metric, labels, str(row.get("direction")))
    entity = _entity(case, labels)
    strength, onset = abs(float(row.get("strength") or 0)), moment(row.get("onset"))
    if not kind or entity is None or strength < STRONG or not case.in_window(onset):
        return None
    before, during = row.get("before"), row.get("during")
    return Finding(
        kind=kind,
        entity=entity,
        statement=f"{entity}: {metric} went from {_figure(before)} to {_figure(during)}",
        citations=(answer.cite(metric), answer.cite(row["onset"])),
        began=onset,
        strength=min(1.0, 0.5 + strength / 40),
        details={"metric": metric},
    )


def _kind(metric: str, labels: Mapping[str, Any], direction: str) -> str:
    code = str(labels.get("code") or labels.get("status") or labels.get("status_code") or "")
    kind = next((kind for kind, pattern in MEANINGS if pattern.search(metric)), "")
    up = direction != "down"
    if kind == "traffic" and code.startswith("5"):
        kind = "errors_high"
    if kind == "traffic":
        return "traffic_high" if up else "traffic_low"
    wanted = not up if kind == "disk_low" or "availability" in metric else up
    return kind if wanted else ""


def _figure(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, int | float) else str(value)


def _entity(case: Case, labels: Mapping[str, Any]) -> Entity | None:
    """The thing that a series is about."""
    if labels.get("server"):
        return called(case.snapshot, str(labels["server"]))
    pod = case.snapshot.get("Pod", str(labels.get("namespace", "")), str(labels.get("pod", "")))
    if pod:
        return case.snapshot.owner(pod).entity
    node = str(labels.get("node") or labels.get("instance") or "").partition(":")[0]
    if case.snapshot.get("Node", "", node):
        return Entity(kind="Node", name=node)
    name = next((str(labels[word]) for word in OWN_WORDS if labels.get(word)), "")
    return called(case.snapshot, name) if name else None


def _saturated(case: Case) -> Iterator[Finding]:
    for answer in case.of_tool("prometheus.get_metrics"):
        name = str(answer.arguments.get("workload") or answer.arguments.get("service") or "")
        for signal in listing(answer.data, "signals"):
            last = dig(signal, "last")
            throttled = dig(signal, "name") == "cpu_throttling" and isinstance(last, int | float)
            if throttled and last > THROTTLED:
                entity = called(case.snapshot, name)
                yield Finding(
                    kind="cpu_saturated",
                    entity=entity,
                    statement=f"{entity}: throttled in {last:.0%} of its CPU periods",
                    citations=(answer.cite("cpu_throttling"),),
                    strength=0.9,
                )
