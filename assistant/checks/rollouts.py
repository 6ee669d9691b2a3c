"""Workloads that were changed, and workloads scaled to nothing: when, and what changed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import anyio

from assistant.checks.case import Case
from assistant.incident import Entity, Evidence, Finding
from assistant.snapshot import Event, Object, dig, listing, mapping, moment, whole

HISTORIES_READ = 12
RESTARTED = "kubectl.kubernetes.io/restartedAt"
"""What `kubectl rollout restart` writes: a restart, not a change of content."""
REVISION = "deployment.kubernetes.io/revision"
_TO_ZERO = re.compile(r"Scaled down replica set \S+ (from \d+ )?to 0\b")
_CHANGES_SHOWN = 4


async def check(case: Case) -> list[Finding]:
    """Rollouts within the window and what they changed, rollouts that are stuck, zero replicas."""
    found: list[Finding] = []
    for workload in case.workloads():
        if workload.kind in ("Deployment", "StatefulSet"):
            found.extend(_zero(case, workload))
        if workload.kind == "Deployment":
            found.extend(_stuck(case, workload))
    found.extend(await _changed(case))
    found.extend(_change_events(case))
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


def _revisions(case: Case, workload: Object) -> list[Object]:
    """Its ReplicaSets, newest revision first."""
    mine = [
        rs
        for rs in case.snapshot.of("ReplicaSet", workload.namespace)
        if case.snapshot.owner(rs) is workload
    ]
    return sorted(mine, key=_revision, reverse=True)


def _revision(replica_set: Object) -> int:
    text = str(dig(replica_set.raw, "metadata", "annotations", REVISION) or "0")
    return whole(text)


def _stuck(case: Case, workload: Object) -> Iterator[Finding]:
    """The newest revision is not Ready while the one before still runs, or the deadline has passed."""
    revisions = _revisions(case, workload)
    late = workload.condition("Progressing")
    overdue = late.get("status") == "False" and late.get("reason") == "ProgressDeadlineExceeded"
    older = any(whole(rs.status.get("replicas")) for rs in revisions[1:])
    new = revisions[0] if revisions else None
    unfinished = new is not None and whole(new.status.get("readyReplicas")) < whole(
        new.spec.get("replicas")
    )
    if new is None or not unfinished or not (overdue or older):
        return
    yield Finding(
        kind="rollout_stuck",
        entity=workload.entity,
        statement=f"{workload.entity}: revision {_revision(new)} has "
        f"{new.status.get('readyReplicas') or 0} of {new.spec.get('replicas')} pods Ready"
        + ("; the revision before still runs" if older else ""),
        citations=(*workload.cite(workload.name), *new.cite(new.name)),
        began=new.created,
        details={"revision": str(_revision(new))},
        about=(new.entity,),
    )


async def _changed(case: Case) -> list[Finding]:
    """One finding a workload that was rolled out within the window, with what changed."""
    chosen = [
        w
        for w in case.workloads()
        if w.kind in ("Deployment", "StatefulSet") and _rolled_out(case, w)
    ]
    answers: dict[Entity, Evidence] = {}

    async def one(workload: Object) -> None:
        arguments = {"namespace": workload.namespace, "name": workload.name}
        if workload.kind != "Deployment":
            arguments["kind"] = workload.kind
        why = f"what the last rollout of {workload.entity} changed"
        answers[workload.entity] = await case.ask("kubernetes.get_rollout_history", arguments, why)

    async with anyio.create_task_group() as group:
        for workload in chosen[:HISTORIES_READ]:
            group.start_soon(one, workload)
    found = [_rollout(case, answers[w.entity], w) for w in chosen[:HISTORIES_READ]]
    return [finding for finding in found if finding]


def _rolled_out(case: Case, workload: Object) -> bool:
    revisions = _revisions(case, workload)
    if workload.kind == "StatefulSet":
        return workload.status.get("currentRevision") != workload.status.get("updateRevision")
    return len(revisions) > 1 and case.in_window(revisions[0].created)


def _rollout(case: Case, answer: Evidence, workload: Object) -> Finding | None:
    rows = listing(answer.data, "revisions")
    if not answer.status.seen or not rows:
        return None
    newest = mapping(rows[0])
    at = moment(newest.get("created_at"))
    if not case.in_window(at):
        return None
    changes = [mapping(row) for row in listing(newest, "changes")]
    told = (
        "; ".join(change_words(row) for row in changes[:_CHANGES_SHOWN])
        or "nothing in its template"
    )
    quotes = [
        newest.get("revision"),
        *(row["path"] for row in changes[:_CHANGES_SHOWN] if row.get("path")),
    ]
    return Finding(
        kind="recent_rollout",
        entity=workload.entity,
        statement=f"{workload.entity} was rolled out (revision {newest.get('revision')}): {told}",
        citations=tuple(answer.cite(quote) for quote in quotes),
        began=at,
        details={
            str(row.get("path")): f"{row.get('before')} -> {row.get('after')}"[:200]
            for row in changes
            if RESTARTED not in str(row.get("path"))
        },
    )


def change_words(change: Any) -> str:
    """`containers[web].image: a:1 -> a:2`."""
    before, after = dig(change, "before"), dig(change, "after")
    shown = [str(value) if value not in (None, "") else "(none)" for value in (before, after)]
    return f"{dig(change, 'path')}: {shown[0][:80]} -> {shown[1][:80]}"


def _change_events(case: Case) -> Iterator[Finding]:
    """What PagerDuty was told of deploys, configuration and flags within the window."""
    for answer in case.of_tool("pagerduty.list_change_events"):
        for row in listing(answer.data, "change_events"):
            at = moment(dig(row, "at"))
            summary = str(dig(row, "summary") or "")
            if not summary or not case.in_window(at):
                continue
            yield Finding(
                kind="recent_change",
                entity=_changed_thing(case, mapping(row)),
                statement=f"Change event: {summary}",
                citations=(answer.cite(summary),),
                began=at,
                details={"source": str(dig(row, "source") or ""), "summary": summary},
            )


def _changed_thing(case: Case, row: Mapping[str, Any]) -> Entity:
    """The ConfigMap, Secret or workload that a change event names; else its PagerDuty service."""
    text = f"{row.get('summary')} {row.get('details')} {row.get('service')}".lower()
    words = set(re.findall(r"[a-z0-9][a-z0-9.-]*[a-z0-9]", text))
    for kind in ("ConfigMap", "Secret"):
        for item in case.namespaced(kind):
            if item.name.lower() in words:
                return item.entity
    named = [entity for entity in _inventory(case) if entity.name.lower() in words]
    here = [entity for entity in named if entity.namespace.lower() in words]
    if here or named:
        return max(here or named, key=lambda entity: len(entity.name))
    return Entity(kind="Service", name=str(row.get("service") or "unknown"))


def _inventory(case: Case) -> Iterator[Entity]:
    """Every workload of the cluster that was listed."""
    for answer in case.of_tool("kubernetes.list_deployments"):
        for row in listing(answer.data, "workloads"):
            yield Entity(
                kind=str(dig(row, "kind")),
                name=str(dig(row, "name")),
                namespace=str(dig(row, "namespace")),
            )
