"""Evictions: which resource ran out, and whose it was."""

import pytest

from assistant.checks import evictions
from tests.assistant.checks.cluster import case, event, kinds, node, only, pod, web

pytestmark = pytest.mark.anyio


async def test_an_evicted_pod_names_its_node_and_the_resource():
    message = (
        "The node was low on resource: ephemeral-storage. Threshold quantity: 1Gi, available: 80Mi."
    )
    gone = pod(phase="Failed", status={"reason": "Evicted", "message": message})
    found = await only(evictions.check, case(*web(), gone))
    assert (found.kind, found.details["node"]) == ("evicted", "worker-1")
    assert "ephemeral-storage" in found.statement
    assert found.details["resource"] == "ephemeral-storage"


async def test_a_pod_over_its_own_limit_is_at_fault_itself():
    message = "Pod ephemeral local storage usage exceeds the total limit of containers 1Gi."
    gone = pod(phase="Failed", status={"reason": "Evicted", "message": message})
    found = await only(evictions.check, case(*web(), gone))
    assert (found.kind, str(found.entity)) == ("ephemeral_storage_exceeded", "Deployment shop/web")


@pytest.mark.parametrize(
    ("resource", "kind"),
    [("ephemeral-storage", "node_disk_pressure"), ("inodes", "node_disk_pressure"), ("memory", "node_memory_pressure")],
)  # fmt: skip
async def test_a_threshold_crossed_within_the_window_is_told_though_the_condition_is_false(
    resource, kind
):
    here = node()
    told = event(here, "EvictionThresholdMet", f"Attempting to reclaim {resource}")
    found = await only(evictions.check, case(here, events=[told]))
    assert (found.kind, found.details["resource"]) == (kind, resource)


async def test_a_threshold_crossed_long_ago_or_told_by_the_condition_is_not_told_again():
    full = node(conditions=[{"type": "DiskPressure", "status": "True"}])
    words = "Attempting to reclaim ephemeral-storage"
    assert (
        await kinds(
            evictions.check, case(full, events=[event(full, "EvictionThresholdMet", words)])
        )
        == []
    )
    old = event(node(), "EvictionThresholdMet", words, minutes=600)
    assert await kinds(evictions.check, case(node(), events=[old])) == []
