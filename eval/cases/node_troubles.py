"""Troubles of a machine: what the kubelet says and does when its disk runs full."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from eval.cases import lifecycle
from eval.cases.system import Happening, Node, Pod, System, stamp
from eval.cases.troubles import kubelet_says


@dataclass(frozen=True)
class Disk:
    """How a disk fills: it begins to at `begins`, and passes the eviction threshold at `full`."""

    begins: datetime
    full: datetime
    share_at_full: float = 0.901


def fill_disk(system: System, name: str, disk: Disk) -> None:
    """A node's disk fills, the kubelet finds nothing to clean up, and evicts pods; no new one may come."""
    node = system.nodes[name]
    usual = node.disk_used[0][1]
    node.disk_used = [
        (system.ago(hours=3), usual),
        (disk.begins, usual + 0.002),
        (disk.full, disk.share_at_full),
        (system.as_of, min(disk.share_at_full + 0.03, 0.99)),
    ]
    node.conditions["DiskPressure"] = {
        "lastTransitionTime": stamp(disk.full),
        "message": "kubelet has disk pressure",
        "reason": "KubeletHasDiskPressure",
        "status": "True",
    }
    node.taints.append(
        {
            "effect": "NoSchedule",
            "key": "node.kubernetes.io/disk-pressure",
            "timeAdded": stamp(disk.full),
        }
    )
    _kubelet_complains(system, node, disk)


def _kubelet_complains(system: System, node: Node, disk: Disk) -> None:
    since = disk.full - timedelta(minutes=9)
    seconds = (system.as_of - since).total_seconds()
    wanted = int(node.disk_gib * 2**30 * 0.06)
    collect = (
        "Failed to garbage collect required amount of images. "
        f"Attempted to free {wanted} bytes, but only found 0 bytes eligible to free."
    )
    rows = (
        ("FreeDiskSpaceFailed", collect, since, 300, True),
        ("ImageGCFailed", collect, since + timedelta(minutes=5), 300, True),
        (
            "EvictionThresholdMet",
            "Attempting to reclaim ephemeral-storage",
            disk.full,
            10,
            True,
        ),
        (
            "NodeHasDiskPressure",
            f"Node {node.name} status is now: NodeHasDiskPressure",
            disk.full,
            int(seconds),
            False,
        ),
    )
    for reason, message, first, every, warning in rows:
        count = max(int((system.as_of - first).total_seconds() // every), 1)
        last = first + timedelta(seconds=every * (count - 1)) if every < seconds else first
        system.happenings.append(
            Happening(
                "Node",
                "",
                node.name,
                reason,
                message,
                first,
                last,
                count,
                warning=warning,
                host=node.name,
            )
        )


def evict(system: System, pod: Pod, at: datetime) -> Pod:
    """The kubelet evicts a pod for want of disk; returns the pod that its controller makes instead."""
    node = system.nodes[pod.node]
    left = int(node.disk_gib * 2**20 * 0.098)
    message = (
        f"The node was low on resource: ephemeral-storage. Threshold quantity: {node.disk_gib * 2**30 // 10}, "
        f"available: {left}Ki. Container {pod.workload.container} was using 1284Ki, request is 0, has "
        "larger consumption of ephemeral-storage. "
    )
    kubelet_says(system, pod, "Evicted", message, (at, at, 1))
    stopping = f"Stopping container {pod.workload.container}"
    system.happenings.append(
        Happening("Pod", pod.namespace, pod.name, "Killing", stopping, at, at, host=pod.node)
    )
    lifecycle.end_run(pod, at + timedelta(seconds=3), "Error", 137)
    pod.failed, pod.by_hand = (at, "Evicted", message), True
    fresh = lifecycle.place(system, pod.workload, pod.revision, at + timedelta(seconds=4))
    fresh.by_hand = True
    return fresh


def settle_elsewhere(system: System, pod: Pod, avoided: str) -> Pod:
    """A pod that replaces an evicted one starts on another node."""
    if pod.node == avoided:
        names = [name for name in system.nodes if name != avoided]
        lifecycle.move(system, pod, names[len(pod.name) % len(names)])
    return lifecycle.start(pod)


def cannot_be_scheduled(system: System, pod: Pod, message: str) -> None:
    """A pod finds no node."""
    pod.node, pod.ip, pod.runs, pod.unscheduled = "", "", {}, message
    first = pod.created
    count = int((system.as_of - first).total_seconds() // 60)
    event = Happening(
        "Pod",
        pod.namespace,
        pod.name,
        "FailedScheduling",
        message,
        first,
        system.ago(seconds=37),
        count,
        warning=True,
        component="default-scheduler",
    )
    system.happenings.append(event)


def pin(system: System, workload: str, label: tuple[str, str]) -> str:
    """A workload may run only where its pod is now, by a node label; returns that node's name."""
    key, value = label
    found = system.workloads[workload]
    for revision in found.revisions:
        revision.template["nodeSelector"] = {key: value}
    node = system.pods_of(workload)[0].node
    system.nodes[node].labels[key] = value
    return node
