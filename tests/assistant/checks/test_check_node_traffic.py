"""Nodes from which Services cannot be reached, told from Services that are ill themselves."""

import pytest

from assistant.checks import node_traffic
from tests.assistant.checks.cluster import (
    case,
    container,
    deployment,
    kinds,
    logs,
    node,
    only,
    pod,
    replica_set,
    service,
    state,
)

pytestmark = pytest.mark.anyio


def workload(name, where, *calls, ready=True):
    asking = container(
        name, env=[{"name": f"{c.upper()}_URL", "value": f"http://{c}:80"} for c in calls]
    )
    return [
        deployment(name, asking),
        replica_set(f"{name}-1", owner=("Deployment", name)),
        pod(f"{name}-1-a", asking, owner=("ReplicaSet", f"{name}-1"), labels={"app": name},
            states=[state(name, ready=ready)], ready=ready, spec={"nodeName": where}),
    ]  # fmt: skip


def said(*callers):
    """Each caller's log: it reaches neither `cart` nor `stock`."""
    words = ("dial tcp cart:80: i/o timeout", "dial tcp stock:80: i/o timeout")
    return {
        f"kubernetes.get_pod_logs {name}-1-a": logs(*words, namespace="shop", pod=f"{name}-1-a")
        for name in callers
    }


SERVED = [
    *workload("cart", "worker-2"), service("cart"),
    *workload("stock", "worker-3"), service("stock"),
    *workload("web", "worker-1", "cart", "stock"),
    *workload("mail", "worker-1", "cart", "stock"),
    *workload("api", "worker-2", "cart", "stock"),
    node("worker-1"),
]  # fmt: skip


async def test_a_node_whose_callers_alone_miss_services_that_are_well():
    found = await only(node_traffic.check, case(*SERVED, answers=said("web", "mail")))
    assert (found.kind, str(found.entity)) == ("node_services_unreachable", "Node worker-1")
    assert set(map(str, found.about)) == {"Deployment shop/web", "Deployment shop/mail"}


async def test_callers_of_another_node_that_miss_them_too_acquit_the_node():
    assert await kinds(node_traffic.check, case(*SERVED, answers=said("web", "mail", "api"))) == []


async def test_one_caller_is_not_a_node():
    assert await kinds(node_traffic.check, case(*SERVED, answers=said("web"))) == []


async def test_services_that_are_ill_are_not_the_nodes_fault():
    ill = [*SERVED[4:], *workload("cart", "worker-2", ready=False), service("cart")]
    assert await kinds(node_traffic.check, case(*ill, answers=said("web", "mail"))) == []
