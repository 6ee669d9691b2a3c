"""Nodes that are ill: what their conditions, their leases and their system services say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from assistant.checks.case import Case, ready
from assistant.incident import Entity, Finding
from assistant.snapshot import Object, Snapshot, dig, listing, mapping, moment

PRESSURE = {
    "DiskPressure": "node_disk_pressure",
    "MemoryPressure": "node_memory_pressure",
    "PIDPressure": "node_pid_pressure",
    "NetworkUnavailable": "node_network_unavailable",
}

NOT_READY: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        ("kubelet_certificate_expired", r"x509|certificate has expired|certificate .*(invalid|unknown)"),
        ("containerd_unavailable", r"container ?runtime (is down|not ready)|(containerd|crio|cri-dockerd|docker|dockershim)\.sock|PLEG"),
        ("cni_down", r"cni plugin not initialized|network plugin|runtime network not ready|NetworkPluginNotReady"),
        ("node_shut_down", r"node is shutting down|NodeShutdown"),
        ("kubelet_unavailable", r"NodeStatusUnknown|NodeStatusNeverUpdated|kubelet (stopped|never) post"),
    )
)  # fmt: skip

PROBLEMS = {
    "ReadonlyFilesystem": "node_filesystem_read_only",
    "KernelDeadlock": "node_kernel_deadlock",
    "NTPProblem": "node_clock_skew",
    "KubeletUnhealthy": "kubelet_unavailable",
    "ContainerRuntimeUnhealthy": "containerd_unavailable",
    "FrequentKubeletRestart": "node_problem",
    "FrequentContainerdRestart": "node_problem",
    "FrequentDockerRestart": "node_problem",
    "FrequentUnregisterNetDevice": "node_problem",
    "CorruptDockerOverlay2": "node_problem",
    "DockerHung": "node_problem",
    "XfsShutdown": "node_filesystem_read_only",
    "CperHardwareErrorFatal": "node_hardware",
    "MemoryError": "node_hardware",
    "FilesystemCorruptionProblem": "node_filesystem_read_only",
}
"""Conditions of the known node problem detectors. A type that nobody knows says nothing by its name,
and etcd's EtcdIsVoter is True when all is well."""

UNITS = {
    "kubelet": "kubelet_unavailable",
    "containerd": "containerd_unavailable",
    "docker": "containerd_unavailable",
    "crio": "containerd_unavailable",
    "kube-proxy": "kube_proxy_unavailable",
    "kube-scheduler": "kube_scheduler_unavailable",
}

HEARTBEAT = timedelta(minutes=6)
"""kubelet reports a node that has not changed every five minutes."""

LEASE = timedelta(seconds=60)
"""kubelet renews its lease every ten seconds; after 40 (50 from 1.32 on) a node is given up."""

SKEW = timedelta(minutes=2)
"""So much our clock may be before the cluster's."""

SEVERAL = 2
"""So many workloads that fall ill on one node raise doubts about the node."""


async def check(case: Case) -> list[Finding]:
    """Nodes that are not Ready, are short of something, report a problem, or have fallen silent."""
    found = [finding for node in case.snapshot.of("Node") for finding in _of_node(case, node)]
    return [*found, *_units(case), *await _silent(case)]


def _of_node(case: Case, node: Object) -> Iterator[Finding]:
    condition = node.condition("Ready")
    if condition and condition.get("status") != "True":
        words = f"{condition.get('reason', '')} {condition.get('message', '')}".strip()
        kind = next((kind for kind, rule in NOT_READY if rule.search(words)), "node_not_ready")
        yield _node(case, node, kind, f"is not Ready: {words}", mapping(condition))
    for type_, kind in (PRESSURE | PROBLEMS).items():
        condition = node.condition(type_)
        if condition.get("status") == "True":
            words = str(condition.get("message") or type_)
            yield _node(case, node, kind, f"has {type_}: {words}", mapping(condition))


def _node(case: Case, node: Object, kind: str, words: str, condition: object) -> Finding:
    quotes = [dig(condition, "reason") or dig(condition, "type"), dig(condition, "message")]
    return Finding(
        kind=kind,
        entity=node.entity,
        statement=f"{node.entity} {words}"[:400],
        citations=node.cite(*(quote for quote in quotes if quote)),
        began=moment(dig(condition, "lastTransitionTime")),
        about=_owners(case, node),
    )


async def _silent(case: Case) -> list[Finding]:
    """Nodes whose kubelet no longer renews its lease, though nobody has marked them yet.

    Leases are read only where something speaks of it: a heartbeat that is late, or pods that are
    unready or held in termination on one node.
    """
    doubtful = [node for node in case.snapshot.of("Node") if _doubtful(case, node)]
    if not doubtful:
        return []
    arguments = {"kind": "Lease", "namespace": "kube-node-lease", "view": "full", "limit": 500}
    answer = await case.ask(
        "kubernetes.list_resources", arguments, "when each node last gave a sign of life"
    )
    leases = Snapshot.made_of([answer])
    times = [moment(dig(row.spec, "renewTime")) for row in leases.of("Lease", "kube-node-lease")]
    # Clocks differ: the others' leases tell what time it is, ours only where there are no others.
    newest = max((at for at in times if at), default=answer.taken_at)
    now = newest if len(times) > 1 else answer.taken_at - SKEW
    rows = ((node, leases.get("Lease", "kube-node-lease", node.name)) for node in doubtful)
    return [f for node, lease in rows if lease for f in _lapsed(case, node, lease, now)]


def _doubtful(case: Case, node: Object) -> bool:
    condition = node.condition("Ready")
    if condition.get("status") != "True":
        return False  # it is told by its condition
    beat = moment(condition.get("lastHeartbeatTime"))
    if beat and node.evidence.taken_at - beat > HEARTBEAT:
        return True
    here = [pod for pod in case.snapshot.of("Pod") if pod.spec.get("nodeName") == node.name]
    ill = {case.snapshot.owner(pod).entity for pod in here if _ill(case, pod)}
    return len(ill) >= SEVERAL


def _ill(case: Case, pod: Object) -> bool:
    """Whether a pod ran and is held in termination, or stopped being Ready within the window."""
    leaving = moment(dig(pod.raw, "metadata", "deletionTimestamp"))
    if leaving:
        return pod.evidence.taken_at - leaving > timedelta(minutes=1)
    lost = moment(pod.condition("Ready").get("lastTransitionTime"))
    return not ready(pod) and pod.status.get("phase") == "Running" and case.in_window(lost)


def _lapsed(case: Case, node: Object, lease: Object, now: datetime) -> Iterator[Finding]:
    renewed = moment(dig(lease.spec, "renewTime"))
    if renewed is None or now - renewed <= LEASE:
        return
    yield Finding(
        kind="kubelet_unavailable",
        entity=node.entity,
        statement=f"{node.entity} has not renewed its lease since {_clock(renewed)}: its kubelet is silent",
        citations=lease.cite(node.name, str(dig(lease.spec, "renewTime"))),
        began=renewed,
        strength=0.95,
        details={"renewed": _clock(renewed)},
        about=_owners(case, node),
    )


def _clock(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def _owners(case: Case, node: Object) -> tuple[Entity, ...]:
    """The workloads in scope that have pods on a node."""
    pods = [pod for pod in case.namespaced("Pod") if pod.spec.get("nodeName") == node.name]
    return tuple(dict.fromkeys(case.snapshot.owner(pod).entity for pod in pods))


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
