"""Kubernetes objects as an API server would show them, made short for tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

NOW = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)


def ago(seconds: float) -> str:
    return (NOW - timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def thing(api_version: str, kind: str, name: str, namespace: str = "payments", **fields: Any):
    metadata = {"name": name, "namespace": namespace, "uid": f"uid-{kind}-{namespace}-{name}"}
    if not namespace:
        del metadata["namespace"]
    metadata |= fields.pop("metadata", {})
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}


def owned_by(kind: str, name: str, namespace: str = "payments", api_version: str = "apps/v1"):
    reference = {"apiVersion": api_version, "kind": kind, "name": name, "controller": True}
    return {"ownerReferences": [{**reference, "uid": f"uid-{kind}-{namespace}-{name}"}]}


def status_of(name: str = "main", *, ready: bool = True, restarts: int = 0, **states: Any):
    states.setdefault("state", {"running": {"startedAt": ago(7000)}})
    return {"name": name, "ready": ready, "restartCount": restarts, **states}


def pod(
    name: str,
    *statuses: dict[str, Any],
    phase: str = "Running",
    ready: bool = True,
    since: float = 7000,
    namespace: str = "payments",
    spec: dict[str, Any] | None = None,
    status: dict[str, Any] | None = None,
    metadata: dict[str, Any] | None = None,
):
    statuses = statuses or (status_of(),)
    containers = [{"name": one["name"], "image": "app:1"} for one in statuses]
    conditions = [
        {"type": "Ready", "status": str(ready), "lastTransitionTime": ago(since)},
        {"type": "PodScheduled", "status": "True"},
    ]
    return thing(
        "v1",
        "Pod",
        name,
        namespace,
        metadata={"creationTimestamp": ago(since + 10), **(metadata or {})},
        spec={"nodeName": "worker-1", "containers": containers, **(spec or {})},
        status={
            "phase": phase,
            "startTime": ago(since + 5),
            "conditions": conditions,
            "containerStatuses": list(statuses),
            **(status or {}),
        },
    )


def template(image: str = "checkout:1", **spec: Any):
    container = {"name": "checkout", "image": image, **spec.pop("container", {})}
    labels = {"app": "checkout"}
    return {"metadata": {"labels": labels}, "spec": {"containers": [container], **spec}}


def deployment(name: str = "checkout", *, wanted: int = 3, ready: int = 3, **fields: Any):
    pods = fields.pop("template", template())
    counts = {"replicas": wanted, "readyReplicas": ready, "updatedReplicas": wanted}
    return thing(
        "apps/v1",
        "Deployment",
        name,
        spec={
            "replicas": wanted,
            "selector": {"matchLabels": {"app": name}},
            "template": pods,
            **fields,
        },
        status={**counts, "availableReplicas": ready, "conditions": []},
    )


def replica_set(revision: int, pods: dict[str, Any], *, replicas: int = 0, name: str = "checkout"):
    return thing(
        "apps/v1",
        "ReplicaSet",
        f"{name}-{revision:05d}",
        metadata={
            **owned_by("Deployment", name),
            "labels": {"app": name},
            "annotations": {"deployment.kubernetes.io/revision": str(revision)},
            "creationTimestamp": ago(10_000 - revision * 1000),
        },
        spec={"replicas": replicas, "template": pods},
        status={"replicas": replicas, "readyReplicas": replicas},
    )


def event(reason: str, about: str, *, first: float, last: float, count: int = 1, **fields: Any):
    kind = fields.pop("about_kind", "Pod")
    return thing(
        "v1",
        "Event",
        f"{about}.{reason}.{first}.{last}".lower(),
        fields.pop("namespace", "payments"),
        involvedObject={"kind": kind, "name": about, "namespace": "payments"},
        reason=reason,
        message=fields.pop("message", f"{reason} of {about}"),
        type=fields.pop("type", "Warning"),
        count=count,
        firstTimestamp=ago(first),
        lastTimestamp=ago(last),
        **fields,
    )


def node(name: str, *, ready: str = "True", **fields: Any):
    conditions = [
        {"type": "Ready", "status": ready, "reason": "KubeletReady", "message": "said the kubelet"},
        {"type": "DiskPressure", "status": fields.pop("disk", "False"), "message": "disk"},
        {"type": "EtcdIsVoter", "status": "True"},
    ]
    return thing(
        "v1",
        "Node",
        name,
        "",
        spec=fields,
        status={"conditions": conditions, "allocatable": {"cpu": "4", "memory": "8Gi"}},
    )
