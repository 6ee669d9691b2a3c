"""Nodes from which Services cannot be reached while other nodes reach them: kube-proxy, routes, conntrack."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from assistant.checks.case import Case, ready
from assistant.checks.reading.logs.complaints import Complaint
from assistant.checks.reading.logs.hearing import REFUSED, TIMEOUT, speaks_of, unreached
from assistant.checks.reading.objects.targets import live, selected_pods
from assistant.incident import Entity, Finding
from assistant.snapshot import Object, moment

SEVERAL = 2
"""So many callers on one node, so many Services that they miss: fewer may have another reason."""


@dataclass
class Missed:
    """What callers on one node could not reach."""

    callers: dict[Entity, Complaint] = field(default_factory=dict)
    services: dict[Entity, Object] = field(default_factory=dict)


async def check(case: Case) -> list[Finding]:
    """A node whose callers alone miss Services that are well."""
    if len(_nodes(case)) < SEVERAL:
        return []
    heard = await unreached(case, REFUSED, TIMEOUT)
    missed = _by_node(case, heard)
    if len(missed) != 1:
        return []  # from several nodes: it is the Services, or something larger than a node
    node, rows = next(iter(missed.items()))
    if len(rows.callers) < SEVERAL or len(rows.services) < SEVERAL or not _others(case, node, rows):
        return []
    return list(_finding(case, node, rows))


def _nodes(case: Case) -> set[str]:
    return {str(pod.spec.get("nodeName")) for pod, _ in case.pods() if pod.spec.get("nodeName")}


def _by_node(case: Case, heard: Mapping[Entity, list[Complaint]]) -> Mapping[str, Missed]:
    """Node -> callers there that complain within the window of Services that have ready pods."""
    found: dict[str, Missed] = defaultdict(Missed)
    services = [row for row in case.snapshot.of("Service") if _well(case, row)]
    for caller, rows in heard.items():
        for said in rows:
            pod = case.snapshot.get("Pod", *said.place[:2])
            node = str(pod.spec.get("nodeName") or "") if pod else ""
            for service in services if node and case.in_window(said.last) else ():
                if speaks_of(said, service, selected_pods(case.snapshot, service)):
                    found[node].callers.setdefault(caller, said)
                    found[node].services[service.entity] = service
    return found


def _well(case: Case, service: Object) -> bool:
    pods = selected_pods(case.snapshot, service)
    return bool(pods) and all(ready(pod) for pod in pods)


def _others(case: Case, node: str, rows: Missed) -> bool:
    """Whether callers on other nodes reach those Services, and these are not all on one bad node."""
    homes = {
        str(pod.spec.get("nodeName"))
        for service in rows.services.values()
        for pod in selected_pods(case.snapshot, service)
    }
    callers = {
        edge.target
        for service in rows.services
        for edge in case.topology.affects(service)
        if edge.relation == "called by"
    }
    elsewhere = [
        owner.entity
        for pod, owner in case.pods()
        if owner.entity in callers - set(rows.callers)
        and live(pod)
        and ready(pod)
        and pod.spec.get("nodeName") not in (None, node)
    ]
    return len(homes) >= SEVERAL and bool(elsewhere)


def _finding(case: Case, node: str, rows: Missed) -> Iterator[Finding]:
    first = next(iter(rows.callers.values()))
    began = [at for said in rows.callers.values() if (at := moment(said.records[-1].first.at))]
    missed = ", ".join(service.name for service in rows.services)
    here = case.snapshot.get("Node", "", node)
    yield Finding(
        kind="node_services_unreachable",
        entity=Entity(kind="Node", name=node),
        statement=f"From {node} alone, {len(rows.callers)} workloads do not reach {missed}, whose pods "
        "are Ready and which callers on other nodes reach",
        citations=(
            *(said.evidence.cite(said.line.text) for said in list(rows.callers.values())[:3]),
            *(here.cite() if here else ()),
        ),
        began=first.began(case.scope.window.start) or min(began, default=None),
        strength=0.85,
        details={"services": missed, "callers": str(len(rows.callers))},
        about=tuple(rows.callers),
    )
