"""Pods that wait for reasons of their own: nobody schedules them, they were pushed out, no node is added."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assistant.checks.case import Case, newest, ready
from assistant.checks.scheduling import PATIENCE, scheduler_words, waits
from assistant.incident import Citation, Entity, Evidence, Finding
from assistant.snapshot import Event, Object, Snapshot, dig, listing, moment, whole

DEFAULT_SCHEDULER = "default-scheduler"
STALE_LEASES = 4
"""A leader renews its lease every two to ten seconds; so many of its terms unrenewed, it is gone."""

NO_SCALE_UP = ("NotTriggerScaleUp", "FailedScaleUp", "ScaleUpTimedOut")
_PREEMPTOR = re.compile(r"[Pp]reempt\w* by (?P<who>.+?)(?: on node (?P<node>\S+))?$")


async def check(case: Case) -> list[Finding]:
    """What keeps a pod waiting beside the rules for its node."""
    found: dict[str, Finding] = {}
    waiting = [(pod, owner) for pod, owner in case.pods() if waits(pod)]
    rows = [*_preempted(case, waiting), *_not_grown(case, waiting), *_nowhere(case)]
    unseen = [(pod, owner) for pod, owner in waiting if _unseen(case, pod)]
    for finding in [*rows, *(await _unscheduled(case, unseen) if unseen else [])]:
        found.setdefault(finding.id, finding)
    return list(found.values())


def _unseen(case: Case, pod: Object) -> bool:
    """Whether a pod waits long enough without a word from any scheduler."""
    quiet = not scheduler_words(case, pod)[0] and not listing(pod.spec, "schedulingGates")
    return quiet and (pod.created is None or case.scope.window.end - pod.created > PATIENCE)


async def _unscheduled(case: Case, unseen: list[tuple[Object, Object]]) -> list[Finding]:
    """A scheduler that nobody runs, for pods that ask for one of their own; else the default one."""
    named = [row for row in unseen if _scheduler_of(row[0]) != DEFAULT_SCHEDULER]
    plain = [row for row in unseen if row not in named]
    found = [_no_such_scheduler(pod, owner) for pod, owner in named if not _at_work(case, pod)]
    if plain:
        why = "when the scheduler last renewed its lease"
        arguments = {"kind": "Lease", "namespace": "kube-system", "view": "full", "limit": 500}
        lease = await case.ask("kubernetes.list_resources", arguments, why)
        found.append(_no_scheduler(case, plain, lease))
    return found


def _scheduler_of(pod: Object) -> str:
    return str(pod.spec.get("schedulerName") or DEFAULT_SCHEDULER)


def _at_work(case: Case, pod: Object) -> bool:
    """Whether the scheduler that a pod asks for has placed another one."""
    others = case.snapshot.of("Pod")
    return any(
        other.spec.get("nodeName") and _scheduler_of(other) == _scheduler_of(pod)
        for other in others
    )


def _no_such_scheduler(pod: Object, owner: Object) -> Finding:
    name = _scheduler_of(pod)
    return Finding(
        kind="scheduler_unknown",
        entity=owner.entity,
        statement=f"{owner.entity}: its pod asks for the scheduler {name}, which has placed no pod that was seen",
        citations=pod.cite(name),
        began=pod.created,
        details={"scheduler": name, "pod": pod.name},
        about=(pod.entity,),
    )


def _no_scheduler(case: Case, plain: list[tuple[Object, Object]], lease: Evidence) -> Finding:
    """Pods that wait without a word from the scheduler: nobody is scheduling."""
    pod = plain[0][0]
    proof = _proof(case, lease)
    more = f"; {'; '.join(text for text, _ in proof)}" if proof else ""
    others = f" and {len(plain) - 1} more wait" if len(plain) > 1 else " waits"
    about = [entity for one, owner in plain for entity in (owner.entity, one.entity)]
    return Finding(
        kind="kube_scheduler_unavailable",
        entity=Entity(kind="Component", name="kube-scheduler", namespace="kube-system"),
        statement=f"{pod.entity}{others} for a node, and no scheduler has said anything about it{more}",
        citations=(*pod.cite("Pending", pod.name), *(said for _, said in proof)),
        began=pod.created,
        strength=1.0 if proof else 0.8,
        about=tuple(dict.fromkeys(about)),
    )


def _proof(case: Case, lease: Evidence) -> list[tuple[str, Citation]]:
    """What else says that the scheduler is away: its pod, or a lease that nobody renews."""
    found = [
        (f"{pod.entity} is not Ready", pod.cite()[0])
        for pod in case.snapshot.of("Pod", "kube-system")
        if pod.name.startswith("kube-scheduler") and not ready(pod)
    ]
    for item in Snapshot.made_of([lease]).of("Lease"):
        stale = _stale(case, item) if item.name == "kube-scheduler" else ""
        if stale:
            found.append((stale, item.cite(item.spec["renewTime"])[0]))
    return found


def _stale(case: Case, lease: Object) -> str:
    renewed = moment(lease.spec.get("renewTime"))
    term = whole(lease.spec.get("leaseDurationSeconds")) or 15
    age = (case.scope.window.end - renewed).total_seconds() if renewed else 0
    if age <= term * STALE_LEASES:
        return ""
    return f"its lease was last renewed {round(age)} s ago, every {term} s would do"


def _preempted(case: Case, waiting: list[tuple[Object, Object]]) -> Iterator[Finding]:
    """Workloads that wait because a pod of theirs had to make room for a more important one."""
    for event in case.snapshot.events:
        if event.reason != "Preempted" or not case.in_window(event.last):
            continue
        for pod, owner in waiting:
            if event.namespace == pod.namespace and _sibling(event.name, pod, owner):
                yield _pushed_out(event, pod, owner)


def _sibling(name: str, pod: Object, owner: Object) -> bool:
    """Whether a pod that is gone belonged to the same workload: the generated part differs alone."""
    same = name.rpartition("-")[0] == pod.name.rpartition("-")[0]
    return name == pod.name or (same and owner.entity != pod.entity)


def _pushed_out(event: Event, pod: Object, owner: Object) -> Finding:
    match = _PREEMPTOR.search(event.message)
    by = f" by {match['who']}" if match else ""
    return Finding(
        kind="preempted",
        entity=owner.entity,
        statement=f"{owner.entity}: its pod {event.name} had to make room{by} and finds no other place",
        citations=(event.cite(), *pod.cite()),
        began=event.first,
        details={"pod": pod.name, "victim": event.name},
        about=(pod.entity,),
    )


def _not_grown(case: Case, waiting: list[tuple[Object, Object]]) -> Iterator[Finding]:
    """The cluster's autoscaler looked at a waiting pod and will not add a node for it."""
    for pod, owner in waiting:
        event = newest(case.snapshot.events_of(pod, *NO_SCALE_UP))
        if event:
            yield Finding(
                kind="autoscaler_adds_no_node",
                entity=owner.entity,
                statement=f"{owner.entity}: the autoscaler adds no node for its pod: {event.message}"[
                    :400
                ],
                citations=(event.cite(),),
                began=event.first,
                details={"pod": pod.name},
                about=(pod.entity,),
            )


def _nowhere(case: Case) -> Iterator[Finding]:
    """Pods bound by hand to a node that is not there; no scheduler is asked about them."""
    if not case.snapshot.listed("Node"):
        return
    for pod, owner in case.pods():
        name = str(pod.spec.get("nodeName") or "")
        asked = str(owner.template.get("nodeName") or "") or (name if owner is pod else "")
        gone = name and name == asked and not case.snapshot.get("Node", "", name)
        if (
            gone
            and pod.status.get("phase") == "Pending"
            and not dig(pod.raw, "metadata", "deletionTimestamp")
        ):
            nodes = case.snapshot.listing_of("Node")
            yield Finding(
                kind="node_name_unknown",
                entity=owner.entity,
                statement=f"{owner.entity}: its template names the node {name}, which does not exist",
                citations=(*pod.cite(name), *((nodes.cite_absence(),) if nodes else ())),
                began=pod.created,
                details={"node": name, "pod": pod.name},
                about=(pod.entity,),
            )
