"""Databases and brokers: who serves, who uses them, and whose trouble a client's complaint is. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from assistant.checks.case import Case, ready
from assistant.checks.reading.objects.configured import configured, settings
from assistant.engines import engine, served_engine
from assistant.incident import Entity
from assistant.snapshot import Object, Snapshot, mapping
from assistant.topology import references, selects


def servers(case: Case, kind: str) -> list[Object]:
    """The workloads in scope that are databases or brokers of this kind."""
    return [workload for workload in case.workloads() if served_engine(workload) == kind]


def clients(case: Case, kind: str) -> list[Object]:
    """The workloads in scope whose configuration speaks of this kind of database."""
    rows = case.workloads()
    return [row for row in rows if not served_engine(row) and kind in spoken_of(case.snapshot, row)]


def spoken_of(snapshot: Snapshot, workload: Object) -> set[str]:
    """The kinds of database that a workload's settings name, in their names or their values.

    What a Secret holds is not seen, but its keys are: `ORDERS_MYSQL_HOST` says enough.
    """
    texts = [text for row in settings(snapshot, workload) for text in (row.name, row.value)]
    return {name for text in (*texts, *_secret_keys(snapshot, workload)) if (name := engine(text))}


def connection_secrets(snapshot: Snapshot, workload: Object) -> list[Object]:
    """The Secrets from which a workload learns where a server is and how to log in there."""
    return [
        secret
        for secret in _secrets(snapshot, workload)
        if {"HOST", "PORT"}
        <= {key.upper().rpartition("_")[2] for key in mapping(secret.raw, "data")}
    ]


def _secrets(snapshot: Snapshot, workload: Object) -> list[Object]:
    names = [name for kind, name, _, _ in references(workload.template) if kind == "Secret"]
    found = (snapshot.get("Secret", workload.namespace, name) for name in dict.fromkeys(names))
    return [secret for secret in found if secret]


def _secret_keys(snapshot: Snapshot, workload: Object) -> Iterator[str]:
    for secret in _secrets(snapshot, workload):
        yield from map(str, mapping(secret.raw, "data"))


def behind(snapshot: Snapshot, service: Entity) -> Entity:
    """The one workload that a Service leads to; the Service where there is none, or more than one."""
    found = snapshot.find(service)
    selector = mapping(found.spec, "selector") if found else {}
    pods = [pod for pod in snapshot.of("Pod", service.namespace) if selects(selector, pod.labels)]
    owners = {snapshot.owner(pod).entity for pod in pods}
    return owners.pop() if len(owners) == 1 else service


def serving(case: Case, workload: Object) -> bool:
    """Whether a workload has a Ready pod."""
    return any(ready(pod) for pod in case.snapshot.pods_of(workload))


def database_of(case: Case, client: Entity, kind: str, saying_so: set[Entity]) -> Entity | None:
    """The database that a client's complaint is about where the line names no host.

    The one that says the same of itself; else the one that the client is configured to call; else
    the only one of its kind.
    """
    known = servers(case, kind) if kind else []
    candidates = [row.entity for row in known] or [
        row.entity for row in case.workloads() if served_engine(row)
    ]
    own = [entity for entity in candidates if entity in saying_so]
    if len(own) == 1:
        return own[0]
    if kind and (called := _configured_for(case, client, candidates)):
        return called
    return known[0].entity if len(known) == 1 else None


def _configured_for(case: Case, client: Entity, candidates: list[Entity]) -> Entity | None:
    workload = case.snapshot.find(client)
    if workload is None:
        return None
    for address in configured(case.snapshot, workload):
        if place := address.place(client.namespace):
            service = Entity(kind="Service", name=place[1], namespace=place[0])
            if (entity := behind(case.snapshot, service)) in candidates:
                return entity
    return None
