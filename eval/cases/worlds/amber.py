"""A release whose image the registry does not have; half of the old pods carry the whole load."""

from __future__ import annotations

from datetime import UTC, datetime

from assistant.incident import Entity, Verdict
from eval.cases import noise, troubles
from eval.cases.case import Case, Expected, Rival
from eval.cases.shop import REGISTRY, Setting, healthy_shop
from eval.cases.system import Change, Firing, Page, PastIncident, System

TOLD = "Bookings: more than 5% of requests fail"


def build() -> System:
    """The parcel shop twenty-two minutes after the release."""
    shop = healthy_shop(Setting("amber", "pw-north-1", datetime(2026, 3, 14, 2, 26, tzinfo=UTC)))
    noise.usual(shop)
    released = shop.ago(minutes=22)
    image = f"{REGISTRY}/bookings:4.13.0-rc.2"
    troubles.bad_image(shop, "bookings", image, released, "release 4.13.0-rc.2 (pipeline 88412)")
    says = "rejected: 64 requests in flight, pool of 2 replicas is full"
    shop.affect("bookings", "errors", 0.11, released, ramp_seconds=180, says=says)
    shop.affect("bookings", "latency", 0.42, released, ramp_seconds=180)
    shop.affect("bookings", "cpu", 0.43, released, ramp_seconds=120)
    _tell(shop)
    _red_herrings(shop)
    return shop


def _tell(shop: System) -> None:
    released, fired = shop.ago(minutes=22), shop.ago(minutes=15)
    labels = {"namespace": "dispatch", "service": "bookings", "severity": "critical"}
    shop.page = Page(
        alert="BookingsErrorRatioHigh",
        title=TOLD,
        service="Bookings",
        at=fired,
        labels=labels,
        description="5xx ratio of bookings over 5 minutes is above 5%",
        runbook_url="https://runbooks.parcelworks.example/bookings-errors",
    )
    shop.firing.append(Firing("BookingsErrorRatioHigh", fired, labels))
    details = {
        "version": "4.13.0-rc.2",
        "previous": "4.12.2",
        "pipeline": "88412",
        "by": "release-bot",
    }
    link = "https://ci.parcelworks.example/pipelines/88412"
    shop.changes.append(
        Change(
            released,
            "Deployed bookings 4.13.0-rc.2 to dispatch",
            "release-bot",
            "Bookings",
            details,
            link,
        )
    )
    shop.past.append(
        PastIncident("Bookings: more than 5% of requests fail", shop.ago(days=47), 71.4)
    )


def _red_herrings(shop: System) -> None:
    noise.innocent_deploy(shop, "quotes", "3.6.1", shop.ago(minutes=41), "Quotes")
    noise.old_restart(shop, "payments", shop.ago(days=3, hours=4))


CASE = Case(
    name="amber",
    told=TOLD,
    build=build,
    expected=Expected(
        verdict=Verdict.CAUSE_FOUND,
        kind="incorrect_image_reference",
        entity=Entity(kind="Deployment", namespace="dispatch", name="bookings"),
        rivals=(
            Rival(
                Entity(kind="Deployment", namespace="storefront", name="quotes"),
                "released before the onset, all of its pods are ready and its errors did not rise",
            ),
            Rival(
                Entity(kind="Deployment", namespace="dispatch", name="payments"),
                "its one restart is three days old",
            ),
            Rival(
                Entity(kind="Deployment", namespace="preview", name="banner-test"),
                "Pending since two days, and nobody calls it",
            ),
        ),
    ),
)
