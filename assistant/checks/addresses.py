"""Addresses that a workload is told to call, held against the Services that are there."""

from __future__ import annotations

from collections.abc import Iterator

from assistant.checks.case import Case, service_entity
from assistant.checks.reading.objects.configured import Address, configured
from assistant.checks.reading.objects.databases import behind
from assistant.engines import served_engine
from assistant.incident import Citation, Finding
from assistant.snapshot import Object, dig, listing, mapping, whole
from assistant.topology import selects


async def check(case: Case) -> list[Finding]:
    """Configured ports that the Service of that name does not have."""
    found: dict[str, Finding] = {}
    for workload in case.workloads():
        if workload.spec.get("replicas", 1):
            for address in configured(case.snapshot, workload):
                for finding in _of_address(case, workload, address):
                    found.setdefault(finding.id, finding)
    return list(found.values())


def _of_address(case: Case, workload: Object, address: Address) -> Iterator[Finding]:
    place = address.place(workload.namespace)
    if place is None:
        return
    service = case.snapshot.get("Service", *place)
    if service is None:
        return  # an unknown name may be anything; log lines tell when it fails
    ports = _answered(case, service)
    if ports and address.port not in ports:
        yield _wrong_port(case, workload, address, service)


def _answered(case: Case, service: Object) -> set[int]:
    """The ports at which something answers under a Service's name; empty where that is not known."""
    ports = {whole(dig(row, "port")) for row in listing(service.spec, "ports")}
    if service.spec.get("type") == "ExternalName":
        return set()
    if service.spec.get("clusterIP") != "None":
        return ports
    # The name of a headless Service leads to the pods themselves: any port of theirs answers.
    selector = mapping(service.spec, "selector")
    pods = [p for p in case.snapshot.of("Pod", service.namespace) if selects(selector, p.labels)]
    declared = [listing(c, "ports") for pod in pods for c in pod.containers()]
    if not declared or not all(declared):
        return set()
    return ports | {whole(dig(row, "containerPort")) for rows in declared for row in rows}


def _wrong_port(case: Case, workload: Object, address: Address, service: Object) -> Finding:
    ports = [whole(dig(row, "port")) for row in listing(service.spec, "ports")]
    server = case.snapshot.find(behind(case.snapshot, service.entity))
    engine = served_engine(server) if server else ""
    details = {"host": service.name, "port": str(address.port)}
    return Finding(
        kind="database_address_wrong" if engine else "service_env_var_address_mismatch",
        entity=workload.entity,
        statement=f"{workload.entity} calls {address.host}:{address.port} ({address.names}), "
        f"{service.entity} has port {', '.join(map(str, ports))}",
        citations=(*_said(address), *service.cite(str(ports[0]))),
        strength=0.9,
        details=details | ({"engine": engine} if engine else {}),
        about=(service_entity(service.namespace, service.name),),
    )


def _said(address: Address) -> tuple[Citation, ...]:
    """The setting's own words, in the object that holds them."""
    setting = address.settings[-1]
    return setting.source.cite(setting.value)
