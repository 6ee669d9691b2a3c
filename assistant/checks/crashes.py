"""Containers that started and ended: memory, exit codes, and what the last log lines say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import anyio

from assistant.checks.case import Case, Container, containers, ready, service_entity
from assistant.checks.logs import LogError, complaints, errors, readable
from assistant.incident import Entity, Evidence, Finding
from assistant.snapshot import Object, dig, listing, moment

LOGS_READ = 40
"""How many containers' logs one triage reads: the most telling come first."""

COMPLAINTS = 10
"""So many warnings in one tail are a nuisance; a few at start are ordinary."""

OWN_TROUBLE = frozenset(
    {
        "port_conflict", "credentials_refused", "volume_full", "volume_mount_permission_denied",
        "certificate_expired", "rbac_denied", "missing_env", "out_of_memory_in_process",
        "service_dns_resolution_failure",
    }
)  # fmt: skip
"""What a program says of itself; the other meanings speak of somebody it depends on."""

DATABASE_TROUBLE = frozenset({"db_connection_exhaustion", "db_read_only"})


async def check(case: Case) -> list[Finding]:
    """OOM kills and crash loops, and what the logs of those that suffer say."""
    found: dict[str, Finding] = {}
    for pod, owner in case.pods():
        for container in containers(pod):
            for finding in _of_state(case, container, owner):
                found.setdefault(finding.id, finding)
    for finding in await _of_logs(case):
        found.setdefault(finding.id, finding)
    return list(found.values())


def _of_state(case: Case, container: Container, owner: Object) -> Iterator[Finding]:
    ended = container.terminated
    at = moment(ended.get("finishedAt"))
    recent = at is None or at >= case.scope.window.start
    if ended.get("reason") == "OOMKilled" and recent:
        yield _oom(case, container, owner)
    elif container.waiting.get("reason") == "CrashLoopBackOff" and not container.init:
        yield _crash_loop(container, owner)
    elif recent and container.restarts and not container.init and ended.get("exitCode"):
        yield _restarted(container, owner)


def _oom(case: Case, container: Container, owner: Object) -> Finding:
    limit = str(dig(container.spec, "resources", "limits", "memory") or "")
    pod = container.pod
    quotes = ["OOMKilled", container.restarts, *([limit] if limit else [])]
    return Finding(
        kind="oom_killed",
        entity=owner.entity,
        statement=f"{owner.entity}: container {container.name} was killed for memory at its limit "
        f"{limit or '(none set)'}, {container.restarts} restarts",
        citations=pod.cite(*quotes),
        began=first_trouble(case, container),
        details={"container": container.name, "limit": limit, "restarts": str(container.restarts)},
        about=(pod.entity,),
    )


def first_trouble(case: Case, container: Container) -> datetime | None:
    """When it first ended: the status knows the last time only, its events the first."""
    rows = case.snapshot.events_of(container.pod, "BackOff", "OOMKilling", "Unhealthy", "Killing")
    known = [row.first for row in rows if case.in_window(row.first)]
    last = moment(container.terminated.get("finishedAt"))
    return min((at for at in [*known, last] if at), default=None)


def _crash_loop(container: Container, owner: Object) -> Finding:
    code = container.terminated.get("exitCode", "unknown")
    pod = container.pod
    return Finding(
        kind="crash_loop",
        entity=owner.entity,
        statement=f"{owner.entity}: container {container.name} ends with exit code {code} again "
        f"and again ({container.restarts} restarts)",
        citations=pod.cite("CrashLoopBackOff", container.restarts),
        began=pod.created,
        details={"container": container.name, "exit_code": str(code)},
        about=(pod.entity,),
    )


def _restarted(container: Container, owner: Object) -> Finding:
    pod, ended = container.pod, container.terminated
    at = moment(ended.get("finishedAt"))
    return Finding(
        kind="restarted",
        entity=owner.entity,
        statement=f"{owner.entity}: container {container.name} ended with exit code "
        f"{ended['exitCode']} and was started again",
        citations=pod.cite(container.name, ended["exitCode"]),
        began=at,
        active=not container.ready,
        strength=0.5,
        details={"container": container.name, "exit_code": str(ended["exitCode"])},
        about=(pod.entity,),
    )


async def _of_logs(case: Case) -> list[Finding]:
    chosen = sorted(_worth_reading(case), key=lambda row: row[0])[:LOGS_READ]
    read: dict[Entity, list[Evidence]] = {}

    async def one(owner: Object, pod: Object, container: str, previous: bool) -> None:  # noqa: FBT001 - start_soon passes by position
        arguments: dict[str, str | bool] = {
            "namespace": pod.namespace,
            "pod": pod.name,
            "container": container,
        }
        if previous:
            arguments["previous"] = True
        why = f"what {owner.entity} says of itself"
        answer = await case.ask("kubernetes.get_pod_logs", arguments, why)
        if answer.status.seen:
            read.setdefault(owner.entity, []).append(answer)

    async with anyio.create_task_group() as group:
        for _, owner, pod, container, previous in chosen:
            group.start_soon(one, owner, pod, container, previous)
    found: list[Finding] = []
    for entity in sorted(read, key=str):
        logs = sorted(read[entity], key=lambda item: item.id)
        meant = [f for error in errors(logs) for f in _meant(case, entity, error)]
        found += meant or [f for item in logs for f in _complaint(entity, item)][:1]
    return found


def _complaint(owner: Entity, log: Evidence) -> Iterator[Finding]:
    """A log that complains again and again of something that no stem names."""
    rows = complaints(log)
    if len(rows) >= COMPLAINTS:
        at, text = rows[-1]
        yield Finding(
            kind="noisy_log",
            entity=owner,
            statement=f"{owner} logs {len(rows)} warnings or errors, the last: {readable(text)[:200]}",
            citations=(log.cite(text),),
            began=moment(rows[0][0]),
            strength=0.3,
            details={"last": at},
        )


def _worth_reading(case: Case) -> Iterator[tuple[int, Object, Object, str, bool]]:
    """(rank, owner, pod, container, previous): crashed ones first, then unready, then one a workload."""
    told: set[Entity] = set()
    for pod, owner in case.pods():
        for container in containers(pod):
            running = bool(dig(container.status, "state", "running"))
            if container.restarts and not container.init:
                yield 0, owner, pod, container.name, True
            if container.waiting.get("reason") == "CrashLoopBackOff":
                yield 0, owner, pod, container.name, False
            ill = not container.ready and (running or (container.init and container.status))
            if ill:
                yield 1, owner, pod, container.name, False
            elif running and owner.entity not in told and not container.init:
                told.add(owner.entity)
                yield 3 - _near(case, owner), owner, pod, container.name, False


def _near(case: Case, owner: Object) -> int:
    return int(any(owner.name == entity.name for entity in case.scope.entities))


def _meant(case: Case, owner: Entity, error: LogError) -> Iterator[Finding]:
    target = _target(case, owner, error)
    kind = _named(case, error, target)
    own = kind in OWN_TROUBLE or (kind in DATABASE_TROUBLE and not target)
    database = target if kind in DATABASE_TROUBLE else None
    yield Finding(
        kind=kind,
        entity=database or owner,
        statement=f"{owner} logs: {readable(error.text)[:300]}",
        citations=(error.evidence.cite(error.text),),
        began=_since(case, owner, error),
        strength=0.8 if own or database else 0.5,
        details={
            "host": error.host,
            "port": error.port,
            "container": str(dig(error.evidence.data, "container") or ""),
        },
        about=tuple(thing for thing in (target, owner) if thing),
    )


def _named(case: Case, error: LogError, target: Entity | None) -> str:
    """The kind of an error, seen against the cluster.

    A name that does not resolve is a wrong name, unless a Service has it: then it is the lookup
    itself that fails for this pod (its DNS policy, an egress policy, the cluster's DNS).
    """
    there = target is not None and case.snapshot.find(target) is not None
    pod = case.snapshot.get("Pod", *_place(error))
    if error.kind == "name_not_resolved" and there and pod and not ready(pod):
        return "service_dns_resolution_failure"
    return error.kind


def _place(error: LogError) -> tuple[str, str]:
    data = error.evidence.data
    return str(dig(data, "namespace") or ""), str(dig(data, "pod") or "")


def _since(case: Case, owner: Entity, error: LogError) -> datetime | None:
    """When an error began: a program that starts again and again says it anew in each run."""
    pod = case.snapshot.get("Pod", owner.namespace, _place(error)[1])
    name = str(dig(error.evidence.data, "container"))
    ended = [c for c in containers(pod) if c.name == name and c.restarts] if pod else []
    return first_trouble(case, ended[0]) if ended else moment(error.at)


def _target(case: Case, owner: Entity, error: LogError) -> Entity | None:
    """The thing that an error line speaks of: a Service by name or address, else its bare name."""
    if not error.host:
        return None
    name, _, rest = error.host.partition(".")
    namespace = rest.split(".")[0] if rest and not rest[0].isdigit() else owner.namespace
    if case.snapshot.get("Service", namespace, name):
        return service_entity(namespace, name)
    for service in case.snapshot.of("Service"):
        if error.host in (service.spec.get("clusterIP"), *listing(service.spec, "clusterIPs")):
            return service.entity
    for pod in case.snapshot.of("Pod"):
        if pod.status.get("podIP") == error.host:
            return case.snapshot.owner(pod).entity
    return Entity(kind="Address", name=error.host)
