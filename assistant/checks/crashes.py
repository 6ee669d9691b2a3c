"""Containers that started and ended: memory kills, exit codes, crash loops. What they said: `logs.py`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from assistant.checks.case import Case, Container, containers
from assistant.incident import Finding
from assistant.snapshot import Object, dig, moment

CALM = timedelta(minutes=20)
"""A run must last at least this long before the ones that ended count as over."""

CALM_RUNS = 3
"""So many times as long as the runs that ended must the present one last: a leak takes its time."""


async def check(case: Case) -> list[Finding]:
    """OOM kills, crash loops and restarts."""
    found: dict[str, Finding] = {}
    for pod, owner in case.pods():
        for container in containers(pod):
            for finding in _of_state(case, container, owner):
                known = found.get(finding.id)
                if known is None or (finding.active and not known.active):
                    found[finding.id] = finding
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
        active=not settled(case, container),
        details={"container": container.name, "limit": limit, "restarts": str(container.restarts)},
        about=(pod.entity,),
    )


def first_trouble(case: Case, container: Container) -> datetime | None:
    """When it first ended: the status knows the last time only, its events the first."""
    rows = case.snapshot.events_of(container.pod, "BackOff", "OOMKilling", "Unhealthy", "Killing")
    known = [row.first for row in rows if case.in_window(row.first)]
    last = moment(container.terminated.get("finishedAt"))
    return min((at for at in [*known, last] if at), default=None)


def settled(case: Case, container: Container) -> bool:
    """Whether it is Ready and runs for far longer than the runs lasted that ended before."""
    since = moment(dig(container.status, "state", "running", "startedAt"))
    ended = container.terminated
    begun, over = moment(ended.get("startedAt")), moment(ended.get("finishedAt"))
    if not (container.ready and since and begun and over):
        return False
    spans = [over - begun, *_between_starts(case, container)]
    return case.scope.window.end - since >= max(CALM, CALM_RUNS * max(spans))


def _between_starts(case: Case, container: Container) -> Iterator[timedelta]:
    """How long its runs lasted on average, by the events of their starts."""
    for event in case.snapshot.events_of(container.pod, "Started"):
        if event.count > 1 and event.first and event.last:
            yield (event.last - event.first) / (event.count - 1)


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
