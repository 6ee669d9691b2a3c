"""Gateways: a route is convicted by requests that fail there, or by a backend that is not there."""

from datetime import timedelta

import pytest
from hypothesis import given as for_any
from hypothesis import strategies as st

from assistant.checks import gateways
from assistant.checks.reading.objects.requests import answered
from assistant.checks.reading.objects.routes import of_config_map
from assistant.snapshot import Object
from tests.assistant.checks.cluster import (
    NOW,
    ago,
    case,
    deployment,
    evidence,
    kinds,
    logs,
    only,
    pod,
    replica_set,
    service,
    state,
    thing,
)

pytestmark = pytest.mark.anyio
LOGS = "kubernetes.get_pod_logs"
NAMES = ("cart", "orders", "users", "basket")

SPRING = """spring:
  cloud:
    gateway:
      routes:
        - id: cart
          uri: lb://${CART_HOST:shop-cart-service}
          predicates:
            - Path=/api/v1/cartservice/**
        - id: orders
          uri: lb://shop-users-service   # moved
          predicates:
            - Path=/api/v1/ordersservice/**
        - id: users
          uri: http://shop-users-service:80
          predicates:
            - Path=/api/v1/usersservice/**
        - id: basket
          uri: lb://shop-basket-service
          predicates:
            - Path=/api/v1/basketservice/**,/basket/**
"""
NGINX = """upstream orders { server shop-users-service:80; }
server {
  location /cart/ { proxy_pass http://shop-cart-service:80/; }
  location /orders/ { proxy_set_header Host $host; proxy_pass http://orders; }
  location ~ ^/users/(.*)$ { if ($x) { return 444; } proxy_pass http://shop-users-service; }
  location = /basket { proxy_pass http://shop-basket-service; }
}
"""
TRAEFIK = """http:
  routers:
    cart:
      rule: "PathPrefix(`/cart`)"
      service: cart
    orders:
      rule: "Host(`shop.example`) && PathPrefix(`/orders`)"
      service: orders
  services:
    cart:
      loadBalancer:
        servers:
          - url: "http://shop-cart-service:80"
    orders:
      loadBalancer:
        servers:
          - url: "http://shop-users-service:80"
"""
ENVOY = """static_resources:
  listeners:
    - routes:
        - match: {prefix: "/cart"}
          route: {cluster: cart}
        - match:
            prefix: "/orders"
          route:
            cluster: orders
  clusters:
    - name: cart
      socket_address: {address: shop-cart-service, port_value: 80}
    - name: orders
      socket_address:
        address: shop-users-service
        port_value: 80
"""
HAPROXY = """frontend web
  acl is_cart path_beg /cart
  acl is_orders path_beg /orders
  use_backend cart if is_cart
  use_backend orders if is_orders
backend cart
  server s1 shop-cart-service:80 check
backend orders
  balance roundrobin
  server s1 shop-users-service:80 check
"""


def gateway(text=SPRING):
    """A gateway that reads its routes from a ConfigMap, and the Services around it."""
    mounted = [{"name": "c", "configMap": {"name": "gateway-routes"}}]
    owner = ("ReplicaSet", "gateway-5f6b")
    return [
        deployment("gateway", pod={"volumes": mounted}),
        replica_set("gateway-5f6b", owner=("Deployment", "gateway")),
        pod("gateway-5f6b-aaaaa", owner=owner, states=[state(ready=True)], ready=True),
        thing("ConfigMap", "gateway-routes", data={"application.yml": text}),
        *(service(f"shop-{name}-service") for name in NAMES),
        *(deployment(f"shop-{name}-service") for name in NAMES),
        pod("shop-orders-service-0", labels={"app": "shop-orders-service"}, owner=("Deployment", "shop-orders-service")),
    ]  # fmt: skip


def access(path, status, times=5):
    line = (
        f'10.0.0.7 - - [14/Mar/2026:02:20:11 +0000] "POST {path} HTTP/1.1" {status} 133 "-" "curl"'
    )
    return [line] * times


def fired(**labels):
    series = [
        {"labels": {"alertname": "RequestErrors", **labels}, "points": [[NOW.timestamp(), 1]]}
    ]
    query = 'ALERTS{alertstate="firing"}'
    return [evidence("prometheus.query_range", {"query": query}, {"series": series})]


FAILING = [
    *access("/api/v1/ordersservice/orders/7?x=1", 404),
    *access("/api/v1/cartservice/c", 200),
]


async def test_a_route_to_another_service_than_its_siblings_suggest_that_answers_404():
    found = await only(gateways.check, case(*gateway(), answers={LOGS: logs(*FAILING)}))
    assert (found.kind, str(found.entity)) == ("gateway_misroute", "ConfigMap shop/gateway-routes")
    assert found.details["meant"] == "shop-orders-service"
    assert str(found.about[0]) == "Deployment shop/shop-orders-service"


async def test_an_alert_about_the_path_is_as_good_as_many_lines():
    more = fired(url="http://shop.example/api/v1/ordersservice/o", error="404 Client Error")
    found = await only(gateways.check, case(*gateway(), more=more))
    assert found.details["meant"] == "shop-orders-service"


async def test_json_access_lines_tell_as_well():
    line = '{"method":"GET","path":"/api/v1/ordersservice/x","status":404,"ms":3}'
    given = case(*gateway(), answers={LOGS: logs(*[line] * 4)})
    assert (await only(gateways.check, given)).kind == "gateway_misroute"


@pytest.mark.parametrize(
    "lines",
    [
        [],
        access("/api/v1/ordersservice/o", 200, 20),
        [*access("/api/v1/ordersservice/o", 404, 4), *access("/api/v1/ordersservice/o", 200, 20)],
        access("/api/v1/ordersservice/o", 404, 2),
        access("/favicon.ico", 404, 20),
        access("/api/v1/usersservice/u", 404, 20),
        access("/api/v1/cartservice/c", 503, 20),
    ],
    ids=["silence", "well", "some", "two", "no route", "right route 404", "right route 503"],
)
async def test_a_route_that_works_or_is_right_is_not_convicted(lines):
    given = case(*gateway(), answers={LOGS: logs(*lines)})
    assert await kinds(gateways.check, given) == []


async def test_routes_that_are_not_named_after_their_services_suggest_nothing():
    text = SPRING
    for name in ("cart", "users", "basket"):
        text = text.replace(f"id: {name}", f"id: r-{name[0]}9").replace(
            f"/{name}service/", f"/{name[0]}9/"
        )
    given = case(*gateway(text), answers={LOGS: logs(*FAILING)})
    assert await kinds(gateways.check, given) == []


async def test_an_alert_that_blames_the_gateway_itself_names_no_other_target():
    more = fired(url="/api/v1/cartservice/c", code="404", service="shop-users-service")
    assert await kinds(gateways.check, case(*gateway(), more=more)) == []


async def test_a_proxy_whose_backend_does_not_exist():
    text = SPRING.replace("http://shop-users-service:80", "http://shop-user-service:80")
    lines = access("/api/v1/usersservice/u", 503)
    found = await only(gateways.check, case(*gateway(text), answers={LOGS: logs(*lines)}))
    assert (found.kind, found.details["service"]) == ("gateway_misroute", "shop-user-service")


async def test_a_registry_knows_names_that_the_cluster_does_not():
    text = SPRING.replace("lb://shop-basket-service", "lb://BASKET")
    assert await kinds(gateways.check, case(*gateway(text))) == []


async def test_a_file_that_no_workload_reads_routes_nothing():
    objects = [row for row in gateway() if row["metadata"]["name"] != "gateway"]
    assert await kinds(gateways.check, case(*objects, answers={LOGS: logs(*FAILING)})) == []


async def test_an_ingress_that_routes_to_no_service():
    backend = {"service": {"name": "wbe", "port": {"number": 80}}}
    rules = [{"host": "shop.example", "http": {"paths": [{"path": "/", "backend": backend}]}}]
    given = case(service(), thing("Ingress", "edge", spec={"rules": rules}))
    found = await only(gateways.check, given)
    assert (found.kind, str(found.entity)) == ("ingress_backend_missing", "Ingress shop/edge")


async def test_an_ingress_path_that_leads_to_the_wrong_service():
    paths = [
        {"path": f"/{path}", "backend": {"service": {"name": f"shop-{to}-service"}}}
        for path, to in (("cart", "cart"), ("users", "users"), ("basket", "basket"), ("orders", "cart"))
    ]  # fmt: skip
    ingress = thing("Ingress", "edge", spec={"rules": [{"http": {"paths": paths}}]})
    given = case(*gateway("{}"), ingress, answers={LOGS: logs(*access("/orders/7", 404))})
    found = await only(gateways.check, given)
    assert (found.kind, found.details["meant"]) == ("gateway_misroute", "shop-orders-service")


@pytest.mark.parametrize("text", [NGINX, TRAEFIK, ENVOY, HAPROXY])
def test_routes_are_read_from_the_files_of_many_proxies(text):
    config = Object(
        thing("ConfigMap", "routes", data={"conf": text}), evidence("t", {}, {}), "ConfigMap"
    )
    found = {route.prefix: route.service for route in of_config_map(config)}
    assert found["/cart"] == "shop-cart-service"
    assert found["/orders"] == "shop-users-service"


def test_regular_expressions_and_exact_paths_of_nginx_are_routes():
    config = Object(
        thing("ConfigMap", "routes", data={"conf": NGINX}), evidence("t", {}, {}), "ConfigMap"
    )
    found = {route.prefix: route.service for route in of_config_map(config)}
    assert (found["/users"], found["/basket"]) == ("shop-users-service", "shop-basket-service")


@for_any(
    st.text(
        alphabet=st.sampled_from("{}\n:-/ `\"'()abcuriPathidlocationprefixcluster=;"), max_size=300
    )
)
def test_no_file_breaks_the_search_for_routes(text):
    marked = f"predicates proxy_pass PathPrefix cluster: prefix: use_backend\n{text}"
    config = Object(
        thing("ConfigMap", "routes", data={"conf": marked}), evidence("t", {}, {}), "ConfigMap"
    )
    assert all(route.prefix for route in of_config_map(config))


def rewritten(minutes):
    """An Ingress of three unlike paths that was written so long ago, and the pod it leads to."""
    paths = [
        {"path": path, "backend": {"service": {"name": name}}}
        for path, name in (("/api/people", "visits"), ("/api", "edge"), ("/", "site"))
    ]
    ingress = thing("Ingress", "front", spec={"rules": [{"http": {"paths": paths}}]})
    row = {"at": ago(minutes), "by": "argocd-controller", "fields": ["spec.rules"]}
    ingress["metadata"]["lastWrites"] = [row]
    visits = pod(
        "visits-0",
        labels={"app": "visits"},
        owner=("StatefulSet", "visits"),
        states=[state(ready=True)],
    )
    served = [service(name) for name in ("visits", "edge", "site")]
    return [ingress, deployment("visits", kind="StatefulSet"), visits, *served]  # fmt: skip


LOST = "Request finished HTTP/1.1 GET http://front/api/people/7 - 404 0 - 0.4ms"


async def test_a_route_whose_service_knows_nothing_of_its_path_since_it_was_written():
    found = await only(gateways.check, case(*rewritten(9), answers={LOGS: logs(*[LOST] * 4)}))
    assert (found.kind, str(found.entity)) == ("gateway_misroute", "Ingress shop/front")
    assert found.began == NOW - timedelta(minutes=9)


@pytest.mark.parametrize(
    ("minutes", "lines"),
    [(3, [LOST] * 4), (600, [LOST] * 4), (9, [LOST] * 2), (9, [*[LOST] * 4, LOST.replace("404", "200")])],
    ids=["404 before the write", "written long ago", "a few", "some are found"],
)  # fmt: skip
async def test_a_route_is_not_convicted_by_its_last_write_alone(minutes, lines):
    given = case(*rewritten(minutes), answers={LOGS: logs(*lines)})
    assert await kinds(gateways.check, given) == []


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("info: GET /x/7 -> 404 (3 ms)", 404),
        ("GET /x/7 503 1.204 ms - 12", 503),
        ("Request finished HTTP/1.1 GET http://a:5000/x/7 text/plain 0 - 404 - 45.1ms", 404),
        ('10.0.0.1 "GET /x/7 HTTP/1.1" 200 12', 200),
    ],
)
def test_access_lines_of_many_frameworks_tell_path_and_status(line, status):
    found = list(answered([evidence("kubernetes.get_pod_logs", {}, logs(line))]))
    assert [(request.path, request.status) for request in found] == [("/x/7", status)]


def test_how_long_a_request_took_is_no_status():
    assert not list(answered([evidence("kubernetes.get_pod_logs", {}, logs("GET /x took 200 ms"))]))
