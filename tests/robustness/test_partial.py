"""One permission, one namespace or one page of a list is missing: named, and the rest is used."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from assistant.incident import Status, Verdict
from eval.lab.lab import Lab, serve
from eval.lab.world import World
from tests.robustness.scene import Outcome, holds, look
from tests.robustness.worlds import changed, denying, without_namespace

pytestmark = pytest.mark.anyio

CAUSE = "missing_key Secret dispatch/tariffs-db"


async def look_into(world: World, cache: Path, home: Path) -> Outcome:
    async with serve(world, cache=cache) as lab:
        outcome = await look(lab, home)
    holds(outcome)
    return outcome


@pytest.mark.parametrize(
    ("resource", "tool"),
    [
        ("pods/log", "kubernetes.get_pod_logs"),
        ("secrets", "kubernetes.list_resources"),
        ("events", "kubernetes.get_recent_events"),
        ("nodes", "kubernetes.list_resources"),
        ("namespaces", "kubernetes.list_resources"),
    ],
)
async def test_a_missing_permission_is_named_and_the_cause_is_found_without_it(
    cedar: World, cache: Path, home: Path, resource: str, tool: str
) -> None:
    outcome = await look_into(denying(cedar, resource), cache, home)
    blind = [spot for spot in outcome.blind("kubernetes") if resource in spot.reason]
    assert {spot.tool for spot in blind} == {tool}
    assert {spot.status for spot in blind} == {Status.DENIED}
    assert any("RBAC rule" in hint for spot in blind for hint in spot.suggestions)
    assert outcome.cause == CAUSE


async def test_pods_that_may_not_be_read_are_named_and_metrics_lead_to_the_change_at_their_workload(
    cedar: World, cache: Path, home: Path
) -> None:
    outcome = await look_into(denying(cedar, "pods", "dispatch"), cache, home)
    [blind] = outcome.blind("kubernetes")
    assert "/namespaces/dispatch/pods" in blind.reason
    told = {f"{one.kind} {one.entity}" for one in outcome.report.hypotheses}
    assert told == {
        "config_changed Deployment dispatch/tariffs",
        "config_changed Secret dispatch/tariffs-db",
    }


@pytest.mark.parametrize("namespace", ["storefront", "dispatch"])
async def test_a_namespace_that_is_gone_does_not_pass_for_a_healthy_one(
    cedar: World, cache: Path, home: Path, namespace: str
) -> None:
    outcome = await look_into(without_namespace(cedar, namespace), cache, home)
    said = [spot.reason for spot in outcome.blind("kubernetes")]
    named_by_the_alert = namespace == "storefront"
    assert any(f"no namespace {namespace!r}" in text for text in said) == named_by_the_alert
    assert outcome.report.verdict not in (Verdict.HEALTHY, Verdict.RECOVERED)


async def test_with_nothing_else_wrong_a_namespace_that_is_gone_is_not_called_healthy(
    cedar: World, cache: Path, home: Path
) -> None:
    empty = replace(without_namespace(cedar, "storefront"), metrics=None)
    outcome = await look_into(without_namespace(empty, "dispatch"), cache, home)
    assert outcome.report.verdict is Verdict.INCONCLUSIVE


async def test_lists_whose_pages_keep_expiring_are_named_or_read_again(
    cedar: World, cache: Path, home: Path
) -> None:
    def crowd(objects: list[dict[str, object]]) -> None:
        events = [one for one in objects if one["kind"] == "Event"]
        objects += [
            {**events[0], "metadata": {"name": f"filler-{number}", "namespace": "storefront"}}
            for number in range(1200)
        ]

    async with serve(changed(cedar, crowd), cache=cache) as lab:
        outcome = await _look_while_pages_expire(lab, home)
    holds(outcome)
    assert any("expired" in spot.reason for spot in outcome.blind("kubernetes"))
    assert outcome.cause == CAUSE


async def _look_while_pages_expire(lab: Lab, home: Path) -> Outcome:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_expire_for_ever, lab)
        outcome = await look(lab, home)
        tasks.cancel_scope.cancel()
    return outcome


async def _expire_for_ever(lab: Lab) -> None:
    while True:
        lab.expire_pages()
        await anyio.sleep(0.001)
