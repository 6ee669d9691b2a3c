"""Names that callers use and nothing answers to: Services that are gone, and Services that name nothing."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_address

from assistant.checks.case import Case, service_entity
from assistant.checks.reading.logs.complaints import Complaint
from assistant.checks.reading.logs.hearing import UNRESOLVED, unreached
from assistant.checks.reading.objects.written import last_written
from assistant.incident import Entity, Finding
from assistant.snapshot import Object, dig, mapping, whole
from assistant.topology import addresses, hosts

ALIKE = 0.8
"""A Service whose name is as near as this to the one called: the caller's address is the slip."""


_WITH_PORT = re.compile(r"(?<![\w.-])([a-z][a-z0-9-]*)(?:\.[a-z0-9-]+)*:\d{2,5}(?!\d)")


async def check(case: Case) -> list[Finding]:
    """Called Services that do not exist, and Services that lead to a name that does not."""
    wanted: dict[Entity, list[Object]] = {}
    for owner in case.workloads():
        for host in _unanswered(case, owner):
            wanted.setdefault(host, []).append(owner)
    heard = await unreached(case, UNRESOLVED) if wanted else {}
    found = [f for host, owners in wanted.items() for f in _gone(case, host, owners, heard)]
    return [*found, *_outward(case)]


def _unanswered(case: Case, owner: Object) -> Iterator[Entity]:
    """Hosts in a workload's addresses that read like Services of a namespace that was listed."""
    if not whole(owner.spec.get("replicas", 1)):
        return
    names = {item.name for item in (*case.snapshot.of("Service"), *case.workloads())}
    for text in addresses(case.snapshot, owner):
        called = set(_WITH_PORT.findall(text[:20_000]))
        for host in hosts(text, owner.namespace):
            meant = (
                host.name in called
                or host.name in names
                or f"{host.name}.{host.namespace}.svc" in text
            )
            there = case.snapshot.find(host) or not case.snapshot.listed("Service", host.namespace)
            if meant and not there:
                yield host


def _gone(
    case: Case, host: Entity, owners: list[Object], heard: Mapping[Entity, list[Complaint]]
) -> Iterator[Finding]:
    said = [
        (owner, error)
        for owner in owners
        for error in heard.get(owner.entity, [])
        if error.kind == UNRESOLVED and error.host.partition(".")[0] == host.name
    ]
    if not said or _refused(case, host.namespace):
        return
    owner, error = said[0]
    near = _slip(case, host)
    if near:
        yield from (_mistaken(host, near, owner, error) for owner, error in said)
        return
    listed = case.snapshot.listing_of("Service", host.namespace)
    yield Finding(
        kind="service_missing",
        entity=service_entity(host.namespace, host.name),
        statement=f"Service {host.namespace}/{host.name} does not exist, {owner.entity} calls it: "
        f"{error.line.text[:200]}",
        citations=(
            error.evidence.cite(error.line.text),
            *([listed.cite_absence()] if listed else []),
        ),
        strength=0.95,
        details={"host": error.host, "caller": owner.name},
        about=tuple(dict.fromkeys(row.entity for row, _ in said)),
    )


def _mistaken(host: Entity, near: str, owner: Object, error: Complaint) -> Finding:
    return Finding(
        kind="service_env_var_address_mismatch",
        entity=owner.entity,
        statement=f"{owner.entity} calls {host.name}, which does not exist; there is Service "
        f"{host.namespace}/{near}: {error.line.text[:200]}",
        citations=(error.evidence.cite(error.line.text), *owner.cite(owner.name)),
        strength=0.95,
        details={"host": error.host},
        about=(service_entity(host.namespace, near),),
    )


def _slip(case: Case, host: Entity) -> str:
    """The Service whose name is nearly the one called, if there is one: then the address is wrong."""
    there = [item.name for item in case.snapshot.of("Service", host.namespace)]
    return next(iter(difflib.get_close_matches(host.name, there, n=1, cutoff=ALIKE)), "")


def _refused(case: Case, namespace: str) -> bool:
    """Whether a full quota of Services is why it is not there, which is told elsewhere."""
    rows = [quota.status for quota in case.snapshot.of("ResourceQuota", namespace)]
    return any(
        "services" in mapping(row, "hard")
        and whole(dig(row, "used", "services")) >= whole(dig(row, "hard", "services"))
        for row in rows
    )


def _outward(case: Case) -> Iterator[Finding]:
    """Services that are another name for something: for an address, or for a Service that is not there."""
    for service in case.namespaced("Service"):
        target = str(service.spec.get("externalName") or "").rstrip(".")
        if service.spec.get("type") != "ExternalName" or not target:
            continue
        why = _leads_nowhere(case, target)
        if why:
            yield Finding(
                kind="external_name_wrong",
                entity=service.entity,
                statement=f"{service.entity} is a name for {target}, {why}",
                citations=service.cite(service.name, target),
                began=last_written(service) if case.in_window(last_written(service)) else None,
                strength=0.9 if case.topology.affects(service.entity) else 0.6,
                details={"target": target},
            )


def _leads_nowhere(case: Case, target: str) -> str:
    try:
        ip_address(target)
    except ValueError:
        name, _, rest = target.partition(".")
        namespace, _, zone = rest.partition(".")
        inside = zone.split(".")[0] == "svc"
        listed = inside and case.snapshot.listed("Service", namespace)
        gone = listed and not case.snapshot.get("Service", namespace, name)
        return f"and namespace {namespace} has no Service {name}" if gone else ""
    return "which is an address: an ExternalName must be a host name"
