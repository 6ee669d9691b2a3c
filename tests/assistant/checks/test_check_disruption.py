"""Disruption budgets are read where something is to be emptied, and blamed where they forbid it."""

import pytest

from assistant.checks import disruption
from tests.assistant.checks.cluster import case, event, kinds, node, only, pod, thing, web

pytestmark = pytest.mark.anyio
HERE = pod(ready=True)


def budget(allowed=0, healthy=1, **spec):
    raw = thing(
        "PodDisruptionBudget", "web", spec={"selector": {"matchLabels": {"app": "web"}}, **spec}
    )
    raw["status"] = {"disruptionsAllowed": allowed, "desiredHealthy": healthy}
    return {"kubernetes.list_resources": {"kind": "PodDisruptionBudget", "items": [raw]}}


def cordoned():
    return node(spec={"unschedulable": True})


async def test_a_budget_that_spares_no_pod_of_a_cordoned_node():
    found = await only(
        disruption.check, case(*web(), HERE, cordoned(), answers=budget(minAvailable=1))
    )
    assert (found.kind, str(found.entity)) == ("drain_blocked", "PodDisruptionBudget shop/web")
    assert "minAvailable 1 of 1 pods leaves none to spare" in found.statement
    assert found.strength < 1, "a cordon alone may be no drain"


async def test_an_eviction_that_was_refused_is_certain():
    said = event(
        HERE, "EvictionBlocked", "Cannot evict pod as it would violate the pod's disruption budget."
    )
    found = await only(
        disruption.check,
        case(*web(), HERE, cordoned(), events=[said], answers=budget(minAvailable=1)),
    )
    assert found.strength == 1.0


async def test_pods_that_are_not_well_use_the_budget_up():
    ill = pod()
    found = await only(
        disruption.check, case(*web(), ill, cordoned(), answers=budget(minAvailable=1))
    )
    assert "1 must be healthy, 0 of 1 are" in found.statement


async def test_the_budgets_of_all_namespaces_are_read_and_the_pods_of_those_not_seen():
    raw = budget(minAvailable=1)["kubernetes.list_resources"]
    raw["items"][0]["metadata"]["namespace"] = "pay"
    far = {**HERE, "metadata": {**HERE["metadata"], "namespace": "pay", "name": "pay-1"}}
    raw["items"].append(far)  # the fake answers every list with the same items
    given = case(cordoned(), answers={"kubernetes.list_resources": raw})
    found = await only(disruption.check, given)
    assert found.details["pod"] == "pay-1"
    assert "Node worker-1" in map(str, found.about)


async def test_a_budget_with_room_is_nothing():
    assert (
        await kinds(
            disruption.check, case(*web(), HERE, cordoned(), answers=budget(1, minAvailable=1))
        )
        == []
    )


async def test_without_a_cordon_a_budget_at_zero_is_nobodys_trouble():
    assert (
        await kinds(disruption.check, case(*web(), HERE, node(), answers=budget(minAvailable=1)))
        == []
    )
