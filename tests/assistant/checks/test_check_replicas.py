"""StatefulSets behind a broken ordinal, daemons that lack nodes, paused rollouts, a missing headless Service."""

import pytest

from assistant.checks import replicas
from tests.assistant.checks.cluster import (
    case,
    container,
    deployment,
    kinds,
    node,
    only,
    pod,
    replica_set,
    service,
    thing,
)

pytestmark = pytest.mark.anyio


def stateful(replicas_=3, update="db-new", policy="OrderedReady"):
    spec = {"podManagementPolicy": policy, "serviceName": "db"}
    return deployment(
        "db", kind="StatefulSet", replicas=replicas_, spec=spec, status={"updateRevision": update}
    )


def ordinal(number, revision="db-new", *, ready=False):
    labels = {"app": "db", "controller-revision-hash": revision}
    return pod(f"db-{number}", owner=("StatefulSet", "db"), labels=labels, ready=ready)


async def test_the_first_ordinal_that_is_not_ready_is_named():
    found = await only(
        replicas.check, case(stateful(), service("db"), ordinal(0, ready=True), ordinal(1))
    )
    assert (found.kind, found.details["pod"]) == ("statefulset_stuck", "db-1")


async def test_a_broken_pod_of_a_former_revision_must_be_deleted_by_hand():
    given = case(stateful(2), service("db"), ordinal(0, ready=True), ordinal(1, "db-old"))
    found = await only(replicas.check, given)
    assert (found.kind, found.details["pod"]) == ("statefulset_needs_pod_deleted", "db-1")


async def test_pods_made_side_by_side_wait_for_nobody():
    assert (
        await kinds(replicas.check, case(stateful(policy="Parallel"), service("db"), ordinal(0)))
        == []
    )


async def test_a_headless_service_is_missed_where_a_pods_name_is_used():
    client = deployment("front", container("front", env=[{"name": "DB", "value": "db-0.db:5432"}]))
    given = case(stateful(1), ordinal(0, ready=True), client)
    found = await only(replicas.check, given)
    assert (found.kind, str(found.entity)) == ("headless_service_missing", "Service shop/db")


async def test_a_headless_service_that_nobody_uses_is_not_missed():
    assert await kinds(replicas.check, case(stateful(1), ordinal(0, ready=True))) == []


def daemon(wanted=2, well=1, **pod_spec):
    status = {"desiredNumberScheduled": wanted, "numberAvailable": well}
    return deployment("agent", kind="DaemonSet", status=status, pod=pod_spec)


async def test_the_nodes_without_their_daemon_are_named():
    tainted = node(
        "gpu-1", spec={"taints": [{"key": "gpu", "value": "yes", "effect": "NoSchedule"}]}
    )
    here = pod("agent-1", owner=("DaemonSet", "agent"), labels={"app": "agent"}, ready=True)
    found = await only(replicas.check, case(daemon(), here, node(), node("worker-2"), tainted))
    assert found.kind == "daemonset_incomplete"
    assert found.statement.endswith("1 of 2 nodes; no pod on worker-2")


async def test_a_daemon_on_all_its_nodes_is_nothing():
    assert await kinds(replicas.check, case(daemon(2, 2))) == []


async def test_a_pause_that_holds_an_image_back():
    paused = deployment("web", container(image="web:2"), spec={"paused": True})
    old = pod("web-6d4b9-x", container(image="web:1"), ready=True)
    found = await only(replicas.check, case(paused, replica_set(), old))
    assert found.kind == "rollout_paused"
    assert "web:1 -> web:2" in found.statement


async def test_a_pause_with_nothing_held_back_is_nothing():
    paused = deployment(spec={"paused": True})
    assert await kinds(replicas.check, case(paused, replica_set(), pod(ready=True))) == []


async def test_a_plain_thing_is_nothing():
    assert await kinds(replicas.check, case(thing("ConfigMap", "x"))) == []
