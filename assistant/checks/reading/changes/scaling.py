"""Replicas that were scaled, and nodes that were added, within the window."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from assistant.changed import REPLICAS
from assistant.checks.case import Case
from assistant.checks.reading.changes.revisions import rolled_out_at
from assistant.incident import Entity, Finding
from assistant.snapshot import Event, mapping

_SCALED = re.compile(
    r"Scaled (?:up|down) replica set (?P<set>\S+) "
    r"(?:to (?P<to>\d+) from (?P<was>\d+)|from (?P<was2>\d+) to (?P<to2>\d+)|to (?P<only>\d+))"
)


def scalings(case: Case) -> Iterator[Finding]:
    """Workloads whose replicas differ from before, other than by a rollout or an autoscaler.

    What an autoscaler does follows from the load: it is nobody's change.
    """
    automatic = set(_autoscaled(case))
    for workload in case.workloads():
        if workload.kind != "Deployment" or rolled_out_at(case, workload):
            continue
        if workload.entity in automatic:
            continue
        rows = case.snapshot.events_of(workload, "ScalingReplicaSet")
        dated = sorted(
            ((at, row) for row in rows if (at := row.last) and case.in_window(at)),
            key=lambda pair: (pair[0], pair[1].message),
        )
        steps = [(at, row, *step) for at, row in dated if (step := _step(row))]
        # Older clusters do not say from how many: then the first number told is all that is known.
        before = steps and (steps[0][2] or steps[0][3])
        if before and before != steps[-1][3]:
            yield _scaled(workload.entity, before, steps[-1])


def _autoscaled(case: Case) -> Iterator[Entity]:
    for scaler in case.namespaced("HorizontalPodAutoscaler"):
        target = mapping(scaler.spec, "scaleTargetRef")
        yield Entity(
            kind=str(target.get("kind")),
            name=str(target.get("name")),
            namespace=scaler.namespace,
        )


def _step(event: Event) -> tuple[str, str] | None:
    match = _SCALED.search(event.message)
    if not match:
        return None
    return match["was"] or match["was2"] or "", match["to"] or match["to2"] or match["only"] or ""


def _scaled(entity: Entity, before: str, last: tuple[datetime, Event, str, str]) -> Finding:
    at, event, _, after = last
    return Finding(
        kind="recent_scaling",
        entity=entity,
        statement=f"{entity} was scaled from {before} to {after} replicas",
        citations=(event.cite(),),
        began=at,
        details={REPLICAS: f"{before} -> {after}"},
    )


def node_changes(case: Case) -> Iterator[Finding]:
    """Nodes that were added within the window."""
    for node in case.snapshot.of("Node"):
        if case.in_window(node.created):
            yield Finding(
                kind="recent_node_change",
                entity=node.entity,
                statement=f"{node.entity} was added",
                citations=node.cite(node.name),
                began=node.created,
                details={"node": "added"},
            )
