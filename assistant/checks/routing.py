"""Requests that do not arrive: selectors, ports, protocols, addresses, routes, name resolution."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from assistant.checks.case import Case, ready
from assistant.checks.reading.changes.revisions import revisions
from assistant.checks.reading.objects.flows import declared_ports
from assistant.incident import Finding
from assistant.snapshot import Object, dig, listing, mapping
from assistant.topology import selects

NEAR = 0.8
"""From this share of equal letters on, a label's value is taken for a slip of the other."""

SURE = 2.0
"""The likeness of a Service and a workload that share their name, or all but one label."""

ONCE, NAMESAKE = 20.0, 10.0
"""What it adds that the Service selected an earlier revision's pods, and that both have one name:
labels in common are often those of a whole application."""

PROBES = ("liveness", "readiness", "startup")


async def check(case: Case) -> list[Finding]:
    """Services that lead nowhere, and addresses that no Service has."""
    found: dict[str, Finding] = {}
    for service in case.namespaced("Service"):
        for finding in _of_service(case, service):
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
        yield from _application(service, mapping(port), pods)


def _selects_nothing(case: Case, service: Object, selector: Mapping[str, Any]) -> Iterator[Finding]:
    """A selector that no pod matches: wrong only if pods are there that it seems to mean."""
    if not case.snapshot.listed("Pod", service.namespace):
        return
    near = [w for w in case.workloads() if w.namespace == service.namespace]
    scaled = [w for w in near if selects(selector, _labels(w))]
    meant = _meant(case, service, near)
    if meant and case.snapshot.pods_of(meant) and not (scaled and meant.name != service.name):
        yield _mismatch(service, selector, meant)
        return
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


def _meant(case: Case, service: Object, near: list[Object]) -> Object | None:
    """The workload that a Service without pods seems made for: one by name, else one nobody serves."""
    served = {
        edge.source
        for other in case.snapshot.of("Service", service.namespace)
        for edge in case.topology.depends_on(other.entity)
        if edge.relation == "serves"
    }
    rows = [(_likeness(case, service, w), w) for w in near]
    fits = [row for row in rows if row[0] >= SURE or (row[0] and row[1].entity not in served)]
    return max(fits, key=lambda row: row[0])[1] if fits else None


def _labels(workload: Object) -> Mapping[str, Any]:
    """The labels that the pods of a workload get."""
    return mapping(workload.spec, "template", "metadata", "labels")


def _likeness(case: Case, service: Object, workload: Object) -> float:
    """How much a Service that misses a workload's pods seems made for them; 0 where it does not.

    Told by the pods of an earlier revision, by the same name, by all but one label, or by a value
    that is nearly the pods', or is theirs under another key.
    """
    selector, labels = mapping(service.spec, "selector"), _labels(workload)
    if selects(selector, labels):
        return 0
    agree = float(sum(labels.get(key) == value for key, value in selector.items()))
    if any(selects(selector, pods_of) for pods_of in map(_labels, revisions(case, workload))):
        return ONCE + agree
    if workload.name == service.name:
        return NAMESAKE + agree
    if len(selector) > 1 and agree == len(selector) - 1:
        return SURE + agree
    wrong = [(key, str(value)) for key, value in selector.items() if labels.get(key) != value]
    return min((_nearness(key, value, labels) for key, value in wrong), default=0.0)


def _nearness(key: str, value: str, labels: Mapping[str, Any]) -> float:
    """How near a wanted label is to what the pods carry; 1 for the same value under another key."""
    if key in labels:
        ratio = difflib.SequenceMatcher(None, value, str(labels[key])).ratio()
        return ratio if ratio >= NEAR else 0.0
    return 1.0 if value in labels.values() else 0.0


def _mismatch(service: Object, selector: Mapping[str, Any], workload: Object) -> Finding:
    labels = _labels(workload)
    wrong = [key for key in selector if labels.get(key) != selector[key]]
    asked = ", ".join(f"{key}={selector[key]}" for key in wrong)
    have = ", ".join(f"{key}={labels[key]}" if key in labels else f"no {key}" for key in wrong)
    quotes = [str(selector[key]) for key in wrong]
    return Finding(
        kind="service_selector_mismatch",
        entity=service.entity,
        statement=f"{service.entity} selects {asked}; the pods of {workload.entity} have {have}",
        citations=(*service.cite(service.name, *quotes), *workload.cite()),
        details={"workload": workload.name, "selector": asked, "labels": have},
        about=(workload.entity,),
    )


def _without_endpoints(service: Object, pods: list[Object]) -> Finding:
    return Finding(
        kind="service_without_endpoints",
        entity=service.entity,
        statement=f"{service.entity} has no ready endpoint: none of its {len(pods)} pods is Ready",
        citations=(*service.cite(), *pods[0].cite()),
        about=tuple(pod.entity for pod in pods[:5]),
    )


def _port(service: Object, port: Mapping[str, Any], pods: list[Object]) -> Iterator[Finding]:
    """A target port that no container has, or a protocol that it does not speak."""
    target = port.get("targetPort") or port.get("port")
    rows = [row for pod in pods for row in declared_ports(pod)]
    named = isinstance(target, str) and not target.isdecimal()
    if not rows and not named:
        return  # ports need not be declared: of a number nothing can be said
    same = [row for row in rows if str(target) in (row[0], str(row[1]))]
    if not same and not _probed(target, pods):
        yield _nobody_listens(service, port, pods, rows)
        return
    wanted = str(port.get("protocol") or "TCP")
    if same and all(protocol != wanted for _, _, protocol in same):
        number = str(port.get("port"))
        yield Finding(
            kind="service_protocol_mismatch",
            entity=service.entity,
            statement=f"{service.entity} forwards port {number} as {wanted}, its pods speak "
            f"{same[0][2]} there",
            citations=(*service.cite(number), *pods[0].cite()),
            details={"port": number, "protocol": wanted},
        )


def _nobody_listens(
    service: Object,
    port: Mapping[str, Any],
    pods: list[Object],
    rows: list[tuple[str, int, str]],
) -> Finding:
    target, number = str(port.get("targetPort") or port.get("port")), str(port.get("port"))
    by_name = not target.isdecimal()
    have = sorted({name for name, _, _ in rows if name}) if by_name else []
    have = have or sorted({str(number) for _, number, _ in rows})
    what = f"the port named {target!r}" if by_name else target
    listed = ", ".join(have) or "no port at all"
    return Finding(
        kind="service_port_mapping_mismatch",
        entity=service.entity,
        statement=f"{service.entity} sends port {number} to {what}, its pods listen on {listed}",
        citations=(*service.cite(target), *pods[0].cite(*have[:1])),
        strength=0.95 if by_name else 0.9 if _alone(service, rows) else 0.5,
        details={"port": number, "target_port": target, "declared": listed},
    )


def _alone(service: Object, rows: list[tuple[str, int, str]]) -> bool:
    """Whether no other port of the Service fits: an undeclared one beside others is often metrics."""
    known = {str(part) for row in rows for part in row[:2]}
    return not any(
        str(dig(row, "targetPort") or dig(row, "port")) in known
        for row in listing(service.spec, "ports")
    )


def _application(service: Object, port: Mapping[str, Any], pods: list[Object]) -> Iterator[Finding]:
    """An application protocol that the pod's own probe of the same port contradicts."""
    said = str(port.get("appProtocol") or "").rpartition("/")[2].lower()
    target = port.get("targetPort") or port.get("port")
    same = [row[:2] for row in declared_ports(pods[0]) if str(target) in map(str, row[:2])]
    names = {str(target), *(str(part) for row in same for part in row)}
    for probe in _probes(pods[:1]):
        plain = str(dig(probe, "httpGet", "port")) in names
        tls = dig(probe, "httpGet", "scheme") == "HTTPS"
        grpc = str(dig(probe, "grpc", "port")) in names
        if (plain and not tls and said in ("https", "wss", "tls")) or (
            grpc and said in ("http", "ws")
        ):
            yield Finding(
                kind="service_app_protocol_mismatch",
                entity=service.entity,
                statement=f"{service.entity} calls port {port.get('port')} {said}, its pods are probed "
                f"there by {'gRPC' if grpc else 'plain HTTP'}",
                citations=(*service.cite(str(port["appProtocol"])), *pods[0].cite()),
                strength=0.8,
                details={"port": str(port.get("port")), "app_protocol": said},
            )
            return


def _probes(pods: list[Object]) -> list[Mapping[str, Any]]:
    return [mapping(c, f"{name}Probe") for pod in pods for c in pod.containers() for name in PROBES]


def _probed(target: object, pods: list[Object]) -> bool:
    """Whether a probe of the pods asks that port: something listens there, declared or not."""
    asked = [dig(p, way, "port") for p in _probes(pods) for way in ("httpGet", "tcpSocket", "grpc")]
    return str(target) in {str(port) for port in asked if port is not None}
