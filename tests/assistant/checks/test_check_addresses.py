"""Addresses in configuration: one text or two settings, held against the Services that are there."""

import json

import pytest
from hypothesis import given as for_any
from hypothesis import strategies as st

from assistant.checks import addresses
from assistant.checks.reading.objects.configured import configured
from tests.assistant.checks.cluster import (
    case,
    container,
    deployment,
    kinds,
    only,
    pod,
    service,
    snapshot,
    state,
    thing,
    web,
)

pytestmark = pytest.mark.anyio


def running(*containers):
    return pod("web-6d4b9-x2x7p", *containers, states=[state(ready=True)], ready=True)


def front(*env, **fields):
    return deployment("front", container("front", env=[*env]), **fields)


def variables(**values):
    return [{"name": name, "value": value} for name, value in values.items()]


def settings(text, key="app.yaml"):
    """A workload `front` that reads one ConfigMap."""
    mounted = [{"name": "c", "configMap": {"name": "front-settings"}}]
    return [deployment("front", pod={"volumes": mounted}), thing("ConfigMap", "front-settings", data={key: text})]  # fmt: skip


@pytest.mark.parametrize(
    "address", ["web:8081", "web.shop:8081", "web.shop.svc.cluster.local:8081"]
)
async def test_a_caller_with_a_port_that_the_service_does_not_have(address):
    caller = front(*variables(WEB=f"http://{address}/v1"))
    found = await only(addresses.check, case(*web(), running(), service(), caller))
    assert (found.kind, str(found.entity)) == (
        "service_env_var_address_mismatch",
        "Deployment shop/front",
    )
    assert found.details == {"host": "web", "port": "8081"}


@pytest.mark.parametrize(
    "address", ["web:80", "web.example.com:8081", "web-2:8081", "localhost:8081", "cache.data:6379",
                "web:99999", "web:8081:90"]
)  # fmt: skip
async def test_addresses_that_fit_or_that_are_not_known(address):
    caller = front(*variables(WEB=f"http://{address}/v1"))
    assert await kinds(addresses.check, case(*web(), running(), service(), caller)) == []


async def test_a_caller_that_is_switched_off_calls_nobody():
    caller = front(*variables(WEB="http://web:8081"), replicas=0)
    assert await kinds(addresses.check, case(*web(), running(), service(), caller)) == []


@pytest.mark.parametrize(
    "names", [("WEB_HOST", "WEB_PORT"), ("WEB_ADDR", "WEB_PORT"), ("WEB_SERVICE_HOST", "WEB_SERVICE_PORT")]
)  # fmt: skip
async def test_a_host_and_a_port_in_two_variables_are_one_address(names):
    caller = front(*variables(**dict(zip(names, ("web", "8081"), strict=True))))
    found = await only(addresses.check, case(*web(), running(), service(), caller))
    assert found.details == {"host": "web", "port": "8081"}
    assert " and ".join(names) in found.statement


async def test_a_port_of_another_pair_is_not_mixed_up():
    values = variables(WEB_HOST="web", WEB_PORT="80", CACHE_HOST="cache", CACHE_PORT="8081")
    assert await kinds(addresses.check, case(*web(), running(), service(), front(*values))) == []


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("app.yaml", "shop:\n  web:\n    # the shop's own\n    host: web\n    port: 8081\n"),
        ("app.properties", "shop.web.host=web\nshop.web.port=8081\n"),
        ("app.json", json.dumps({"web": {"host": "web", "port": 8081}})),
        ("app.json", json.dumps({"upstreams": [{"url": "http://web:8081/v1"}]})),
        ("app.yaml", "url: http://${WEB_HOST:web}:${WEB_PORT:8081}/v1\nmore: 1\n"),
        ("WEB_URL", "http://web:8081"),
    ],
)
async def test_an_address_in_a_config_map_in_any_shape(key, text):
    found = await only(addresses.check, case(*web(), running(), service(), *settings(text, key)))
    assert found.details == {"host": "web", "port": "8081"}


async def test_a_comment_is_no_address():
    text = "# url: http://web:8081\nurl: http://web:80\n"
    assert await kinds(addresses.check, case(*web(), running(), service(), *settings(text))) == []


async def test_a_variable_may_be_made_of_others():
    values = variables(PORT_OF_WEB="8081", WEB="http://web:$(PORT_OF_WEB)")
    found = await only(addresses.check, case(*web(), running(), service(), front(*values)))
    assert found.details["port"] == "8081"


async def test_a_variable_that_a_config_map_holds():
    key = {"name": "front-settings", "key": "web"}
    env = {"name": "WEB", "valueFrom": {"configMapKeyRef": key}}
    config = thing("ConfigMap", "front-settings", data={"web": "web:8081"})
    objects = [*web(), running(), service(), front(env), config]
    assert (await only(addresses.check, case(*objects))).details["port"] == "8081"


async def test_the_wrong_port_of_a_database_is_told_as_such():
    server = container("web", image="mysql:8.0", ports=[{"containerPort": 3306}])
    ports = [{"port": 3306, "targetPort": 3306}]
    objects = [deployment("web", server), web()[1], running(server), service(ports=ports)]
    found = await only(addresses.check, case(*objects, front(*variables(DB="web:3307"))))
    assert (found.kind, found.details["engine"]) == ("database_address_wrong", "mysql")


async def test_the_pods_behind_a_headless_service_answer_on_all_their_ports():
    server = container(ports=[{"containerPort": 9000}])
    headless = service(spec={"clusterIP": "None"})
    objects = [*web(), running(server), headless]
    assert await kinds(addresses.check, case(*objects, front(*variables(WEB="web:9000")))) == []
    assert (await only(addresses.check, case(*objects, front(*variables(WEB="web:9001"))))).kind
    undeclared = [*web(), running(), headless]
    assert await kinds(addresses.check, case(*undeclared, front(*variables(WEB="web:9001")))) == []


@for_any(st.text(max_size=300), st.text(max_size=60))
def test_no_configuration_breaks_the_search_for_addresses(text, key):
    seen = snapshot(*settings(text, key or "k"))
    found = [a for workload in seen.of("Deployment") for a in configured(seen, workload)]
    assert all(address.host and 0 <= address.port <= 65535 for address in found)
