"""Whose series it is: the workload, the node or the service that labels name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from assistant.checks.case import Case
from assistant.incident import Entity
from assistant.snapshot import dig, listing
from assistant.topology import called

OWN_WORDS = ("service", "deployment", "statefulset", "workload", "app", "job", "container")
"""Labels that may name a service or a workload, the surest first."""


def owner(case: Case, labels: Mapping[str, Any]) -> Entity | None:
    """The thing that a series is about."""
    if labels.get("server"):
        return called(case.snapshot, str(labels["server"]))
    pod = case.snapshot.get("Pod", str(labels.get("namespace", "")), str(labels.get("pod", "")))
    if pod:
        return case.snapshot.owner(pod).entity
    node = _node(case, str(labels.get("node") or labels.get("instance") or "").partition(":")[0])
    if node:
        return node
    name = next((str(labels[word]) for word in OWN_WORDS if labels.get(word)), "")
    return called(case.snapshot, name) if name else None


def _node(case: Case, named: str) -> Entity | None:
    """The node of that name or address: exporters on nodes are scraped by address."""
    if case.snapshot.get("Node", "", named):
        return Entity(kind="Node", name=named)
    for item in case.snapshot.of("Node") if named else ():
        if any(dig(row, "address") == named for row in listing(item.status, "addresses")):
            return item.entity
    return None
