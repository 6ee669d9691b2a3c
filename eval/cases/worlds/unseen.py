"""Not all can be seen: rights that are missing, systems that are down."""

from __future__ import annotations

from datetime import UTC, datetime

from assistant.incident import Entity, Verdict
from eval.cases import lifecycle, noise, troubles
from eval.cases.barriers import Cut
from eval.cases.case import Case, Expected, Rival
from eval.cases.control_troubles import rollout_of
from eval.cases.kubernetes_network import cluster_ip
from eval.cases.plain_objects import add
from eval.cases.system import Json, System
from eval.cases.telling import Told, changed, night, tell

ONYX = Told("Portal: more than 20% of requests fail", "PortalErrorRatioHigh", "portal", 24)


def onyx() -> System:
    """We may read neither Secrets nor ConfigMaps nor events; a pod's own status names the key it lacks."""
    shop = night("onyx", datetime(2026, 7, 8, 3, 31, 20, tzinfo=UTC))
    troubles.rename_key(
        shop, ("dispatch", "payments-gateway"), ("api-key", "gateway-key"), shop.ago(minutes=35)
    )
    missing = ("api-key", "payments-gateway")
    troubles.restarts_without_key(shop, "payments", missing, shop.ago(minutes=29))
    noise.innocent_deploy(shop, "bookings", "4.12.3", shop.ago(minutes=41), "Bookings")
    shop.denied += [{"resource": name} for name in ("secrets", "configmaps", "events")]
    tell(shop, ONYX)
    return shop


PYRITE = Told(
    "Tracking: rollout not finished for 15 minutes", "RolloutStuck", "tracking", 18,
    label="deployment",
)  # fmt: skip


def _reads_config(template: Json) -> None:
    container = template["containers"][0]
    container["image"] = container["image"].rpartition(":")[0] + ":1.19.0"
    source = {"configMapKeyRef": {"key": "MAP_TILES", "name": "tracking-config"}}
    container["env"] = [*container["env"], {"name": "MAP_TILES", "valueFrom": source}]


def pyrite() -> System:
    """A release reads a ConfigMap that nobody made; and Prometheus cannot be reached."""
    shop = night("pyrite", datetime(2026, 7, 15, 9, 12, 50, tzinfo=UTC))
    released = shop.ago(minutes=34)
    lifecycle.revise(shop, shop.workloads["tracking"], _reads_config, released, "release 1.19.0")
    for pod in rollout_of(shop, "tracking", released):
        troubles.cannot_configure(shop, pod, 'configmap "tracking-config" not found')
    changed(shop, 34, "Deployed tracking 1.19.0 to storefront", "release-bot", "Tracking")
    noise.innocent_deploy(shop, "parcels", "2.31.1", shop.ago(minutes=55), "Parcels")
    shop.down.append("prometheus")
    tell(shop, PYRITE)
    return shop


QUARTZ = Told(
    "Parcels: fewer replicas than wanted for 10 minutes", "ReplicasMissing", "parcels", 12,
    label="deployment",
)  # fmt: skip


def quartz() -> System:
    """The cluster's API does not answer: what keeps the pods of parcels from starting stays unknown."""
    shop = night("quartz", datetime(2026, 7, 29, 2, 4, 15, tzinfo=UTC), "dispatch")
    troubles.rename_key(
        shop, ("dispatch", "orders-db-access"), ("username", "user"), shop.ago(minutes=26)
    )
    old = shop.pods_of("parcels")[0]
    pod = troubles.replace_pod(shop, old, shop.ago(minutes=23))
    missing = "couldn't find key username in Secret dispatch/orders-db-access"
    troubles.cannot_configure(shop, pod, missing)
    noise.innocent_deploy(shop, "bookings", "4.12.3", shop.ago(minutes=38), "Bookings")
    shop.down.append("kubernetes")
    tell(shop, QUARTZ)
    return shop


MICA = Told("Bookings: more than 5% of requests fail", "BookingsErrorRatioHigh", "bookings", 18)


def mica() -> System:
    """Bookings cannot reach payments; its namespace is closed to us, and nobody traces calls."""
    shop = night("mica", datetime(2026, 8, 11, 22, 14, 35, tzinfo=UTC), "dispatch")
    payments = shop.workloads["payments"]
    applied = shop.ago(minutes=25)
    add(
        shop, "NetworkPolicy", ("dispatch", "nobody-in"), applied,
        api_version="networking.k8s.io/v1",
        spec={"podSelector": {"matchLabels": {"app": "payments"}}, "policyTypes": ["Ingress"]},
    )  # fmt: skip
    says = f"connect to {cluster_ip(shop, payments)}:8080 timed out after 8000ms"
    payments.cut_off = Cut(applied, says, 8.0)
    noise.innocent_deploy(shop, "tracking", "1.18.5", shop.ago(minutes=43), "Tracking")
    shop.denied.append({"namespace": "dispatch"})
    shop.unmeasured = ("traces_",)
    tell(shop, MICA)
    return shop


def _deployment(namespace: str, name: str) -> Entity:
    return Entity(kind="Deployment", namespace=namespace, name=name)


CASES = (
    Case(
        "onyx",
        ONYX.title,
        onyx,
        Expected(
            Verdict.CAUSE_FOUND,
            "missing_key",
            Entity(kind="Secret", namespace="dispatch", name="payments-gateway"),
            rivals=(Rival(_deployment("dispatch", "bookings"), "it waits for payments"),),
            or_else=(Verdict.INCONCLUSIVE,),
        ),
    ),
    Case(
        "mica",
        MICA.title,
        mica,
        Expected(
            Verdict.INCONCLUSIVE,
            "",
            _deployment("dispatch", "bookings"),
            rivals=(Rival(_deployment("storefront", "tracking"), "released well"),),
        ),
    ),
    Case(
        "pyrite",
        PYRITE.title,
        pyrite,
        Expected(
            Verdict.CAUSE_FOUND,
            "missing_configmap",
            Entity(kind="ConfigMap", namespace="storefront", name="tracking-config"),
            rivals=(Rival(_deployment("dispatch", "parcels"), "released well"),),
        ),
    ),
    Case(
        "quartz",
        QUARTZ.title,
        quartz,
        Expected(
            Verdict.INCONCLUSIVE,
            "",
            _deployment("dispatch", "parcels"),
            rivals=(Rival(_deployment("dispatch", "bookings"), "released well"),),
        ),
    ),
)
