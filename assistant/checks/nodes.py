"""Nodes and the cluster's own parts: pressure, kubelet, runtime, proxy, scheduler, DNS."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assistant.checks.case import Case, ready, unready_since
from assistant.incident import Entity, Finding
from assistant.snapshot import Object, dig, listing, mapping, moment

PRESSURE = {
    "DiskPressure": "node_disk_pressure",
    "MemoryPressure": "node_memory_pressure",
    "PIDPressure": "node_pid_pressure",
    "NetworkUnavailable": "node_network_unavailable",
}

NOT_READY: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        ("containerd_unavailable", r"container ?runtime (is down|not ready)|containerd\.sock|PLEG"),
        ("cni_down", r"cni plugin not initialized|network plugin|runtime network not ready"),
        ("kubelet_unavailable", r"NodeStatusUnknown|kubelet stopped posting"),
    )
)  # fmt: skip

UNITS = {
    "kubelet": "kubelet_unavailable",
    "containerd": "containerd_unavailable",
    "docker": "containerd_unavailable",
    "crio": "containerd_unavailable",
    "kube-proxy": "kube_proxy_unavailable",
    "kube-scheduler": "kube_scheduler_unavailable",
}

COMPONENTS = {
    "kube-scheduler": "kube_scheduler_unavailable",
    "kube-proxy": "kube_proxy_unavailable",
    "coredns": "coredns_unavailable",
    "kube-dns": "coredns_unavailable",
    "kube-controller-manager": "controller_manager_unavailable",
}


async def check(case: Case) -> list[Finding]:
    """Nodes that are not well, pods they evicted, and parts of the cluster that are down."""
    found = [finding for node in case.snapshot.of("Node") for finding in _of_node(case, node)]
    found.extend(_evicted(case))
    found.extend(_components(case))
    found.extend(_units(case))
    return found


def _of_node(case: Case, node: Object) -> Iterator[Finding]:
    condition = node.condition("Ready")
    if condition and condition.get("status") != "True":
        words = f"{condition.get('reason', '')} {condition.get('message', '')}".strip()
        kind = next((kind for kind, rule in NOT_READY if rule.search(words)), "node_not_ready")
        yield _node(case, node, kind, f"is not Ready: {words}", mapping(condition))
    for type_, kind in PRESSURE.items():
        condition = node.condition(type_)
        if condition.get("status") == "True":
            words = str(condition.get("message") or type_)
            yield _node(case, node, kind, f"has {type_}: {words}", mapping(condition))


def _node(case: Case, node: Object, kind: str, words: str, condition: object) -> Finding:
    quotes = [dig(condition, "reason") or dig(condition, "type"), dig(condition, "message")]
    pods = [pod for pod in case.namespaced("Pod") if pod.spec.get("nodeName") == node.name]
    return Finding(
        kind=kind,
        entity=node.entity,
        statement=f"{node.entity} {words}"[:400],
        citations=node.cite(*(quote for quote in quotes if quote)),
        began=moment(dig(condition, "lastTransitionTime")),
        about=tuple(dict.fromkeys(case.snapshot.owner(pod).entity for pod in pods)),
    )


def _evicted(case: Case) -> Iterator[Finding]:
    told: set[Entity] = set()
    for pod, owner in case.pods():
        if pod.status.get("reason") == "Evicted" and owner.entity not in told:
            told.add(owner.entity)
            message = str(pod.status.get("message") or "Evicted")
            node = str(pod.spec.get("nodeName") or "")
            yield Finding(
                kind="evicted",
                entity=owner.entity,
                statement=f"{pod.entity} of {owner.entity} was evicted from {node}: {message}"[
                    :400
                ],
                citations=pod.cite("Evicted", message),
                began=moment(pod.status.get("startTime"))
                if not case.in_window(pod.created)
                else pod.created,
                details={"node": node},
                about=(pod.entity, Entity(kind="Node", name=node)),
            )


def _components(case: Case) -> Iterator[Finding]:
    for pod in case.snapshot.of("Pod", "kube-system"):
        kind = next((kind for name, kind in COMPONENTS.items() if pod.name.startswith(name)), None)
        if not kind or ready(pod) or pod.status.get("phase") == "Succeeded":
            continue
        name = next(name for name in COMPONENTS if pod.name.startswith(name))
        others = [
            p
            for p in case.snapshot.of("Pod", "kube-system")
            if p.name.startswith(name) and ready(p)
        ]
        node = str(pod.spec.get("nodeName") or "")
        yield Finding(
            kind=kind,
            entity=Entity(kind="Component", name=name, namespace="kube-system"),
            statement=f"{pod.entity} on {node or 'no node'} is not Ready; {len(others)} others of {name} are",
            citations=pod.cite(),
            began=unready_since(pod),
            strength=0.5 if others and name != "kube-proxy" else 0.95,
            details={"node": node, "pod": pod.name},
            about=(pod.entity, Entity(kind="Node", name=node)) if node else (pod.entity,),
        )


def _units(case: Case) -> Iterator[Finding]:
    """System services that the node exporter reports as not active."""
    for answer in case.of_tool("prometheus.query"):
        if "node_systemd_unit_state" not in str(answer.arguments.get("query")):
            continue
        for series in listing(answer.data, "series"):
            labels = mapping(series, "labels")
            unit = str(labels.get("name", "")).removesuffix(".service")
            node = str(labels.get("node") or labels.get("instance") or "").split(":")[0]
            if (
                unit in UNITS
                and labels.get("state") == "active"
                and float(dig(series, "value") or 0) == 0
            ):
                yield Finding(
                    kind=UNITS[unit],
                    entity=Entity(kind="Node", name=node),
                    statement=f"The system service {unit} on {node} is not active",
                    citations=(answer.cite(labels["name"]), answer.cite(node)),
                    strength=0.95,
                    details={"unit": unit, "node": node},
                )
