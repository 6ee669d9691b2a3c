"""A larger cache set in a ConfigMap, more than the memory limit has room for."""

from __future__ import annotations

from datetime import UTC, datetime

from assistant.incident import Entity, Verdict
from eval.cases import noise, troubles
from eval.cases.case import Case, Expected, Rival
from eval.cases.shop import Setting, healthy_shop
from eval.cases.system import Change, Firing, Page, PastIncident, System

TOLD = "Routes: pods restart again and again"


def build() -> System:
    """The parcel shop forty-one minutes after the setting was raised."""
    as_of = datetime(2026, 4, 8, 19, 47, 30, tzinfo=UTC)
    shop = healthy_shop(Setting("birch", "pw-north-1", as_of, namespace="dispatch"))
    noise.usual(shop)
    changed = shop.ago(minutes=41)
    place = ("dispatch", "routes-config")
    troubles.set_config(shop, place, "PLAN_CACHE_MB", "448", changed, "kubectl-client-side-apply")
    for pod in troubles.restart_workload(shop, "routes", shop.ago(minutes=40)):
        troubles.say(
            shop, pod, "info", pod.main.turns[0].at, "plan cache: 448 MiB, eviction at 100%"
        )
    says = "plan cache 441 of 448 MiB, heap 97% used, GC overhead 61%"
    troubles.runs_out_of_memory(shop, "routes", troubles.Filling(330, says))
    shop.affect("routes", "errors", 0.07, shop.ago(minutes=35), says="connection reset by peer")
    shop.affect("routes", "latency", 0.14, shop.ago(minutes=37), ramp_seconds=240)
    _tell(shop)
    _red_herrings(shop)
    return shop


def _tell(shop: System) -> None:
    fired = shop.ago(minutes=21)
    labels = {"namespace": "dispatch", "deployment": "routes", "severity": "critical"}
    shop.page = Page(
        alert="PodRestartsOften",
        title=TOLD,
        service="Routes",
        at=fired,
        labels=labels,
        description="containers of routes restarted more than 3 times in 20 minutes",
        runbook_url="https://runbooks.parcelworks.example/routes-restarts",
    )
    shop.firing.append(Firing("PodRestartsOften", fired, labels))
    details = {"file": "dispatch/routes-config.yaml", "PLAN_CACHE_MB": "96 -> 448", "by": "l.haas"}
    summary = "Applied routes-config: PLAN_CACHE_MB 96 -> 448, restarted routes"
    shop.changes.append(Change(shop.ago(minutes=41), summary, "config-repo", "Routes", details))
    shop.past.append(PastIncident("Routes: plan requests time out", shop.ago(days=96), 38.2))


def _red_herrings(shop: System) -> None:
    noise.innocent_deploy(shop, "tracking", "1.18.5", shop.ago(minutes=58), "Tracking")
    noise.loud_bystander(shop, "notices", "mail relay answered 421 4.7.0 try again later")


CASE = Case(
    name="birch",
    told=TOLD,
    build=build,
    expected=Expected(
        verdict=Verdict.CAUSE_FOUND,
        kind="oom_killed",
        entity=Entity(kind="Deployment", namespace="dispatch", name="routes"),
        rivals=(
            Rival(
                Entity(kind="Deployment", namespace="storefront", name="tracking"),
                "released seventeen minutes before the onset; its pods are ready and never restarted",
            ),
            Rival(
                Entity(kind="Deployment", namespace="dispatch", name="notices"),
                "its mail warnings began long before and nobody calls it",
            ),
            Rival(
                Entity(kind="Deployment", namespace="preview", name="banner-test"),
                "Pending since two days, and nobody calls it",
            ),
        ),
    ),
)
