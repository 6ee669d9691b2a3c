"""Releases that do not come up, and a rush that the portal cannot grow into."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from assistant.incident import Entity, Verdict
from eval.cases import control_troubles, lifecycle, noise, troubles
from eval.cases.case import Answer, Case, Expected, Rival
from eval.cases.shop import REGISTRY
from eval.cases.system import Happening, Json, System, stamp
from eval.cases.telling import Told, changed, night, tell
from eval.cases.worlds.two_faults import selects_nobody

COBALT = Told("Bookings: more than 5% of requests fail", "BookingsErrorRatioHigh", "bookings", 19)


def cobalt() -> System:
    """Registry credentials were rotated into a Secret of another name; the next release cannot be pulled."""
    shop = night("cobalt", datetime(2026, 8, 31, 15, 2, 25, tzinfo=UTC), "dispatch")
    bookings, released = shop.workloads["bookings"], shop.ago(minutes=27)
    for revision in bookings.revisions:
        revision.template["imagePullSecrets"] = [{"name": "registry-access"}]
    image = f"{REGISTRY}/bookings:4.12.3"
    lifecycle.revise(shop, bookings, troubles.set_image(image), released, "release 4.12.3")
    repository = f"https://{REGISTRY}/token?scope=repository%3Abookings%3Apull&service=registry"
    refused = (
        f'failed to pull and unpack image "{image}": failed to resolve reference "{image}": failed '
        f"to authorize: failed to fetch anonymous token: unexpected status from GET request to "
        f"{repository}: 401 Unauthorized"
    )
    for pod in control_troubles.rollout_of(shop, "bookings", released):
        control_troubles.pull_denied(shop, pod, image, refused)
        unable = (
            "Unable to retrieve some image pull secrets (registry-access); attempting to pull the "
            "image may not succeed."
        )
        when = (pod.created + timedelta(seconds=1), shop.ago(seconds=14), 124)
        troubles.kubelet_says(shop, pod, "FailedToRetrieveImagePullSecret", unable, when)
    says = "rejected: 64 requests in flight, pool of 2 replicas is full"
    shop.affect("bookings", "errors", 0.12, released, ramp_seconds=180, says=says)
    changed(shop, 55, "Rotated registry credentials", "vault-sync", "Platform", by="rotation-job")
    changed(shop, 27, "Deployed bookings 4.12.3 to dispatch", "release-bot", "Bookings")
    noise.innocent_deploy(shop, "tracking", "1.18.5", shop.ago(minutes=64), "Tracking")
    tell(shop, COBALT)
    return shop


DACITE = Told(
    "Bookings: rollout not finished for 15 minutes", "RolloutStuck", "bookings", 11,
    label="deployment",
)  # fmt: skip


def _waits_for_parcels(template: Json) -> None:
    template["containers"][0]["image"] = f"{REGISTRY}/bookings:4.12.3"
    loop = "until nc -z -w 2 parcels.dispatch 8080; do echo waiting for parcels.dispatch:8080; sleep 5; done"
    control_troubles.add_init(
        template, "wait-for-parcels", "docker.io/library/busybox:1.37", "sh", "-c", loop
    )


def dacite() -> System:
    """The Service of parcels selects nobody; new pods of bookings wait for it before they start."""
    shop = night("dacite", datetime(2026, 9, 2, 7, 36, 55, tzinfo=UTC), "dispatch")
    selects_nobody(shop, "parcels", {"app": "parcels", "release": "blue"}, 34)
    changed(shop, 34, "Applied dispatch/services.yaml", "config-repo", "Platform", by="t.wrona")
    bookings, released = shop.workloads["bookings"], shop.ago(minutes=27)
    lifecycle.revise(shop, bookings, _waits_for_parcels, released, "release 4.12.3")
    for pod in control_troubles.rollout_of(shop, "bookings", released):
        control_troubles.waits_in_init(shop, pod, "waiting for parcels.dispatch:8080")
    changed(shop, 27, "Deployed bookings 4.12.3 to dispatch", "release-bot", "Bookings")
    tell(shop, DACITE)
    return shop


TALC = Told("Portal: checkout p95 latency above 3 seconds", "PortalLatencyHigh", "portal", 19)


def talc() -> System:
    """Four times the visitors of a usual evening; the autoscaler stands at its maximum since long."""
    shop = night("talc", datetime(2026, 11, 18, 19, 5, 10, tzinfo=UTC))
    began, grown = shop.ago(minutes=31), shop.ago(minutes=26)
    portal = shop.workloads["portal"]
    shop.affect("ingress-controller", "rate", 3.1, began, ramp_seconds=240)
    shop.affect("portal", "cpu", 0.46, began, ramp_seconds=240)
    shop.affect("portal", "latency", 1.9, began, ramp_seconds=240)
    for number in range(8 - portal.replicas):
        pod = lifecycle.place(shop, portal, portal.newest, grown + timedelta(seconds=1 + number))
        lifecycle.start(pod)
    portal.replicas = 8
    scaler = shop.find("HorizontalPodAutoscaler", "storefront", "portal")
    scaler["status"] |= {"currentReplicas": 8, "desiredReplicas": 8, "lastScaleTime": stamp(grown)}
    used = {"averageUtilization": 196, "averageValue": "490m"}
    scaler["status"]["currentMetrics"] = [
        {"resource": {"current": used, "name": "cpu"}, "type": "Resource"}
    ]
    words = "the desired replica count is more than the maximum replica count"
    limited = next(c for c in scaler["status"]["conditions"] if c["type"] == "ScalingLimited")
    since = stamp(grown)
    limited |= {
        "lastTransitionTime": since,
        "message": words,
        "reason": "TooManyReplicas",
        "status": "True",
    }
    size = "New size: 8; reason: cpu resource utilization (percentage of request) above target"
    shop.happenings.append(
        Happening("HorizontalPodAutoscaler", "storefront", "portal", "SuccessfulRescale", size,
                  grown, grown, component="horizontal-pod-autoscaler")
    )  # fmt: skip
    noise.innocent_deploy(shop, "payments", "5.0.9", shop.ago(minutes=47), "Payments")
    tell(shop, TALC)
    return shop


def _deployment(namespace: str, name: str) -> Entity:
    return Entity(kind="Deployment", namespace=namespace, name=name)


PORTAL = _deployment("storefront", "portal")

CASES = (
    Case(
        "cobalt",
        COBALT.title,
        cobalt,
        Expected(
            Verdict.CAUSE_FOUND,
            "missing_image_pull_secret",
            _deployment("dispatch", "bookings"),
            as_right=(
                Answer(
                    "missing_image_pull_secret",
                    Entity(kind="Secret", namespace="dispatch", name="registry-access"),
                ),
            ),
            rivals=(Rival(_deployment("storefront", "tracking"), "released well"),),
        ),
    ),
    Case(
        "dacite",
        DACITE.title,
        dacite,
        Expected(
            Verdict.CAUSE_FOUND,
            "service_selector_mismatch",
            Entity(kind="Service", namespace="dispatch", name="parcels"),
            rivals=(
                Rival(_deployment("dispatch", "bookings"), "its new pods wait for parcels"),
                Rival(_deployment("dispatch", "parcels"), "its pods are ready and not asked"),
            ),
        ),
    ),
    Case(
        "talc",
        TALC.title,
        talc,
        Expected(
            Verdict.CAUSE_FOUND,
            "hpa_at_max",
            Entity(kind="HorizontalPodAutoscaler", namespace="storefront", name="portal"),
            as_right=(Answer("hpa_at_max", PORTAL), Answer("load_spike", PORTAL)),
            rivals=(Rival(_deployment("dispatch", "payments"), "released well"),),
        ),
    ),
)
