"""Nodes and the cluster's own parts."""

import pytest

from assistant.checks import nodes
from tests.assistant.checks.cluster import (
    NOW,
    ago,
    case,
    evidence,
    kinds,
    node,
    only,
    pod,
    state,
    web,
)

pytestmark = pytest.mark.anyio
UNITS = 'node_systemd_unit_state{state="active"} == 0'


def ill(type_, status, reason, message, minutes=20):
    return node(conditions=[{"type": type_, "status": status, "reason": reason, "message": message,
                             "lastTransitionTime": ago(minutes)}])  # fmt: skip


@pytest.mark.parametrize(
    ("status", "reason", "message", "kind"),
    [
        ("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.", "kubelet_unavailable"),
        ("False", "KubeletNotReady", "container runtime is down", "containerd_unavailable"),
        ("False", "KubeletNotReady", "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady"
         " message:Network plugin returns error: cni plugin not initialized", "cni_down"),
        ("False", "KubeletNotReady", 'rpc error: code = Unavailable desc = connection error: desc = "transport: Error'
         ' while dialing: dial unix /run/containerd/containerd.sock: connect: connection refused"', "containerd_unavailable"),
        ("False", "KubeletNotReady", "PLEG is not healthy: pleg was last seen active 4m3s ago", "containerd_unavailable"),
        ("False", "KubeletNotReady", "node is shutting down", "node_not_ready"),
    ],
)  # fmt: skip
async def test_a_node_that_is_not_ready_says_why(status, reason, message, kind):
    placed = pod(states=[state(ready=True)], ready=True)
    found = await only(nodes.check, case(*web(), placed, ill("Ready", status, reason, message)))
    assert (found.kind, str(found.entity)) == (kind, "Node worker-1")
    assert "Deployment shop/web" in map(str, found.about)
    assert found.began.isoformat() == ago(20).replace("Z", "+00:00")


@pytest.mark.parametrize(
    ("pressure", "kind"),
    [("DiskPressure", "node_disk_pressure"), ("MemoryPressure", "node_memory_pressure"), ("PIDPressure", "node_pid_pressure")],
)  # fmt: skip
async def test_pressure_is_named(pressure, kind):
    found = await only(
        nodes.check, case(ill(pressure, "True", f"KubeletHas{pressure}", "kubelet has pressure"))
    )
    assert found.kind == kind


async def test_a_well_node_without_pressure_is_nothing():
    well = [{"type": "Ready", "status": "True"}, {"type": "DiskPressure", "status": "False"}]
    assert await kinds(nodes.check, case(node(conditions=well))) == []


async def test_a_node_without_a_status_is_nothing():
    assert await kinds(nodes.check, case(node() | {"status": None})) == []


async def test_an_evicted_pod_names_its_node_and_the_resource():
    message = (
        "The node was low on resource: ephemeral-storage. Threshold quantity: 1Gi, available: 80Mi."
    )
    gone = pod(phase="Failed", status={"reason": "Evicted", "message": message})
    found = await only(nodes.check, case(*web(), gone))
    assert (found.kind, found.details["node"]) == ("evicted", "worker-1")
    assert "ephemeral-storage" in found.statement


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
    found = await only(nodes.check, case(proxy, twin))
    assert found.kind == "kube_proxy_unavailable"
    assert found.details["node"] == "worker-1"
    assert found.strength > 0.9, "kube-proxy of another node does not help this one"


async def test_one_dns_pod_of_two_is_a_weak_sign():
    rows = [
        pod(f"coredns-5d7{n}", namespace="kube-system", owner=None, labels={}, ready=bool(n))
        for n in (0, 1)
    ]
    found = await only(nodes.check, case(*rows))
    assert (found.kind, found.strength) == ("coredns_unavailable", 0.5)


def units(name, value, **labels):
    row = {
        "labels": {"name": name, "state": "active", **labels},
        "time": NOW.timestamp(),
        "value": value,
    }
    return evidence("prometheus.query", {"query": UNITS}, {"series": [row]})


async def test_a_system_service_that_the_node_exporter_sees_down():
    found = await only(
        nodes.check, case(more=[units("kubelet.service", 0, instance="worker-1:9100")])
    )
    assert (found.kind, str(found.entity)) == ("kubelet_unavailable", "Node worker-1")


async def test_other_system_services_and_active_ones_are_nothing():
    more = [
        units("fwupd.service", 0, node="worker-1"),
        units("kubelet.service", 1, node="worker-2"),
    ]
    assert await kinds(nodes.check, case(more=more[:1])) == []
    assert await kinds(nodes.check, case(more=more[1:])) == []
