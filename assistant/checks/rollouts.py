"""Workloads that are scaled to nothing, rollouts that do not finish, and strategies that leave a gap."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assistant.checks.case import Case, ready
from assistant.checks.reading.changes.revisions import (
    current_pods,
    number,
    older_pods,
    revisions,
    rolled_out_at,
)
from assistant.incident import Entity, Finding
from assistant.snapshot import Event, Object, mapping, whole, word

SETTLES_SECONDS = 90
"""A rollout whose new pods are younger may still be on its way."""
_TO_ZERO = re.compile(r"Scaled down replica set \S+ (from \d+ )?to 0\b")


async def check(case: Case) -> list[Finding]:
    """Zero replicas that somebody misses, rollouts that do not finish, strategies that leave a gap."""
    found: list[Finding] = []
    for workload in case.workloads():
        if workload.kind in ("Deployment", "StatefulSet"):
            found.extend(_zero(case, workload))
        if workload.kind == "Deployment":
            found += [*_stuck(case, workload), *_all_at_once(case, workload)]
    return found


def _zero(case: Case, workload: Object) -> Iterator[Finding]:
    """A workload without replicas that somebody calls, or that was scaled down within the window."""
    if workload.spec.get("replicas", 1) != 0:
        return
    event = _scaled_to_zero(case, workload)
    needed = _callers(case, workload)
    if not event and not needed:
        return  # switched off on purpose, for all that can be seen
    yield Finding(
        kind="deployment_zero_replicas",
        entity=workload.entity,
        statement=f"{workload.entity} is scaled to 0 replicas"
        + (f", and {', '.join(map(str, needed[:3]))} depend on it" if needed else ""),
        citations=(*workload.cite(workload.name), *((event.cite(),) if event else ())),
        began=event.last if event else None,
        strength=1.0 if event and needed else 0.85,
        about=tuple(needed[:5]),
    )


def _scaled_to_zero(case: Case, workload: Object) -> Event | None:
    rows = case.snapshot.events_of(workload, "ScalingReplicaSet")
    return next(
        (row for row in rows if _TO_ZERO.search(row.message) and case.in_window(row.last)), None
    )


def _callers(case: Case, workload: Object) -> list[Entity]:
    """Who would miss it: the callers of its Services, and its callers in the metrics."""
    found: dict[Entity, None] = {}
    for edge in case.topology.affects(workload.entity):
        if edge.relation == "called by":
            found[edge.target] = None
        if edge.relation == "serves":
            found |= {e.target: None for e in case.topology.affects(edge.target)}
    return [entity for entity in found if entity != workload.entity]


def _stuck(case: Case, workload: Object) -> Iterator[Finding]:
    """The newest revision is not Ready while the one before still runs, or the deadline has passed."""
    rows = revisions(case, workload)
    if not rows:
        return
    new, late = rows[0], workload.condition("Progressing")
    overdue = late.get("status") == "False" and late.get("reason") == "ProgressDeadlineExceeded"
    older = any(whole(rs.status.get("replicas")) for rs in rows[1:])
    age = (case.scope.window.end - new.created).total_seconds() if new.created else 0
    have, wanted = whole(new.status.get("readyReplicas")), whole(new.spec.get("replicas"))
    if have >= wanted or not (overdue or (older and age > SETTLES_SECONDS)):
        return
    yield Finding(
        kind="rollout_stuck",
        entity=workload.entity,
        statement=f"{workload.entity}: revision {number(new)} has {have} of {wanted} pods Ready"
        + ("; the revision before still runs" if older else ""),
        citations=(*workload.cite(workload.name), *new.cite(new.name)),
        began=new.created,
        details={"revision": str(number(new))},
        about=(new.entity,),
    )


def _all_at_once(case: Case, workload: Object) -> Iterator[Finding]:
    """A rolling update that may take every old pod away before one new pod is Ready, and did."""
    wanted = whole(workload.spec.get("replicas", 1))
    strategy = mapping(workload.spec, "strategy", "rollingUpdate")
    allowed = strategy.get("maxUnavailable")
    at = rolled_out_at(case, workload)
    pods = current_pods(case, workload)
    gap = pods and not any(map(ready, pods)) and not older_pods(case, workload)
    if not at or not gap or not wanted or _share(allowed, wanted) < wanted:
        return
    yield Finding(
        kind="bad_update_strategy",
        entity=workload.entity,
        statement=f"{workload.entity}: its update may take away all {wanted} pods at once "
        f"(maxUnavailable {allowed}), and none of the new ones is Ready",
        citations=workload.cite("maxUnavailable", allowed),
        began=at,
        details={"maxUnavailable": str(allowed), "replicas": str(wanted)},
    )


def _share(value: object, whole_number: int) -> int:
    """A count, or a percentage of a count rounded down, as the controller reads `maxUnavailable`."""
    text = word(value)
    return whole(text.removesuffix("%")) * whole_number // 100 if "%" in text else whole(value)
