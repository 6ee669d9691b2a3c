"""Packets that get lost, and nodes on which everything is slow."""

import pytest

from assistant.checks import network
from tests.assistant.checks.cluster import case, deployment, kinds, node, pod, replica_set
from tests.assistant.checks.traffic import anomalies, anomaly, calm, services, slow

pytestmark = pytest.mark.anyio
NAMES = ("web", "orders", "stock", "mail")


def placed(*known, on="worker-1", elsewhere=()):
    """Four workloads with one pod each, on one node or the other."""
    objects = [node(), node("worker-2")]
    for name in NAMES:
        where = "worker-2" if name in elsewhere else on
        owner = f"{name}-5f7d"
        objects += [
            deployment(name),
            replica_set(owner, owner=("Deployment", name)),
            pod(f"{owner}-x2x7p", owner=("ReplicaSet", owner), spec={"nodeName": where}),
        ]
    return case(*objects, more=known)


def lost(node_name, during, metric="node_netstat_Tcp_RetransSegs", **labels):
    return anomaly(metric, before=0.1, during=during, node=node_name, **labels)


async def test_the_node_that_loses_most_is_the_cause_where_services_on_it_are_ill():
    seen = [
        services(slow("web"), slow("orders")),
        anomalies(lost("worker-1", 40), lost("worker-2", 3)),
    ]
    found = {(f.kind, f.entity.name) for f in await network.check(placed(*seen))}
    assert ("node_network_packet_loss", "worker-1") in found
    assert ("packets_lost", "worker-2") in found
    assert ("node_network_packet_loss", "worker-2") not in found


@pytest.mark.parametrize(
    "row",
    [
        lost("worker-1", 0.6),
        lost("worker-1", 40, strength=1.0),
        anomaly("node_netstat_Tcp_OutSegs", before=1, during=90, node="worker-1"),
    ],
)
async def test_a_few_packets_sent_twice_are_ordinary_life(row):
    assert await kinds(network.check, placed(services(slow("web")), anomalies(row))) == []


async def test_lost_packets_where_every_service_is_well_are_a_symptom_alone():
    seen = [services(calm("web")), anomalies(lost("worker-1", 40))]
    assert await kinds(network.check, placed(*seen)) == ["packets_lost"]


async def test_nodes_that_lose_alike_are_a_tie_and_say_so():
    rows = anomalies(lost("worker-1", 40), lost("worker-2", 38))
    seen = [services(slow("web"), slow("orders")), rows]
    found = await network.check(placed(*seen, elsewhere=("orders",)))
    causes = [f for f in found if f.kind == "node_network_packet_loss"]
    assert len(causes) == 2
    assert len({f.strength for f in causes}) == 1
    assert "metrics do not tell it from worker-2" in causes[0].statement


async def test_a_slow_pod_whose_own_packets_are_dropped_is_named():
    row = anomaly("container_network_receive_packets_dropped_total", before=0, during=30,
                  namespace="shop", pod="web-5f7d-x2x7p")  # fmt: skip
    found = {f.kind: f for f in await network.check(placed(services(slow("web")), anomalies(row)))}
    assert found["pod_network_loss"].entity.name == "web"


async def test_a_node_on_which_nearly_all_is_slow_and_nothing_elsewhere_is_the_cause():
    seen = services(slow("web"), slow("orders"), slow("stock"), calm("mail"))
    found = await network.check(placed(seen, elsewhere=("mail",)))
    assert [(f.kind, f.entity.name) for f in found] == [("node_network_delay", "worker-1")]


@pytest.mark.parametrize(
    ("signals", "calls"),
    [
        ([slow("web"), slow("orders"), slow("stock"), slow("mail")], ""),
        ([slow("web"), slow("orders"), slow("stock"), calm("mail")], "web>orders orders>stock"),
        ([slow("web"), calm("orders"), calm("stock"), calm("mail")], ""),
    ],
)
async def test_trouble_elsewhere_one_common_callee_or_one_service_alone_blame_no_node(
    signals, calls
):
    given = placed(services(*signals, calls=calls), elsewhere=("mail",))
    assert await kinds(network.check, given) == []
