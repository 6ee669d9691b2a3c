"""Gateways and routes of the Gateway API: classes, parents, backends, and the grants across namespaces.

A cluster that does not serve these kinds is not asked for them: something must speak of them first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import anyio

from assistant.checks.case import Case, service_entity
from assistant.incident import Entity, Evidence, Finding
from assistant.snapshot import Object, Snapshot, dig, listing, mapping, moment

GROUP = "gateway.networking.k8s.io"
ROUTES = ("HTTPRoute", "GRPCRoute")
CONTROLLERS = re.compile(r"gateway|istio|envoy|contour|kong|traefik|cilium|nginx-g")
"""How namespaces of controllers that serve the Gateway API are called."""

REFUSED = {
    "RefNotPermitted": "reference_grant_missing",
    "BackendNotFound": "route_backend_missing",
    "InvalidKind": "route_backend_missing",
    "UnsupportedProtocol": "route_backend_missing",
}


async def check(case: Case) -> list[Finding]:
    """Routes that lead nowhere, and Gateways that do not serve them."""
    if not _hinted(case):
        return []
    answers = [a for kind in ROUTES for a in await _listed(case, kind, case.scope.namespaces)]
    seen = Snapshot.made_of(answers)
    routes = [row for kind in ROUTES for row in seen.of(kind)]
    found = [finding for route in routes for finding in _of_route(case, route)]
    homes = {str(dig(ref, "namespace") or r.namespace) for r in routes for ref in listing(r.spec, "parentRefs")}  # fmt: skip
    if homes:
        gateways = await _listed(case, "Gateway", sorted(homes | set(case.scope.namespaces)))
        found += await _of_gateways(case, routes, Snapshot.made_of(gateways))
    return found


def _hinted(case: Case) -> bool:
    """Whether something that was read speaks of the Gateway API."""
    spoken = any(
        GROUP in key
        for kind in ("Service", "Deployment", "Pod", "ConfigMap", "Namespace")
        for item in case.snapshot.of(kind)
        for key in (*item.labels, *mapping(item.raw, "metadata", "annotations"))
    )
    rows = [item.name for item in case.snapshot.of("Namespace")]
    return spoken or any(CONTROLLERS.search(name) for name in rows)


async def _listed(case: Case, kind: str, namespaces: Iterable[str]) -> list[Evidence]:
    answers: list[Evidence] = []

    async def one(namespace: str) -> None:
        arguments = {
            "kind": f"{kind}.{GROUP}",
            "namespace": namespace,
            "view": "full",
            "limit": 500,
        }
        where = f" in {namespace}" if namespace else ""
        answer = await case.ask("kubernetes.list_resources", arguments, f"every {kind}{where}")
        if answer.status.seen:
            answers.append(answer)

    async with anyio.create_task_group() as group:
        for namespace in namespaces:
            group.start_soon(one, namespace)
    return sorted(answers, key=lambda row: row.id)


def _of_route(case: Case, route: Object) -> Iterator[Finding]:
    told = False
    for parent in listing(route.status, "parents"):
        for condition in listing(parent, "conditions"):
            if dig(condition, "status") == "False":
                kind = _meaning(str(dig(condition, "type")), str(dig(condition, "reason")))
                if kind:
                    told = True
                    yield _refused(route, kind, condition)
    if not told:
        yield from _backends(case, route)


def _meaning(type_: str, reason: str) -> str:
    if type_ == "ResolvedRefs":
        return REFUSED.get(reason, "route_backend_missing")
    return "route_not_accepted" if type_ == "Accepted" else ""


def _refused(route: Object, kind: str, condition: object) -> Finding:
    words = str(dig(condition, "message") or dig(condition, "reason"))
    return Finding(
        kind=kind,
        entity=route.entity,
        statement=f"{route.entity}: {dig(condition, 'type')} is False, {dig(condition, 'reason')}: {words}"[:400],
        citations=route.cite(str(dig(condition, "reason")), words),
        began=moment(dig(condition, "lastTransitionTime")),
        strength=0.95,
        details={"reason": str(dig(condition, "reason"))},
    )  # fmt: skip


def _backends(case: Case, route: Object) -> Iterator[Finding]:
    """Backends that do not exist, of a route whose controller has not said so."""
    refs = [mapping(ref) for rule in listing(route.spec, "rules") for ref in listing(rule, "backendRefs")]  # fmt: skip
    for ref in refs:
        namespace = str(ref.get("namespace") or route.namespace)
        if ref.get("kind", "Service") != "Service" or not case.snapshot.listed(
            "Service", namespace
        ):
            continue
        service = case.snapshot.get("Service", namespace, str(ref.get("name")))
        ports = [dig(row, "port") for row in listing(service.spec, "ports")] if service else []
        if service and ref.get("port") in (None, *ports):
            continue
        what = f"port {ref.get('port')} of Service {ref.get('name')}" if service else f"the Service {ref.get('name')}"  # fmt: skip
        yield Finding(
            kind="route_backend_missing",
            entity=route.entity,
            statement=f"{route.entity} leads to {what}, which does not exist",
            citations=route.cite(str(ref.get("name"))),
            strength=0.95,
            details={"service": str(ref.get("name")), "port": str(ref.get("port") or "")},
            about=(service_entity(namespace, str(ref.get("name"))),),
        )


async def _of_gateways(case: Case, routes: list[Object], seen: Snapshot) -> list[Finding]:
    gateways = seen.of("Gateway")
    found = [finding for gateway in gateways for finding in _ill(gateway, routes)]
    found += [finding for route in routes for finding in _parentless(route, seen)]
    classes = await _listed(case, "GatewayClass", [""])
    known = Snapshot.made_of(classes).of("GatewayClass")
    there = {row.name for row in known}
    for gateway in gateways if classes else ():
        name = str(gateway.spec.get("gatewayClassName") or "")
        if name not in there:
            words = f"names the class {name}, which does not exist"
            row = _gateway(gateway, "gateway_class_missing", words, name)
            found.append(row.model_copy(update={"about": _routes_of(gateway, routes)}))
    return found


def _ill(gateway: Object, routes: list[Object]) -> Iterator[Finding]:
    for type_ in ("Accepted", "Programmed"):
        condition = gateway.condition(type_)
        if condition.get("status") == "False":
            words = str(condition.get("message") or condition.get("reason"))
            found = _gateway(gateway, "gateway_not_programmed", f"is not {type_}: {words}", words)
            began = moment(condition.get("lastTransitionTime"))
            yield found.model_copy(update={"began": began, "about": _routes_of(gateway, routes)})
            return


def _gateway(gateway: Object, kind: str, words: str, quote: str) -> Finding:
    return Finding(
        kind=kind,
        entity=gateway.entity,
        statement=f"{gateway.entity} {words}"[:400],
        citations=gateway.cite(gateway.name, quote),
        strength=0.95,
    )


def _routes_of(gateway: Object, routes: list[Object]) -> tuple[Entity, ...]:
    return tuple(route.entity for route in routes if gateway.entity in _parents(route))


def _parents(route: Object) -> list[Entity]:
    """The Gateways that a route names."""
    return [
        Entity(kind="Gateway", name=str(dig(ref, "name")), namespace=str(dig(ref, "namespace") or route.namespace))
        for ref in listing(route.spec, "parentRefs")
        if (dig(ref, "kind") or "Gateway") == "Gateway"
    ]  # fmt: skip


def _parentless(route: Object, seen: Snapshot) -> Iterator[Finding]:
    """Routes of a Gateway that is not there."""
    for parent in _parents(route):
        listed = seen.listing_of("Gateway", parent.namespace)
        if listed and seen.listed("Gateway", parent.namespace) and not seen.find(parent):
            yield Finding(
                kind="route_not_accepted",
                entity=route.entity,
                statement=f"{route.entity} belongs to {parent}, which does not exist",
                citations=(*route.cite(parent.name), listed.cite_absence()),
                strength=0.95,
                details={"gateway": parent.name},
            )
