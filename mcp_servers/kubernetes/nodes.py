"""The node tool: readiness, pressure, taints, and what is requested of what is allocatable."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any

from mcp_servers.answer import Answer
from mcp_servers.kubernetes.arguments import Limit
from mcp_servers.kubernetes.fields import (
    Object,
    condition,
    conditions,
    metadata,
    name_of,
    object_at,
    objects_at,
    text_at,
)
from mcp_servers.kubernetes.gathering import BlindSpots, failed, side_by_side
from mcp_servers.kubernetes.kinds import BY_NAME
from mcp_servers.kubernetes.models import NodeList, Row
from mcp_servers.kubernetes.reader import Reader

NODE = BY_NAME["Node"]
ROLE_LABEL = "node-role.kubernetes.io/"
OLD_ROLE_LABEL = "kubernetes.io/role"
ACTIVE_PODS = {"fieldSelector": "status.phase!=Succeeded,status.phase!=Failed"}
MEBIBYTE = 1024 * 1024
NOTHING = Decimal(0)
KUBELET_CONDITIONS = (
    "Ready",
    "MemoryPressure",
    "DiskPressure",
    "PIDPressure",
    "NetworkUnavailable",
)
Amounts = dict[str, Decimal]


@dataclass(slots=True)
class Load:
    """What the pods of one node ask for."""

    pods: int = 0
    requested: Amounts = field(default_factory=dict)


class Nodes:
    """Tools about nodes."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def list_nodes(self, limit: Limit = 100) -> Answer[NodeList]:
        """Nodes with readiness, conditions (disk, memory and PID pressure), taints, cordon,
        allocatable against the sum of pod requests, number of pods, version, roles; those with
        problems come first. Use it when pods are pending, evicted or fail on one node. It sees
        what pods request, not what they use.
        """
        nodes, loads = await side_by_side(
            partial(self._reader.all, NODE, "", lambda node: node), self.loads
        )
        if failed(nodes):
            raise nodes
        blind = BlindSpots()
        known = blind.take("pods", loads, None)
        rows = [node_row(node, known) for node in nodes.items]
        rows.sort(key=lambda row: (not problem_of(row), row["name"]))
        answer = await self._reader.answer(
            NodeList(nodes=rows[:limit]),
            total=len(rows),
            shown=len(rows[:limit]),
            unseen=blind.reason,
        )
        answer.suggestions += blind.suggestions
        return answer

    async def loads(self) -> dict[str, Load]:
        """What is requested on each node, by its name."""
        found = await self._reader.all(BY_NAME["Pod"], "", _request, ACTIVE_PODS)
        loads: dict[str, Load] = defaultdict(Load)
        for node, requests in found.items:
            loads[node].pods += 1
            loads[node].requested = _added(loads[node].requested, requests)
        return loads


def node_row(node: Object, loads: dict[str, Load] | None) -> Row:
    """One node; `requested` and `pods` are null where pods could not be listed."""
    ready = condition(node, "Ready")
    load = None if loads is None else loads.get(name_of(node), Load())
    return {
        "name": name_of(node),
        "ready": ready.get("status") == "True",
        "unschedulable": bool(object_at(node, "spec").get("unschedulable")),
        "taints": [_taint(taint) for taint in objects_at(node, "spec", "taints")],
        "conditions": conditions(node),
        "allocatable": object_at(node, "status", "allocatable"),
        "requested": None if load is None else _written(load.requested),
        "pods": None if load is None else load.pods,
        "version": text_at(node, "status", "nodeInfo", "kubeletVersion"),
        "roles": _roles(node),
        "addresses": {
            text_at(address, "type"): text_at(address, "address")
            for address in objects_at(node, "status", "addresses")
        },
    }


def problem_of(row: Row) -> str:
    """What is wrong with a node, in words; empty for a good one."""
    problems = []
    for found in row["conditions"]:
        good = "True" if found["type"] == "Ready" else "False"
        # Conditions of unknown types mean whatever their maker likes; only the kubelet's count.
        if found["status"] != good and found["type"] in KUBELET_CONDITIONS:
            said = found["message"] or found["reason"]
            problems.append(f"{found['type']}={found['status']}{': ' + said if said else ''}")
    if not row["ready"] and not problems:
        problems.append("does not say that it is ready")
    if row["unschedulable"]:
        problems.append("cordoned")
    return "; ".join(problems)


def _taint(taint: Object) -> str:
    value = text_at(taint, "value")
    return f"{text_at(taint, 'key')}{'=' + value if value else ''}:{text_at(taint, 'effect')}"


def _roles(node: Object) -> list[str]:
    labels = object_at(metadata(node), "labels")
    named = [key.removeprefix(ROLE_LABEL) for key in labels if key.startswith(ROLE_LABEL)]
    old = labels.get(OLD_ROLE_LABEL)
    return sorted({*named, *([str(old)] if old else [])})


def _request(pod: Object) -> tuple[str, Amounts] | None:
    node = text_at(pod, "spec", "nodeName")
    if not node or text_at(pod, "status", "phase") in ("Succeeded", "Failed"):
        return None
    return node, requests_of(object_at(pod, "spec"))


def requests_of(spec: Object) -> Amounts:
    """What a pod reserves: its containers together, or its largest init step, and overhead."""
    running: Amounts = {}
    step: Amounts = {}
    for container in objects_at(spec, "initContainers"):
        asked = _amounts(object_at(container, "resources", "requests"))
        if container.get("restartPolicy") == "Always":
            running = _added(running, asked)
        else:
            step = _larger(step, asked)
    for container in objects_at(spec, "containers"):
        running = _added(running, _amounts(object_at(container, "resources", "requests")))
    return _added(_larger(running, step), _amounts(object_at(spec, "overhead")))


def _added(one: Amounts, other: Amounts) -> Amounts:
    return {name: one.get(name, NOTHING) + other.get(name, NOTHING) for name in {**one, **other}}


def _larger(one: Amounts, other: Amounts) -> Amounts:
    both = {**one, **other}
    return {name: max(one.get(name, NOTHING), other.get(name, NOTHING)) for name in both}


def _amounts(quantities: Object) -> Amounts:
    return {name: amount(value) for name, value in quantities.items()}


def amount(quantity: Any) -> Decimal:
    """A Kubernetes quantity as a number; 0 for what is none."""
    # The client is loaded by now: these objects were read with it.
    from kubernetes.utils.quantity import parse_quantity  # noqa: PLC0415 - a costly import

    try:
        return Decimal(parse_quantity(quantity))  # type: ignore[no-untyped-call]
    except (ValueError, ArithmeticError):
        return NOTHING


def _written(requested: Amounts) -> dict[str, str]:
    return {name: _quantity(name, total) for name, total in sorted(requested.items())}


def _quantity(name: str, total: Decimal) -> str:
    if name == "cpu":
        return f"{int(total * 1000)}m"
    if "memory" in name or "storage" in name or name.startswith("hugepages"):
        return f"{int(total / MEBIBYTE)}Mi"
    return f"{total.normalize():f}"
