"""The cluster's own parts, by their labels as well as by their names."""

from datetime import timedelta

import pytest

from assistant.checks import control_plane, endpoints, evictions, gateway_api, nodes
from assistant.faults import catalogue
from tests.assistant.checks.cluster import NOW, case, deployment, kinds, node, only, pod, thing

pytestmark = pytest.mark.anyio
SYSTEM = {"namespace": "kube-system", "owner": None}


async def test_a_part_of_the_cluster_that_is_down():
    proxy = pod("kube-proxy-b7xkq", namespace="kube-system", owner=None, labels={})
    twin = pod(
        "kube-proxy-a1a1a",
        namespace="kube-system",
        owner=None,
        labels={},
        ready=True,
        spec={"nodeName": "worker-2"},
    )
    found = await only(control_plane.check, case(proxy, twin))
    assert found.kind == "kube_proxy_unavailable"
    assert found.details["node"] == "worker-1"
    assert found.strength > 0.9, "kube-proxy of another node does not help this one"


async def test_one_dns_pod_of_two_is_a_weak_sign():
    rows = [
        pod(f"coredns-5d7{n}", namespace="kube-system", owner=None, labels={}, ready=bool(n))
        for n in (0, 1)
    ]
    found = await only(control_plane.check, case(*rows))
    assert (found.kind, found.strength) == ("coredns_unavailable", 0.5)


async def test_a_part_is_known_by_its_label_too():
    dns = pod("rke2-coredns-rke2-coredns-7b8c", labels={"k8s-app": "kube-dns"}, **SYSTEM)
    found = await only(control_plane.check, case(dns))
    assert (found.kind, found.strength) == ("coredns_unavailable", 0.95)


@pytest.mark.parametrize(
    "name", ["coredns-autoscaler-5d7", "metrics-server-6d", "kube-proxy-exporter-x"]
)
async def test_what_only_sounds_like_a_part_is_none(name):
    assert await kinds(control_plane.check, case(pod(name, labels={}, **SYSTEM))) == []


async def test_a_pod_that_is_going_away_is_no_part_any_more():
    going = pod("coredns-5d7", labels={}, deletionTimestamp="2026-03-14T02:00:00Z", **SYSTEM)
    assert await kinds(control_plane.check, case(going)) == []


def proxies(*workers):
    return [
        pod(f"kube-proxy-{w}", ready=True, labels={}, spec={"nodeName": w}, **SYSTEM)
        for w in workers
    ]


async def test_a_node_without_the_proxy_that_the_others_have():
    nodes = [node(f"worker-{n}") for n in (1, 2, 3)]
    found = await only(control_plane.check, case(*nodes, *proxies("worker-1", "worker-2")))
    assert (found.kind, found.details["node"]) == ("kube_proxy_unavailable", "worker-3")


async def test_a_cluster_that_shows_no_proxy_at_all_is_managed_otherwise():
    assert await kinds(control_plane.check, case(node("worker-1"), node("worker-2"))) == []


async def test_a_virtual_node_needs_no_proxy():
    bare = node("fargate-1", labels={"eks.amazonaws.com/compute-type": "fargate"})
    assert (
        await kinds(control_plane.check, case(node("worker-1"), bare, *proxies("worker-1"))) == []
    )


def undone():
    item = deployment()
    item["metadata"]["generation"] = 7
    return item | {"status": {"observedGeneration": 6}}


def leader(seconds):
    renewed = (NOW - timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")
    lease = thing(
        "Lease", "kube-controller-manager", namespace="kube-system", spec={"renewTime": renewed}
    )
    return {
        "kubernetes.list_resources Lease": {"kind": "Lease", "items": [lease], "next_cursor": ""}
    }


async def test_a_change_that_nobody_acted_on_and_a_leader_that_is_gone():
    found = await only(control_plane.check, case(undone(), answers=leader(400)))
    assert (found.kind, found.strength) == ("controller_manager_unavailable", 0.95)


async def test_a_change_that_nobody_acted_on_yet_while_the_leader_is_there():
    assert await kinds(control_plane.check, case(undone(), answers=leader(3))) == []


async def test_a_change_that_was_acted_on_asks_nothing():
    done = undone() | {"status": {"observedGeneration": 7}}
    assert await kinds(control_plane.check, case(done, answers=leader(400))) == []


def test_every_kind_of_these_tables_is_in_the_catalogue():
    named = {
        *control_plane.COMPONENTS.values(), *endpoints.REFUSALS.values(), *evictions.SHORTAGES.values(),
        *gateway_api.REFUSED.values(), *nodes.PRESSURE.values(), *nodes.PROBLEMS.values(),
        *nodes.UNITS.values(), *(kind for kind, _ in nodes.NOT_READY),
    }  # fmt: skip
    assert named <= set(catalogue())
