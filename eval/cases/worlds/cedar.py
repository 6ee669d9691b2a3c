"""A Secret's key gets another name; pods that start afterwards cannot, and callers fail in turn."""

from __future__ import annotations

from datetime import UTC, datetime

from assistant.incident import Entity, Verdict
from eval.cases import noise, troubles
from eval.cases.case import Case, Expected, Rival
from eval.cases.shop import Setting, healthy_shop
from eval.cases.system import Change, Firing, Page, PastIncident, System

TOLD = "Portal: quotes page answers 503"


def build() -> System:
    """The parcel shop half an hour after the pods were replaced."""
    shop = healthy_shop(
        Setting("cedar", "pw-south-2", datetime(2026, 5, 21, 6, 12, 10, tzinfo=UTC))
    )
    noise.usual(shop)
    secret = ("dispatch", "tariffs-db")
    troubles.rename_key(shop, secret, ("password", "db-password"), shop.ago(minutes=34))
    restarted = shop.ago(minutes=31)
    troubles.evict_for_balance(shop, "tariffs", restarted)
    troubles.restarts_without_key(shop, "tariffs", ("password", "tariffs-db"), restarted)
    _tell(shop)
    _red_herrings(shop)
    return shop


def _tell(shop: System) -> None:
    fired = shop.ago(minutes=26)
    labels = {"namespace": "storefront", "service": "portal", "severity": "critical"}
    shop.page = Page(
        alert="PortalErrorRatioHigh",
        title=TOLD,
        service="Portal",
        at=fired,
        labels=labels,
        description="5xx ratio of portal over 5 minutes is above 5%",
        runbook_url="https://runbooks.parcelworks.example/portal-errors",
    )
    shop.firing.append(Firing("PortalErrorRatioHigh", fired, labels))
    quotes = {**labels, "service": "quotes", "severity": "warning"}
    shop.firing.append(Firing("QuotesErrorRatioHigh", shop.ago(minutes=27), quotes))
    details = {"path": "dispatch/tariffs-db", "engine": "postgres-tariffs", "by": "rotation-job"}
    summary = "Rotated database access of tariffs (new field layout)"
    shop.changes.append(Change(shop.ago(minutes=34), summary, "vault-sync", "Tariffs", details))
    shop.past.append(PastIncident("Portal: checkout answers 503", shop.ago(days=63), 44.0))


def _red_herrings(shop: System) -> None:
    noise.innocent_deploy(shop, "portal", "8.3.2", shop.ago(minutes=52), "Portal")
    noise.loud_bystander(shop, "printing", "printer gate-4 answers slowly, retry 1 of 5")


CASE = Case(
    name="cedar",
    told=TOLD,
    build=build,
    expected=Expected(
        verdict=Verdict.CAUSE_FOUND,
        kind="missing_key",
        entity=Entity(kind="Secret", namespace="dispatch", name="tariffs-db"),
        rivals=(
            Rival(
                Entity(kind="Deployment", namespace="storefront", name="portal"),
                "released eighteen minutes before the onset; its own pods are ready, only calls to quotes fail",
            ),
            Rival(
                Entity(kind="Deployment", namespace="storefront", name="quotes"),
                "ready and unchanged: it fails because tariffs refuses connections",
            ),
            Rival(
                Entity(kind="Deployment", namespace="dispatch", name="printing"),
                "its printer warnings began long before and nobody calls it",
            ),
        ),
    ),
)
