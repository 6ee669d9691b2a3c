"""A payment provider answers slowly; inside the cluster everything is ready and unchanged."""

from __future__ import annotations

from datetime import UTC, datetime

from assistant.incident import Entity, Verdict
from eval.cases import noise
from eval.cases.case import Case, Expected, Rival
from eval.cases.shop import Setting, healthy_shop
from eval.cases.system import Change, Firing, Page, PastIncident, System

TOLD = "Portal: checkout p95 latency above 3 seconds"
PROVIDER = "api.paygrid.example"


def build() -> System:
    """The parcel shop thirty-three minutes after the provider became slow."""
    as_of = datetime(2026, 7, 2, 14, 8, 45, tzinfo=UTC)
    shop = healthy_shop(Setting("ember", "pw-south-2", as_of))
    noise.usual(shop)
    began = shop.ago(minutes=33)
    says = "POST https://api.paygrid.example/v2/charges: read timed out after 8000ms"
    shop.affect(PROVIDER, "latency", 4.2, began, ramp_seconds=240)
    shop.affect(PROVIDER, "errors", 0.11, began, ramp_seconds=240, says=says)
    shop.affect("payments", "memory", 46, began, ramp_seconds=600)
    _tell(shop)
    noise.innocent_deploy(shop, "bookings", "4.12.3", shop.ago(minutes=57), "Bookings")
    noise.old_restart(shop, "parcels", shop.ago(days=2, hours=7))
    noise.loud_bystander(shop, "notices", "mail relay answered 421 4.7.0 try again later")
    return shop


def _tell(shop: System) -> None:
    fired = shop.ago(minutes=24)
    labels = {"namespace": "storefront", "service": "portal", "severity": "critical"}
    shop.page = Page(
        alert="PortalLatencyHigh",
        title=TOLD,
        service="Portal",
        at=fired,
        labels=labels,
        description="95th percentile of portal over 5 minutes is above 3 s",
        runbook_url="https://runbooks.parcelworks.example/portal-latency",
    )
    shop.firing.append(Firing("PortalLatencyHigh", fired, labels))
    inner = {"namespace": "dispatch", "service": "bookings", "severity": "warning"}
    shop.firing.append(Firing("BookingsLatencyHigh", shop.ago(minutes=27), inner))
    details = {"statement": "CREATE INDEX CONCURRENTLY scan_events_day", "by": "m.ostrow"}
    summary = "orders-db: index on scan_events built"
    shop.changes.append(Change(shop.ago(minutes=95), summary, "migrations", "Orders DB", details))
    shop.past.append(PastIncident("Payments: charges time out", shop.ago(days=120), 80.7))


CASE = Case(
    name="ember",
    told=TOLD,
    build=build,
    expected=Expected(
        verdict=Verdict.CAUSE_FOUND,
        kind="slow_dependency",
        entity=Entity(kind="Service", name=PROVIDER),
        rivals=(
            Rival(
                Entity(kind="Deployment", namespace="dispatch", name="bookings"),
                "released twenty-four minutes before the onset; its own time did not change, it waits for payments",
            ),
            Rival(
                Entity(kind="Deployment", namespace="dispatch", name="payments"),
                "slow only in calls to the provider; CPU, restarts and its own time are as before",
            ),
            Rival(
                Entity(kind="StatefulSet", namespace="data", name="orders-db"),
                "its query time did not change",
            ),
            Rival(
                Entity(kind="Deployment", namespace="dispatch", name="notices"),
                "its mail warnings began long before and nobody calls it",
            ),
        ),
    ),
)
