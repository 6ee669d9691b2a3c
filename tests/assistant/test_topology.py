"""The graph: an edge points the way that trouble travels."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from assistant.incident import Edge, Entity
from assistant.topology import Topology, selects, topology
from tests.assistant.checks.cluster import (
    container,
    deployment,
    evidence,
    node,
    pod,
    replica_set,
    service,
    snapshot,
    thing,
)

FRONT = Entity(kind="Deployment", name="front", namespace="shop")


def graph(*objects, more=()):
    seen = snapshot(*objects)
    return topology(seen, more)


def shown(edges):
    return {f"{edge.source} -{edge.relation}-> {edge.target}" for edge in edges}


def test_a_workload_is_reached_from_what_it_needs_and_from_its_node():
    wanted = container("web", envFrom=[{"secretRef": {"name": "web-db"}}])
    volumes = [{"name": "c", "configMap": {"name": "web-settings"}},
               {"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]  # fmt: skip
    objects = [deployment("web", wanted, pod={"volumes": volumes}), replica_set(), pod(), node()]
    assert shown(graph(*objects).edges) >= {
        "Secret shop/web-db -needed by-> Deployment shop/web",
        "ConfigMap shop/web-settings -needed by-> Deployment shop/web",
        "PersistentVolumeClaim shop/data -needed by-> Deployment shop/web",
        "Node worker-1 -runs-> Deployment shop/web",
    }


def test_trouble_goes_from_a_secret_through_two_services_to_the_front():
    web = deployment("web", container("web", envFrom=[{"secretRef": {"name": "web-db"}}]))
    front = deployment("front", container("front", env=[{"name": "WEB", "value": "http://web:80"}]))
    built = graph(web, service("web"), front)
    way = built.path(Entity(kind="Secret", name="web-db", namespace="shop"), FRONT)
    assert [str(step) for step in way] == [
        "Secret shop/web-db", "Deployment shop/web", "Service shop/web", "Deployment shop/front",
    ]  # fmt: skip
    assert built.path(FRONT, way[0]) == (), "and never back"


def test_addresses_in_a_mounted_config_map_are_calls():
    settings = thing(
        "ConfigMap", "front-settings", data={"app.yaml": "web: http://web.shop.svc:80"}
    )
    mounted = [{"name": "c", "configMap": {"name": "front-settings"}}]
    built = graph(
        deployment("web"), service("web"), settings, deployment("front", pod={"volumes": mounted})
    )
    assert "Service shop/web -called by-> Deployment shop/front" in shown(built.edges)


def test_measured_calls_join_the_configured_ones():
    rows = [{"labels": {"client": "front", "server": "web"}}]
    more = [evidence("prometheus.query", {"query": "graph"}, {"series": rows})]
    built = graph(deployment("web"), deployment("front"), more=more)
    assert "Deployment shop/web -called by-> Deployment shop/front" in shown(built.edges)


def test_claims_of_a_stateful_set_are_named_by_ordinal():
    template = [{"metadata": {"name": "data"}}]
    built = graph(
        deployment("db", kind="StatefulSet", replicas=2, spec={"volumeClaimTemplates": template})
    )
    assert {edge.source.name for edge in built.edges} == {"data-db-0", "data-db-1"}


def test_an_ingress_suffers_with_the_service_it_routes_to():
    rules = [{"http": {"paths": [{"backend": {"service": {"name": "web"}}}]}}]
    built = graph(
        deployment("web"), service("web"), thing("Ingress", "edge", spec={"rules": rules})
    )
    assert "Service shop/web -routed by-> Ingress shop/edge" in shown(built.edges)


def test_an_empty_selector_selects_nothing():
    assert not selects({}, {"app": "web"})
    assert selects({"app": "web"}, {"app": "web", "tier": "x"})
    assert not selects({"app": "web", "tier": "y"}, {"app": "web", "tier": "x"})


NODES = [Entity(kind="Service", name=f"s{n}", namespace="shop") for n in range(8)]
EDGES = st.lists(st.tuples(st.sampled_from(NODES), st.sampled_from(NODES)), max_size=24)


@given(EDGES, st.sampled_from(NODES), st.sampled_from(NODES))
def test_a_path_exists_exactly_where_trouble_can_reach_and_is_a_shortest_one(pairs, source, target):
    built = Topology(tuple(Edge(source=a, relation="called by", target=b) for a, b in pairs))
    reach, way = built.reach(source), built.path(source, target)
    assert bool(way) == (target in reach)
    if way:
        assert (way[0], way[-1], len(way)) == (source, target, reach[target] + 1)
        assert all((a, b) in pairs for a, b in pairwise(way))


@given(EDGES, st.integers(1, 10))
def test_a_drawing_is_bounded_and_shows_only_edges_that_are_there(pairs, most):
    built = Topology(tuple(Edge(source=a, relation="called by", target=b) for a, b in pairs))
    drawn = built.around(NODES[:2], most=most)
    assert len(drawn) <= most
    assert set(drawn) <= set(built.edges)


def test_calls_that_metrics_list_are_edges_however_clients_write_the_server():
    addresses = ("cart", "cart.shop.svc.cluster.local", "cart:8080", "10.96.0.9:8080")
    for address in addresses:
        calls = {"calls": [{"client": "front", "server": address}]}
        more = [evidence("prometheus.list_services", {"namespace": "shop"}, calls)]
        cart = service("cart", spec={"clusterIP": "10.96.0.9"})
        edges = shown(graph(deployment("front"), cart, more=more).edges)
        assert "Service shop/cart -called by-> Deployment shop/front" in edges, address


def test_a_policy_guards_what_its_expressions_select_and_nothing_else():
    policy = thing("NetworkPolicy", "walls", spec={"podSelector": {
        "matchExpressions": [{"key": "tier", "operator": "In", "values": ["back", "data"]},
                             {"key": "legacy", "operator": "DoesNotExist"}]}})  # fmt: skip
    objects = [
        deployment("quotes", pod_labels={"tier": "back"}),
        deployment("old", pod_labels={"tier": "back", "legacy": "yes"}),
        deployment("front", pod_labels={"tier": "front"}),
    ]
    guarded = {e.target.name for e in graph(policy, *objects).edges if e.relation == "guards"}
    assert guarded == {"quotes"}


def test_a_certificate_reaches_what_is_entered_through_its_secret():
    certificate = thing("Certificate", "shop-tls", spec={"secretName": "shop-tls"})
    entrance = thing(
        "Ingress", "shop", spec={"tls": [{"secretName": "shop-tls"}, {"hosts": ["a"]}]}
    )
    gateway = thing("Gateway", "door", spec={"listeners": [{"tls": {"certificateRefs": [{"name": "shop-tls"}]}}]})  # fmt: skip
    made = graph(certificate, entrance, gateway)
    cause = Entity(kind="Certificate", name="shop-tls", namespace="shop")
    ends = {str(entity) for entity in made.reach(cause)}
    assert ends >= {"Secret shop/shop-tls", "Ingress shop/shop", "Gateway shop/door"}


def test_a_gateway_suffers_with_the_services_that_its_routes_name():
    route = thing("HTTPRoute", "cart", spec={
        "parentRefs": [{"name": "door", "namespace": "edge"}, "broken"],
        "rules": [{"backendRefs": [{"name": "cart", "port": 80}]}, {}]})  # fmt: skip
    cart = Entity(kind="Service", name="cart", namespace="shop")
    door = Entity(kind="Gateway", name="door", namespace="edge")
    assert [str(one) for one in graph(service("cart"), route).path(cart, door)] == [
        "Service shop/cart",
        "HTTPRoute shop/cart",
        "Gateway edge/door",
    ]
