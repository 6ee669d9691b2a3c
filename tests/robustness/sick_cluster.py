"""A small cluster in which nearly everything is ill, so that every check has something to look at."""

from __future__ import annotations

from typing import Any

from tests.assistant.checks.cluster import (
    Raw,
    ago,
    container,
    deployment,
    event,
    node,
    pending,
    pod,
    replica_set,
    service,
    state,
    thing,
    waiting,
)

PROBED = container(
    ports=[{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
    env=[
        {"name": "DB", "value": "postgres://store.shop.svc:5432/x"},
        {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "store", "key": "password"}}},
        {"name": "FLAG", "valueFrom": {"configMapKeyRef": {"name": "flags", "key": "on"}}},
    ],
    envFrom=[{"configMapRef": {"name": "absent"}}],
    resources={"limits": {"memory": "64Mi"}, "requests": {"cpu": "6", "memory": "1Gi"}},
    livenessProbe={"httpGet": {"port": 9090}, "periodSeconds": 1, "failureThreshold": 2},
    readinessProbe={"tcpSocket": {"port": "http"}, "initialDelaySeconds": 5},
)
DEMANDING: Raw = {
    "nodeName": None,
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}],
    "affinity": {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [
                    {"matchExpressions": [{"key": "zone", "operator": "Gt", "values": ["3"]}]}
                ]
            }
        },
        "podAntiAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": [
                {
                    "topologyKey": "kubernetes.io/hostname",
                    "labelSelector": {
                        "matchLabels": {"app": "web"},
                        "matchExpressions": [{"key": "app", "operator": "In", "values": ["web"]}],
                    },
                }
            ]
        },
    },
    "volumes": [
        {"name": "data", "persistentVolumeClaim": {"claimName": "data"}},
        {"name": "gone", "persistentVolumeClaim": {"claimName": "gone"}},
        {"name": "config", "configMap": {"name": "flags", "items": [{"key": "on", "path": "on"}]}},
        {"name": "all", "projected": {"sources": [{"secret": {"name": "store"}}]}},
    ],
}


def _pods() -> list[Raw]:
    killed = {"reason": "OOMKilled", "exitCode": 137, "finishedAt": ago(6)}
    image = "Back-off pulling image: denied: repository does not exist"
    missing = "couldn't find key password in Secret shop/store"
    return [
        pod("web-6d4b9-oom", PROBED, states=[state(restarts=4, last=killed)]),
        pod("web-6d4b9-loop", PROBED, states=[waiting("CrashLoopBackOff", restarts=7, last=killed)]),
        pod("web-6d4b9-pull", states=[waiting("ImagePullBackOff", image)], spec={
            "imagePullSecrets": [{"name": "registry"}]}),
        pod("web-6d4b9-key", PROBED, states=[waiting("CreateContainerConfigError", missing)]),
        pod("web-6d4b9-init", spec={"initContainers": [container("setup")]}, status={
            "initContainerStatuses": [waiting("CrashLoopBackOff", name="setup", last=killed)]}),
        pod("web-6d4b9-evicted", phase="Failed", status={"reason": "Evicted", "message": "disk"}),
        pending("web-6d4b9-wait", PROBED, spec=DEMANDING),
        pending("web-6d4b9-gate", spec={"nodeName": None, "schedulingGates": [{"name": "g"}]}),
        pod("web-6d4b9-mount", status={"containerStatuses": None}),
        pod("coredns-abc", namespace="kube-system", owner=None),
    ]  # fmt: skip


def _controllers() -> list[Raw]:
    claims = [{"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"]}}]
    stuck = [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]
    refused = "exceeded quota: most, requested: pods=1, used: pods=3, limited: pods=3"
    return [
        deployment("web", PROBED, spec={"strategy": {"type": "Recreate"}}, status={
            "conditions": stuck, "replicas": 1}),
        replica_set("web-6d4b9", replicas=3, have=1, revision=2, status={"conditions": [
            {"type": "ReplicaFailure", "status": "True", "message": refused}]}),
        replica_set("web-5c3a8", replicas=1, have=1, revision=1),
        deployment("idle", replicas=0),
        thing("StatefulSet", "store", spec={"replicas": 2, "volumeClaimTemplates": claims,
              "template": {"metadata": {"labels": {"app": "store"}}, "spec": {}}},
              status={"currentRevision": "a", "updateRevision": "b", "replicas": 1}),
        thing("DaemonSet", "agent", spec={"template": {"spec": {"containers": [container()]}}},
              status={"desiredNumberScheduled": 2, "currentNumberScheduled": 1}),
    ]  # fmt: skip


def _around() -> list[Raw]:
    ports = [{"port": 80, "targetPort": 9999, "protocol": "TCP"}]
    paths = [{"path": "/", "backend": {"service": {"name": "nowhere", "port": {"number": 80}}}}]
    return [
        service("web", ports=ports),
        service("store", selector={"app": "shop", "tier": "store"}, ports=[{"port": 5433}]),
        service("outside", spec={"type": "ExternalName", "externalName": "gone.shop.svc.cluster.local"}),
        thing("Secret", "store", data={"db-password": "[redacted]"}),
        thing("ConfigMap", "flags", data={"off": "http://web.shop:8080/"}),
        thing("ServiceAccount", "default"),
        thing("ResourceQuota", "most", status={
            "hard": {"pods": "3", "services": "2"}, "used": {"pods": "3", "services": "2"}}),
        thing("Ingress", "front", spec={"rules": [{"http": {"paths": paths}}], "tls": [{"secretName": "absent"}]}),
        thing("NetworkPolicy", "deny", spec={"podSelector": {"matchLabels": {"app": "web"}},
              "policyTypes": ["Ingress"], "ingress": []}),
        thing("PersistentVolumeClaim", "data", spec={"storageClassName": "fast", "accessModes": [
            "ReadWriteMany"], "resources": {"requests": {"storage": "9Gi"}}, "selector": {
            "matchLabels": {"a": "b"}}}, status={"phase": "Pending"}),
        thing("PersistentVolume", "one", spec={"storageClassName": "slow", "accessModes": [
            "ReadWriteOnce"], "capacity": {"storage": "5Gi"}, "claimRef": {"name": "x"}}),
        thing("StorageClass", "slow"),
        thing("Namespace", "shop"),
    ]  # fmt: skip


def _nodes() -> list[Raw]:
    pressure = {"type": "DiskPressure", "status": "True", "message": "low on disk"}
    silent = {"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown",
              "message": "Kubelet stopped posting node status.", "lastTransitionTime": ago(9)}  # fmt: skip
    taint = {"key": "dedicated", "value": "x", "effect": "NoSchedule"}
    return [
        node("worker-1", conditions=[silent, pressure], spec={"unschedulable": True}),
        node("worker-2", spec={"taints": [taint]}, labels={"zone": "2"}),
    ]


def _held_back() -> list[Raw]:
    """Controllers that wait, things that do not go, volumes that do not grow, pods nobody places."""
    blind = {"type": "ScalingActive", "status": "False", "reason": "FailedGetResourceMetric"}
    full = {"type": "ScalingLimited", "status": "True", "reason": "TooManyReplicas"}
    cpu = {"type": "Resource", "resource": {"name": "cpu", "target": {"averageUtilization": 70}}}
    failed = {
        "type": "Failed",
        "status": "True",
        "reason": "DeadlineExceeded",
        "lastTransitionTime": ago(9),
    }
    killed = {"reason": "OOMKilled", "exitCode": 137, "finishedAt": ago(6)}
    small = container(
        resources={"limits": {"memory": "64Mi"}}, ports=[{"containerPort": 80, "hostPort": 80}]
    )
    large = {"containers": [container(resources={"limits": {"memory": "2Gi"}})]}
    spread = {"topologyKey": "zone", "labelSelector": {"matchLabels": {"app": "web"}}}
    init = container("wait", command=["sh", "-c", "until nc -z nobody 80; do sleep 1; done"])
    return [
        thing("HorizontalPodAutoscaler", "web", spec={"maxReplicas": 3, "metrics": [cpu], "scaleTargetRef": {
            "kind": "Deployment", "name": "web"}}, status={"currentReplicas": 3, "conditions": [blind, full],
            "currentMetrics": [{"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 99}}}]}),
        thing("CronJob", "nightly", spec={"schedule": "0 1 * * *", "suspend": True, "concurrencyPolicy": "Forbid"},
              status={"active": [{"name": "nightly-1"}]}),
        thing("Job", "nightly-1", owner=("CronJob", "nightly"), status={"conditions": [failed], "startTime": ago(300)}),
        {"kind": "Service", "spec": {}, "metadata": {"name": "leaving", "namespace": "shop",
            "deletionTimestamp": ago(60), "finalizers": ["example.com/cleanup"]}},
        thing("PersistentVolumeClaim", "grown", spec={"volumeName": "one", "resources": {"requests": {
            "storage": "9Gi"}}}, status={"phase": "Bound", "capacity": {"storage": "1Gi"}}),
        thing("ReplicaSet", "web-77", owner=("Deployment", "web"), spec={"replicas": 2, "template": {"spec": large}},
              status={"replicas": 1}),
        pod("web-77-small", small, states=[state(restarts=3, last=killed)], owner=("ReplicaSet", "web-77")),
        pod("web-77-waits", states=[waiting("PodInitializing")], owner=("ReplicaSet", "web-77"),
            spec={"initContainers": [init]}, conditions=[{"type": "Initialized", "status": "False"}],
            status={"initContainerStatuses": [state("wait", running={"startedAt": ago(18)})]}),
        pod("web-77-box", states=[waiting("ContainerCreating")], owner=("ReplicaSet", "web-77")),
        pending("web-77-quiet", small, spec={"topologySpreadConstraints": [spread], "nodeName": None}),
        deployment("held", container(image="web:2", env=[{"name": "WEB", "value": "http://web:80"}]), spec={"paused": True}, pod={"dnsPolicy": "Default"}),
        pod("held-1", container(image="web:1"), owner=("Deployment", "held"), spec={"dnsPolicy": "Default"},
            states=[state(running={"startedAt": ago(18)})]),
    ]  # fmt: skip


def objects() -> list[Raw]:
    """All of it."""
    return [*_pods(), *_controllers(), *_around(), *_nodes(), *_held_back()]


def events(listed: list[Raw]) -> list[Raw]:
    """What kubelet, the scheduler and the controllers said of some of these objects."""
    words: dict[str, tuple[str, str]] = {
        "web-6d4b9-wait": ("FailedScheduling", "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had "
                           "untolerated taint, 2 node(s) didn't match Pod's node affinity/selector, anti-affinity"),
        "web-6d4b9-oom": ("Unhealthy", "Liveness probe failed: dial tcp: connect: connection refused"),
        "web-6d4b9-loop": ("Unhealthy", "Readiness probe failed: malformed HTTP response"),
        "web-6d4b9-mount": ("FailedMount", 'secret "absent" not found'),
        "web-6d4b9-pull": ("Failed", "Failed to pull image: no such host"),
        "web-6d4b9": ("FailedCreate", 'error looking up service account: serviceaccount "x" not found'),
        "web": ("ScalingReplicaSet", "Scaled down replica set web-6d4b9 from 1 to 0"),
        "data": ("ProvisioningFailed", 'storageclass.storage.k8s.io "fast" not found'),
        "web-77": ("FailedCreate", 'failed calling webhook "w.example": no endpoints available for service "w"'),
        "web-77-box": ("FailedCreatePodSandBox", "no IP addresses available in range"),
        "grown": ("VolumeResizeFailed", "resize failed"),
        "nightly": ("JobAlreadyActive", "prior execution is running"),
        "worker-1": ("Rebooted", "Node worker-1 has been rebooted"),
        "outside": ("SyncLoadBalancerFailed", "no address is left in the pool"),
        "agent": ("Unhealthy", "x509: certificate has expired or is not yet valid"),
    }  # fmt: skip
    rows: list[dict[str, Any]] = []
    for item in listed:
        reason, message = words.get(item["metadata"]["name"], ("", ""))
        if reason:
            rows.append(event(item, reason, message))
    return rows


SAID = (
    "dial tcp: lookup gone.shop.svc on 10.96.0.10:53: no such host",
    "dial tcp 10.0.0.9:5433: connect: connection refused",
    "dial tcp: lookup web on 10.96.0.10:53: i/o timeout",
    "connect to http://store:5433 timed out",
    'pods is forbidden: User "system:serviceaccount:shop:default" cannot list resource "pods" '
    'in API group "" in the namespace "shop"',
)
"""What every program in it logs."""
