"""Metrics that left their own past: who is slow or failing, and the deepest that explains it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from assistant.checks.case import Case
from assistant.incident import Entity, Evidence, Finding
from assistant.snapshot import dig, listing, mapping, moment
from assistant.topology import called

MEANINGS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("errors_high", r"fail|error|5xx|availability"),
        ("latency_high", r"latency|duration|seconds_(bucket|sum)|response_time|_p9\d"),
        ("disk_low", r"node_filesystem_(avail|free)|volume_stats_available"),
        ("resource_high", r"cpu_usage|memory_(working_set|usage)|process_(cpu|resident)|throttled"),
        ("traffic", r"request(s)?(_total|_count)?$|requests_per|rps"),
    )
)
"""Tried in order; metric names of exporters, mesh and service graphs alike."""

OWN_WORDS = ("deployment", "statefulset", "workload", "app", "service", "job", "container")
STRONG = 3.0
"""Spreads of its own past (robust z): below three is ordinary life."""

THROTTLED = 0.25
"""Share of CPU periods throttled from which on latency suffers."""


async def check(case: Case) -> list[Finding]:
    """Symptoms from metrics, and the deepest slow service on the way that calls take."""
    symptoms = list(_anomalies(case))
    return [*symptoms, *_deepest(case, symptoms), *_saturated(case)]


def _anomalies(case: Case) -> Iterator[Finding]:
    told: dict[tuple[str, Entity], Finding] = {}
    for answer in case.of_tool("prometheus.find_anomalies"):
        for row in listing(answer.data, "anomalies"):
            finding = _symptom(case, answer, mapping(row))
            if finding:
                told.setdefault((finding.kind, finding.entity), finding)
    yield from told.values()


def _symptom(case: Case, answer: Evidence, row: Mapping[str, Any]) -> Finding | None:
    metric, labels = str(row.get("metric") or ""), mapping(row, "labels")
    kind = _kind(metric, str(row.get("direction")))
    entity = _entity(case, labels)
    strength = abs(float(row.get("strength") or 0))
    if not kind or entity is None or strength < STRONG:
        return None
    before, during = row.get("before"), row.get("during")
    return Finding(
        kind=kind,
        entity=entity,
        statement=f"{entity}: {metric} went from {_figure(before)} to {_figure(during)}",
        citations=(answer.cite(metric), answer.cite(row["onset"]))
        if row.get("onset")
        else (answer.cite(metric),),
        began=moment(row.get("onset")),
        strength=min(1.0, 0.5 + strength / 40),
        details={
            "metric": metric,
            "strength": f"{strength:.1f}",
            "query": str(row.get("query") or ""),
        },
    )


def _kind(metric: str, direction: str) -> str:
    kind = next((kind for kind, pattern in MEANINGS if pattern.search(metric)), "")
    up = direction != "down"
    if kind == "traffic":
        return "traffic_high" if up else "traffic_low"
    if kind == "errors_high":
        return kind if up != ("availability" in metric) else ""
    if kind == "disk_low":
        return kind if not up else ""
    return kind if up else ""


def _figure(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, int | float) else str(value)


def _entity(case: Case, labels: Mapping[str, Any]) -> Entity | None:
    """The thing that a series is about."""
    if labels.get("server"):
        return called(case.snapshot, str(labels["server"]))
    pod = case.snapshot.get("Pod", str(labels.get("namespace", "")), str(labels.get("pod", "")))
    if pod:
        return case.snapshot.owner(pod).entity
    node = str(labels.get("node") or labels.get("instance") or "").split(":")[0]
    if case.snapshot.get("Node", "", node):
        return Entity(kind="Node", name=node)
    name = next((str(labels[word]) for word in OWN_WORDS if labels.get(word)), "")
    return called(case.snapshot, name) if name else None


def _deepest(case: Case, symptoms: list[Finding]) -> Iterator[Finding]:
    """The slow (or failing) services that call no other slow one: where the trouble begins.

    Traversal of the call graph from the alerting service down, as PetShop's baseline does
    (arXiv 2311.04806): a victim has an ill callee, a culprit has none.
    """
    slow = {f.entity: f for f in symptoms if f.kind in ("latency_high", "errors_high")}
    for entity in sorted(slow, key=str):
        if any(callee in slow for callee in _callees(case, entity)):
            continue
        victims = [other for other in slow if other != entity and entity in _called_by(case, other)]
        if not victims and entity not in case.scope.entities:
            continue
        seen = slow[entity]
        yield seen.model_copy(
            update={
                "kind": "slow_dependency",
                "statement": f"{seen.statement}; nothing that it calls is slow"
                + (f", and {len(victims)} callers are" if victims else ""),
                "strength": min(1.0, seen.strength + 0.05 * len(victims)),
            }
        )


def _callees(case: Case, entity: Entity) -> set[Entity]:
    """What a thing calls directly, Services looked through to their workloads."""
    direct = {e.source for e in case.topology.depends_on(entity) if e.relation == "called by"}
    behind = {
        e.source
        for service in direct
        for e in case.topology.depends_on(service)
        if e.relation == "serves"
    }
    return (direct | behind) - {entity}


def _called_by(case: Case, caller: Entity) -> set[Entity]:
    """Everything that a caller calls, directly or through others."""
    found: set[Entity] = set()
    frontier = {caller}
    while frontier:
        frontier = {callee for entity in frontier for callee in _callees(case, entity)} - found
        found |= frontier
    return found


def _saturated(case: Case) -> Iterator[Finding]:
    for answer in case.of_tool("prometheus.get_metrics"):
        name = str(answer.arguments.get("workload") or answer.arguments.get("service") or "")
        for signal in listing(answer.data, "signals"):
            during = dig(signal, "during")
            if (
                dig(signal, "name") == "cpu_throttling"
                and isinstance(during, float)
                and during > THROTTLED
            ):
                entity = called(case.snapshot, name)
                yield Finding(
                    kind="cpu_saturated",
                    entity=entity,
                    statement=f"{entity}: throttled in {during:.0%} of its CPU periods",
                    citations=(answer.cite("cpu_throttling"),),
                    strength=0.9,
                )
