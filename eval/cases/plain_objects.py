"""Objects that are kept as they print: accounts, config, secrets (key names only), storage, policies."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from eval.cases.shop_services import STORES, Store
from eval.cases.system import Json, System, stamp
from eval.cases.templates import ServiceSpec


def thing(
    system: System, kind: str, place: tuple[str, str], created: datetime, **body: object
) -> Json:
    """An object of this kind at (namespace, name); `api_version` and `labels` may be among the body."""
    namespace, name = place
    metadata: Json = {
        "creationTimestamp": stamp(created),
        "labels": body.pop("labels", {}),
        "annotations": body.pop("annotations", {}),
        "name": name,
        "namespace": namespace,
        "resourceVersion": str(system.rng("version", kind, *place).randint(10**6, 10**7)),
        "uid": system.uid(kind, namespace, name),
    }
    metadata = {key: value for key, value in metadata.items() if value}
    return {"apiVersion": body.pop("api_version", "v1"), "kind": kind, "metadata": metadata, **body}


def add(
    system: System, kind: str, place: tuple[str, str], created: datetime, **body: object
) -> Json:
    """Adds an object to the system and hands it back."""
    system.objects.append(thing(system, kind, place, created, **body))
    return system.objects[-1]


def secret(system: System, place: tuple[str, str], created: datetime, keys: Iterable[str]) -> Json:
    """A Secret: the names of its keys, never a value."""
    return add(system, "Secret", place, created, type="Opaque", data=dict.fromkeys(keys, ""))


def config_map(
    system: System, place: tuple[str, str], created: datetime, data: dict[str, str]
) -> Json:
    """A ConfigMap."""
    return add(system, "ConfigMap", place, created, data=data)


def shop_objects(
    system: System, specs: tuple[ServiceSpec, ...], stores: tuple[Store, ...] = STORES
) -> None:
    """All of the parcel shop that is neither a workload nor drawn from one."""
    settled = system.ago(days=205, hours=4)
    for spec in specs:
        add(system, "ServiceAccount", (spec.namespace, spec.name), settled)
        for name, keys in spec.secrets.items():
            secret(system, (spec.namespace, name), settled, keys)
    for namespace in system.namespaces:
        add(system, "ServiceAccount", (namespace, "default"), system.namespaces[namespace])
    for namespace, name in (
        ("ingress", "ingress-controller"),
        ("kube-system", "coredns"),
        ("kube-system", "kube-proxy"),
    ):
        add(system, "ServiceAccount", (namespace, name), settled)
    _configs(system, settled)
    _storage(system, settled, stores)
    _routing(system, settled)
    _limits(system, settled)
    _nightly_job(system, settled)


def _configs(system: System, settled: datetime) -> None:
    portal = {"FEATURED_CARRIERS": "swift,northline,postal", "SESSION_MINUTES": "30"}
    routes = {"PLAN_CACHE_MB": "96", "PLAN_TIMEOUT_MS": "1500"}
    corefile = ".:53 {\n    errors\n    health\n    ready\n    kubernetes cluster.local\n    forward . /etc/resolv.conf\n    cache 30\n    reload\n}\n"
    config_map(system, ("storefront", "portal-config"), settled, portal)
    config_map(system, ("dispatch", "routes-config"), settled, routes)
    config_map(system, ("dispatch", "parcels-config"), settled, {"PAGE_SIZE": "50"})
    config_map(system, ("kube-system", "coredns"), settled, {"Corefile": corefile})
    secret(system, ("data", "orders-db-superuser"), settled, ["superuser-password"])
    tls = secret(system, ("storefront", "portal-tls"), system.ago(days=31), ["tls.crt", "tls.key"])
    tls["type"] = "kubernetes.io/tls"


def _storage(system: System, settled: datetime, stores: tuple[Store, ...]) -> None:
    add(
        system,
        "StorageClass",
        ("", "block-ssd"),
        settled,
        api_version="storage.k8s.io/v1",
        annotations={"storageclass.kubernetes.io/is-default-class": "true"},
        provisioner="csi.blockstore.example",
        reclaimPolicy="Delete",
        volumeBindingMode="WaitForFirstConsumer",
        allowVolumeExpansion=True,
    )
    for store in stores:
        claim(system, store.name, store.claim, settled)


def claim(system: System, store: str, size: str, created: datetime) -> None:
    """The claim of a store's first pod, and the volume it is bound to."""
    name = f"data-{store}-0"
    volume = f"pvc-{system.uid('PersistentVolumeClaim', 'data', name)}"
    shape = {"accessModes": ["ReadWriteOnce"], "volumeMode": "Filesystem"}
    add(
        system,
        "PersistentVolumeClaim",
        ("data", name),
        created,
        annotations={"pv.kubernetes.io/bind-completed": "yes"},
        labels={"app": store},
        spec={
            **shape,
            "resources": {"requests": {"storage": size}},
            "storageClassName": "block-ssd",
            "volumeName": volume,
        },
        status={
            "accessModes": ["ReadWriteOnce"],
            "capacity": {"storage": size},
            "phase": "Bound",
        },
    )
    owner = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "name": name,
        "namespace": "data",
        "uid": system.uid("PersistentVolumeClaim", "data", name),
    }
    add(
        system,
        "PersistentVolume",
        ("", volume),
        created,
        spec={
            **shape,
            "capacity": {"storage": size},
            "claimRef": owner,
            "csi": {"driver": "csi.blockstore.example", "volumeHandle": volume},
            "persistentVolumeReclaimPolicy": "Delete",
            "storageClassName": "block-ssd",
        },
        status={"phase": "Bound"},
    )


def _routing(system: System, settled: datetime) -> None:
    backend = {"service": {"name": "portal", "port": {"number": 8080}}}
    rule = {
        "host": "www.parcelworks.example",
        "http": {"paths": [{"backend": backend, "path": "/", "pathType": "Prefix"}]},
    }
    add(
        system,
        "Ingress",
        ("storefront", "portal"),
        settled,
        api_version="networking.k8s.io/v1",
        spec={
            "ingressClassName": "nginx",
            "rules": [rule],
            "tls": [{"hosts": ["www.parcelworks.example"], "secretName": "portal-tls"}],
        },
        status={"loadBalancer": {"ingress": [{"ip": "198.51.100.24"}]}},
    )
    add(
        system,
        "IngressClass",
        ("", "nginx"),
        settled,
        api_version="networking.k8s.io/v1",
        spec={"controller": "k8s.io/ingress-nginx"},
    )
    peers = [
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}
        for name in ("dispatch", "storefront")
    ]
    add(
        system,
        "NetworkPolicy",
        ("data", "from-services-only"),
        settled,
        api_version="networking.k8s.io/v1",
        spec={"ingress": [{"from": peers}], "podSelector": {}, "policyTypes": ["Ingress"]},
    )


def _limits(system: System, settled: datetime) -> None:
    add(
        system,
        "PodDisruptionBudget",
        ("storefront", "portal"),
        settled,
        api_version="policy/v1",
        spec={"minAvailable": 2, "selector": {"matchLabels": {"app": "portal"}}},
        status={
            "currentHealthy": 3,
            "desiredHealthy": 2,
            "disruptionsAllowed": 1,
            "expectedPods": 3,
        },
    )
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "portal"}
    usage = {"name": "cpu", "target": {"averageUtilization": 70, "type": "Utilization"}}
    add(
        system,
        "HorizontalPodAutoscaler",
        ("storefront", "portal"),
        settled,
        api_version="autoscaling/v2",
        spec={
            "maxReplicas": 8,
            "metrics": [{"resource": usage, "type": "Resource"}],
            "minReplicas": 3,
            "scaleTargetRef": target,
        },
        status={
            "conditions": _autoscaler_conditions(settled),
            "currentReplicas": 3,
            "desiredReplicas": 3,
        },
    )
    hard = {"limits.memory": "24Gi", "pods": "60", "requests.cpu": "12"}
    add(
        system,
        "ResourceQuota",
        ("dispatch", "team-budget"),
        settled,
        spec={"hard": hard},
        status={"hard": hard, "used": {}},
    )


def _autoscaler_conditions(since: datetime) -> list[Json]:
    rows = (
        ("AbleToScale", "ReadyForNewScale", "recommended size matches current size"),
        (
            "ScalingActive",
            "ValidMetricFound",
            "the HPA was able to successfully calculate a replica count from cpu resource utilization (percentage of request)",
        ),
        (
            "ScalingLimited",
            "DesiredWithinRange",
            "the desired count is within the acceptable range",
        ),
    )
    return [
        {
            "lastTransitionTime": stamp(since),
            "message": message,
            "reason": reason,
            "status": "False" if type_ == "ScalingLimited" else "True",
            "type": type_,
        }
        for type_, reason, message in rows
    ]


def _nightly_job(system: System, settled: datetime) -> None:
    last = system.as_of.replace(hour=1, minute=15, second=0)
    last -= timedelta(days=1) if last + timedelta(minutes=10) > system.as_of else timedelta()
    container = {
        "args": ["settle", "--day", "yesterday"],
        "image": "registry.parcelworks.example/settlement:0.9.4",
        "name": "settlement",
        "resources": {"limits": {"memory": "512Mi"}, "requests": {"cpu": "100m"}},
    }
    template = {"spec": {"containers": [container], "restartPolicy": "Never"}}
    add(
        system,
        "CronJob",
        ("dispatch", "settlement"),
        settled,
        api_version="batch/v1",
        spec={
            "concurrencyPolicy": "Forbid",
            "jobTemplate": {"spec": {"backoffLimit": 2, "template": template}},
            "schedule": "15 1 * * *",
            "suspend": False,
        },
        status={
            "lastScheduleTime": stamp(last),
            "lastSuccessfulTime": stamp(last.replace(minute=21, second=8)),
        },
    )
