"""Endpoints: Services that reach the wrong pods, not all of them, or none."""

import pytest

from assistant.checks import endpoints
from tests.assistant.checks.cluster import (
    ago,
    case,
    container,
    deployment,
    event,
    kinds,
    only,
    pod,
    replica_set,
    service,
    state,
    thing,
    web,
)

pytestmark = pytest.mark.anyio
LISTENING = container(ports=[{"name": "http", "containerPort": 8080}])
CACHE = container("cache", image="registry.example/redis:7", ports=[{"containerPort": 6379}])


def running(name="web-6d4b9-a", *containers, ip="10.1.0.5", where="worker-1", **fields):
    return pod(name, *(containers or [LISTENING]), states=[state(ready=True)], ready=True,
               status={"podIP": ip}, spec={"nodeName": where}, **fields)  # fmt: skip


def cache(labels):
    return [
        deployment("cache", CACHE, pod_labels=labels),
        replica_set("cache-1", owner=("Deployment", "cache")),
        running("cache-1-a", CACHE, ip="10.1.0.9", owner=("ReplicaSet", "cache-1"), labels=labels),
    ]


BACKEND = {"tier": "backend"}


def backend(*more):
    return [deployment("web", LISTENING, pod_labels=BACKEND), replica_set(), running(labels=BACKEND),
            service("web", selector=BACKEND), *more]  # fmt: skip


async def test_a_service_that_selects_a_foreign_application():
    found = await only(endpoints.check, case(*backend(*cache(BACKEND))))
    assert (found.kind, found.details["foreign"]) == ("service_selects_too_much", "cache")
    assert "do not listen on 8080" in found.statement


async def test_a_canary_of_the_same_image_belongs_there():
    canary = [
        deployment("web-canary", LISTENING, pod_labels=BACKEND),
        replica_set("web-canary-1", owner=("Deployment", "web-canary")),
        running(
            "web-canary-1-a", ip="10.1.0.7", owner=("ReplicaSet", "web-canary-1"), labels=BACKEND
        ),
    ]
    assert await kinds(endpoints.check, case(*backend(*canary))) == []


async def test_a_headless_list_of_all_pods_is_meant():
    rows = backend(*cache(BACKEND))[:3] + cache(BACKEND)
    every = service("web", selector=BACKEND, spec={"clusterIP": "None"})
    assert await kinds(endpoints.check, case(*rows, every)) == []


async def test_local_traffic_with_callers_on_other_nodes():
    env = [{"name": "WEB", "value": "http://web:80"}]
    front = [
        deployment("front", container("front", env=env)),
        replica_set("front-1", owner=("Deployment", "front")),
        running("front-1-a", where="worker-2", ip="10.1.1.5", owner=("ReplicaSet", "front-1"), labels={"app": "front"}),
    ]  # fmt: skip
    local = service(spec={"internalTrafficPolicy": "Local"})
    found = await only(endpoints.check, case(*web(), running(), *front, local))
    assert (found.kind, found.details["nodes"]) == ("traffic_policy_local", "worker-2")
    near = [
        *front[:2],
        running(
            "front-1-a", owner=("ReplicaSet", "front-1"), labels={"app": "front"}, ip="10.1.1.6"
        ),
    ]
    assert await kinds(endpoints.check, case(*web(), running(), *near, local)) == []


async def test_unready_pods_that_get_requests_all_the_same():
    ill = pod(states=[state()])
    published = service(spec={"publishNotReadyAddresses": True})
    assert await kinds(endpoints.check, case(*web(), ill, published)) == ["unready_published"]
    assert await kinds(endpoints.check, case(*web(), ill, service())) == []


def slices(*addresses):
    row = thing("EndpointSlice", "web-x", labels={"kubernetes.io/service-name": "web"},
                endpoints=[{"addresses": [a], "conditions": {"ready": True}} for a in addresses])  # fmt: skip
    return {"kubernetes.list_resources EndpointSlice": {"kind": "EndpointSlice", "items": [row]}}


async def test_endpoints_that_do_not_follow_the_pods():
    found = await only(
        endpoints.check, case(*web(), running(), service(), answers=slices("10.1.0.99"))
    )
    assert found.kind == "endpoints_stale"
    assert "web-6d4b9-a is Ready and gets no requests" in found.statement


async def test_endpoints_that_are_the_ready_pods():
    assert (
        await kinds(endpoints.check, case(*web(), running(), service(), answers=slices("10.1.0.5")))
        == []
    )


async def test_a_pod_that_became_ready_this_minute_may_still_be_missing():
    fresh = running()
    fresh["status"]["conditions"][0]["lastTransitionTime"] = ago(0.5)
    given = case(
        *web(), fresh, running("web-6d4b9-b", ip="10.1.0.6"), service(), answers=slices("10.1.0.6")
    )
    assert await kinds(endpoints.check, given) == []


async def test_endpoints_are_not_read_where_pods_are_ill_anyway():
    ill = pod("web-6d4b9-z", LISTENING, states=[state()])
    assert (
        await kinds(
            endpoints.check, case(*web(), running(), ill, service(), answers=slices("10.1.0.99"))
        )
        == []
    )


async def test_a_load_balancer_that_the_cloud_refused_within_the_window():
    outside = service(spec={"type": "LoadBalancer"})
    told = event(outside, "SyncLoadBalancerFailed", "Error syncing load balancer: quota exceeded")
    found = await only(endpoints.check, case(*web(), running(), outside, events=[told]))
    assert (found.kind, found.active) == ("load_balancer_pending", True)


async def test_a_load_balancer_that_never_had_an_address_and_of_which_nobody_speaks():
    outside = service(spec={"type": "LoadBalancer"}, status={"loadBalancer": {}})
    assert await kinds(endpoints.check, case(*web(), running(), outside)) == []


async def test_a_node_port_that_two_services_claim():
    outside = service(spec={"type": "NodePort"})
    told = event(outside, "PortAlreadyAllocated", "Port 30080 was assigned to multiple services")
    assert await kinds(endpoints.check, case(*web(), running(), outside, events=[told])) == [
        "service_address_conflict"
    ]
