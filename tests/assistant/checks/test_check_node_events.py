"""What happened to nodes: told as a cause only where the pods of the incident still suffer from it."""

import pytest

from assistant.checks import node_events
from assistant.faults import Role, fault
from tests.assistant.checks.cluster import ago, case, event, kinds, node, only, pod, state, web

pytestmark = pytest.mark.anyio
ENDED = {"reason": "Error", "exitCode": 255, "finishedAt": ago(11)}


def ended(*, ready):
    return pod(states=[state(last=ENDED, restarts=1, ready=ready)], ready=ready)


def told(reason, minutes=10):
    return event(node(), reason, f"Node worker-1: {reason}", minutes=minutes, first=minutes)


@pytest.mark.parametrize("back", [True, False])
async def test_a_reboot_that_took_pods_with_it_is_over_once_they_are_back(back):
    given = case(*web(), node(), ended(ready=back), events=[told("Rebooted")])
    found = await only(node_events.check, given)
    assert (found.kind, found.active) == ("node_reboot_restarted_pods", not back)


async def test_a_reboot_that_harmed_nobody_here_or_was_long_ago():
    well = pod(states=[state(ready=True)], ready=True)
    assert await kinds(node_events.check, case(*web(), well, events=[told("Rebooted")])) == []
    assert (
        await kinds(
            node_events.check, case(*web(), ended(ready=False), events=[told("Rebooted", 600)])
        )
        == []
    )


async def test_a_kernel_that_kills_for_memory():
    found = await only(node_events.check, case(node(), events=[told("SystemOOM")]))
    assert (found.kind, str(found.entity)) == ("node_out_of_memory", "Node worker-1")


async def test_a_node_that_the_cloud_takes_back_while_pods_are_away():
    away = pod(states=[state()])
    strong = await only(node_events.check, case(*web(), away, events=[told("SpotInterruption")]))
    calm = await only(node_events.check, case(node(), events=[told("SpotInterruption")]))
    assert (strong.kind, strong.strength, calm.strength) == ("node_reclaimed", 0.9, 0.4)


async def test_a_node_that_was_removed_or_cordoned_is_a_change():
    removed = await only(node_events.check, case(events=[told("RemovingNode")]))
    taint = {
        "key": "node.kubernetes.io/unschedulable",
        "effect": "NoSchedule",
        "timeAdded": ago(12),
    }
    closed = node(spec={"unschedulable": True, "taints": [taint]})
    cordoned = await only(node_events.check, case(closed))
    assert {fault(removed.kind).role, fault(cordoned.kind).role} == {Role.CHANGE}
    assert cordoned.began is not None


async def test_a_node_that_was_closed_long_ago_is_nothing_new():
    assert await kinds(node_events.check, case(node(spec={"unschedulable": True}))) == []
