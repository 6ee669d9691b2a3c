"""Two faults at once that have nothing to do with each other: both are to be named."""

from __future__ import annotations

from datetime import UTC, datetime

from assistant.incident import Entity, Verdict
from eval.cases import lifecycle, noise, traps, troubles
from eval.cases.barriers import Cut
from eval.cases.case import Answer, Case, Expected, Rival
from eval.cases.kubernetes_network import cluster_ip
from eval.cases.shop import REGISTRY
from eval.cases.system import Json, Pod, System
from eval.cases.telling import Told, changed, night, tell
from eval.cases.templates import http_probe

GNEISS = Told("Portal: more than 20% of requests fail", "PortalErrorRatioHigh", "portal", 25)


def selects_nobody(shop: System, name: str, selector: dict[str, str], minutes: float) -> None:
    """A Service's selector gets a label that its pods do not have."""
    workload = shop.workloads[name]
    workload.service_selector = selector
    where = f"{cluster_ip(shop, workload)}:{workload.port}"
    says = f"dial tcp {where}: connect: connection refused"
    workload.cut_off = Cut(shop.ago(minutes=minutes), says)


def gneiss() -> System:
    """A Secret's key was renamed under payments, and somebody else tidied the selector of tracking."""
    shop = night("gneiss", datetime(2026, 4, 2, 13, 9, 25, tzinfo=UTC))
    troubles.rename_key(
        shop, ("dispatch", "payments-gateway"), ("webhook-key", "hook-key"), shop.ago(minutes=38)
    )
    missing = ("webhook-key", "payments-gateway")
    troubles.evict_for_balance(shop, "payments", shop.ago(minutes=33))
    troubles.restarts_without_key(shop, "payments", missing, shop.ago(minutes=33))
    selects_nobody(shop, "tracking", {"app": "tracking", "tier": "edge"}, 29)
    changed(shop, 29, "Applied storefront/services.yaml: labels tidied", "config-repo", "Platform")
    noise.innocent_deploy(shop, "bookings", "4.12.3", shop.ago(minutes=47), "Bookings")
    tell(shop, GNEISS)
    return shop


HALITE = Told("Portal: more than 20% of requests fail", "PortalErrorRatioHigh", "portal", 21)


def _other_port(template: Json) -> None:
    container = template["containers"][0]
    container["image"] = f"{REGISTRY}/bookings:4.13.0"
    container["readinessProbe"] = http_probe("/readyz", period=5, delay=5, port=9090)


def _refused(pod: Pod) -> str:
    return (
        f'Readiness probe failed: Get "http://{pod.ip}:9090/readyz": dial tcp {pod.ip}:9090: '
        "connect: connection refused"
    )


def halite() -> System:
    """A release asks for readiness at a port nobody opens; and tracking was scaled to nothing by hand."""
    shop = night("halite", datetime(2026, 4, 17, 0, 33, 15, tzinfo=UTC))
    released = shop.ago(minutes=30)
    lifecycle.revise(shop, shop.workloads["bookings"], _other_port, released)
    traps.never_ready(shop, "bookings", released, "release 4.13.0", _refused)
    says = "rejected: 64 requests in flight, pool of 2 replicas is full"
    shop.affect("bookings", "errors", 0.21, released, ramp_seconds=120, says=says)
    changed(
        shop,
        30,
        "Deployed bookings 4.13.0 to dispatch",
        "release-bot",
        "Bookings",
        version="4.13.0",
    )
    for pod in shop.pods_of("tracking"):
        lifecycle.delete(shop, pod, shop.ago(minutes=26))
    shop.workloads["tracking"].replicas = 0
    noise.innocent_deploy(shop, "payments", "5.0.9", shop.ago(minutes=57), "Payments")
    tell(shop, HALITE)
    return shop


def _deployment(namespace: str, name: str) -> Entity:
    return Entity(kind="Deployment", namespace=namespace, name=name)


CASES = (
    Case(
        "gneiss",
        GNEISS.title,
        gneiss,
        Expected(
            Verdict.SEVERAL_CAUSES,
            "missing_key",
            Entity(kind="Secret", namespace="dispatch", name="payments-gateway"),
            further=(
                Answer(
                    "service_selector_mismatch",
                    Entity(kind="Service", namespace="storefront", name="tracking"),
                ),
            ),
            rivals=(
                Rival(_deployment("dispatch", "bookings"), "released well; it waits for payments"),
                Rival(_deployment("storefront", "portal"), "it passes on what others fail"),
            ),
        ),
    ),
    Case(
        "halite",
        HALITE.title,
        halite,
        Expected(
            Verdict.SEVERAL_CAUSES,
            "readiness_probe_incorrect_port",
            _deployment("dispatch", "bookings"),
            further=(Answer("deployment_zero_replicas", _deployment("storefront", "tracking")),),
            rivals=(
                Rival(_deployment("dispatch", "payments"), "released well"),
                Rival(_deployment("storefront", "portal"), "it passes on what others fail"),
            ),
        ),
    ),
)
