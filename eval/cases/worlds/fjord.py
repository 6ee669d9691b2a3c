"""A short rush of visitors; the autoscaler answered it, and everything has been as usual since."""

from __future__ import annotations

from datetime import UTC, datetime

from assistant.incident import Entity, Verdict
from eval.cases import noise
from eval.cases.autoscaling import Rush, scale_for_a_while
from eval.cases.case import Case, Expected, Rival
from eval.cases.shop import Setting, healthy_shop
from eval.cases.system import Change, Firing, Page, PastIncident, System

TOLD = "Portal: CPU above 90% of limit"


def build() -> System:
    """The parcel shop twenty-four minutes after the rush was over."""
    as_of = datetime(2026, 9, 5, 10, 54, 5, tzinfo=UTC)
    shop = healthy_shop(Setting("fjord", "pw-north-1", as_of))
    noise.usual(shop)
    began, ended = shop.ago(minutes=38), shop.ago(minutes=25)
    shop.affect("ingress-controller", "rate", 1.6, began, end=ended, ramp_seconds=90)
    shop.affect("portal", "cpu", 0.44, began, end=shop.ago(minutes=28), ramp_seconds=120)
    shop.affect("portal", "latency", 0.9, began, end=shop.ago(minutes=28), ramp_seconds=120)
    scale_for_a_while(shop, "portal", Rush(shop.ago(minutes=35), shop.ago(minutes=16), replicas=6))
    _tell(shop)
    noise.innocent_deploy(shop, "quotes", "3.6.1", shop.ago(minutes=64), "Quotes")
    noise.old_restart(shop, "routes", shop.ago(days=2, hours=1))
    return shop


def _tell(shop: System) -> None:
    fired = shop.ago(minutes=33)
    labels = {"namespace": "storefront", "deployment": "portal", "severity": "critical"}
    shop.page = Page(
        alert="PortalCpuHigh",
        title=TOLD,
        service="Portal",
        at=fired,
        labels=labels,
        description="portal used more than 90% of its CPU limit for 2 minutes",
        runbook_url="https://runbooks.parcelworks.example/portal-cpu",
    )
    shop.firing.append(Firing("PortalCpuHigh", fired, labels, end=shop.ago(minutes=26)))
    details = {"campaign": "autumn-saturday", "recipients": "210000", "by": "newsletter"}
    summary = "Newsletter sent: autumn-saturday"
    shop.changes.append(Change(shop.ago(minutes=40), summary, "marketing", "Portal", details))
    shop.past.append(PastIncident("Portal: CPU above 90% of limit", shop.ago(days=14), 91.2))


CASE = Case(
    name="fjord",
    told=TOLD,
    build=build,
    expected=Expected(
        verdict=Verdict.RECOVERED,
        kind="recovered",
        entity=Entity(kind="Deployment", namespace="storefront", name="portal"),
        rivals=(
            Rival(
                Entity(kind="Deployment", namespace="storefront", name="quotes"),
                "released half an hour before the rush; it stayed as it was",
            ),
            Rival(
                Entity(kind="Deployment", namespace="dispatch", name="routes"),
                "its one restart is two days old",
            ),
        ),
    ),
)
