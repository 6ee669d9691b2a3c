"""Pods that nobody places: spread over a label no node has, a new taint, no scheduler, no such storage."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from assistant.incident import Entity, Verdict
from eval.cases import control_troubles, lifecycle, node_troubles, noise, traps, troubles
from eval.cases.case import Answer, Case, Expected, Rival
from eval.cases.plain_objects import add
from eval.cases.system import Happening, Json, Revision, System, Workload, stamp
from eval.cases.telling import Told, changed, night, tell
from eval.cases.templates import store_template

NO_HELP = " preemption: 0/4 nodes are available: 4 Preemption is not helpful for scheduling."
GARNET = Told("Bookings: more than 5% of requests fail", "BookingsErrorRatioHigh", "bookings", 20)


def _spread(template: Json) -> None:
    template["topologySpreadConstraints"] = [
        {
            "labelSelector": {"matchLabels": {"app": "bookings"}},
            "maxSkew": 1,
            "topologyKey": "topology.parcelworks.example/rack",
            "whenUnsatisfiable": "DoNotSchedule",
        }
    ]


def garnet() -> System:
    """A release spreads its pods over racks, by a label that no node of this cluster has."""
    shop = night("garnet", datetime(2026, 9, 24, 11, 11, 50, tzinfo=UTC), "dispatch")
    released = shop.ago(minutes=28)
    lifecycle.revise(shop, shop.workloads["bookings"], _spread, released, "manifests 3b90aa1")
    words = (
        "0/4 nodes are available: 4 node(s) didn't match pod topology spread constraints "
        "(missing required label)." + NO_HELP
    )
    for pod in control_troubles.rollout_of(shop, "bookings", released):
        node_troubles.cannot_be_scheduled(shop, pod, words)
    says = "rejected: 64 requests in flight, pool of 2 replicas is full"
    shop.affect("bookings", "errors", 0.12, released, ramp_seconds=180, says=says)
    changed(shop, 28, "Synced dispatch to 3b90aa1", "argocd", "Bookings", revision="3b90aa1")
    noise.innocent_deploy(shop, "payments", "5.0.9", shop.ago(minutes=49), "Payments")
    tell(shop, GARNET)
    return shop


BERYL = Told("Portal: more than 20% of requests fail", "PortalErrorRatioHigh", "portal", 23)


def beryl() -> System:
    """All nodes were tainted for a batch team; pods that were moved afterwards find no node."""
    shop = night("beryl", datetime(2026, 10, 1, 4, 56, 20, tzinfo=UTC))
    key = "parcelworks.example/dedicated"
    for node in shop.nodes.values():
        node.taints.append({"effect": "NoSchedule", "key": key, "value": "batch"})
    changed(
        shop, 43, "Terraform apply: node pool general", "terraform", "Platform", taints="1 added"
    )
    troubles.evict_for_balance(shop, "payments", shop.ago(minutes=29))
    words = f"0/4 nodes are available: 4 node(s) had untolerated taint {{{key}: batch}}." + NO_HELP
    control_troubles.replaced_in_vain(shop, "payments", shop.ago(minutes=29), words)
    noise.innocent_deploy(shop, "tracking", "1.18.5", shop.ago(minutes=66), "Tracking")
    tell(shop, BERYL)
    return shop


FELDSPAR = Told("Payments: no replica ready for 10 minutes", "NoReplicaReady", "payments", 16)


def feldspar() -> System:
    """The scheduler does not start since its configuration was edited; moved pods wait for it."""
    shop = night("feldspar", datetime(2026, 10, 13, 21, 18, 5, tzinfo=UTC), "dispatch", noisy=False)
    noise.node_rebooted(shop, "worker-2", shop.ago(hours=61))
    noise.slow_backup(shop)
    scheduler = control_troubles.control_plane(shop)["kube-scheduler"]
    stopped = shop.ago(minutes=36)
    lifecycle.end_run(scheduler, stopped, "Error", 1)
    said = (
        'E1013 run.go:72] "command failed" err="no configuration has been provided, try setting KUBERNETES_MASTER"',
    )
    traps.keeps_crashing(shop, scheduler, stopped + timedelta(seconds=2), traps.Crash(said, 2.0))
    lease = {"holderIdentity": "control-0_5d1c", "leaseDurationSeconds": 15, "leaseTransitions": 3}
    add(
        shop, "Lease", ("kube-system", "kube-scheduler"), shop.ago(days=231),
        api_version="coordination.k8s.io/v1",
        spec={**lease, "renewTime": stamp(stopped).replace("Z", ".000000Z")},
    )  # fmt: skip
    troubles.evict_for_balance(shop, "payments", shop.ago(minutes=27))
    control_troubles.nobody_schedules(shop, "payments", shop.ago(minutes=27))
    noise.innocent_deploy(shop, "bookings", "4.12.3", shop.ago(minutes=61), "Bookings")
    tell(shop, FELDSPAR)
    return shop


GALENA = Told(
    "Search: no replica ready for 15 minutes", "NoReplicaReady", "search", 14, label="statefulset"
)


def galena() -> System:
    """A new StatefulSet asks for a storage class that this cluster does not have."""
    shop = night("galena", datetime(2026, 10, 21, 9, 33, 35, tzinfo=UTC), "data")
    born = shop.ago(minutes=31)
    template = store_template("search", "docker.io/library/search:2.17.0", 9200)
    revision = Revision(1, born, template, shop.suffix(10, "search"))
    workload = Workload("StatefulSet", "data", "search", born, 2, [revision], port=9200)
    size = {"requests": {"storage": "60Gi"}}
    workload.claim = {"resources": size, "storageClassName": "block-nvme"}
    workload.speaks = "batch"
    shop.workloads["search"] = workload
    pod = lifecycle.place(shop, workload, revision, born + timedelta(seconds=1))
    words = "0/4 nodes are available: pod has unbound immediate PersistentVolumeClaims."
    node_troubles.cannot_be_scheduled(shop, pod, words + NO_HELP)
    add(
        shop, "PersistentVolumeClaim", ("data", "data-search-0"), born, labels={"app": "search"},
        spec={"accessModes": ["ReadWriteOnce"], "volumeMode": "Filesystem", **workload.claim},
        status={"phase": "Pending"},
    )  # fmt: skip
    refused = 'storageclass.storage.k8s.io "block-nvme" not found'
    shop.happenings.append(
        Happening("PersistentVolumeClaim", "data", "data-search-0", "ProvisioningFailed", refused,
                  born, shop.ago(seconds=9), 124, warning=True, component="persistentvolume-controller")
    )  # fmt: skip
    changed(
        shop, 31, "Synced data to 90be4d7: search 2.17.0", "argocd", "Search", revision="90be4d7"
    )
    noise.innocent_deploy(shop, "parcels", "2.31.1", shop.ago(minutes=53), "Parcels")
    tell(shop, GALENA)
    return shop


def _deployment(namespace: str, name: str) -> Entity:
    return Entity(kind="Deployment", namespace=namespace, name=name)


CASES = (
    Case(
        "garnet",
        GARNET.title,
        garnet,
        Expected(
            Verdict.CAUSE_FOUND,
            "topology_spread_conflict",
            _deployment("dispatch", "bookings"),
            rivals=(Rival(_deployment("dispatch", "payments"), "released well"),),
        ),
    ),
    Case(
        "beryl",
        BERYL.title,
        beryl,
        Expected(
            Verdict.CAUSE_FOUND,
            "taint_toleration_mismatch",
            _deployment("dispatch", "payments"),
            rivals=(Rival(_deployment("storefront", "tracking"), "released well"),),
        ),
    ),
    Case(
        "feldspar",
        FELDSPAR.title,
        feldspar,
        Expected(
            Verdict.CAUSE_FOUND,
            "kube_scheduler_unavailable",
            Entity(kind="Component", namespace="kube-system", name="kube-scheduler"),
            rivals=(Rival(_deployment("dispatch", "bookings"), "released well, and waits"),),
        ),
    ),
    Case(
        "galena",
        GALENA.title,
        galena,
        Expected(
            Verdict.CAUSE_FOUND,
            "storage_class_missing",
            Entity(kind="PersistentVolumeClaim", namespace="data", name="data-search-0"),
            as_right=(
                Answer(
                    "storage_class_missing",
                    Entity(kind="StatefulSet", namespace="data", name="search"),
                ),
                Answer("storage_class_missing", Entity(kind="StorageClass", name="block-nvme")),
            ),
            rivals=(Rival(_deployment("dispatch", "parcels"), "released well"),),
        ),
    ),
)
