"""Nodes and the cluster's own parts."""

from datetime import timedelta

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
    thing,
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
        ("False", "KubeletNotReady", "node is shutting down", "node_shut_down"),
        ("False", "KubeletNotReady", "failed to renew: x509: certificate has expired or is not yet valid", "kubelet_certificate_expired"),
        ("False", "KubeletNotReady", "CSINode is not yet initialized", "node_not_ready"),
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


@pytest.mark.parametrize(
    ("problem", "kind"),
    [("ReadonlyFilesystem", "node_filesystem_read_only"), ("NTPProblem", "node_clock_skew"), ("FrequentKubeletRestart", "node_problem")],
)  # fmt: skip
async def test_a_problem_that_a_known_detector_reports(problem, kind):
    found = await only(
        nodes.check, case(ill(problem, "True", "Reported", "seen in the kernel log"))
    )
    assert found.kind == kind


@pytest.mark.parametrize("type_", ["EtcdIsVoter", "MyOwnCondition", "Ready"])
async def test_a_condition_that_nobody_knows_is_nothing_by_being_true(type_):
    assert await kinds(nodes.check, case(ill(type_, "True", "Fine", "as it should be"))) == []


def lease(seconds):
    renewed = (NOW - timedelta(seconds=seconds)).isoformat().replace("+00:00", ".000000Z")
    return thing("Lease", "worker-1", namespace="kube-node-lease", spec={"renewTime": renewed})


def listed(*items):
    return {"kind": items[0]["kind"], "items": list(items), "next_cursor": ""}


def beating(minutes):
    return node(conditions=[{"type": "Ready", "status": "True", "lastHeartbeatTime": ago(minutes)}])


async def test_a_late_heartbeat_makes_a_stale_lease_a_silent_kubelet():
    answers = {"kubernetes.list_resources Lease": listed(lease(190))}
    found = await only(nodes.check, case(beating(8), answers=answers))
    assert (found.kind, str(found.entity)) == ("kubelet_unavailable", "Node worker-1")


async def test_a_lease_that_is_renewed_acquits_the_kubelet():
    answers = {"kubernetes.list_resources Lease": listed(lease(20))}
    assert await kinds(nodes.check, case(beating(8), answers=answers)) == []


@pytest.mark.parametrize(("other", "silent"), [(180, False), (20, True)])
async def test_the_other_nodes_leases_tell_the_time_where_clocks_differ(other, silent):
    twin = lease(other)
    twin["metadata"]["name"] = "worker-2"
    answers = {"kubernetes.list_resources Lease": listed(lease(190), twin)}
    found = await kinds(nodes.check, case(beating(8), answers=answers))
    assert found == (["kubelet_unavailable"] if silent else [])


async def test_leases_are_not_read_where_nothing_speaks_of_them():
    answers = {"kubernetes.list_resources Lease": listed(lease(190))}
    assert await kinds(nodes.check, case(beating(2), answers=answers)) == []


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
