"""Deletions that do not finish, and what holds them; one under way is nothing."""

import pytest

from assistant.checks import lifecycle
from tests.assistant.checks.cluster import ago, case, kinds, node, only, pod, thing

pytestmark = pytest.mark.anyio


def leaving(
    kind="PersistentVolumeClaim", minutes=40, finalizers=("kubernetes.io/pvc-protection",), **fields
):
    item = thing(kind, "data", deletionTimestamp=ago(minutes), **fields)
    item["metadata"]["finalizers"] = list(finalizers)
    return item


async def test_a_finalizer_that_nobody_removes():
    found = await only(
        lifecycle.check, case(leaving("Service", finalizers=["example.com/cleanup"]))
    )
    assert found.kind == "stuck_terminating"
    assert "40 min ago" in found.statement
    assert "example.com/cleanup is not removed" in found.statement


async def test_a_claim_that_is_still_used_names_its_user():
    user = pod(
        "db-0", spec={"volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]}
    )
    found = await only(lifecycle.check, case(leaving(), user))
    assert found.statement.endswith("; db-0 uses it")


async def test_a_deletion_of_this_moment_is_nothing():
    assert await kinds(lifecycle.check, case(leaving(minutes=2))) == []


async def test_a_pod_that_a_living_node_does_not_end():
    given = case(pod(deletionTimestamp=ago(30)), node())
    found = await only(lifecycle.check, given)
    assert "kubelet does not end it" in found.statement


async def test_a_pod_of_a_dead_node_is_the_nodes_trouble():
    dead = node(conditions=[{"type": "Ready", "status": "Unknown"}])
    assert await kinds(lifecycle.check, case(pod(deletionTimestamp=ago(30)), dead)) == []


def namespace(phase="Terminating", *conditions):
    item = thing("Namespace", "shop", namespace="", deletionTimestamp=ago(30))
    return {**item, "status": {"phase": phase, "conditions": list(conditions)}}


async def test_a_namespace_that_does_not_go_says_what_remains():
    words = "unable to retrieve the complete list of server APIs: metrics.k8s.io/v1beta1: stale"
    condition = {"type": "NamespaceDeletionDiscoveryFailure", "status": "True", "message": words}
    found = await only(lifecycle.check, case(namespace("Terminating", condition)))
    assert (found.kind, str(found.entity)) == ("namespace_stuck_terminating", "Namespace shop")
    assert "metrics.k8s.io" in found.statement
