"""Bystanders: named so that they can be ruled out, and never strong."""

import pytest

from assistant.checks import bystanders
from tests.assistant.checks.cluster import (
    ago,
    case,
    event,
    evidence,
    kinds,
    node,
    only,
    pod,
    state,
    web,
)

pytestmark = pytest.mark.anyio
OLD = {"reason": "Error", "exitCode": 1, "finishedAt": ago(days=3)}


def failing(namespace="preview", **more):
    row = {"namespace": namespace, "name": "banner-test-1", "phase": "Pending", "reason": "Unschedulable",
           "owner": "Deployment banner-test", "started_at": ago(days=2), **more}  # fmt: skip
    return evidence("kubernetes.list_failing_pods", {"limit": 100}, {"pods": [row]})


async def test_a_pod_that_fails_in_another_namespace_is_named():
    found = await only(bystanders.check, case(more=[failing()]))
    assert str(found.entity) == "Deployment preview/banner-test"
    assert found.strength <= 0.5


async def test_a_pod_that_fails_in_scope_is_left_to_the_other_checks():
    assert await kinds(bystanders.check, case(more=[failing("shop")])) == []


async def test_a_failing_pod_without_an_owner_is_itself():
    found = await only(bystanders.check, case(more=[failing(owner="")]))
    assert str(found.entity) == "Pod preview/banner-test-1"


async def test_a_restart_of_three_days_ago_is_told_as_over():
    running = pod(states=[state(last=OLD, restarts=1, ready=True)], ready=True)
    found = await only(bystanders.check, case(*web(), running))
    assert (found.kind, found.active, found.began.isoformat()) == (
        "restarted", False, ago(days=3).replace("Z", "+00:00"),
    )  # fmt: skip


async def test_a_restart_within_the_window_is_not_old():
    recent = {**OLD, "finishedAt": ago(10)}
    running = pod(states=[state(last=recent, restarts=1, ready=True)], ready=True)
    assert await kinds(bystanders.check, case(*web(), running)) == []


async def test_a_reboot_that_the_node_came_back_from_is_over():
    words = "Node worker-1 has been rebooted, boot id: 0c6b"
    well = node()
    found = await only(bystanders.check, case(well, events=[event(well, "Rebooted", words)]))
    assert (found.kind, found.active) == ("node_rebooted", False)


async def test_a_reboot_of_a_node_that_is_not_back_is_not_over():
    away = node(conditions=[{"type": "Ready", "status": "Unknown"}])
    words = "Node worker-1 has been rebooted, boot id: 0c6b"
    found = await only(bystanders.check, case(away, events=[event(away, "Rebooted", words)]))
    assert found.active
