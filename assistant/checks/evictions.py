"""Pods that kubelet put out: for want of something on the node, or for taking more than they may."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assistant.checks.case import Case
from assistant.incident import Entity, Finding
from assistant.snapshot import Event, Object, moment

_LOW = re.compile(r"low on resource: (?P<resource>[\w-]+)")
_OWN = re.compile(
    r"ephemeral local storage usage exceeds|exceeded its local ephemeral storage limit"
    r"|EmptyDir volume .* exceeds the limit",
    re.IGNORECASE,
)
_RECLAIM = re.compile(r"reclaim (?P<resource>[\w-]+)", re.IGNORECASE)
SHORTAGES = {
    "memory": "node_memory_pressure",
    "pids": "node_pid_pressure",
    "ephemeral-storage": "node_disk_pressure",
    "inodes": "node_disk_pressure",
}


async def check(case: Case) -> list[Finding]:
    """One finding for each workload that lost pods, and for each node that began to reclaim."""
    told: dict[Entity, Finding] = {}
    for pod, owner in case.pods():
        if pod.status.get("reason") == "Evicted" and owner.entity not in told:
            told[owner.entity] = _evicted(case, pod, owner)
    return [*told.values(), *_reclaiming(case)]


def _evicted(case: Case, pod: Object, owner: Object) -> Finding:
    message = str(pod.status.get("message") or "Evicted")
    node = str(pod.spec.get("nodeName") or "")
    own = bool(_OWN.search(message))
    low = _LOW.search(message)
    resource = low["resource"] if low else "ephemeral-storage" if own else ""
    return Finding(
        kind="ephemeral_storage_exceeded" if own else "evicted",
        entity=owner.entity,
        statement=f"{pod.entity} of {owner.entity} was evicted from {node}: {message}"[:400],
        citations=pod.cite("Evicted", message),
        began=pod.created if case.in_window(pod.created) else moment(pod.status.get("startTime")),
        details={"node": node, **({"resource": resource} if resource else {})},
        about=(pod.entity, Entity(kind="Node", name=node)),
    )


def _reclaiming(case: Case) -> Iterator[Finding]:
    """Nodes that crossed an eviction threshold within the window; the condition may be False again."""
    for node in case.snapshot.of("Node"):
        events = case.snapshot.events_of(node, "EvictionThresholdMet", "FreeDiskSpaceFailed")
        recent = [event for event in events if case.in_window(event.last)]
        for event in recent[:1]:
            kind = SHORTAGES.get(_resource(event), "")
            condition = {"node_disk_pressure": "DiskPressure", "node_memory_pressure": "MemoryPressure",
                         "node_pid_pressure": "PIDPressure"}.get(kind, "")  # fmt: skip
            if kind and node.condition(condition).get("status") != "True":
                yield _shortage(case, node, event, kind)


def _resource(event: Event) -> str:
    if event.reason == "FreeDiskSpaceFailed":
        return "ephemeral-storage"
    found = _RECLAIM.search(event.message)
    return found["resource"].lower() if found else ""


def _shortage(case: Case, node: Object, event: Event, kind: str) -> Finding:
    pods = [pod for pod in case.namespaced("Pod") if pod.spec.get("nodeName") == node.name]
    return Finding(
        kind=kind,
        entity=node.entity,
        statement=f"{node.entity}: {event.message}"[:400],
        citations=(event.cite(),),
        began=event.first,
        strength=0.75,
        details={"resource": _resource(event)},
        about=tuple(dict.fromkeys(case.snapshot.owner(pod).entity for pod in pods)),
    )
