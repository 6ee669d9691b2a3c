"""Scheduling: the rule that alone keeps the nodes out is worked out again from the objects."""

import pytest
from hypothesis import given as for_any
from hypothesis import strategies as st

from assistant.checks import scheduling
from assistant.checks.reading.objects.placement import tolerates
from assistant.checks.reading.objects.quantities import amount, quantity
from tests.assistant.checks.cluster import (
    ago,
    case,
    container,
    deployment,
    event,
    kinds,
    node,
    only,
    pending,
    pod,
    replica_set,
    snapshot,
    state,
    web,
)

pytestmark = pytest.mark.anyio
TAIL = " preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling."
CPU = container(resources={"requests": {"cpu": "6"}})


def unplaced(words, *nodes, pod_container=None, **spec):
    waiting = pending("web-6d4b9-x2x7p", pod_container or container(), spec=spec)
    nodes = nodes or (node("worker-1"), node("worker-2"))
    return case(*web(), waiting, *nodes, events=[event(waiting, "FailedScheduling", words + TAIL)])


async def test_no_node_has_the_cpu():
    found = await only(
        scheduling.check,
        unplaced("0/2 nodes are available: 2 Insufficient cpu.", pod_container=CPU),
    )
    assert found.kind == "cpu_capacity_mismatch"
    assert "6 CPU" in found.statement


async def test_memory_that_other_pods_have_taken_is_not_free():
    big = container(resources={"requests": {"memory": "5Gi"}})
    hungry = container(resources={"requests": {"memory": "6Gi"}})
    other = pod("batch-1", hungry, owner=("Job", "batch"), labels={})
    waiting = pending("web-6d4b9-x2x7p", big)
    words = "0/1 nodes are available: 1 Insufficient memory."
    given = case(*web(), waiting, other, node(), events=[event(waiting, "FailedScheduling", words)])
    assert (await only(scheduling.check, given)).kind == "memory_capacity_mismatch"


async def test_node_selector_and_required_affinity_are_told_apart():
    words = "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector."
    wanted = {"key": "disk", "operator": "In", "values": ["ssd"]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
        "nodeSelectorTerms": [{"matchExpressions": [wanted]}]}}}  # fmt: skip
    by_selector = unplaced(words, nodeSelector={"disk": "ssd"})
    by_affinity = unplaced(words, affinity=affinity)
    assert (await only(scheduling.check, by_selector)).kind == "node_selector_mismatch"
    assert (await only(scheduling.check, by_affinity)).kind == "node_affinity_mismatch"


async def test_a_taint_that_is_not_tolerated():
    taint = {"key": "compute", "value": "batch", "effect": "NoSchedule"}
    words = "0/2 nodes are available: 2 node(s) had untolerated taint {compute: batch}."
    nodes = [node(name, spec={"taints": [taint]}) for name in ("worker-1", "worker-2")]
    assert (
        await only(scheduling.check, unplaced(words, *nodes))
    ).kind == "taint_toleration_mismatch"


async def test_cordoned_nodes_and_the_control_planes_taint_is_not_the_reason():
    master = node("master", labels={"node-role.kubernetes.io/control-plane": ""}, spec={
        "taints": [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]})  # fmt: skip
    cordoned = node("worker-1", spec={"unschedulable": True})
    words = ("0/2 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: },"
             " 1 node(s) were unschedulable.")  # fmt: skip
    assert (
        await only(scheduling.check, unplaced(words, master, cordoned))
    ).kind == "node_cordon_mismatch"


async def test_anti_affinity_with_more_replicas_than_nodes():
    rule = [
        {"labelSelector": {"matchLabels": {"app": "web"}}, "topologyKey": "kubernetes.io/hostname"}
    ]
    affinity = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": rule}}
    running = pod("web-6d4b9-aaaaa", states=[state(ready=True)], ready=True)
    waiting = pending("web-6d4b9-x2x7p", spec={"affinity": affinity})
    words = "0/1 nodes are available: 1 node(s) didn't match pod anti-affinity rules."
    given = case(
        *web(), running, waiting, node(), events=[event(waiting, "FailedScheduling", words)]
    )
    assert (await only(scheduling.check, given)).kind == "pod_anti_affinity_conflict"


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("0/2 nodes are available: 2 Insufficient nvidia.com/gpu.", "extended_resource_missing"),
        ("0/2 nodes are available: 2 node(s) didn't have free ports for the requested pod ports.", "host_port_conflict"),
        ("0/2 nodes are available: 2 node(s) didn't match pod topology spread constraints.", "topology_spread_conflict"),
        ("0/2 nodes are available: 2 node(s) had volume node affinity conflict.", "volume_node_conflict"),
        ("no nodes available to schedule pods", "not_scheduled"),
    ],
)  # fmt: skip
async def test_what_cannot_be_worked_out_again_is_taken_from_the_schedulers_words(words, kind):
    assert (await only(scheduling.check, unplaced(words))).kind == kind


async def test_an_unbound_claim_is_left_to_the_storage_check():
    words = "0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims."
    assert await kinds(scheduling.check, unplaced(words)) == []


async def test_a_closed_scheduling_gate():
    gated = pending(spec={"schedulingGates": [{"name": "example/quota"}]})
    assert (await only(scheduling.check, case(*web(), gated))).kind == "scheduling_gated"


async def test_a_pod_that_is_being_deleted_waits_for_no_node():
    leaving = pending(deletionTimestamp=ago(2))
    events = [
        event(leaving, "FailedScheduling", "skip schedule deleting pod: shop/web-6d4b9-x2x7p")
    ]
    assert await kinds(scheduling.check, case(*web(), leaving, node(), events=events)) == []


async def test_a_refusal_before_the_pod_found_its_node_is_nothing():
    running = pod(states=[state(ready=True)], ready=True)
    events = [
        event(
            running, "FailedScheduling", "0/2 nodes are available: 2 Insufficient cpu.", minutes=19
        )
    ]
    assert await kinds(scheduling.check, case(*web(), running, node(), events=events)) == []


async def test_three_replicas_without_a_node_are_one_finding_a_pod_set():
    rows = [pending(f"web-6d4b9-{n}") for n in ("aaaaa", "bbbbb")]
    events = [
        event(row, "FailedScheduling", "0/1 nodes are available: 1 Insufficient cpu.")
        for row in rows
    ]
    given = case(deployment(), replica_set(), *rows, node(), events=events)
    found = await scheduling.check(given)
    assert {(f.kind, str(f.entity)) for f in found} == {
        ("cpu_capacity_mismatch", "Deployment shop/web")
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [("250m", 0.25), ("2", 2.0), ("1Gi", 2.0**30), ("128974848", 128974848.0), ("1e3", 1000.0), ("129e6", 129e6),
     ("0.5", 0.5), ("100k", 1e5), (None, 0.0), ("", 0.0), ("lots", 0.0), (3, 3.0)],
)  # fmt: skip
def test_quantities_are_read_as_kubernetes_writes_them(text, value):
    assert quantity(text) == pytest.approx(value)


@for_any(st.one_of(st.text(max_size=12), st.integers(), st.floats(), st.none()))
def test_no_quantity_breaks_the_reading(text):
    assert amount(quantity(text), "memory")


@pytest.mark.parametrize(
    ("toleration", "borne"),
    [
        ({"operator": "Exists"}, True),
        ({"operator": "Exists", "key": "compute"}, True),
        ({"key": "compute", "operator": "Equal", "value": "batch"}, True),
        ({"key": "compute", "value": "batch", "effect": "NoSchedule"}, True),
        ({"key": "compute", "value": "batch", "effect": "NoExecute"}, False),
        ({"key": "compute", "value": "web"}, False),
        ({"operator": "Exists", "key": "other"}, False),
    ],
)
def test_a_toleration_bears_a_taint_as_the_scheduler_says(toleration, borne):
    taint = {"key": "compute", "value": "batch", "effect": "NoSchedule"}
    given = snapshot(pending(spec={"tolerations": [toleration]}))
    assert tolerates(given.of("Pod")[0], taint) is borne
