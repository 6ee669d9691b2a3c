"""It was ill and is well: an import that took all memory, a node that came back, a slow provider."""

from __future__ import annotations

from datetime import UTC, datetime

from assistant.incident import Entity, Verdict
from eval.cases import noise, traps
from eval.cases.case import Case, Expected, Rival
from eval.cases.system import System
from eval.cases.telling import Told, changed, night, tell

DOLOMITE = Told(
    "Parcels: pods restart again and again", "PodRestartsOften", "parcels", 44, over=23,
    label="deployment", says="containers of parcels restarted more than twice in 20 minutes",
)  # fmt: skip


def dolomite() -> System:
    """A bulk import filled the memory of parcels three times; it is done since half an hour."""
    shop = night("dolomite", datetime(2026, 3, 3, 5, 26, 10, tzinfo=UTC), "dispatch")
    times = tuple(shop.ago(minutes=minutes) for minutes in (52, 47, 41))
    traps.killed_for_memory(shop, "parcels", times, "import: 41200 of 50000 rows held in memory")
    says = "connection reset by peer"
    shop.affect("parcels", "errors", 0.06, times[0], end=shop.ago(minutes=39), says=says)
    changed(shop, 56, "Bulk import started: postal-2026-03", "import-desk", "Parcels", rows="50000")
    changed(
        shop, 38, "Bulk import finished: postal-2026-03", "import-desk", "Parcels", rows="50000"
    )
    noise.innocent_deploy(shop, "tracking", "1.18.5", shop.ago(minutes=71), "Tracking")
    tell(shop, DOLOMITE)
    return shop


EPIDOTE = Told(
    "Portal: more than 5% of requests fail", "PortalErrorRatioHigh", "portal", 45, over=39
)


def epidote() -> System:
    """A node's kubelet was silent for four minutes; too short for its pods to be moved."""
    shop = night("epidote", datetime(2026, 3, 9, 23, 58, 30, tzinfo=UTC))
    node = shop.pods_of("portal")[0].node
    traps.node_was_away(shop, node, shop.ago(minutes=48), shop.ago(minutes=44))
    shop.affect(
        "portal", "errors", 0.13, shop.ago(minutes=49), end=shop.ago(minutes=44), ramp_seconds=20,
        says="upstream prematurely closed connection",
    )  # fmt: skip
    noise.innocent_deploy(shop, "payments", "5.0.9", shop.ago(minutes=63), "Payments")
    tell(shop, EPIDOTE)
    return shop


FLINT = Told(
    "Portal: checkout p95 latency above 3 seconds", "PortalLatencyHigh", "portal", 41, over=29
)


def flint() -> System:
    """The payment provider answered slowly for ten minutes, and has been quick ever since."""
    shop = night("flint", datetime(2026, 3, 20, 17, 44, 50, tzinfo=UTC))
    span = {"end": shop.ago(minutes=33), "ramp_seconds": 60}
    shop.affect("api.paygrid.example", "latency", 6.3, shop.ago(minutes=44), **span)
    noise.innocent_deploy(shop, "bookings", "4.12.3", shop.ago(minutes=50), "Bookings")
    noise.old_restart(shop, "payments", shop.ago(days=1, hours=20))
    tell(shop, FLINT)
    return shop


OCHRE = Told("Portal: more than 5% of requests fail", "PortalErrorRatioHigh", "portal", 47, over=29)


def ochre() -> System:
    """A release of payments failed requests and was taken back half an hour ago."""
    shop = night("ochre", datetime(2026, 4, 9, 18, 23, 45, tzinfo=UTC))
    began, back = shop.ago(minutes=51), shop.ago(minutes=34)
    noise.innocent_deploy(shop, "payments", "5.1.0", began, "Payments")
    shop.affect(
        "payments", "errors", 0.31, began, end=back, ramp_seconds=50,
        says="java.lang.ArithmeticException: Rounding necessary",
    )  # fmt: skip
    noise.innocent_deploy(shop, "payments", "5.0.8", back, "Payments")
    tell(shop, OCHRE)
    return shop


def _deployment(namespace: str, name: str) -> Entity:
    return Entity(kind="Deployment", namespace=namespace, name=name)


CASES = (
    Case(
        "ochre",
        OCHRE.title,
        ochre,
        Expected(
            Verdict.RECOVERED,
            "",
            _deployment("storefront", "portal"),
            rivals=(Rival(_deployment("dispatch", "payments"), "taken back, and well since"),),
        ),
    ),
    Case(
        "dolomite",
        DOLOMITE.title,
        dolomite,
        Expected(
            Verdict.RECOVERED,
            "",
            _deployment("dispatch", "parcels"),
            rivals=(Rival(_deployment("storefront", "tracking"), "released well"),),
        ),
    ),
    Case(
        "epidote",
        EPIDOTE.title,
        epidote,
        Expected(
            Verdict.RECOVERED,
            "",
            _deployment("storefront", "portal"),
            rivals=(Rival(_deployment("dispatch", "payments"), "released well"),),
        ),
    ),
    Case(
        "flint",
        FLINT.title,
        flint,
        Expected(
            Verdict.RECOVERED,
            "",
            _deployment("storefront", "portal"),
            rivals=(Rival(_deployment("dispatch", "bookings"), "released well"),),
        ),
    ),
)
