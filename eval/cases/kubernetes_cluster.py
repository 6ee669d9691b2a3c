"""Draws what workloads stand on: namespaces, nodes with their leases, and what quotas count."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import timedelta

from eval.cases.plain_objects import thing
from eval.cases.system import Json, Node, System, stamp

KUBELET = "v1.31.4"
HELLO = timedelta(seconds=34)
"""How long a machine takes from its boot until its kubelet calls it ready."""

HEALTHY = (
    (
        "MemoryPressure",
        "False",
        "KubeletHasSufficientMemory",
        "kubelet has sufficient memory available",
    ),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
)


def ground(system: System) -> Iterator[Json]:
    """Namespaces, nodes, leases, and the objects that are kept as they print."""
    for name, created in system.namespaces.items():
        yield _namespace(system, name)
        trust = {"ca.crt": "-----BEGIN CERTIFICATE-----\n(left out)\n-----END CERTIFICATE-----\n"}
        yield thing(system, "ConfigMap", (name, "kube-root-ca.crt"), created, data=trust)
    for node in system.nodes.values():
        yield _node(system, node)
        yield _lease(system, node)
    for item in system.objects:
        yield _with_usage(system, item) if item["kind"] == "ResourceQuota" else item


def _namespace(system: System, name: str) -> Json:
    deleted, conditions = system.ending.get(name, (None, []))
    item = thing(
        system,
        "Namespace",
        ("", name),
        system.namespaces[name],
        labels={"kubernetes.io/metadata.name": name},
        spec={"finalizers": ["kubernetes"]},
        status={"phase": "Terminating", "conditions": conditions}
        if deleted
        else {"phase": "Active"},
    )
    if deleted:
        item["metadata"]["deletionTimestamp"] = stamp(deleted)
    return item


def _node(system: System, node: Node) -> Json:
    capacity = {
        "cpu": str(node.cpu),
        "ephemeral-storage": f"{node.disk_gib * 1024 * 1024}Ki",
        "memory": f"{node.memory_gib * 1024 * 1024}Ki",
        "pods": "110",
    }
    free = {
        **capacity,
        "cpu": f"{node.cpu * 1000 - 80}m",
        "ephemeral-storage": str(int(node.disk_gib * 2**30 * 0.9)),
        "memory": f"{node.memory_gib * 1024 * 1024 - 614400}Ki",
    }
    spec: Json = {
        "podCIDR": f"10.244.{int(node.name[-1])}.0/24",
        "providerID": f"metal://{node.name}",
    }
    if node.taints:
        spec["taints"] = node.taints
    if node.unschedulable:
        spec["unschedulable"] = True
    labels = {
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": node.name,
        "kubernetes.io/os": "linux",
        **node.labels,
        "topology.kubernetes.io/zone": "a" if int(node.name[-1]) % 2 else "b",
    }
    status = {
        "addresses": [
            {"address": node.ip, "type": "InternalIP"},
            {"address": node.name, "type": "Hostname"},
        ],
        "allocatable": free,
        "capacity": capacity,
        "conditions": _node_conditions(system, node),
        "images": [{"names": [name], "sizeBytes": 84 * 2**20} for name in _images(system, node)],
        "nodeInfo": _node_info(system, node),
    }
    return thing(
        system, "Node", ("", node.name), node.created, labels=labels, spec=spec, status=status
    )


def _node_conditions(system: System, node: Node) -> list[Json]:
    beat = stamp(
        node.silent_since or system.ago(seconds=system.rng("beat", node.name).randint(20, 270))
    )
    rows = []
    for type_, status, reason, message in HEALTHY:
        row = {
            "lastHeartbeatTime": beat,
            "lastTransitionTime": stamp(
                node.away[1] if node.away and type_ == "Ready" else node.booted + HELLO
            ),
            "message": message,
            "reason": reason,
            "status": status,
            "type": type_,
        }
        rows.append({**row, **node.conditions.get(type_, {})})
    return rows


def _images(system: System, node: Node) -> list[str]:
    ran = {
        container["image"]
        for pod in system.pods
        if pod.node == node.name
        for container in pod.revision.template["containers"]
        if pod.main.last_before or any("running" in turn.state for turn in pod.main.turns)
    }
    return sorted({*ran, *node.images})


def _node_info(system: System, node: Node) -> Json:
    return {
        "architecture": "amd64",
        "bootID": system.uid("Boot", "", node.name),
        "containerRuntimeVersion": "containerd://1.7.24",
        "kernelVersion": "6.1.0-28-amd64",
        "kubeletVersion": KUBELET,
        "machineID": hashlib.sha256(node.name.encode()).hexdigest()[:32],
        "operatingSystem": "linux",
        "osImage": "Debian GNU/Linux 12 (bookworm)",
    }


def _lease(system: System, node: Node) -> Json:
    heard = system.ago(seconds=system.rng("lease", node.name).randint(1, 9))
    renewed = stamp(node.silent_since or heard)
    spec = {
        "holderIdentity": node.name,
        "leaseDurationSeconds": 40,
        "renewTime": renewed.replace("Z", ".000000Z"),
    }
    place = ("kube-node-lease", node.name)
    return thing(
        system, "Lease", place, node.created, api_version="coordination.k8s.io/v1", spec=spec
    )


def _with_usage(system: System, quota: Json) -> Json:
    """A quota with what its namespace uses now."""
    namespace = quota["metadata"]["namespace"]
    pods = [p for p in system.pods if p.namespace == namespace and p.failed is None]
    resources = [c.get("resources", {}) for p in pods for c in p.revision.template["containers"]]
    millis = sum(_millicores(r.get("requests", {}).get("cpu", "0")) for r in resources)
    mebis = sum(_mebibytes(r.get("limits", {}).get("memory", "0Mi")) for r in resources)
    used = {"limits.memory": f"{mebis}Mi", "pods": str(len(pods)), "requests.cpu": f"{millis}m"}
    hard = quota["spec"]["hard"]
    used = {name: value for name, value in used.items() if name in hard}
    return {**quota, "status": {"hard": hard, "used": used}}


def _millicores(quantity: str) -> int:
    whole = not quantity.endswith("m")
    return int(quantity) * 1000 if whole else int(quantity.removesuffix("m"))


def _mebibytes(quantity: str) -> int:
    if quantity.endswith("Gi"):
        return int(quantity.removesuffix("Gi")) * 1024
    return int(quantity.removesuffix("Mi"))
