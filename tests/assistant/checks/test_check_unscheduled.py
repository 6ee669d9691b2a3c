"""Pods that nobody schedules, that had to make room, or that no node is added for."""

import pytest

from assistant.checks import unscheduled
from tests.assistant.checks.cluster import (
    ago,
    case,
    deployment,
    event,
    kinds,
    node,
    only,
    pending,
    pod,
    replica_set,
    thing,
    web,
)

pytestmark = pytest.mark.anyio


async def test_a_pod_that_waits_without_a_word_has_no_scheduler():
    found = await only(unscheduled.check, case(*web(), pending(), node()))
    assert found.kind == "kube_scheduler_unavailable"
    assert found.strength < 1
    assert "Deployment shop/web" in map(str, found.about)


async def test_two_silent_pods_are_one_scheduler_that_is_away():
    found = await only(unscheduled.check, case(*web(), pending(), pending("web-6d4b9-y"), node()))
    assert "and 1 more wait" in found.statement


async def test_a_stale_lease_proves_it():
    lease = {
        "kind": "Lease",
        "metadata": {"name": "kube-scheduler", "namespace": "kube-system"},
        "spec": {"leaseDurationSeconds": 15, "renewTime": ago(12)},
    }
    answers = {"kubernetes.list_resources": {"kind": "Lease", "items": [lease]}}
    found = await only(unscheduled.check, case(*web(), pending(), node(), answers=answers))
    assert found.strength == 1.0
    assert "last renewed 720 s ago" in found.statement


async def test_a_scheduler_pod_that_is_not_ready_proves_it():
    down = pod("kube-scheduler-cp1", namespace="kube-system", owner=("Node", "cp1"))
    found = await only(unscheduled.check, case(*web(), pending(), node(), down))
    assert found.strength == 1.0


async def test_a_pod_that_was_made_this_moment_may_wait_for_the_scheduler():
    assert await kinds(unscheduled.check, case(*web(), pending(created=ago(0.05)), node())) == []


async def test_a_scheduler_of_ones_own_that_places_nothing():
    waiting = pending(spec={"schedulerName": "batch-scheduler"})
    found = await only(unscheduled.check, case(*web(), waiting, node()))
    assert (found.kind, found.details["scheduler"]) == ("scheduler_unknown", "batch-scheduler")


async def test_a_pod_bound_by_hand_to_no_node():
    lost = pod(phase="Pending", spec={"nodeName": "worker-9"})
    given = case(deployment(pod={"nodeName": "worker-9"}), replica_set(), lost, node())
    found = await only(unscheduled.check, given)
    assert (found.kind, found.details["node"]) == ("node_name_unknown", "worker-9")


async def test_a_pod_whose_node_was_taken_away_was_not_bound_by_hand():
    lost = pod(phase="Pending", spec={"nodeName": "worker-9"})
    assert await kinds(unscheduled.check, case(*web(), lost, node())) == []


async def test_a_pod_that_had_to_make_room_explains_its_successor():
    waiting = pending("web-6d4b9-new")
    gone = thing("Pod", "web-6d4b9-old")
    events = [
        event(gone, "Preempted", "Preempted by pod 4f1c on node worker-1"),
        event(waiting, "FailedScheduling", "0/1 nodes are available: 1 Insufficient cpu."),
    ]
    found = await only(unscheduled.check, case(*web(), waiting, node(), events=events))
    assert (found.kind, found.details["victim"]) == ("preempted", "web-6d4b9-old")


async def test_an_autoscaler_that_will_not_help():
    waiting = pending()
    events = [
        event(waiting, "FailedScheduling", "0/1 nodes are available: 1 Insufficient cpu."),
        event(
            waiting,
            "NotTriggerScaleUp",
            "pod didn't trigger scale-up: 2 max node group size reached",
        ),
    ]
    found = await only(unscheduled.check, case(*web(), waiting, node(), events=events))
    assert found.kind == "autoscaler_adds_no_node"
    assert "max node group size reached" in found.statement
