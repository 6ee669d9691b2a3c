"""What of the clinic is kept as it prints: routes, settings, storage, policies, budgets and the nightly job."""

from __future__ import annotations

from datetime import datetime, timedelta

from eval.cases.clinic_services import CONFIG, NAMESPACE, PARTS
from eval.cases.plain_objects import add, config_map, secret
from eval.cases.system import Json, System, stamp

HOST = "book.meadowhill.example"
ROUTES = """server {
  listen 8081;
  location /nginx-health { return 200; }
  location /api/bookings { proxy_pass http://booking-api.clinic.svc.cluster.local:80; }
  location /api/slots    { proxy_pass http://slot-api.clinic.svc.cluster.local:9000; }
  location /api/patients { proxy_pass http://patient-api.clinic.svc.cluster.local:5000; }
}
"""
COREFILE = """.:53 {
    errors
    health {
       lameduck 5s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
    }
    prometheus :9153
    forward . /etc/resolv.conf
    cache 30
    loop
    reload
    loadbalance
}
"""


def clinic_objects(system: System) -> None:
    """Everything of the clinic that is neither a workload nor drawn from one."""
    settled = system.ago(days=300, hours=7)
    for namespace in system.namespaces:
        add(system, "ServiceAccount", (namespace, "default"), system.namespaces[namespace])
    add(system, "ServiceAccount", (NAMESPACE, "clinic-app"), settled)
    add(system, "ServiceAccount", ("kube-system", "coredns"), settled)
    config_map(system, ("kube-system", "coredns"), settled, {"Corefile": COREFILE})
    config_map(system, (NAMESPACE, "edge-routes"), settled, {"default.conf": ROUTES})
    for name, data in CONFIG.items():
        config_map(system, (NAMESPACE, name), settled, dict(data))
    for part in PARTS:
        if part.secret:
            secret(system, (NAMESPACE, part.secret), settled, ["username", "password"])
    _storage(system, settled)
    _ingress(system, settled)
    _budgets(system, settled)
    _nightly(system, settled)


def _storage(system: System, settled: datetime) -> None:
    add(
        system,
        "StorageClass",
        ("", "standard-rwo"),
        settled,
        api_version="storage.k8s.io/v1",
        annotations={"storageclass.kubernetes.io/is-default-class": "true"},
        provisioner="pd.csi.cloud.example",
        reclaimPolicy="Delete",
        volumeBindingMode="WaitForFirstConsumer",
        allowVolumeExpansion=True,
    )
    for store in ("records-db", "redis"):
        bound_claim(system, (NAMESPACE, f"data-{store}-0"), "20Gi", settled)


def bound_claim(system: System, place: tuple[str, str], size: str, created: datetime) -> None:
    """A claim, and the volume it is bound to."""
    namespace, name = place
    volume = f"pvc-{system.uid('PersistentVolumeClaim', namespace, name)}"
    shape = {"accessModes": ["ReadWriteOnce"], "volumeMode": "Filesystem"}
    stored = {"storageClassName": "standard-rwo"}
    capacity = {"storage": size}
    claimed = {**shape, **stored, "resources": {"requests": capacity}, "volumeName": volume}
    bound = {"accessModes": ["ReadWriteOnce"], "capacity": capacity, "phase": "Bound"}
    add(system, "PersistentVolumeClaim", place, created, spec=claimed, status=bound)
    reference = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "name": name,
        "namespace": namespace,
        "uid": system.uid("PersistentVolumeClaim", namespace, name),
    }
    made = {
        **shape,
        **stored,
        "capacity": capacity,
        "claimRef": reference,
        "csi": {"driver": "pd.csi.cloud.example", "volumeHandle": volume},
        "persistentVolumeReclaimPolicy": "Delete",
    }
    add(system, "PersistentVolume", ("", volume), created, spec=made, status={"phase": "Bound"})


def backend(path: str, service: str, port: int) -> Json:
    """One path of an Ingress."""
    target = {"service": {"name": service, "port": {"number": port}}}
    return {"backend": target, "path": path, "pathType": "Prefix"}


def _ingress(system: System, settled: datetime) -> None:
    paths = [backend("/api", "edge", 80), backend("/", "web", 80)]
    add(
        system,
        "Ingress",
        (NAMESPACE, "public"),
        settled,
        api_version="networking.k8s.io/v1",
        spec={
            "ingressClassName": "cloud-lb",
            "rules": [{"host": HOST, "http": {"paths": paths}}],
        },
        status={"loadBalancer": {"ingress": [{"ip": "203.0.113.180"}]}},
    )
    add(
        system,
        "IngressClass",
        ("", "cloud-lb"),
        settled,
        api_version="networking.k8s.io/v1",
        spec={"controller": "cloud.example/lb"},
    )
    own = {"podSelector": {"matchLabels": {"app.kubernetes.io/part-of": "clinic"}}}
    network_policy(
        system,
        "data-from-clinic",
        settled,
        {
            "ingress": [{"from": [own]}],
            "podSelector": {"matchLabels": {"app.kubernetes.io/component": "data"}},
            "policyTypes": ["Ingress"],
        },
    )


def network_policy(system: System, name: str, at: datetime, spec: Json) -> Json:
    """A NetworkPolicy in the clinic's namespace."""
    place = (NAMESPACE, name)
    version = "networking.k8s.io/v1"
    return add(system, "NetworkPolicy", place, at, api_version=version, spec=spec)


def _budgets(system: System, settled: datetime) -> None:
    select = {"matchLabels": {"app.kubernetes.io/name": "patient-api"}}
    healthy = {
        "currentHealthy": 2,
        "desiredHealthy": 1,
        "disruptionsAllowed": 1,
        "expectedPods": 2,
    }
    add(
        system,
        "PodDisruptionBudget",
        (NAMESPACE, "patient-api"),
        settled,
        api_version="policy/v1",
        spec={"minAvailable": 1, "selector": select},
        status=healthy,
    )
    autoscaler(system, "booking-api", (2, 6), settled)
    hard = {"limits.memory": "32Gi", "pods": "80", "requests.cpu": "16"}
    add(
        system,
        "ResourceQuota",
        (NAMESPACE, "clinic-budget"),
        settled,
        spec={"hard": hard},
        status={"hard": hard, "used": {}},
    )


def autoscaler(system: System, name: str, bounds: tuple[int, int], settled: datetime) -> Json:
    """An autoscaler on CPU that rests at its minimum, and says so as limited like all of them do."""
    least, most = bounds
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
    usage = {"name": "cpu", "target": {"averageUtilization": 80, "type": "Utilization"}}
    rows = (
        ("AbleToScale", "True", "ReadyForNewScale", "recommended size matches current size"),
        (
            "ScalingActive",
            "True",
            "ValidMetricFound",
            "the HPA was able to successfully calculate a replica count from cpu resource "
            "utilization (percentage of request)",
        ),
        (
            "ScalingLimited",
            "True",
            "TooFewReplicas",
            "the desired replica count is less than the minimum replica count",
        ),
    )
    conditions = [_condition(settled, row) for row in rows]
    return add(
        system,
        "HorizontalPodAutoscaler",
        (NAMESPACE, name),
        settled,
        api_version="autoscaling/v2",
        spec={
            "maxReplicas": most,
            "metrics": [{"resource": usage, "type": "Resource"}],
            "minReplicas": least,
            "scaleTargetRef": target,
        },
        status={"conditions": conditions, "currentReplicas": least, "desiredReplicas": least},
    )


def _condition(since: datetime, row: tuple[str, str, str, str]) -> Json:
    type_, status, reason, message = row
    return {
        "lastTransitionTime": stamp(since),
        "message": message,
        "reason": reason,
        "status": status,
        "type": type_,
    }


def _nightly(system: System, settled: datetime) -> None:
    last = system.as_of.replace(hour=3, minute=30, second=0)
    last -= timedelta(days=1) if last + timedelta(minutes=10) > system.as_of else timedelta()
    container = {
        "command": ["python", "-m", "insurer_sync"],
        "image": "ghcr.example/meadowhill/insurer-sync:1.4.0",
        "name": "sync",
        "resources": {"limits": {"memory": "256Mi"}, "requests": {"cpu": "50m"}},
    }
    template = {"spec": {"containers": [container], "restartPolicy": "Never"}}
    add(
        system,
        "CronJob",
        (NAMESPACE, "insurer-sync"),
        settled,
        api_version="batch/v1",
        spec={
            "concurrencyPolicy": "Forbid",
            "jobTemplate": {"spec": {"backoffLimit": 3, "template": template}},
            "schedule": "30 3 * * *",
            "suspend": False,
        },
        status={
            "lastScheduleTime": stamp(last),
            "lastSuccessfulTime": stamp(last + timedelta(minutes=4, seconds=11)),
        },
    )
