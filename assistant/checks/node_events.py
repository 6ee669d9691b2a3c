"""What happened to nodes: reboots, kills for memory, notices that one will be taken, removals, cordons."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from assistant.checks.case import Case, containers, ready
from assistant.incident import Entity, Finding
from assistant.snapshot import Event, Object, dig, listing, moment

REBOOT_TAKES = timedelta(minutes=15)
"""Containers that ended within this time of a reboot ended by it."""

TAKEN = frozenset({"SpotInterruption", "SpotInterrupted", "RebalanceRecommendation", "ScheduledEvent",
                   "PreemptScheduled", "TerminateScheduled", "RebootScheduled", "RedeployScheduled",
                   "FreezeScheduled", "InstanceTerminating", "InstanceStopping", "NodeShutdown",
                   "PreemptionNotice"})  # fmt: skip
"""Of the clouds' termination handlers, Karpenter and node problem detectors."""

REMOVED = frozenset({"RemovingNode", "DeletingNode", "ScaleDown", "DisruptionTerminating"})
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"


async def check(case: Case) -> list[Finding]:
    """What the events and taints of nodes tell of the window."""
    told: dict[tuple[str, str], Finding] = {}
    for event in case.snapshot.events:
        if event.kind == "Node" and case.in_window(event.last):
            for finding in _of_event(case, event):
                told.setdefault((finding.kind, event.name), finding)
    return [*told.values(), *_cordoned(case)]


def _of_event(case: Case, event: Event) -> Iterator[Finding]:
    if event.reason == "Rebooted":
        yield from _rebooted(case, event)
    elif event.reason == "SystemOOM":
        yield _event(case, event, "node_out_of_memory", 0.85)
    elif event.reason in TAKEN:
        yield _event(case, event, "node_reclaimed", 0.9 if _suffers(case, event.name) else 0.4)
    elif event.reason in REMOVED:
        yield _event(case, event, "node_removed", 0.5)


def _event(case: Case, event: Event, kind: str, strength: float) -> Finding:
    return Finding(
        kind=kind,
        entity=Entity(kind="Node", name=event.name),
        statement=f"Node {event.name}: {event.reason}: {event.message}"[:400],
        citations=(event.cite(),),
        began=event.first,
        strength=strength,
        details={"reason": event.reason},
        about=_owners(case, event.name) if kind != "node_removed" else (),
    )


def _rebooted(case: Case, event: Event) -> Iterator[Finding]:
    """A reboot as a cause: the pods there ended with it, and some are not back."""
    ended = [
        (pod, owner)
        for pod, owner in case.pods()
        if pod.spec.get("nodeName") == event.name and _ended_by(event, pod)
    ]
    if not ended:
        return
    away = [owner.entity for pod, owner in ended if not ready(pod)]
    owners = tuple(dict.fromkeys(owner.entity for _, owner in ended))
    named = ", ".join(map(str, owners[:3]))
    yield Finding(
        kind="node_reboot_restarted_pods",
        entity=Entity(kind="Node", name=event.name),
        statement=f"Node {event.name} was rebooted, and {named} with it; "
        + (f"{away[0]} is not back" if away else "all are back"),
        citations=(event.cite(), *ended[0][0].cite()),
        began=event.first,
        active=bool(away),
        strength=0.85,
        details={"pods": str(len(ended))},
        about=owners,
    )


def _ended_by(event: Event, pod: Object) -> bool:
    times = [moment(dig(row.terminated, "finishedAt")) for row in containers(pod) if row.restarts]
    return any(at and event.last and abs(at - event.last) < REBOOT_TAKES for at in times)


def _owners(case: Case, node: str) -> tuple[Entity, ...]:
    rows = [owner.entity for pod, owner in case.pods() if pod.spec.get("nodeName") == node]
    return tuple(dict.fromkeys(rows))


def _suffers(case: Case, node: str) -> bool:
    """Whether pods of the incident are not Ready on that node, or find no node at all."""
    return any(
        not ready(pod) and pod.spec.get("nodeName") in (node, None, "") for pod, _ in case.pods()
    )


def _cordoned(case: Case) -> Iterator[Finding]:
    """Nodes that somebody closed to new pods within the window."""
    for node in case.snapshot.of("Node"):
        at = _since(case, node)
        if node.spec.get("unschedulable") is True and case.in_window(at):
            yield Finding(
                kind="node_cordoned",
                entity=node.entity,
                statement=f"{node.entity} was cordoned",
                citations=node.cite(node.name, "unschedulable"),
                began=at,
                strength=0.4,
            )


def _since(case: Case, node: Object) -> datetime | None:
    added = [moment(dig(t, "timeAdded")) for t in listing(node.spec, "taints") if dig(t, "key") == UNSCHEDULABLE]  # fmt: skip
    told = [event.last for event in case.snapshot.events_of(node, "NodeNotSchedulable")]
    return max((at for at in (*added, *told) if at), default=None)
