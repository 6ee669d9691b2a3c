"""One cause, and something beside it that looks guiltier: a release, a flag, a machine of others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from assistant.incident import Entity, Verdict
from eval.cases import control_troubles, lifecycle, node_troubles, noise, traps, troubles
from eval.cases.barriers import Cut
from eval.cases.case import Answer, Case, Expected, Rival
from eval.cases.kubernetes_network import cluster_ip
from eval.cases.plain_objects import add
from eval.cases.shop import REGISTRY
from eval.cases.system import Json, System
from eval.cases.telling import Told, changed, night, tell

JASPER = Told("Portal: more than 5% of requests fail", "PortalErrorRatioHigh", "portal", 17)


def jasper() -> System:
    """A release of payments throws; five minutes before, a machine died that none of ours ran on."""
    shop = night("jasper", datetime(2026, 5, 6, 10, 21, 35, tzinfo=UTC))
    traps.keep_free(shop, "worker-4")
    other = traps.other_team(shop, "render", "worker-4")
    traps.evicts_its_pods(shop, other, (shop.ago(minutes=170),))
    traps.node_is_gone(shop, "worker-4", shop.ago(minutes=27))
    says = 'java.lang.NullPointerException: Cannot invoke "Currency.code()" because "charge.currency" is null'
    traps.bad_release(shop, "payments", "5.1.0", shop.ago(minutes=21), says)
    tell(shop, JASPER)
    return shop


PUMICE = Told("Bookings: more than 5% of requests fail", "BookingsErrorRatioHigh", "bookings", 18)


def pumice() -> System:
    """A release misses a setting and does not start; another team fills a disk that we do not use."""
    shop = night("pumice", datetime(2026, 7, 22, 5, 9, 55, tzinfo=UTC), "dispatch")
    released = shop.ago(minutes=26)
    image = troubles.set_image(f"{REGISTRY}/bookings:4.13.0")
    lifecycle.revise(shop, shop.workloads["bookings"], image, released, "release 4.13.0")
    said = (
        "Application run failed",
        "java.lang.IllegalStateException: required environment variable PRICE_TABLE is not set",
    )
    fresh = control_troubles.rollout_of(shop, "bookings", released)
    traps.keep_free(shop, "worker-4")
    for pod in fresh:
        traps.keeps_crashing(shop, pod, pod.created + timedelta(seconds=2), traps.Crash(said, 9.0))
    says = "rejected: 64 requests in flight, pool of 2 replicas is full"
    shop.affect("bookings", "errors", 0.12, released, ramp_seconds=180, says=says)
    changed(
        shop,
        26,
        "Deployed bookings 4.13.0 to dispatch",
        "release-bot",
        "Bookings",
        version="4.13.0",
    )
    _others_fill_a_disk(shop, "worker-4")
    tell(shop, PUMICE)
    return shop


def _others_fill_a_disk(shop: System, node: str) -> None:
    other = traps.other_team(shop, "render", node)
    full = shop.ago(minutes=31)
    node_troubles.fill_disk(shop, node, node_troubles.Disk(shop.ago(minutes=80), full))
    words = (
        "0/4 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/disk-pressure: }, "
        "3 node(s) didn't match Pod's node affinity/selector. preemption: 0/4 nodes are available: 4 "
        "Preemption is not helpful for scheduling."
    )
    for number, pod in enumerate(shop.pods_of(other.name)):
        gone = node_troubles.evict(shop, pod, full + timedelta(seconds=50 + 70 * number))
        node_troubles.cannot_be_scheduled(shop, gone, words)


KYANITE = Told("Bookings: more than 5% of requests fail", "BookingsErrorRatioHigh", "bookings", 22)


def kyanite() -> System:
    """The database has no connection left; bookings was released four minutes before that."""
    shop = night("kyanite", datetime(2026, 5, 14, 8, 2, 45, tzinfo=UTC), "dispatch")
    noise.innocent_deploy(shop, "bookings", "4.12.3", shop.ago(minutes=31), "Bookings")
    began = shop.ago(minutes=27)
    refused = "FATAL: sorry, too many clients already (SQLSTATE 53300)"
    shop.affect("orders-db", "errors", 0.38, began, ramp_seconds=100, says=refused)
    shop.affect("orders-db", "idle connections", 153, shop.ago(minutes=34), ramp_seconds=420)
    pod, at = shop.pods_of("orders-db")[0], began
    while (at := at + timedelta(seconds=11)) < shop.as_of:
        text = f"{at:%Y-%m-%d %H:%M:%S.000} UTC [{at.second + 4100}] FATAL:  sorry, too many clients already"
        shop.log(pod, at, text)
    tell(shop, KYANITE)
    return shop


LAPIS = Told(
    "Parcels: pods restart again and again", "PodRestartsOften", "parcels", 19, label="deployment"
)


def _less_memory(template: Json) -> None:
    resources = template["containers"][0]["resources"]
    resources["limits"]["memory"] = "128Mi"
    resources["requests"]["memory"] = "96Mi"


def lapis() -> System:
    """The memory limit of parcels was halved; tracking was released when that had long shown."""
    shop = night("lapis", datetime(2026, 5, 27, 20, 50, 10, tzinfo=UTC), "dispatch")
    at = shop.ago(minutes=36)
    lifecycle.revise(shop, shop.workloads["parcels"], _less_memory, at)
    lifecycle.roll_out(shop, shop.workloads["parcels"], at)
    shop.workloads["parcels"].memory_mib = 90
    says = "scan events: 48 MiB in 61 batches waiting to be written"
    troubles.runs_out_of_memory(shop, "parcels", troubles.Filling(210, says))
    shop.affect("parcels", "errors", 0.08, shop.ago(minutes=32), says="connection reset by peer")
    changed(
        shop, 36, "Applied dispatch/parcels.yaml: right-sizing", "config-repo", "Parcels",
        memory="256Mi -> 128Mi", by="t.wrona",
    )  # fmt: skip
    noise.innocent_deploy(shop, "tracking", "1.18.5", shop.ago(minutes=12), "Tracking")
    tell(shop, LAPIS)
    return shop


MARBLE = Told("Bookings: more than 5% of requests fail", "BookingsErrorRatioHigh", "bookings", 22)


def marble() -> System:
    """A NetworkPolicy keeps bookings from payments; the service that the alert names was released as well."""
    shop = night("marble", datetime(2026, 6, 3, 6, 15, 55, tzinfo=UTC), "dispatch")
    noise.innocent_deploy(shop, "bookings", "4.12.3", shop.ago(minutes=31), "Bookings")
    applied = shop.ago(minutes=26)
    peers = [{"podSelector": {"matchLabels": {"app": "checkout"}}}]
    add(
        shop, "NetworkPolicy", ("dispatch", "payments-callers"), applied,
        api_version="networking.k8s.io/v1",
        spec={
            "ingress": [{"from": peers, "ports": [{"port": 8080, "protocol": "TCP"}]}],
            "podSelector": {"matchLabels": {"app": "payments"}},
            "policyTypes": ["Ingress"],
        },
    )  # fmt: skip
    payments = shop.workloads["payments"]
    where = f"{cluster_ip(shop, payments)}:8080"
    payments.cut_off = Cut(applied, f"connect to {where} timed out after 8000ms", 8.0)
    changed(
        shop, 26, "Applied network policies of dispatch, second wave", "config-repo", "Platform"
    )
    tell(shop, MARBLE)
    return shop


NEPHRITE = Told("Portal: more than 20% of requests fail", "PortalErrorRatioHigh", "portal", 20)


def nephrite() -> System:
    """New pods of parcels cannot log in to the database; a flag of the portal was turned just before."""
    shop = night("nephrite", datetime(2026, 6, 10, 16, 40, 5, tzinfo=UTC))
    secret = shop.find("Secret", "dispatch", "orders-db-access")
    troubles.touched(secret, shop.ago(minutes=49), "vault-sync")
    noise.innocent_deploy(shop, "payments", "5.0.9", shop.ago(minutes=45), "Payments")
    restarted = shop.ago(minutes=25)
    troubles.evict_for_balance(shop, "parcels", restarted)
    said = (
        'connect to orders-db.data:5432: FATAL: password authentication failed for user "parcels" (SQLSTATE 28P01)',
        "giving up after 3 attempts",
    )
    traps.crash_after_restart(shop, "parcels", restarted, traps.Crash(said))
    pod, at = shop.pods_of("orders-db")[0], restarted
    while (at := at + timedelta(seconds=53)) < shop.as_of:
        words = 'FATAL:  password authentication failed for user "parcels"'
        shop.log(pod, at, f"{at:%Y-%m-%d %H:%M:%S.000} UTC [{at.second + 700}] {words}")
    changed(shop, 27, "Flag portal.new-banner: 10% -> 100%", "flags", "Portal", by="s.imani")
    tell(shop, NEPHRITE)
    return shop


RHYOLITE = Told("Bookings: more than 5% of requests fail", "BookingsErrorRatioHigh", "bookings", 16)


def rhyolite() -> System:
    """A release of bookings fails requests, and PagerDuty was told of no change at all."""
    shop = night("rhyolite", datetime(2026, 6, 23, 12, 55, 30, tzinfo=UTC), "dispatch")
    noise.innocent_deploy(shop, "tracking", "1.18.5", shop.ago(minutes=50), "Tracking")
    says = "java.lang.IllegalStateException: slot 'evening' has no capacity table"
    traps.bad_release(shop, "bookings", "4.13.0", shop.ago(minutes=20), says)
    shop.changes.clear()
    tell(shop, RHYOLITE)
    return shop


def _deployment(namespace: str, name: str) -> Entity:
    return Entity(kind="Deployment", namespace=namespace, name=name)


def _data(kind: str, namespace: str, name: str) -> Entity:
    return Entity(kind=kind, namespace=namespace, name=name)


CASES = (
    Case(
        "pumice",
        PUMICE.title,
        pumice,
        Expected(
            Verdict.CAUSE_FOUND,
            "missing_env",
            _deployment("dispatch", "bookings"),
            rivals=(
                Rival(Entity(kind="Node", name="worker-4"), "none of our pods ran on it"),
                Rival(_deployment("render", "frames"), "another team's, and nobody calls it"),
            ),
        ),
    ),
    Case(
        "jasper",
        JASPER.title,
        jasper,
        Expected(
            Verdict.CAUSE_FOUND,
            "bad_release",
            _deployment("dispatch", "payments"),
            rivals=(
                Rival(Entity(kind="Node", name="worker-4"), "none of our pods ran on it"),
                Rival(_deployment("render", "frames"), "another team's, and nobody calls it"),
            ),
        ),
    ),
    Case(
        "kyanite",
        KYANITE.title,
        kyanite,
        Expected(
            Verdict.CAUSE_FOUND,
            "db_connection_exhaustion",
            _data("StatefulSet", "data", "orders-db"),
            rivals=(
                Rival(_deployment("dispatch", "bookings"), "it fails where parcels fails"),
                Rival(_deployment("dispatch", "parcels"), "it is refused by the database"),
            ),
        ),
    ),
    Case(
        "lapis",
        LAPIS.title,
        lapis,
        Expected(
            Verdict.CAUSE_FOUND,
            "oom_killed",
            _deployment("dispatch", "parcels"),
            rivals=(Rival(_deployment("storefront", "tracking"), "released after the onset"),),
        ),
    ),
    Case(
        "marble",
        MARBLE.title,
        marble,
        Expected(
            Verdict.CAUSE_FOUND,
            "network_policy_blocks",
            _data("NetworkPolicy", "dispatch", "payments-callers"),
            rivals=(
                Rival(_deployment("dispatch", "bookings"), "its release changed nothing in this"),
                Rival(_deployment("dispatch", "payments"), "its pods are ready and not asked"),
            ),
        ),
    ),
    Case(
        "nephrite",
        NEPHRITE.title,
        nephrite,
        Expected(
            Verdict.CAUSE_FOUND,
            "credentials_refused",
            _deployment("dispatch", "parcels"),
            as_right=(
                Answer("credentials_refused", _data("Secret", "dispatch", "orders-db-access")),
                Answer("credentials_refused", _data("StatefulSet", "data", "orders-db")),
            ),
            rivals=(
                Rival(_deployment("dispatch", "payments"), "released well"),
                Rival(_deployment("storefront", "portal"), "its flag is about a banner"),
            ),
        ),
    ),
    Case(
        "rhyolite",
        RHYOLITE.title,
        rhyolite,
        Expected(
            Verdict.CAUSE_FOUND,
            "bad_release",
            _deployment("dispatch", "bookings"),
            rivals=(
                Rival(_deployment("storefront", "tracking"), "released well, and calls it not"),
            ),
        ),
    ),
)
