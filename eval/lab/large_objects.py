"""Kubernetes objects as a large cluster has them many times over, with their equal parts shared."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from eval.lab.world import Json, rfc3339

AS_OF = datetime(2026, 3, 17, 2, 14, tzinfo=UTC)
_IDS = UUID("6f6c1f0e-5a52-4c55-9d0a-0f3a3a1f7a11")
DEPLOYED = AS_OF - timedelta(minutes=24)
HASHES = {1: "5d8f7c6b9", 2: "7c9fd64b5"}
"""The pod template hash of each revision."""


def ago(**span: float) -> str:
    """A moment so long before the cluster's now."""
    return rfc3339(AS_OF - timedelta(**span))


def metadata(name: str, namespace: str = "", **more: Any) -> Json:
    """Metadata of something a month old; `more` adds or overrides."""
    whole: Json = {"name": name, "uid": str(uuid5(_IDS, f"{namespace}/{name}"))}
    if namespace:
        whole["namespace"] = namespace
    return {**whole, "creationTimestamp": ago(days=30), "resourceVersion": "48211907", **more}


_NODE_INFO = {
    "architecture": "amd64",
    "bootID": "",
    "containerRuntimeVersion": "containerd://1.7.22",
    "kernelVersion": "6.1.0",
    "kubeProxyVersion": "v1.31.2",
    "kubeletVersion": "v1.31.2",
    "machineID": "",
    "operatingSystem": "linux",
    "osImage": "Debian GNU/Linux 12",
    "systemUUID": "",
}


def node(number: int) -> Json:
    """A healthy node."""
    ready = {
        "type": "Ready",
        "status": "True",
        "reason": "KubeletReady",
        "message": "kubelet is posting ready status",
        "lastHeartbeatTime": ago(seconds=30),
        "lastTransitionTime": ago(days=30),
    }
    size = {"cpu": "16", "memory": "65536Mi", "pods": "110"}
    name = node_name(number)
    address = f"10.0.{number // 250}.{number % 250 + 1}"
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": metadata(name, labels={"kubernetes.io/hostname": name}),
        "spec": {"providerID": f"example:///{name}"},
        "status": {
            "capacity": size,
            "allocatable": size,
            "conditions": [ready],
            "addresses": [{"type": "InternalIP", "address": address}],
            "nodeInfo": _NODE_INFO,
        },
    }


def node_name(number: int) -> str:
    """What the node of that number is called."""
    return f"node-{number:03d}"


def template(name: str, image: str) -> Json:
    """A pod template with one container, `app`."""
    container = {
        "name": "app",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
        "env": [{"name": "LOG_LEVEL", "value": "info"}],
        "resources": {
            "requests": {"cpu": "100m", "memory": "128Mi"},
            "limits": {"memory": "256Mi"},
        },
        "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}, "periodSeconds": 10},
    }
    return {
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": [container], "restartPolicy": "Always"},
    }


def deployment(
    namespace: str, name: str, pod_template: Json, replicas: int, *, ready: int, revision: int
) -> Json:
    """A Deployment; with fewer ready than wanted, one whose rollout has stopped."""
    progress = {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}
    available = {"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable"}
    if ready < replicas:
        progress = {
            "type": "Progressing",
            "status": "False",
            "reason": "ProgressDeadlineExceeded",
            "message": f'ReplicaSet "{name}-{HASHES[2]}" has timed out progressing.',
            "lastTransitionTime": ago(minutes=14),
        }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(
            name, namespace, annotations={"deployment.kubernetes.io/revision": str(revision)}
        ),
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "strategy": {"type": "RollingUpdate"},
            "progressDeadlineSeconds": 600,
            "template": pod_template,
        },
        "status": {
            "replicas": replicas if ready == replicas else replicas + 1,
            "readyReplicas": ready,
            "availableReplicas": ready,
            "unavailableReplicas": 0 if ready == replicas else replicas + 1 - ready,
            "updatedReplicas": replicas if ready == replicas else replicas - 1,
            "conditions": [available, progress],
        },
    }


def replica_set(
    namespace: str,
    name: str,
    pod_template: Json,
    replicas: int,
    *,
    ready: int,
    revision: int,
) -> Json:
    """The ReplicaSet of a revision."""
    hashed = HASHES[revision]
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": metadata(
            f"{name}-{hashed}",
            namespace,
            creationTimestamp=ago(days=30) if revision == 1 else rfc3339(DEPLOYED),
            labels={"app": name, "pod-template-hash": hashed},
            annotations={"deployment.kubernetes.io/revision": str(revision)},
            ownerReferences=[owner("Deployment", namespace, name)],
        ),
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name, "pod-template-hash": hashed}},
            "template": pod_template,
        },
        "status": {"replicas": replicas, "readyReplicas": ready, "availableReplicas": ready},
    }


def owner(kind: str, namespace: str, name: str) -> Json:
    """The reference by which something names its owner."""
    uid = str(uuid5(_IDS, f"{namespace}/{name}"))
    return {"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": uid, "controller": True}


def service(namespace: str, name: str) -> Json:
    """The Service before a workload."""
    ports = [{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(name, namespace),
        "spec": {"type": "ClusterIP", "selector": {"app": name}, "ports": ports},
    }


def pod(namespace: str, name: str, spec: Json, node: str, status: Json, **more: Any) -> Json:
    """A pod of the ReplicaSet that its name tells."""
    app, hashed, _ = name.rsplit("-", 2)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata(
            name,
            namespace,
            labels={"app": app, "pod-template-hash": hashed},
            ownerReferences=[owner("ReplicaSet", namespace, f"{app}-{hashed}")],
            **more,
        ),
        "spec": {**spec, "nodeName": node},
        "status": status,
    }


_RUNNING_CONDITIONS = [
    {"type": kind, "status": "True", "lastTransitionTime": ago(days=30)}
    for kind in ("Initialized", "Ready", "ContainersReady", "PodScheduled")
]
_RUNNING_STATE = {"running": {"startedAt": ago(days=30)}}


def running(namespace: str, name: str, spec: Json, node: str) -> Json:
    """A healthy pod."""
    container = {
        "name": "app",
        "image": spec["containers"][0]["image"],
        "imageID": "",
        "ready": True,
        "started": True,
        "restartCount": 0,
        "state": _RUNNING_STATE,
    }
    status = {
        "phase": "Running",
        "startTime": ago(days=30),
        "conditions": _RUNNING_CONDITIONS,
        "containerStatuses": [container],
    }
    return pod(namespace, name, spec, node, status)


def event(item: Json, type: str, reason: str, message: str, count: int, *, minutes: float) -> Json:
    """An event of an object, last seen so many minutes ago, `count` times in as many minutes."""
    about = item["metadata"]
    namespace = about.get("namespace", "default")
    key = uuid5(_IDS, f"{about['uid']}{reason}{minutes}").hex[:16]
    last = ago(minutes=minutes)
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": f"{about['name']}.{key}",
            "namespace": namespace,
            "creationTimestamp": last,
        },
        "involvedObject": {
            "apiVersion": item["apiVersion"],
            "kind": item["kind"],
            "name": about["name"],
            "namespace": namespace,
            "uid": about["uid"],
        },
        "type": type,
        "reason": reason,
        "message": message,
        "count": count,
        "firstTimestamp": ago(minutes=minutes + count),
        "lastTimestamp": last,
        "source": {"component": "kubelet"},
    }
