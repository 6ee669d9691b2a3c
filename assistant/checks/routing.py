"""Requests that do not arrive: selectors, ports, protocols, addresses, routes, name resolution."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assistant.checks.case import Case, ready, service_entity
from assistant.incident import Entity, Finding
from assistant.snapshot import Object, dig, listing, mapping, whole
from assistant.topology import addresses, ingress_backends, selects

_HOST_PORT = re.compile(
    r"(?<![\w.-])(?P<host>[a-z][a-z0-9-]*)(?P<rest>(?:\.[a-z0-9-]+)*):(?P<port>\d{2,5})(?!\d)"
)


async def check(case: Case) -> list[Finding]:
    """Services that lead nowhere, and addresses that no Service has."""
    found: dict[str, Finding] = {}
    for service in case.namespaced("Service"):
        for finding in _of_service(case, service):
            found.setdefault(finding.id, finding)
    for finding in [*_addresses(case), *_backends(case)]:
        found.setdefault(finding.id, finding)
    return list(found.values())


def _of_service(case: Case, service: Object) -> Iterator[Finding]:
    selector = mapping(service.spec, "selector")
    if not selector or service.spec.get("type") == "ExternalName":
        return
    pods = [
        pod for pod in case.snapshot.of("Pod", service.namespace) if selects(selector, pod.labels)
    ]
    if not pods:
        yield from _selects_nothing(case, service, selector)
        return
    if not any(ready(pod) for pod in pods):
        yield _without_endpoints(service, pods)
    for port in listing(service.spec, "ports"):
        yield from _port(service, mapping(port), pods)


def _selects_nothing(case: Case, service: Object, selector: object) -> Iterator[Finding]:
    """A selector that no pod matches: wrong only if pods are there that it seems to mean."""
    if not case.snapshot.listed("Pod", service.namespace):
        return
    meant = [
        workload
        for workload in case.workloads()
        if workload.namespace == service.namespace and _meant(service, workload)
    ]
    if meant and any(case.snapshot.pods_of(workload) for workload in meant):
        labels = mapping(meant[0].spec, "template", "metadata", "labels")
        yield Finding(
            kind="service_selector_mismatch",
            entity=service.entity,
            statement=f"{service.entity} selects {dict(mapping(selector))}, the pods of "
            f"{meant[0].entity} are labelled {dict(labels)}",
            citations=(*service.cite(), *meant[0].cite()),
            details={"workload": meant[0].name},
            about=(meant[0].entity,),
        )
        return
    scaled = [
        w
        for w in case.workloads()
        if selects(mapping(selector), mapping(w.spec, "template", "metadata", "labels"))
    ]
    off = scaled and all(workload.spec.get("replicas", 1) == 0 for workload in scaled)
    if off and not case.topology.affects(service.entity):
        return  # switched off, and nobody is known to call it
    yield Finding(
        kind="service_without_endpoints",
        entity=service.entity,
        statement=f"{service.entity} has no pod behind it",
        citations=service.cite(),
        about=tuple(workload.entity for workload in scaled),
    )


def _meant(service: Object, workload: Object) -> bool:
    """Whether a Service seems made for a workload: the same name, or all but one label agrees."""
    selector = mapping(service.spec, "selector")
    labels = mapping(workload.spec, "template", "metadata", "labels")
    if selects(selector, labels):
        return False
    agree = sum(labels.get(key) == value for key, value in selector.items())
    return workload.name == service.name or (len(selector) > 1 and agree == len(selector) - 1)


def _without_endpoints(service: Object, pods: list[Object]) -> Finding:
    return Finding(
        kind="service_without_endpoints",
        entity=service.entity,
        statement=f"{service.entity} has no ready endpoint: none of its {len(pods)} pods is Ready",
        citations=(*service.cite(), *pods[0].cite()),
        about=tuple(pod.entity for pod in pods[:5]),
    )


def _port(service: Object, port: object, pods: list[Object]) -> Iterator[Finding]:
    """A target port that no container listens on, or a protocol that it does not speak."""
    row = mapping(port)
    target = row.get("targetPort", row.get("port"))
    declared = [mapping(p) for pod in pods for c in pod.containers() for p in listing(c, "ports")]
    if not declared:
        return  # ports need not be declared: nothing can be said
    same = [
        p
        for p in declared
        if target in (p.get("name"), p.get("containerPort"))
        or str(target) == str(p.get("containerPort"))
    ]
    number = row.get("port")
    if not same:
        have = sorted({f"{p.get('containerPort')}" for p in declared})
        yield Finding(
            kind="service_port_mapping_mismatch",
            entity=service.entity,
            statement=f"{service.entity} sends port {number} to {target}, its pods listen on {', '.join(have)}",
            citations=(*service.cite(str(target)), *pods[0].cite(have[0])),
            strength=0.9,
            details={"port": str(number), "target_port": str(target), "declared": ", ".join(have)},
        )
        return
    wanted = str(row.get("protocol") or "TCP")
    if all(str(p.get("protocol") or "TCP") != wanted for p in same):
        yield Finding(
            kind="service_protocol_mismatch",
            entity=service.entity,
            statement=f"{service.entity} forwards port {number} as {wanted}, its pods speak "
            f"{same[0].get('protocol') or 'TCP'} there",
            citations=(*service.cite(str(number)), *pods[0].cite()),
            details={"port": str(number), "protocol": wanted},
        )


def _addresses(case: Case) -> Iterator[Finding]:
    """Addresses in a workload's configuration whose port, or whose name, no Service has."""
    for workload in case.workloads():
        if not workload.spec.get("replicas", 1):
            continue
        for text in addresses(case.snapshot, workload):
            for match in _HOST_PORT.finditer(text[:20_000]):
                finding = _address(case, workload, match)
                if finding:
                    yield finding


def _address(case: Case, workload: Object, match: re.Match[str]) -> Finding | None:
    host, port = match["host"], int(match["port"])
    rest = match["rest"].strip(".").split(".")
    namespace = rest[0] if rest[0] and (len(rest) == 1 or rest[1] == "svc") else workload.namespace
    if len(rest) > 1 and rest[1] != "svc":
        return None  # a name outside the cluster
    service = case.snapshot.get("Service", namespace, host)
    if service is None:
        return None  # a bare unknown name may be anything; log lines tell when it fails
    ports = [whole(dig(row, "port")) for row in listing(service.spec, "ports")]
    if not ports or port in ports:
        return None
    return Finding(
        kind="service_env_var_address_mismatch",
        entity=workload.entity,
        statement=f"{workload.entity} calls {host}:{port}, {service.entity} has port {', '.join(map(str, ports))}",
        citations=(*workload.cite(workload.name), *service.cite(str(ports[0]))),
        strength=0.9,
        details={"host": host, "port": str(port)},
        about=(service_entity(namespace, host),),
    )


def _backends(case: Case) -> Iterator[Finding]:
    for ingress in case.namespaced("Ingress"):
        if not case.snapshot.listed("Service", ingress.namespace):
            continue
        for name in ingress_backends(ingress):
            if not case.snapshot.get("Service", ingress.namespace, name):
                yield Finding(
                    kind="ingress_backend_missing",
                    entity=ingress.entity,
                    statement=f"{ingress.entity} routes to the Service {name}, which does not exist",
                    citations=ingress.cite(name),
                    about=(Entity(kind="Service", name=name, namespace=ingress.namespace),),
                )
