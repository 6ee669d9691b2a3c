"""Nothing inside is to blame, or what is cannot be told apart from what is not."""

from __future__ import annotations

from datetime import UTC, datetime

from assistant.incident import Entity, Verdict
from eval.cases import lifecycle, noise, traps, troubles
from eval.cases.case import Answer, Case, Expected, Rival
from eval.cases.samples import Figure
from eval.cases.shop import REGISTRY
from eval.cases.system import System
from eval.cases.telling import Told, changed, night, tell

SCHIST = Told("Portal: more than 20% of requests fail", "PortalErrorRatioHigh", "portal", 18)
PROVIDER = Entity(kind="Service", name="api.paygrid.example")


def schist() -> System:
    """The payment provider is out; everything inside is ready, unchanged and waiting for it."""
    shop = night("schist", datetime(2026, 8, 4, 19, 22, 40, tzinfo=UTC))
    began = shop.ago(minutes=24)
    says = "POST https://api.paygrid.example/v2/charges: 503 Service Unavailable (maintenance)"
    shop.affect(PROVIDER.name, "errors", 0.94, began, ramp_seconds=40, says=says)
    noise.innocent_deploy(shop, "payments", "5.0.9", shop.ago(minutes=44), "Payments")
    noise.old_restart(shop, "bookings", shop.ago(days=3, hours=5))
    tell(shop, SCHIST)
    return shop


TOPAZ = Told(
    "Checkouts: a third fewer than last week at this hour", "CheckoutsLow", "portal", 17,
    says="checkouts completed per minute are 30% below the same hour of last week",
)  # fmt: skip


def topaz() -> System:
    """Fewer people buy; no request fails or is slow. A banner and a price list changed in one minute."""
    shop = night("topaz", datetime(2026, 8, 18, 18, 6, 30, tzinfo=UTC))
    turned = shop.ago(minutes=32)
    rate = traps.steps_down(41, 27, turned)
    shop.figures.append(Figure("checkouts_completed_per_minute", {"namespace": "storefront"}, rate))
    changed(shop, 32, "Flag portal.checkout-steps: three -> five", "flags", "Portal", by="s.imani")
    changed(shop, 32, "Price list 2026-08b published", "back-office", "Bookings", by="m.ostrow")
    noise.innocent_deploy(shop, "tracking", "1.18.5", shop.ago(minutes=58), "Tracking")
    tell(shop, TOPAZ)
    return shop


UMBER = Told("Tracking: more than 5% of requests fail", "TrackingErrorRatioHigh", "tracking", 17)


def umber() -> System:
    """Parcels got a new image and a new setting in the same rollout, and fails requests since."""
    shop = night("umber", datetime(2026, 8, 26, 7, 48, 0, tzinfo=UTC))
    at, parcels = shop.ago(minutes=22), shop.workloads["parcels"]
    place = ("dispatch", "parcels-config")
    troubles.set_config(shop, place, "PAGE_SIZE", "400", at, "argocd-controller")
    image = troubles.set_image(f"{REGISTRY}/parcels:2.32.0")
    lifecycle.revise(shop, parcels, image, at, "sync 7c41e02")
    lifecycle.roll_out(shop, parcels, at)
    says = "list events: page 2 of 1: index out of range [400] with length 50"
    shop.affect("parcels", "errors", 0.12, at, ramp_seconds=60, says=says)
    changed(
        shop, 22, "Synced dispatch to 7c41e02: parcels 2.32.0, parcels-config PAGE_SIZE 50 -> 400",
        "argocd", "Parcels", revision="7c41e02",
    )  # fmt: skip
    tell(shop, UMBER)
    return shop


def _deployment(namespace: str, name: str) -> Entity:
    return Entity(kind="Deployment", namespace=namespace, name=name)


CASES = (
    Case(
        "schist",
        SCHIST.title,
        schist,
        Expected(
            Verdict.CAUSE_FOUND,
            "failing_dependency",
            PROVIDER,
            as_right=(Answer("external_api_failing", PROVIDER),),
            rivals=(
                Rival(_deployment("dispatch", "payments"), "it passes on what the provider fails"),
                Rival(_deployment("dispatch", "bookings"), "its one restart is three days old"),
            ),
            or_else=(Verdict.INCONCLUSIVE,),
        ),
    ),
    Case(
        "topaz",
        TOPAZ.title,
        topaz,
        Expected(
            Verdict.INCONCLUSIVE,
            "",
            _deployment("storefront", "portal"),
            rivals=(Rival(_deployment("storefront", "tracking"), "released well, long before"),),
        ),
    ),
    Case(
        "umber",
        UMBER.title,
        umber,
        Expected(
            Verdict.INCONCLUSIVE,
            "",
            _deployment("dispatch", "parcels"),
            rivals=(Rival(_deployment("storefront", "portal"), "it calls who calls parcels"),),
            or_else=(Verdict.SEVERAL_CAUSES,),
        ),
    ),
)
