"""The API server makes no pods: a quota that was lowered, a webhook that bites its own tail."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from assistant.incident import Entity, Verdict
from eval.cases import control_troubles, lifecycle, noise, troubles
from eval.cases.case import Answer, Case, Expected, Rival
from eval.cases.plain_objects import add
from eval.cases.shop import REGISTRY, add_workload, releases
from eval.cases.system import System, Workload
from eval.cases.telling import Told, changed, night, tell
from eval.cases.templates import ServiceSpec, service_template

SLATE = Told("Bookings: more than 5% of requests fail", "BookingsErrorRatioHigh", "bookings", 22)


def slate() -> System:
    """A team's memory quota was cut; a release took two pods away, and may not make the new ones."""
    shop = night("slate", datetime(2026, 9, 9, 14, 27, 15, tzinfo=UTC), "dispatch")
    quota = shop.find("ResourceQuota", "dispatch", "team-budget")
    quota["spec"]["hard"]["limits.memory"] = "3Gi"
    troubles.touched(quota, shop.ago(minutes=44), "terraform")
    changed(
        shop, 44, "Terraform apply: team budgets", "terraform", "Platform", resources="6 changed"
    )
    released = shop.ago(minutes=29)
    image = troubles.set_image(f"{REGISTRY}/bookings:4.12.3")
    lifecycle.revise(shop, shop.workloads["bookings"], image, released, "release 4.12.3")
    used = (
        sum(troubles.memory_limit_mib(pod) for pod in shop.pods if pod.namespace == "dispatch")
        - 2 * 512
    )
    control_troubles.refused_rollout(
        shop, "bookings", released,
        'pods "POD" is forbidden: exceeded quota: team-budget, requested: limits.memory=512Mi, '
        f"used: limits.memory={used:.0f}Mi, limited: limits.memory=3Gi",
    )  # fmt: skip
    says = "rejected: 64 requests in flight, pool of 2 replicas is full"
    shop.affect("bookings", "errors", 0.13, released, ramp_seconds=180, says=says)
    shop.affect("bookings", "latency", 0.4, released, ramp_seconds=180)
    changed(shop, 29, "Deployed bookings 4.12.3 to dispatch", "release-bot", "Bookings")
    noise.innocent_deploy(shop, "tracking", "1.18.5", shop.ago(minutes=52), "Tracking")
    tell(shop, SLATE)
    return shop


SHALE = Told("Payments: no replica ready for 10 minutes", "NoReplicaReady", "payments", 17)
CALL = (
    'Internal error occurred: failed calling webhook "pods.policy.parcelworks.example": failed to call '
    'webhook: Post "https://policy-webhook.policy-system.svc:443/validate?timeout=10s": no endpoints '
    'available for service "policy-webhook"'
)


def shale() -> System:
    """A policy webhook guards every pod, its own as well; a maintenance took its pods away first."""
    shop = night("shale", datetime(2026, 9, 16, 1, 39, 45, tzinfo=UTC), "dispatch")
    _policy_webhook(shop)
    control_troubles.drained_away(shop, ("policy-webhook",), shop.ago(minutes=34), CALL)
    control_troubles.drained_away(shop, ("payments",), shop.ago(minutes=28), CALL)
    changed(shop, 36, "Node image roll: pool general", "node-roller", "Platform", by="k.moreau")
    noise.innocent_deploy(shop, "bookings", "4.12.3", shop.ago(minutes=58), "Bookings")
    tell(shop, SHALE)
    return shop


def _policy_webhook(shop: System) -> None:
    born, place = shop.ago(days=77), ("policy-system", "policy-webhook")
    shop.namespaces["policy-system"] = born
    add(shop, "ServiceAccount", ("policy-system", "default"), born)
    add(shop, "ServiceAccount", place, born)
    spec = ServiceSpec(*place, "2.4.1", replicas=2)
    images = ("registry.policy.example/webhook:2.4.1",)
    revisions = releases(shop, "policy-webhook", images, service_template(spec, {}))
    workload = Workload("Deployment", *place, born, 2, revisions, port=443)
    workload.speaks = "control"
    add_workload(shop, workload)
    service = {"name": place[1], "namespace": place[0], "path": "/validate", "port": 443}
    rule = {
        "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"],
        "scope": "*",
    }  # fmt: skip
    webhook = {
        "admissionReviewVersions": ["v1"],
        "clientConfig": {"service": service},
        "failurePolicy": "Fail",
        "matchPolicy": "Equivalent",
        "name": "pods.policy.parcelworks.example",
        "namespaceSelector": {},
        "rules": [rule],
        "sideEffects": "None",
        "timeoutSeconds": 10,
    }
    add(
        shop, "ValidatingWebhookConfiguration", ("", "policy-webhook"), born + timedelta(seconds=9),
        api_version="admissionregistration.k8s.io/v1", webhooks=[webhook],
    )  # fmt: skip


def _deployment(namespace: str, name: str) -> Entity:
    return Entity(kind="Deployment", namespace=namespace, name=name)


WEBHOOK = Entity(kind="ValidatingWebhookConfiguration", name="policy-webhook")

CASES = (
    Case(
        "slate",
        SLATE.title,
        slate,
        Expected(
            Verdict.CAUSE_FOUND,
            "namespace_memory_quota_exceeded",
            Entity(kind="ResourceQuota", namespace="dispatch", name="team-budget"),
            rivals=(Rival(_deployment("storefront", "tracking"), "released well"),),
        ),
    ),
    Case(
        "shale",
        SHALE.title,
        shale,
        Expected(
            Verdict.CAUSE_FOUND,
            "webhook_no_endpoints",
            WEBHOOK,
            as_right=(
                Answer("webhook_down", WEBHOOK),
                Answer("webhook_no_endpoints", _deployment("policy-system", "policy-webhook")),
                Answer(
                    "webhook_no_endpoints",
                    Entity(kind="Service", namespace="policy-system", name="policy-webhook"),
                ),
            ),
            rivals=(Rival(_deployment("dispatch", "bookings"), "released well, and waits"),),
        ),
    ),
)
