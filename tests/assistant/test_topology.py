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
