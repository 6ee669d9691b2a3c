"""Routing: selectors, ports, protocols, addresses; what nobody is meant to reach is no trouble."""

import pytest
from hypothesis import given as for_any
from hypothesis import strategies as st

from assistant.checks import routing
from assistant.incident import Entity
from assistant.topology import hosts
from tests.assistant.checks.cluster import (
    case,
    container,
    deployment,
    kinds,
    only,
    pod,
    replica_set,
    service,
    state,
    web,
)

pytestmark = pytest.mark.anyio
PORTS = [{"name": "http", "containerPort": 8080, "protocol": "TCP"}]
LISTENING = container(ports=PORTS)


def running(*containers, **fields):
    return pod(
        "web-6d4b9-x2x7p",
        *(containers or [LISTENING]),
        states=[state(ready=True)],
        ready=True,
        **fields,
    )


async def test_a_selector_that_misses_its_pods_by_one_label():
    wrong = service(selector={"app": "web", "tier": "frontnd"})
    objects = [deployment(pod_labels={"app": "web", "tier": "frontend"}), replica_set(),
               running(labels={"app": "web", "tier": "frontend"})]  # fmt: skip
    found = await only(routing.check, case(*objects, wrong))
    assert (found.kind, str(found.entity)) == ("service_selector_mismatch", "Service shop/web")
    assert found.details["workload"] == "web"
    assert found.details["selector"] == "tier=frontnd"
    assert found.details["labels"] == "tier=frontend"
    assert "tier=frontnd" in found.statement


@pytest.mark.parametrize(
    ("selector", "labels", "have"),
    [
        ({"app": "wbe"}, {"app": "webshop"}, None),
        ({"app": "web-shp"}, {"app": "web-shop"}, "app=web-shop"),
        ({"app": "shop"}, {"app.kubernetes.io/name": "shop"}, "no app"),
    ],
)
async def test_a_selector_that_is_nearly_right_names_the_label_that_differs(selector, labels, have):
    objects = [deployment(pod_labels=labels), replica_set(), running(labels=labels)]
    found = await only(routing.check, case(*objects, service("edge", selector=selector)))
    if have is None:
        assert found.kind == "service_without_endpoints"
    else:
        assert (found.kind, found.details["labels"]) == ("service_selector_mismatch", have)


async def test_of_two_that_differ_by_a_label_the_service_is_held_against_its_namesake():
    wanted = {"app": "web", "component": "api"}
    other = {"app": "cart", "component": "api"}
    mine = {"app": "web", "component": "pages"}
    objects = [
        deployment("cart", pod_labels=other),
        replica_set("cart-1", owner=("Deployment", "cart")),
        pod("cart-1-a", LISTENING, ready=True, owner=("ReplicaSet", "cart-1"), labels=other),
        deployment(pod_labels=mine),
        replica_set(),
        running(labels=mine),
    ]
    found = await only(routing.check, case(*objects, service(selector=wanted)))
    assert (found.details["workload"], found.details["labels"]) == ("web", "component=pages")


async def test_a_service_is_held_against_the_pods_that_it_selected_until_they_were_relabelled():
    was, is_now = {"app": "pages", "part-of": "shop"}, {"app": "site", "part-of": "shop"}
    others = {"app": "cart", "part-of": "shop"}
    old = replica_set("web-old", have=0)
    objects = [
        deployment("cart", pod_labels=others),
        replica_set("cart-1", owner=("Deployment", "cart")),
        pod("cart-1-a", LISTENING, ready=True, owner=("ReplicaSet", "cart-1"), labels=others),
        deployment(pod_labels=is_now),
        {**old, "spec": {"replicas": 0, "template": {"metadata": {"labels": was}}}},
        replica_set(),
        running(labels=is_now),
    ]
    found = await only(routing.check, case(*objects, service("entrance", selector=was)))
    assert found.details["workload"] == "web"


async def test_a_service_whose_own_workload_has_no_pods_is_not_made_for_a_like_named_one():
    empty = deployment("carts", replicas=1)
    like = [
        deployment("cards"),
        replica_set(owner=("Deployment", "cards")),
        running(labels={"app": "cards"}),
    ]
    given = case(empty, *like, service("carts"), service("cards"))
    assert await kinds(routing.check, given) == ["service_without_endpoints"]


async def test_a_workload_that_another_service_serves_is_not_taken_for_a_slip():
    like = [
        deployment("cards"),
        replica_set(owner=("Deployment", "cards")),
        running(labels={"app": "cards"}),
    ]
    given = case(*like, service("cards"), service("carts"))
    assert await kinds(routing.check, given) == ["service_without_endpoints"]


async def test_a_named_target_port_needs_a_port_of_that_name():
    wrong = service(ports=[{"port": 80, "targetPort": "grpc"}])
    found = await only(routing.check, case(*web(), running(container()), wrong))
    assert found.kind == "service_port_mapping_mismatch"
    assert "the port named 'grpc'" in found.statement


async def test_an_undeclared_port_beside_one_that_fits_is_often_metrics():
    both = service(ports=[{"port": 80, "targetPort": 8080}, {"port": 9090, "targetPort": 9090}])
    found = await only(routing.check, case(*web(), running(), both))
    assert found.strength == 0.5


async def test_a_port_that_a_probe_asks_is_listened_on():
    probed = container(ports=PORTS, readinessProbe={"httpGet": {"port": 9090, "path": "/"}})
    right = service(ports=[{"port": 80, "targetPort": 9090}])
    assert await kinds(routing.check, case(*web(), running(probed), right)) == []


async def test_a_service_whose_pods_are_not_ready_has_no_endpoints():
    ill = pod("web-6d4b9-x2x7p", LISTENING, states=[state()])
    assert (
        await only(routing.check, case(*web(), ill, service()))
    ).kind == "service_without_endpoints"


async def test_one_ready_pod_is_an_endpoint():
    ill = pod("web-6d4b9-zzzzz", LISTENING, states=[state()])
    assert await kinds(routing.check, case(*web(), ill, running(), service())) == []


async def test_a_service_without_a_selector_is_somebody_elses_business():
    assert (
        await kinds(routing.check, case(*web(), running(), service("outside", selector={}))) == []
    )


async def test_an_external_name_needs_no_pods():
    outside = service("mail", spec={"type": "ExternalName", "externalName": "smtp.example"})
    assert await kinds(routing.check, case(outside)) == []


async def test_a_workload_switched_off_that_nobody_calls_leaves_no_symptom():
    assert (
        await kinds(routing.check, case(deployment(replicas=0), replica_set(replicas=0), service()))
        == []
    )


async def test_a_workload_switched_off_that_somebody_calls_leaves_the_service_empty():
    front = deployment("front", container("front", env=[{"name": "WEB", "value": "http://web:80"}]))
    given = case(deployment(replicas=0), replica_set(replicas=0), service(), front)
    assert (await only(routing.check, given)).kind == "service_without_endpoints"


@pytest.mark.parametrize(("target", "declared"), [(9090, "8080"), ("metrics", "http")])
async def test_a_target_port_that_nobody_listens_on(target, declared):
    wrong = service(ports=[{"port": 80, "targetPort": target, "protocol": "TCP"}])
    found = await only(routing.check, case(*web(), running(), wrong))
    assert found.kind == "service_port_mapping_mismatch"
    assert found.details["declared"] == declared


@pytest.mark.parametrize("target", [8080, "8080", "http"])
async def test_a_target_port_by_number_or_by_name_fits(target):
    right = service(ports=[{"port": 80, "targetPort": target, "protocol": "TCP"}])
    assert await kinds(routing.check, case(*web(), running(), right)) == []


async def test_a_port_that_no_container_declares_says_nothing():
    assert await kinds(routing.check, case(*web(), running(container()), service())) == []


async def test_a_port_of_a_sidecar_is_a_port_of_the_pod():
    both = running(LISTENING, container("proxy", ports=[{"name": "admin", "containerPort": 9901}]))
    right = service(ports=[{"port": 9901, "targetPort": "admin", "protocol": "TCP"}])
    assert await kinds(routing.check, case(*web(), both, right)) == []


async def test_the_wrong_protocol():
    wrong = service(ports=[{"port": 80, "targetPort": 8080, "protocol": "UDP"}])
    assert (
        await only(routing.check, case(*web(), running(), wrong))
    ).kind == "service_protocol_mismatch"


async def test_a_protocol_that_the_service_left_to_its_default_is_tcp():
    udp = running(container(ports=[{"containerPort": 8080, "protocol": "UDP"}]))
    wrong = service(ports=[{"port": 80, "targetPort": 8080}])
    assert (await only(routing.check, case(*web(), udp, wrong))).kind == "service_protocol_mismatch"


@pytest.mark.parametrize(
    ("said", "probe", "wrong"),
    [
        ("https", {"httpGet": {"port": "http", "path": "/"}}, True),
        ("https", {"httpGet": {"port": "http", "path": "/", "scheme": "HTTPS"}}, False),
        ("http", {"grpc": {"port": 8080}}, True),
        ("kubernetes.io/h2c", {"httpGet": {"port": 8080, "path": "/"}}, False),
    ],
)
async def test_an_application_protocol_against_the_pods_own_probe(said, probe, wrong):
    probed = container(ports=PORTS, readinessProbe=probe)
    named = service(ports=[{"port": 443, "targetPort": 8080, "appProtocol": said}])
    found = await kinds(routing.check, case(*web(), running(probed), named))
    assert found == (["service_app_protocol_mismatch"] if wrong else [])


@for_any(st.text(max_size=300))
def test_no_configuration_breaks_the_search_for_addresses(text):
    assert all(isinstance(host, Entity) and host.name for host in hosts(text, "shop"))
