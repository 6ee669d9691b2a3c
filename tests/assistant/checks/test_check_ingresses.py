"""Ingresses and the Gateway API: classes, ports, certificates, hosts, routes and their Gateways."""

import pytest

from assistant.checks import gateway_api, ingresses
from tests.assistant.checks.cluster import ago, case, event, kinds, only, service, thing

pytestmark = pytest.mark.anyio
ADDRESS = {"loadBalancer": {"ingress": [{"ip": "203.0.113.7"}]}}


def listed(*items):
    return {"kind": items[0]["kind"], "items": list(items), "next_cursor": ""}


def path(at="/", backend="web", port=None, type_="Prefix"):
    return {
        "path": at,
        "pathType": type_,
        "backend": {"service": {"name": backend, "port": port or {"number": 80}}},
    }


def ingress(name="edge", *paths, host="shop.example", status=ADDRESS, created="", **spec):
    rules = [{"host": host, "http": {"paths": list(paths) or [path()]}}]
    return thing("Ingress", name, created=created, spec={"rules": rules, **spec}, status=status)


@pytest.mark.parametrize("port", [{"number": 8080}, {"name": "web"}])
async def test_a_backend_port_that_the_service_does_not_have(port):
    found = await only(ingresses.check, case(service(), ingress("edge", path(port=port))))
    assert found.kind == "ingress_backend_port_missing"


async def test_an_ingress_that_is_right():
    named = service(ports=[{"name": "http", "port": 80}])
    assert (
        await kinds(ingresses.check, case(named, ingress("edge", path(port={"name": "http"}))))
        == []
    )


async def test_a_class_that_does_not_exist():
    classes = {"kubernetes.list_resources": listed(thing("IngressClass", "nginx"))}
    wrong = ingress(status={}, ingressClassName="ngnix")
    found = await only(ingresses.check, case(service(), wrong, answers=classes))
    assert (found.kind, found.details["classes"]) == ("ingress_class_missing", "nginx")


async def test_a_class_is_not_looked_for_where_a_controller_gave_an_address():
    classes = {"kubernetes.list_resources": listed(thing("IngressClass", "nginx"))}
    assert (
        await kinds(
            ingresses.check, case(service(), ingress(ingressClassName="x"), answers=classes)
        )
        == []
    )


@pytest.mark.parametrize("name", ["gce", "nginx"])
async def test_a_class_that_a_controller_takes(name):
    classes = {"kubernetes.list_resources": listed(thing("IngressClass", "nginx"))}
    given = case(service(), ingress(status={}, ingressClassName=name), answers=classes)
    assert await kinds(ingresses.check, given) == []


async def test_no_class_and_no_default():
    classes = {"kubernetes.list_resources": listed(thing("IngressClass", "nginx"))}
    assert await kinds(ingresses.check, case(service(), ingress(status={}), answers=classes)) == [
        "ingress_class_missing"
    ]
    marked = thing(
        "IngressClass", "nginx", annotations={"ingressclass.kubernetes.io/is-default-class": "true"}
    )
    taken = case(
        service(), ingress(status={}), answers={"kubernetes.list_resources": listed(marked)}
    )
    assert await kinds(ingresses.check, taken) == []


TLS = {"tls": [{"hosts": ["shop.example"], "secretName": "shop-tls"}]}


async def test_a_certificate_that_is_not_there_or_is_none():
    assert await kinds(ingresses.check, case(service(), ingress(**TLS))) == ["tls_secret_missing"]
    empty = thing("Secret", "shop-tls", data={"ca.crt": ""}, type="Opaque")
    assert await kinds(ingresses.check, case(service(), empty, ingress(**TLS))) == [
        "tls_secret_wrong"
    ]
    whole = thing(
        "Secret", "shop-tls", data={"tls.crt": "", "tls.key": ""}, type="kubernetes.io/tls"
    )
    assert await kinds(ingresses.check, case(service(), whole, ingress(**TLS))) == []


async def test_secrets_that_may_not_be_listed_are_not_missing():
    assert await kinds(ingresses.check, case(service(), ingress(**TLS), unread=["Secret"])) == []


async def test_a_new_ingress_that_claims_a_path_of_another():
    other = ingress("edge-2", path(backend="cache"), created=ago(10))
    found = await only(ingresses.check, case(service(), service("cache"), ingress(), other))
    assert (found.kind, found.entity.name, found.strength) == (
        "ingress_host_conflict",
        "edge-2",
        0.85,
    )


async def test_two_ingresses_that_agree_or_serve_other_classes():
    assert await kinds(ingresses.check, case(service(), ingress(), ingress("edge-2"))) == []
    internal = ingress("edge-2", path(backend="cache"), ingressClassName="internal")
    assert (
        await kinds(ingresses.check, case(service(), service("cache"), ingress(), internal)) == []
    )


async def test_a_host_of_which_only_the_root_is_routed():
    exact = ingress("edge", path(type_="Exact"))
    assert await kinds(ingresses.check, case(service(), exact)) == ["ingress_path_type"]
    both = ingress("edge", path(type_="Exact"), path("/api"))
    assert await kinds(ingresses.check, case(service(), both)) == []


async def test_a_controller_that_refuses():
    here = ingress()
    told = event(here, "FailedBuildModel", "couldn't auto-discover subnets")
    assert await kinds(ingresses.check, case(service(), here, events=[told])) == ["ingress_refused"]


HINT = thing("Namespace", "envoy-gateway-system")


def route(*, name="web", port=80, parents=(), refs=None):
    spec = {
        "parentRefs": [{"name": "edge"}],
        "rules": [{"backendRefs": [{"name": name, "port": port}]}],
    }
    return thing("HTTPRoute", "shop", spec=spec | (refs or {}), status={"parents": list(parents)})


def gateway(*conditions, class_="envoy"):
    return thing(
        "Gateway",
        "edge",
        spec={"gatewayClassName": class_},
        status={"conditions": list(conditions)},
    )


def served(*items):
    rows = {}
    for item in items:
        rows.setdefault(
            f"kubernetes.list_resources {item['kind']}.gateway.networking.k8s.io", []
        ).append(item)
    return {key: listed(*found) for key, found in rows.items()}


def class_(name="envoy"):
    item = thing("GatewayClass", name)
    item["metadata"].pop("namespace")
    return item


def said(type_, reason):
    return {
        "conditions": [
            {"type": type_, "status": "False", "reason": reason, "message": f"because {reason}"}
        ]
    }


WELL = (gateway(), class_())


async def test_a_cluster_without_the_gateway_api_is_not_asked():
    assert (
        await kinds(gateway_api.check, case(service(), answers=served(route(name="gone"), *WELL)))
        == []
    )


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (route(name="gone"), "route_backend_missing"),
        (route(port=8080), "route_backend_missing"),
        (route(parents=[said("ResolvedRefs", "RefNotPermitted")]), "reference_grant_missing"),
        (route(parents=[said("ResolvedRefs", "BackendNotFound")]), "route_backend_missing"),
        (route(parents=[said("Accepted", "NoMatchingListenerHostname")]), "route_not_accepted"),
        (route(refs={"parentRefs": [{"name": "gone"}]}), "route_not_accepted"),
    ],
)
async def test_a_route_that_leads_nowhere(given, kind):
    found = await only(gateway_api.check, case(HINT, service(), answers=served(given, *WELL)))
    assert (found.kind, str(found.entity)) == (kind, "HTTPRoute shop/shop")


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (gateway({"type": "Programmed", "status": "False", "reason": "AddressNotAssigned", "message": "no address"}), "gateway_not_programmed"),
        (gateway(class_="gone"), "gateway_class_missing"),
    ],
)  # fmt: skip
async def test_a_gateway_that_is_not_in_force(given, kind):
    found = await only(
        gateway_api.check, case(HINT, service(), answers=served(route(), given, class_()))
    )
    assert found.kind == kind
    assert "HTTPRoute shop/shop" in map(str, found.about)


async def test_routes_and_gateways_that_are_well():
    assert (
        await kinds(gateway_api.check, case(HINT, service(), answers=served(route(), *WELL))) == []
    )
