"""A client that its database refuses while it serves the others: its own address is wrong. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from assistant.checks.case import Case, ready, unready_since
from assistant.checks.reading.logs.complaints import Complaint
from assistant.checks.reading.objects.configured import configured
from assistant.checks.reading.objects.databases import clients, connection_secrets, servers, serving
from assistant.incident import Entity, Finding
from assistant.snapshot import Object, dig, listing, whole


def wrong_addresses(case: Case, heard: list[Complaint]) -> Iterator[Finding]:
    """Clients that alone are refused by a kind of database all of whose servers are well.

    A server that listens refuses nobody a connection: who is refused asked another port or host.
    """
    refused = [row for row in heard if row.kind == "dependency_refused" and row.engine]
    for kind in sorted({row.engine for row in refused}):
        mine = {row.owner: row for row in refused if row.engine == kind}
        known = servers(case, kind)
        well = [row for row in clients(case, kind) if row.entity not in mine and serving(case, row)]
        if known and all(serving(case, row) for row in known) and len(well) >= len(mine):
            for row in mine.values():
                if _still_refused(case, row, known) and not _right(case, row):
                    yield _finding(case, row, known, well)


def _still_refused(case: Case, row: Complaint, known: list[Object]) -> bool:
    """Whether it is refused though the database was up, and so cannot work."""
    pod = case.snapshot.get("Pod", *row.place[:2])
    up = max((at for server in known if (at := _up_since(case, server))), default=None)
    return bool(pod and not ready(pod) and row.last and up and row.last > up)


def _up_since(case: Case, server: Object) -> datetime | None:
    """Since when the first of a server's pods has been Ready."""
    pods = [pod for pod in case.snapshot.pods_of(server) if ready(pod)]
    return min((at for pod in pods if (at := unready_since(pod))), default=None)


def _right(case: Case, row: Complaint) -> bool:
    """Whether the line names an address that a Service has: then something else stands between."""
    name, _, rest = row.host.partition(".")
    service = case.snapshot.get("Service", rest.split(".")[0] or row.owner.namespace, name)
    ports = [whole(dig(port, "port")) for port in listing(service.spec, "ports")] if service else []
    return bool(service and row.port and int(row.port) in ports)


def _finding(case: Case, row: Complaint, known: list[Object], well: list[Object]) -> Finding:
    names = ", ".join(str(server.entity) for server in known)
    told = _told(case, row.owner)
    return Finding(
        kind="database_address_wrong",
        entity=row.owner,
        statement=f"{row.owner} is refused by its {row.engine} database, while {names} is up and "
        f"{len(well)} other clients work: its own address{told} is wrong",
        citations=(row.evidence.cite(row.line.text), *known[0].cite(), *well[0].cite()),
        began=row.began(case.scope.window.start),
        strength=0.95,
        details={"engine": row.engine, "host": row.host, "port": row.port},
        about=tuple(server.entity for server in known),
    )


def _told(case: Case, owner: Entity) -> str:
    """Where the client has its address from, as far as that can be seen."""
    workload = case.snapshot.find(owner)
    secrets = connection_secrets(case.snapshot, workload) if workload else []
    if secrets:
        return f" (in the Secret {secrets[0].name})"
    rows = [row.names for row in configured(case.snapshot, workload)] if workload else []
    return f" ({rows[0]})" if len(rows) == 1 else ""
