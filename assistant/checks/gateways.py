"""Routes that lead nowhere, or to another Service than the one that is meant."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from assistant.checks.case import Case, service_entity
from assistant.checks.reading.changes.edits import last_write
from assistant.checks.reading.logs.log_reading import read
from assistant.checks.reading.objects.databases import behind
from assistant.checks.reading.objects.requests import Request, alerted, answered
from assistant.checks.reading.objects.routes import Route, of_config_map, of_ingress
from assistant.incident import Citation, Entity, Finding
from assistant.topology import references

CLIENT_ERROR = 400
NOT_FOUND = 404
SERVER_ERROR = 500
FAILED_OFTEN = 3
"""So many failed requests are no slip of one client."""

FAILED_SHARE = 0.8
"""A route that leads astray fails nearly every request."""

TELLING = 4
"""Letters that a word must have to be recognised within another."""

SIBLINGS = 3
"""So many routes must be named after their Services before one that is not looks wrong."""


@dataclass(frozen=True)
class Traffic:
    """How the requests of one route went."""

    failed: tuple[Request, ...]
    fine: int

    @property
    def astray(self) -> bool:
        """Whether the route fails as a whole."""
        told = any(request.alert for request in self.failed)
        often = len(self.failed) >= FAILED_OFTEN
        share = len(self.failed) / (len(self.failed) + self.fine) if self.failed else 0.0
        return (told or often) and share >= FAILED_SHARE


async def check(case: Case) -> list[Finding]:
    """Absent backends, and routes whose path fails while their name speaks of another Service."""
    routes = _routes(case)
    found: dict[str, Finding] = {}
    taken = _taken(routes, await _requests(case)) if routes else {}
    for route in routes:
        traffic = _traffic(taken.get(id(route), []))
        absent = list(_absent(case, route, traffic))
        astray = absent or list(_astray(case, route, routes, traffic))
        for finding in astray or _unknown_since(case, route, taken.get(id(route), [])):
            found.setdefault(finding.id, finding)
    return list(found.values())


def _routes(case: Case) -> list[Route]:
    """The routes of every Ingress, and of every proxy's file in scope that a workload reads."""
    used = {
        (workload.namespace, name)
        for workload in case.workloads()
        for kind, name, _, _ in references(workload.template)
        if kind == "ConfigMap"
    }
    rows = [route for ingress in case.namespaced("Ingress") for route in of_ingress(ingress)]
    for config in case.namespaced("ConfigMap"):
        if (config.namespace, config.name) in used:
            rows += of_config_map(config)
    return rows


async def _requests(case: Case) -> list[Request]:
    logs = await read(case)
    alerts = alerted(case.of_tool("prometheus.query_range"))
    return [*alerts, *(row for items in logs.values() for row in answered(items))]


def _taken(routes: list[Route], seen: list[Request]) -> Mapping[int, list[Request]]:
    """The requests that each route, of all in its object, takes: the longest prefix wins."""
    found: dict[int, list[Request]] = defaultdict(list)
    by_path: dict[str, list[Request]] = defaultdict(list)
    for request in seen:
        by_path[request.path].append(request)
    for source in {id(route.source): route.source for route in routes}.values():
        mine = [route for route in routes if route.source is source]
        for path, requests in by_path.items():
            fitting = [route for route in mine if route.takes(path)]
            if fitting:
                found[id(max(fitting, key=lambda route: len(route.prefix)))] += requests
    return found


def _traffic(requests: list[Request]) -> Traffic:
    failed = tuple(request for request in requests if _failed(request))
    return Traffic(failed, sum(request.status < CLIENT_ERROR for request in requests))


def _failed(request: Request) -> bool:
    return request.status == NOT_FOUND or request.status >= SERVER_ERROR


def _absent(case: Case, route: Route, traffic: Traffic) -> Iterator[Finding]:
    """A backend that is not there: of an Ingress at once, of a proxy's file surely once it fails."""
    listed = case.snapshot.listed("Service", route.namespace)
    if (
        not route.direct
        or not listed
        or case.snapshot.get("Service", route.namespace, route.service)
    ):
        return
    own = route.source.kind == "Ingress"
    yield Finding(
        kind="ingress_backend_missing" if own else "gateway_misroute",
        entity=route.source.entity,
        statement=f"{route.source.entity} routes {route.path} to the Service {route.service}, which "
        "does not exist",
        citations=(*route.source.cite(route.service), *_cited(traffic)),
        strength=1.0 if own or traffic.failed else 0.6,
        details={"path": route.path, "service": route.service},
        about=(
            service_entity(route.namespace, route.service),
            *(() if own else _gateways(case, route)),
        ),
    )


def _astray(case: Case, route: Route, routes: list[Route], traffic: Traffic) -> Iterator[Finding]:
    """A route whose requests fail, and which leads elsewhere than its name and the alert say."""
    if not traffic.astray:
        return
    meant = _meant_by_alert(case, route, traffic) or _meant_by_name(case, route, routes)
    if not meant or meant == route.service:
        return
    service = service_entity(route.namespace, meant)
    statuses = Counter(request.status for request in traffic.failed)
    status = statuses.most_common(1)[0][0]
    yield Finding(
        kind="gateway_misroute",
        entity=route.source.entity,
        statement=f"{route.source.entity} routes {route.path} to {route.service}, which answers {status}; "
        f"{meant} is meant",
        citations=(*route.source.cite(route.service), *_cited(traffic)),
        began=None,
        strength=0.95,
        details={"path": route.path, "service": route.service, "meant": meant},
        about=tuple(
            dict.fromkeys([behind(case.snapshot, service), service, *_gateways(case, route)])
        ),
    )


def _unknown_since(case: Case, route: Route, requests: list[Request]) -> Iterator[Finding]:
    """A route that somebody wrote, and whose Service knows nothing of its path ever since."""
    written = last_write(case, route.source)
    if not written or route.prefix == "/":
        return
    at, row = written
    target = behind(case.snapshot, service_entity(route.namespace, route.service))
    told = [one for one in requests if one.at and _said_by(case, one, target)]
    lost = [one for one in told if one.status == NOT_FOUND and one.at and one.at >= at]
    if len(lost) < max(FAILED_OFTEN, len(told)):
        return
    yield Finding(
        kind="gateway_misroute",
        entity=route.source.entity,
        statement=f"{route.source.entity} was written at {row.get('at')} and routes {route.path} to "
        f"{route.service}, which has answered 404 to all {len(lost)} requests seen of it since",
        citations=(*route.source.cite(route.service, row.get("at")), *_cited(_traffic(lost))),
        began=at,
        strength=0.9,
        details={"path": route.path, "service": route.service},
        about=tuple(dict.fromkeys([target, *_gateways(case, route)])),
    )


def _said_by(case: Case, request: Request, workload: Entity) -> bool:
    """Whether it is this workload's own log that tells of a request."""
    asked = request.evidence.arguments
    pod = case.snapshot.get("Pod", str(asked.get("namespace")), str(asked.get("pod")))
    return pod is not None and case.snapshot.owner(pod).entity == workload


def _cited(traffic: Traffic) -> tuple[Citation, ...]:
    return tuple(dict.fromkeys(request.citation for request in traffic.failed[:2]))


def _meant_by_alert(case: Case, route: Route, traffic: Traffic) -> str:
    """The Service that the alert about this path blames, if the route speaks of it and not of its target."""
    named = {request.service for request in traffic.failed if request.alert and request.service}
    known = [name for name in named if case.snapshot.get("Service", route.namespace, name)]
    if len(known) != 1:
        return ""
    alone = set(known[0].split("-")) - set(route.service.split("-"))
    other = set(route.service.split("-")) - set(known[0].split("-"))
    words = f"{route.name} {route.prefix}".lower()
    spoken = any(len(part) >= TELLING and part in words for part in alone)
    return known[0] if spoken and not any(part in words for part in other) else ""


def _meant_by_name(case: Case, route: Route, routes: list[Route]) -> str:
    """The Service that the route is named after, where its siblings are named after theirs."""
    siblings = [one for one in routes if one.source is route.source and one is not route]
    common = _common([one.service for one in siblings])
    alike = [one for one in siblings if _fits(one, one.service, common)]
    if (
        len(alike) < SIBLINGS
        or 2 * len(alike) < len(siblings)
        or _fits(route, route.service, common)
    ):
        return ""
    names = [service.name for service in case.snapshot.of("Service", route.namespace)]
    fitting = [name for name in names if _fits(route, name, common)]
    return fitting[0] if len(fitting) == 1 else ""


def _common(names: list[str]) -> tuple[str, ...]:
    """Words that most Services' names hold, and that so tell none from the other."""
    counts = Counter(part for name in names for part in set(name.split("-")))
    return tuple(part for part, count in counts.items() if 2 * count > len(names))


def _fits(route: Route, service: str, common: tuple[str, ...]) -> bool:
    """Whether a route's name, or a part of its path, is a Service's name, common words left out."""
    words = [route.name, *route.prefix.strip("/").split("/")]
    return _core(service, common) in {_core(word, common) for word in words if word} - {""}


def _core(name: str, common: tuple[str, ...]) -> str:
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()
    parts = [part for part in re.split(r"[-_.]+", parted) if part and part not in common]
    joined = "".join(parts)
    for word in common:
        joined = joined.removesuffix(word) or joined
    return joined


def _gateways(case: Case, route: Route) -> Iterator[Entity]:
    """The workloads that read the routes."""
    if route.source.kind == "ConfigMap":
        for workload in case.workloads():
            wanted = ("ConfigMap", route.source.name)
            if any((kind, name) == wanted for kind, name, _, _ in references(workload.template)):
                yield workload.entity
