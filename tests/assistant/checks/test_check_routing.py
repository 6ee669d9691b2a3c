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
    thing,
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


@pytest.mark.parametrize("target", [9090, "metrics"])
async def test_a_target_port_that_nobody_listens_on(target):
    wrong = service(ports=[{"port": 80, "targetPort": target, "protocol": "TCP"}])
    found = await only(routing.check, case(*web(), running(), wrong))
    assert found.kind == "service_port_mapping_mismatch"
    assert found.details["declared"] == "8080"


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
    "address", ["web:8081", "web.shop:8081", "web.shop.svc.cluster.local:8081"]
)
async def test_a_caller_with_a_port_that_the_service_does_not_have(address):
    front = deployment(
        "front", container("front", env=[{"name": "WEB", "value": f"http://{address}/v1"}])
    )
    found = await only(routing.check, case(*web(), running(), service(), front))
    assert (found.kind, str(found.entity)) == (
        "service_env_var_address_mismatch",
        "Deployment shop/front",
    )
    assert found.details == {"host": "web", "port": "8081"}


@pytest.mark.parametrize(
    "address", ["web:80", "web.example.com:8081", "web-2:8081", "localhost:8081", "cache.data:6379"]
)
async def test_addresses_that_fit_or_that_are_not_known(address):
    front = deployment(
        "front", container("front", env=[{"name": "WEB", "value": f"http://{address}/v1"}])
    )
    assert await kinds(routing.check, case(*web(), running(), service(), front)) == []


async def test_a_caller_that_is_switched_off_calls_nobody():
    env = [{"name": "WEB", "value": "http://web:8081"}]
    front = deployment("front", container("front", env=env), replicas=0)
    assert await kinds(routing.check, case(*web(), running(), service(), front)) == []


async def test_an_ingress_that_routes_to_no_service():
    backend = {"service": {"name": "wbe", "port": {"number": 80}}}
    rules = [{"host": "shop.example", "http": {"paths": [{"path": "/", "backend": backend}]}}]
    given = case(*web(), running(), service(), thing("Ingress", "edge", spec={"rules": rules}))
    found = await only(routing.check, given)
    assert (found.kind, str(found.entity)) == ("ingress_backend_missing", "Ingress shop/edge")


@for_any(st.text(max_size=300))
def test_no_configuration_breaks_the_search_for_addresses(text):
    assert all(isinstance(host, Entity) and host.name for host in hosts(text, "shop"))
