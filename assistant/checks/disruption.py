"""Disruption budgets that keep a node from being drained."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assistant.checks.case import Case, newest, ready
from assistant.checks.reading.objects.placement import selected
from assistant.checks.reading.objects.spoken import speaks_of, urgency
from assistant.incident import Citation, Entity, Evidence, Finding
from assistant.snapshot import Event, Object, Snapshot, mapping, whole

WORDS = ("drain", "evict", "disruption", "pdb", "upgrade", "cordon", "node")
_REFUSED = re.compile(r"disruption budget|pdb \S+ prevents|cannot evict", re.IGNORECASE)


async def check(case: Case) -> list[Finding]:
    """Budgets that allow no eviction of a pod on a node that is to be emptied.

    They are read only where a node is cordoned, an eviction was refused, or the alert asks; and
    everywhere, since a node's pods come from all namespaces.
    """
    nodes = {node.name: node for node in case.snapshot.of("Node") if node.spec.get("unschedulable")}
    refused = _refused(case)
    if not (nodes or refused or speaks_of(case, "drain", "evict", "disruption", "pdb")):
        return []
    listed = await _list(case, "PodDisruptionBudget", "", "which budgets forbid evictions")
    found: list[Finding] = []
    for budget in Snapshot.made_of([listed]).of("PodDisruptionBudget"):
        if whole(budget.status.get("disruptionsAllowed")) == 0:
            pods = await _pods(case, budget)
            found += _blocking(case, budget, pods, nodes, refused)
    return found


async def _list(case: Case, kind: str, namespace: str, why: str) -> Evidence:
    arguments = {"kind": kind, "namespace": namespace, "view": "full", "limit": 500}
    return await case.ask("kubernetes.list_resources", arguments, why)


async def _pods(case: Case, budget: Object) -> list[Object]:
    """The running pods that a budget speaks of."""
    snapshot = case.snapshot
    if not snapshot.listed("Pod", budget.namespace):
        why = f"which pods {budget.entity} holds"
        snapshot = Snapshot.made_of([await _list(case, "Pod", budget.namespace, why)])
    selector = mapping(budget.spec, "selector")
    rows = snapshot.of("Pod", budget.namespace)
    return [pod for pod in rows if selected(selector, pod) and pod.status.get("phase") == "Running"]


def _refused(case: Case) -> Event | None:
    """The last word of an eviction that a budget refused."""
    return newest(
        [e for e in case.snapshot.events if _REFUSED.search(e.message) and case.in_window(e.last)]
    )


def _blocking(
    case: Case, budget: Object, pods: list[Object], nodes: dict[str, Object], refused: Event | None
) -> Iterator[Finding]:
    held = [pod for pod in pods if pod.spec.get("nodeName") in nodes]
    if not held and not (refused and _about(refused, pods)):
        return
    first = (held or pods)[0]
    node = str(first.spec.get("nodeName") or "")
    event = (refused.cite(),) if refused else ()
    about = [case.snapshot.owner(pod).entity for pod in held or pods[:1]]
    yield Finding(
        kind="drain_blocked",
        entity=budget.entity,
        statement=f"{budget.entity} allows no eviction of {first.name} from {node}: {_why(budget, pods)}",
        citations=(*budget.cite(*_numbers(budget)), *_on(nodes, node), *event),
        began=refused.first if refused else None,
        strength=1.0 if refused else urgency(case, *WORDS),
        details={"node": node, "pod": first.name},
        about=tuple(dict.fromkeys([Entity(kind="Node", name=node), *about])),
    )


def _about(event: Event, pods: list[Object]) -> bool:
    """Whether an eviction that was refused is of one of these pods."""
    return any(event.name == pod.name or pod.name in event.message for pod in pods)


def _on(nodes: dict[str, Object], name: str) -> tuple[Citation, ...]:
    return nodes[name].cite() if name in nodes else ()


def _numbers(budget: Object) -> list[str]:
    spec = budget.spec
    return [str(spec[key]) for key in ("minAvailable", "maxUnavailable") if key in spec] or [
        budget.name
    ]


def _why(budget: Object, pods: list[Object]) -> str:
    """The sum that leaves nothing: too high a demand, or pods that are not healthy."""
    need, well = whole(budget.status.get("desiredHealthy")), sum(map(ready, pods))
    rule = next(
        (f"{k} {budget.spec[k]}" for k in ("minAvailable", "maxUnavailable") if k in budget.spec),
        "",
    )
    if well < need:
        return f"{rule}: {need} must be healthy, {well} of {len(pods)} are"
    return f"{rule} of {len(pods)} pods leaves none to spare"
