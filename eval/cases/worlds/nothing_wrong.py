"""Nobody is ill: an alert that is too tight, a checker that had a hiccup, a rule with a typo."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from assistant.incident import Entity, Verdict
from eval.cases import noise, traps
from eval.cases.case import Case, Expected, Rival
from eval.cases.system import PastIncident, System
from eval.cases.telling import Told, changed, flapped, night, tell

AGATE = Told(
    "Tracking: p95 latency above 95 ms",
    "TrackingLatencyHigh",
    "tracking",
    9,
    over=7,
    notes=((8, "third time since midnight, gone again before I could look"),),
)


def agate() -> System:
    """A limit that ordinary evenings brush against: the alert comes and goes all the time."""
    shop = night("agate", datetime(2026, 2, 11, 22, 41, 20, tzinfo=UTC))
    tell(shop, AGATE)
    flapped(shop, AGATE, ((88, 86), (61, 60), (35, 33)))
    for days in (0.4, 1.2, 2.1, 4.6):
        shop.past.append(PastIncident(AGATE.title, shop.ago(days=days), 96.0))
    noise.innocent_deploy(shop, "bookings", "4.12.3", shop.ago(minutes=52), "Bookings")
    noise.old_restart(shop, "tracking", shop.ago(days=4, hours=2))
    return shop


BASALT = Told(
    "www.parcelworks.example is unreachable from 1 of 9 places",
    "www.parcelworks.example",
    "portal",
    14,
    label="",
    measured=False,
    says="check https://www.parcelworks.example/ from ap-south: TLS handshake timed out; 8 other places: 200",
)


def basalt() -> System:
    """One place of an outside checker has trouble of its own; the cluster is noisy, as it always is."""
    shop = night("basalt", datetime(2026, 2, 19, 11, 3, 5, tzinfo=UTC))
    tell(shop, BASALT)
    other = traps.other_team(shop, "render", "worker-3")
    traps.evicts_its_pods(shop, other, (shop.ago(minutes=140), shop.ago(minutes=19)))
    for name in ("bookings", "payments", "parcels"):
        noise.old_restart(shop, name, shop.ago(days=5, hours=3))
    for name in ("portal-config-v1", "banner-texts-2025"):
        traps.config_touched(shop, ("storefront", name), {"FEATURED_CARRIERS": "swift"})
    scaler = shop.find("HorizontalPodAutoscaler", "storefront", "portal")
    words = "the desired replica count is less than the minimum replica count"
    limited = next(c for c in scaler["status"]["conditions"] if c["type"] == "ScalingLimited")
    limited |= {"status": "True", "reason": "TooFewReplicas", "message": words}
    noise.innocent_deploy(shop, "tracking", "1.18.5", shop.ago(minutes=33), "Tracking")
    return shop


CHERT = Told(
    "Portal: CPU above 9% of limit", "PortalCpuHigh", "portal", 22, label="deployment",
    says="portal used more than 9% of its CPU limit for 2 minutes",
)  # fmt: skip


def chert() -> System:
    """A rule was written anew with one digit too few; the portal is as busy as ever."""
    shop = night("chert", datetime(2026, 2, 24, 15, 17, 40, tzinfo=UTC))
    shop.workloads["portal"].cpu_cores = 0.04
    tell(shop, CHERT)
    changed(
        shop, 26, "Alert rules: portal.yaml", "rules-repo", "Platform",
        diff="PortalCpuHigh: > 0.90 -> > 0.09", by="d.castellano",
    )  # fmt: skip
    noise.innocent_deploy(shop, "payments", "5.0.9", shop.ago(minutes=49), "Payments")
    return shop


NACRE = Told(
    "Watchdog", "Watchdog", "portal", 15, label="",
    says="always firing, to show that alerts arrive; it is to go to the heartbeat receiver alone",
    labels=(("severity", "none"),),
)  # fmt: skip


def nacre() -> System:
    """The alert that always fires was sent to people: somebody changed where alerts go."""
    shop = night("nacre", datetime(2026, 3, 26, 9, 51, 15, tzinfo=UTC))
    tell(shop, NACRE)
    shop.firing[-1] = replace(shop.firing[-1], start=shop.ago(hours=3))
    changed(
        shop,
        16,
        "Alertmanager routes: receivers merged",
        "rules-repo",
        "Platform",
        by="d.castellano",
    )
    noise.innocent_deploy(shop, "parcels", "2.31.1", shop.ago(minutes=40), "Parcels")
    noise.old_restart(shop, "portal", shop.ago(days=6))
    return shop


def _deployment(namespace: str, name: str) -> Entity:
    return Entity(kind="Deployment", namespace=namespace, name=name)


CASES = (
    Case(
        "nacre",
        NACRE.title,
        nacre,
        Expected(
            Verdict.HEALTHY,
            "",
            _deployment("storefront", "portal"),
            rivals=(Rival(_deployment("dispatch", "parcels"), "released well"),),
        ),
    ),
    Case(
        "agate",
        AGATE.title,
        agate,
        Expected(
            Verdict.HEALTHY,
            "",
            _deployment("storefront", "tracking"),
            rivals=(Rival(_deployment("dispatch", "bookings"), "released well, and not called"),),
            or_else=(Verdict.RECOVERED,),
        ),
    ),
    Case(
        "basalt",
        BASALT.title,
        basalt,
        Expected(
            Verdict.HEALTHY,
            "",
            _deployment("storefront", "portal"),
            rivals=(
                Rival(_deployment("storefront", "tracking"), "released well"),
                Rival(_deployment("render", "frames"), "another team's, and nobody calls it"),
                Rival(
                    Entity(kind="HorizontalPodAutoscaler", namespace="storefront", name="portal"),
                    "at its minimum, which is no limit to anybody",
                ),
            ),
        ),
    ),
    Case(
        "chert",
        CHERT.title,
        chert,
        Expected(
            Verdict.HEALTHY,
            "",
            _deployment("storefront", "portal"),
            rivals=(Rival(_deployment("dispatch", "payments"), "released well"),),
            or_else=(Verdict.INCONCLUSIVE,),
        ),
    ),
)
