"""Rules of the scheduler beside labels and room: ports, spread, volumes, devices, and ill nodes."""

import pytest

from assistant.checks import scheduling
from tests.assistant.checks.cluster import (
    case,
    container,
    event,
    node,
    only,
    pending,
    pod,
    thing,
    web,
)

pytestmark = pytest.mark.anyio
MASTER = "1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }"


def refused(words, waiting, *objects):
    said = event(waiting, "FailedScheduling", f"0/2 nodes are available: {words}.")
    return case(*web(), waiting, *objects, events=[said])


def taken(port):
    return container(ports=[{"containerPort": port, "hostPort": port}])


async def test_a_host_port_is_told_from_the_control_planes_taint():
    other = pod("ingress-1", taken(80), owner=("DaemonSet", "ingress"))
    words = f"{MASTER}, 1 node(s) didn't have free ports for the requested pod ports"
    found = await only(
        scheduling.check, refused(words, pending("web-6d4b9-x", taken(80)), node(), other)
    )
    assert found.kind == "host_port_conflict"
    assert "host port 80 of worker-1 is taken by shop/ingress-1" in found.statement


async def test_a_spread_that_would_grow_uneven():
    rule = {"maxSkew": 1, "topologyKey": "zone", "labelSelector": {"matchLabels": {"app": "web"}}}
    nodes = [
        node("a", labels={"zone": "a"}),
        node("b", labels={"zone": "b"}, spec={"unschedulable": True}),
    ]
    here = [pod(f"web-6d4b9-{n}", spec={"nodeName": "a"}) for n in (1, 2)]
    waiting = pending("web-6d4b9-x", spec={"topologySpreadConstraints": [rule]})
    words = "1 node(s) didn't match pod topology spread constraints, 1 node(s) were unschedulable"
    given = refused(words, waiting, *nodes, *here)
    found = await only(scheduling.check, given)
    assert found.kind in ("topology_spread_conflict", "node_cordon_mismatch")
    assert "they may differ by 1" in found.statement or "cordoned" in found.statement


async def test_a_volume_in_another_zone():
    claim = thing(
        "PersistentVolumeClaim", "data", spec={"volumeName": "pv-1"}, status={"phase": "Bound"}
    )
    term = {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["b"]}]}
    volume = thing(
        "PersistentVolume",
        "pv-1",
        spec={"nodeAffinity": {"required": {"nodeSelectorTerms": [term]}}},
    )
    waiting = pending(
        spec={"volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]}
    )
    words = "1 node(s) had volume node affinity conflict"
    found = await only(
        scheduling.check, refused(words, waiting, node(labels={"zone": "a"}), claim, volume)
    )
    assert found.kind == "volume_node_conflict"
    assert "PersistentVolume pv-1 of claim data is only in zone In b" in found.statement


async def test_a_device_that_no_node_lists():
    gpu = container(resources={"limits": {"nvidia.com/gpu": "1"}})
    found = await only(
        scheduling.check,
        refused("1 Insufficient nvidia.com/gpu", pending("web-6d4b9-x", gpu), node()),
    )
    assert found.kind == "extended_resource_missing"
    assert "worker-1 has none" in found.statement


async def test_the_freest_node_is_named_with_what_is_missing():
    busy = pod(
        "db-1", container(resources={"requests": {"cpu": "3"}}), spec={"nodeName": "worker-1"}
    )
    wants = pending("web-6d4b9-x", container(resources={"requests": {"cpu": "5"}}))
    found = await only(
        scheduling.check, refused("2 Insufficient cpu", wants, node(), node("worker-2"), busy)
    )
    assert (
        "it requests 5 CPU and worker-2 has 4 CPU of 4 CPU free, more than the whole node"
        in found.statement
    )


async def test_a_taint_that_tells_of_an_ill_node_is_no_matter_of_tolerations():
    taint = {"key": "node.kubernetes.io/disk-pressure", "effect": "NoSchedule"}
    words = "1 node(s) had untolerated taint {node.kubernetes.io/disk-pressure: }"
    found = await only(scheduling.check, refused(words, pending(), node(spec={"taints": [taint]})))
    assert found.kind == "nodes_unavailable"


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (f"{MASTER}, 3 node(s) exceed max volume count", "node_volumes_full"),
        (f"{MASTER}, 3 Too many pods", "node_pods_full"),
        (f"{MASTER}, 3 node(s) didn't match pod affinity rules", "pod_affinity_mismatch"),
        (
            f"{MASTER}, 2 node(s) had untolerated taint {{team: a}}, 1 Insufficient cpu",
            "taint_toleration_mismatch",
        ),
        ("something new", "not_scheduled"),
    ],
)
async def test_where_the_objects_do_not_tell_the_rule_that_most_nodes_fail_is_named(words, kind):
    assert (await only(scheduling.check, refused(words, pending()))).kind == kind


async def test_a_closed_gate_is_named():
    waiting = pending(spec={"schedulingGates": [{"name": "example.com/quota"}]})
    found = await only(scheduling.check, case(*web(), waiting))
    assert found.kind == "scheduling_gated"
    assert "example.com/quota" in found.statement
