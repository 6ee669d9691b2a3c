"""The cluster's own parts: which are down, missing on a node, or leave their work undone.

A managed cluster does not show its control plane: what is absent altogether is no fault.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from assistant.checks.case import Case, ready, unready_since
from assistant.checks.reading.objects.targets import live
from assistant.incident import Entity, Finding
from assistant.snapshot import Object, Snapshot, dig, moment

SYSTEM = "kube-system"
LABELS = ("k8s-app", "component", "app.kubernetes.io/name", "app", "name")

COMPONENTS = {
    "kube-scheduler": "kube_scheduler_unavailable",
    "kube-proxy": "kube_proxy_unavailable",
    "coredns": "coredns_unavailable",
    "kube-dns": "coredns_unavailable",
    "kube-controller-manager": "controller_manager_unavailable",
    "kube-apiserver": "apiserver_unavailable",
    "etcd": "etcd_unavailable",
    "cloud-controller-manager": "controller_manager_unavailable",
    "konnectivity-agent": "konnectivity_unavailable",
    "calico-node": "cni_down",
    "cilium": "cni_down",
    "aws-node": "cni_down",
    "kube-flannel": "cni_down",
    "flannel": "cni_down",
    "weave-net": "cni_down",
    "antrea-agent": "cni_down",
    "kube-router": "cni_down",
    "ebs-csi-node": "csi_driver_unavailable",
    "ebs-csi-controller": "csi_driver_unavailable",
    "efs-csi-node": "csi_driver_unavailable",
    "csi-azuredisk-node": "csi_driver_unavailable",
    "csi-azurefile-node": "csi_driver_unavailable",
    "pdcsi-node": "csi_driver_unavailable",
    "gce-pd-csi-driver": "csi_driver_unavailable",
}
"""By label or by the beginning of the pod's name."""

ON_EVERY_NODE = ("kube-proxy",)
"""Run by a DaemonSet that tolerates everything; others may be meant for some nodes only."""

PER_NODE = frozenset({"kube_proxy_unavailable", "cni_down", "csi_driver_unavailable"})
"""Parts whose twin on another node is no help."""

VIRTUAL = (("eks.amazonaws.com/compute-type", "fargate"), ("type", "virtual-kubelet"), ("kubernetes.io/os", "windows"))  # fmt: skip
"""Nodes that are no machines, or have another kube-proxy."""

SETTLED = timedelta(minutes=5)
LEASE = timedelta(seconds=60)
"""A leader renews every two to ten seconds and loses the lead after fifteen to sixty."""


SKEW = timedelta(minutes=2)
"""So much our clock may be before the cluster's."""


async def check(case: Case) -> list[Finding]:
    """Parts of the cluster that do not work."""
    pods = [pod for pod in case.snapshot.of("Pod", SYSTEM) if live(pod)]
    found = [f for pod in pods for f in _down(pod, pods)]
    return [*found, *_absent(case, pods), *await _idle(case)]


def part(pod: Object) -> str:
    """The part of the cluster that a pod is, empty for any other pod."""
    labelled = (str(pod.labels.get(label) or "") for label in LABELS)
    by_label = next((value for value in labelled if value in COMPONENTS), "")
    named = (name for name in COMPONENTS if pod.name == name or pod.name.startswith(f"{name}-"))
    by_name = max(named, key=len, default="")
    helper = any(word in pod.name for word in ("autoscaler", "operator", "exporter", "metrics"))
    return "" if helper else by_label or by_name


def _down(pod: Object, pods: list[Object]) -> Iterator[Finding]:
    name = part(pod)
    if not name or ready(pod):
        return
    kind, node = COMPONENTS[name], str(pod.spec.get("nodeName") or "")
    others = [p for p in pods if ready(p) and COMPONENTS.get(part(p)) == kind]
    yield Finding(
        kind=kind,
        entity=Entity(kind="Component", name=name, namespace=SYSTEM),
        statement=f"{pod.entity} on {node or 'no node'} is not Ready; {len(others)} others of {name} are",
        citations=pod.cite(),
        began=unready_since(pod),
        strength=0.5 if others and kind not in PER_NODE else 0.95,
        details={"node": node, "pod": pod.name},
        about=(pod.entity, Entity(kind="Node", name=node)) if node else (pod.entity,),
    )


def _absent(case: Case, pods: list[Object]) -> Iterator[Finding]:
    """Nodes without a pod of a part that every other node has."""
    listed = case.snapshot.listing_of("Pod", SYSTEM)
    if not listed or not case.snapshot.listed("Pod", SYSTEM):
        return
    for name in ON_EVERY_NODE:
        here = {str(pod.spec.get("nodeName") or "") for pod in pods if part(pod) == name}
        bare = [node for node in case.snapshot.of("Node") if node.name not in here and _whole(node)]
        if len(here) < len(bare) or not here:
            continue  # most nodes do without: it is meant so
        for node in bare:
            yield Finding(
                kind=COMPONENTS[name],
                entity=Entity(kind="Component", name=name, namespace=SYSTEM),
                statement=f"No {name} runs on {node.name}, {len(here)} other nodes have one",
                citations=(listed.cite_absence(), *node.cite()),
                strength=0.85,
                details={"node": node.name},
                about=(node.entity,),
            )


def _whole(node: Object) -> bool:
    """Whether a node is a Linux machine that is Ready and has been there for some minutes."""
    virtual = any(node.labels.get(key) == value for key, value in VIRTUAL)
    old = node.created is None or node.evidence.taken_at - node.created > SETTLED
    return not virtual and old and node.condition("Ready").get("status") == "True"


async def _idle(case: Case) -> list[Finding]:
    """Workloads whose last change nobody acted on: the controller manager does not work."""
    undone = [w for kind in ("Deployment", "StatefulSet", "DaemonSet") for w in case.namespaced(kind) if _undone(w)]  # fmt: skip
    if not undone:
        return []
    arguments = {"kind": "Lease", "namespace": SYSTEM, "view": "full", "limit": 500}
    answer = await case.ask("kubernetes.list_resources", arguments, "who leads the control plane")
    lease = Snapshot.made_of([answer]).get("Lease", SYSTEM, "kube-controller-manager")
    renewed = moment(dig(lease.spec, "renewTime")) if lease else None
    stale = renewed is not None and answer.taken_at - renewed > LEASE + SKEW
    if lease and not stale:
        return []
    first = undone[0]
    said = f", and it has not led since {dig(lease.spec, 'renewTime')}" if lease else ""
    cited = lease.cite(str(dig(lease.spec, "renewTime"))) if lease else ()
    found = Finding(
        kind="controller_manager_unavailable",
        entity=Entity(kind="Component", name="kube-controller-manager", namespace=SYSTEM),
        statement=f"Nobody acted on the last change of {first.entity} "
        f"(generation {dig(first.raw, 'metadata', 'generation')}, "
        f"seen {first.status.get('observedGeneration')}){said}",
        citations=(*first.cite(first.name, str(dig(first.raw, "metadata", "generation"))), *cited),
        began=renewed,
        strength=0.95 if stale else 0.7,
        about=tuple(item.entity for item in undone),
    )
    return [found]


def _undone(item: Object) -> bool:
    generation = dig(item.raw, "metadata", "generation")
    seen = item.status.get("observedGeneration")
    return isinstance(generation, int) and isinstance(seen, int) and generation > seen
