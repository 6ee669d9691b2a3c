"""What programs say of themselves and of each other in their logs, as findings about the thing at fault."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from assistant.checks.case import Case, Container, containers, ready, service_entity
from assistant.checks.crashes import first_trouble, settled
from assistant.checks.reading.logs.complaints import Complaint, Grumble, complaints, grumbles
from assistant.checks.reading.logs.log_reading import TOOL, read
from assistant.checks.reading.logs.log_records import readable
from assistant.checks.reading.logs.refused import wrong_addresses
from assistant.checks.reading.logs.silence import silent_crashes
from assistant.checks.reading.objects.databases import behind, database_of
from assistant.engines import served_engine
from assistant.incident import Entity, Evidence, Finding
from assistant.snapshot import Object, listing, moment

COMPLAINTS = 10
"""So many warnings in one tail are a nuisance; a few at start are ordinary."""

OWN_TROUBLE = frozenset(
    {
        "port_conflict", "credentials_refused", "volume_full", "volume_mount_permission_denied",
        "certificate_expired", "certificate_untrusted", "certificate_name_mismatch", "rbac_denied",
        "missing_env", "out_of_memory_in_process", "service_dns_resolution_failure", "shm_full",
        "disk_error", "bad_config", "bad_command", "image_wrong_arch", "incompatible_version",
        "schema_missing", "gc_thrash", "feature_flag_fault", "pool_exhausted",
    }
)  # fmt: skip
"""What a program says of itself; the other meanings speak of somebody it depends on."""

AT_START = frozenset(
    {
        "port_conflict", "missing_env", "bad_config", "bad_command", "image_wrong_arch",
        "incompatible_version", "volume_mount_permission_denied",
    }
)  # fmt: skip
"""What stops a program from starting: one that is Ready got over it."""

OF_THE_DATABASE = frozenset(
    {
        "db_connection_exhaustion",
        "db_read_only",
        "cache_memory_full",
        "lock_contention",
        "slow_query",
    }
)
"""What all clients of one database suffer from together."""

OF_ITS_SERVER = frozenset({"certificate_expired"})
"""What a client says of the server that it called: whose certificate is past its date shows it to all."""

INSISTS = 5
"""So many times, and still at the end, is more than a slip."""

LAST_HEARD = timedelta(minutes=5)
LAST_WORDS = timedelta(seconds=60)

OF_A_DEPENDENCY = frozenset({"dependency_refused", "dependency_timeout", "rate_limited"})
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
MOST_SEARCHES = 6
"""Logs that are read further back, to see whether a complaint is an old one."""

_RESOURCE = re.compile(r'cannot \w+ resource \\*"')
_SETTING = re.compile(
    r"(?:KeyError: ['\"]|key not found: \"|placeholder ['\"]|variable:? ['\"]?|required key )(?P<name>[\w.-]+)"
    r"|(?P<upper>\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b)"
)
_FLAG = re.compile(r"flag\W{1,3}(?P<name>[\w-]*[A-Z_-][\w-]*)|['\"](?P<quoted>[\w-]+)['\"] feature")
_PUBLIC = re.compile(r"(?:[a-z0-9-]+\.)+[a-z]{2,}", re.IGNORECASE)


async def check(case: Case) -> list[Finding]:
    """What the logs tell: known troubles, wrong addresses, unknown complaints, and telling silence."""
    logs = await read(case)
    heard = [row for entity, items in logs.items() for row in complaints(entity, items)]
    told = {row.owner for row in heard}
    searched = {row.evidence.id for row in heard if _goes_further_back(row)}
    searched = set(sorted(searched)[:MOST_SEARCHES])
    found = [
        await _dated(case, finding, row) if row.evidence.id in searched else finding
        for row, finding in _findings(case, heard)
    ]
    noise = [
        f
        for entity, items in logs.items()
        if entity not in told
        for f in _noise(case, entity, items)
    ]
    return [
        *_agreeing(found),
        *wrong_addresses(case, heard),
        *silent_crashes(case, logs),
        *noise,
    ]


def _findings(case: Case, heard: list[Complaint]) -> Iterator[tuple[Complaint, Finding]]:
    for row in heard:
        # A server says so of its clients.
        of_others = row.kind == "credentials_refused" and _serves(case, row.owner)
        told_better = row.kind == "rbac_denied" and _RESOURCE.search(row.line.text)  # by `access`
        if not (of_others or told_better):
            yield row, _finding(case, row, heard)


def _finding(case: Case, row: Complaint, heard: list[Complaint]) -> Finding:
    target = _target(case, row)
    kind = _named(case, row, target)
    entity = _at_fault(case, kind, row, target, heard)
    own = kind in OWN_TROUBLE or entity != row.owner or _serves(case, row.owner)
    return Finding(
        kind=kind,
        entity=entity,
        statement=f"{row.owner} logs: {readable(row.line.text)[:300]}",
        citations=(row.evidence.cite(row.line.text),),
        began=_since(case, row),
        active=not _over(case, row),
        strength=_strength(case, kind, row) if own else 0.5,
        details=_details(kind, row),
        about=tuple(dict.fromkeys(thing for thing in (target, row.owner) if thing)),
    )


def _at_fault(
    case: Case, kind: str, row: Complaint, target: Entity | None, heard: list[Complaint]
) -> Entity:
    """Whose trouble it is: the database's for what its clients suffer together, else who says it."""
    if kind == "external_api_failing" and target:
        return target
    if kind in OF_ITS_SERVER and target and target.kind != "Address":
        return behind(case.snapshot, target) if target.kind == "Service" else target
    if kind not in OF_THE_DATABASE or _serves(case, row.owner):
        return row.owner
    if target and target.kind == "Service":
        return behind(case.snapshot, target)
    if target and target.kind != "Address":
        return target
    saying_so = {other.owner for other in heard if other.kind == kind}
    return database_of(case, row.owner, row.engine, saying_so) or row.owner


def _serves(case: Case, entity: Entity) -> bool:
    """Whether this is a database or a broker."""
    workload = case.snapshot.find(entity)
    return bool(workload and served_engine(workload))


def _named(case: Case, row: Complaint, target: Entity | None) -> str:
    """The kind of a complaint, seen against the cluster.

    A name that does not resolve is a wrong name, unless a Service has it: then it is the lookup
    itself that fails for this pod (its DNS policy, an egress policy, the cluster's DNS).
    """
    there = target is not None and case.snapshot.find(target) is not None
    pod = case.snapshot.get("Pod", *row.place[:2])
    if row.kind == "name_not_resolved" and there and pod and not ready(pod):
        return "service_dns_resolution_failure"
    if row.kind == "dependency_refused" and row.host in LOOPBACK and _nobody_listens(case, row):
        return "service_env_var_address_mismatch"
    outside = target is not None and target.kind == "Address" and _is_public(row.host)
    return "external_api_failing" if outside and row.kind in OF_A_DEPENDENCY else row.kind


def _is_public(host: str) -> bool:
    """Whether a host is outside of the cluster and of the machines around it."""
    inside = re.search(r"\.(svc|local|internal|cluster|lan)\b", host) or ".svc" in host
    return bool(_PUBLIC.fullmatch(host)) and not inside


def _nobody_listens(case: Case, row: Complaint) -> bool:
    """Whether a program calls itself on a port that no container of its pod has."""
    pod = case.snapshot.get("Pod", *row.place[:2])
    declared = [str(number) for c in containers(pod) for number in c.ports.values()] if pod else []
    return bool(declared and row.port and row.port not in declared and pod and not ready(pod))


def _strength(case: Case, kind: str, row: Complaint) -> float:
    container = _speaker(case, row.evidence)
    if kind in AT_START and container and ready(container.pod):
        return 0.4
    return 0.95 if _insists(case, row) or _died_of_it(case, row) else 0.8


def _insists(case: Case, row: Complaint) -> bool:
    """Whether it is said again and again, and still is at the end of the window."""
    quiet = case.scope.window.end - row.last if row.last else None
    return len(row.records) >= INSISTS and quiet is not None and quiet <= LAST_HEARD


def _died_of_it(case: Case, row: Complaint) -> bool:
    """Whether these were the last words of a run that failed."""
    last = {record.evidence.id: record for record in row.records}
    for record in last.values():
        container, at = _speaker(case, record.evidence), moment(record.lines[-1].at)
        ended = moment(container.terminated.get("finishedAt")) if container else None
        failed = bool(container and container.terminated.get("exitCode"))
        if failed and ended and at and abs(ended - at) <= LAST_WORDS:
            return True
    return False


def _over(case: Case, row: Complaint) -> bool:
    """Whether a program said so, was started again, and is well since."""
    container = _speaker(case, row.evidence)
    if container and _done_since(case, container.pod):
        return True
    if container is None or not row.of_the_past or not ready(container.pod):
        return False
    return container.restarts == 1 or settled(case, container)


def _done_since(case: Case, pod: Object) -> bool:
    """Whether it is a run of a Job that ended, and a later run did the work."""
    if pod.status.get("phase") not in ("Failed", "Succeeded"):
        return False
    siblings = case.snapshot.pods_of(case.snapshot.owner(pod))
    done = [one for one in siblings if one.status.get("phase") == "Succeeded"]
    return any(one.created and pod.created and one.created >= pod.created for one in done)


def _speaker(case: Case, log: Evidence) -> Container | None:
    """The container whose log it is."""
    asked = log.arguments
    namespace, name, wanted = (str(asked.get(key)) for key in ("namespace", "pod", "container"))
    pod = case.snapshot.get("Pod", namespace, name)
    return next((c for c in containers(pod) if c.name == wanted), None) if pod else None


def _details(kind: str, row: Complaint) -> dict[str, str]:
    text = row.line.text
    found = {"host": row.host, "port": row.port, "container": row.place[2]}
    match = {"missing_env": _SETTING, "feature_flag_fault": _FLAG}.get(kind)
    said = match.search(text) if match else None
    if said:
        found["name"] = next((value for value in said.groupdict().values() if value), "")
    return found | ({"engine": row.engine} if row.engine else {})


def _since(case: Case, row: Complaint) -> datetime | None:
    """When it began: a program that starts again and again says it anew in each run."""
    container = _speaker(case, row.evidence)
    began = row.began(case.scope.window.start)
    ended = moment(container.terminated.get("finishedAt")) if container else None
    if container is None or not container.restarts or not case.in_window(ended):
        return began
    return first_trouble(case, container)


def _goes_further_back(row: Complaint) -> bool:
    """Whether what was read of a log is not all of it."""
    return row.evidence.truncated and "further back" in row.evidence.reason


async def _dated(case: Case, finding: Finding, row: Complaint) -> Finding:
    """The finding with its true beginning: the log is searched further back than it was read."""
    if finding.began is None or finding.began < case.scope.window.start:
        return finding
    namespace, pod, container = row.place
    asked = {"namespace": namespace, "pod": pod, "container": container, "grep": _stem(row)}
    older = await case.ask(TOOL, asked, f"whether {row.owner} said this before the incident")
    times = [
        at
        for other in (complaints(row.owner, [older]) if older.status.seen else [])
        if (other.kind, other.host) == (row.kind, row.host) and (at := other.began(finding.began))
    ]
    return finding.model_copy(update={"began": min([finding.began, *times])})


def _stem(row: Complaint) -> str:
    """The longest run of plain words in a line: what every line of its template holds."""
    runs = re.findall(r"[A-Za-z][A-Za-z' ]{5,}", readable(row.line.text))
    return max(runs, key=len, default=row.line.text)[:80].strip()


def _target(case: Case, row: Complaint) -> Entity | None:
    """The thing that a line speaks of: a Service by name or address, else its bare name."""
    if not row.host:
        return None
    name, _, rest = row.host.partition(".")
    namespace = rest.split(".")[0] if rest and not rest[0].isdigit() else row.owner.namespace
    if case.snapshot.get("Service", namespace, name):
        return service_entity(namespace, name)
    for service in case.snapshot.of("Service"):
        if row.host in (service.spec.get("clusterIP"), *listing(service.spec, "clusterIPs")):
            return service.entity
    for pod in case.snapshot.of("Pod"):
        if pod.status.get("podIP") == row.host or (pod.name, pod.namespace) == (name, _third(rest)):
            return case.snapshot.owner(pod).entity
    return Entity(kind="Address", name=row.host)


def _third(rest: str) -> str:
    """The namespace in `pod.service.namespace...`: how a StatefulSet's pods are called."""
    parts = rest.split(".")
    return parts[1] if len(parts) > 1 else ""


def _agreeing(found: Iterable[Finding]) -> list[Finding]:
    """One finding for a database of which several clients say the same, citing them all."""
    together: dict[tuple[str, Entity], list[Finding]] = {}
    for finding in found:
        together.setdefault((finding.kind, finding.entity), []).append(finding)
    return [row for rows in together.values() for row in _merged(rows)]


def _merged(rows: list[Finding]) -> list[Finding]:
    """Several hosts of one complaint stay apart; several clients of one database do not."""
    first = rows[0]
    if first.kind not in OF_THE_DATABASE | OF_ITS_SERVER or len(rows) == 1:
        return rows
    speakers = tuple(dict.fromkeys(thing for row in rows for thing in row.about))
    statement = f"{first.statement} (and {len(rows) - 1} more say the same of {first.entity})"
    return [
        first.model_copy(
            update={
                "statement": statement,
                "citations": tuple(dict.fromkeys(c for row in rows for c in row.citations))[:6],
                "began": min((row.began for row in rows if row.began), default=None),
                "strength": min(1.0, 0.85 + 0.03 * len(rows)),
                "about": speakers[:20],
            }
        )
    ]


def _new_errors(case: Case, owner: Entity, grumble: Grumble) -> bool:
    """Whether the alert's own thing fails again and again, still does, and did not before.

    A log that was not read to its beginning cannot tell when it began.
    """
    same = grumble.same
    first, last = moment(same[0].first.at), moment(same[-1].first.at)
    still = last is not None and case.scope.window.end - last <= LAST_HEARD
    often = sum(row.level == "error" for row in same) >= COMPLAINTS
    known = still and not same[0].evidence.truncated and case.in_window(first)
    return owner in case.scope.entities and often and known


def _noise(case: Case, owner: Entity, logs: list[Evidence]) -> Iterator[Finding]:
    """A log that complains again and again of something that no stem names: its commonest template."""
    for grumble in list(grumbles(logs))[:1]:
        same, every = grumble.same, grumble.records
        if len(every) < COMPLAINTS:
            continue
        line = same[-1].told[1]
        yield Finding(
            kind="errors_logged" if _new_errors(case, owner, grumble) else "noisy_log",
            entity=owner,
            statement=f"{owner} logs {len(every)} warnings or errors, {len(same)} of them like: "
            f"{readable(line.text)[:200]}",
            citations=(same[-1].evidence.cite(line.text),),
            began=moment(same[0].first.at),
            strength=0.3,
            details={"template": grumble.template.text[:200], "count": str(len(same))},
        )
