"""Which containers' logs one triage reads, and their answers. It may not say what they mean."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import anyio

from assistant.checks.case import Case, Container, containers
from assistant.checks.reading.metrics.services import measured
from assistant.engines import served_engine
from assistant.incident import Entity, Evidence
from assistant.snapshot import Object, dig, moment

LOGS_READ = 40
"""How many containers' logs one triage reads: the most telling come first."""

MEASURED_ILL = (3, 2)
"""The rank of a log for its metrics' sake: of a workload that is well by them, and of one that is ill."""

TOOL = "kubernetes.get_pod_logs"


@dataclass(frozen=True)
class Wanted:
    """One log that is worth reading, the lower the rank the more."""

    rank: int
    owner: Object
    pod: Object
    container: str
    previous: bool = False


async def read(case: Case) -> dict[Entity, list[Evidence]]:
    """The logs of each workload that suffers, or is near the alert, then of the others.

    Every family that asks gets the same answers: a question is put to the cluster once.
    """
    found: dict[Entity, list[Evidence]] = {}

    async def one(wanted: Wanted) -> None:
        answer = await case.ask(
            TOOL, arguments(wanted), f"what {wanted.owner.entity} says of itself"
        )
        if answer.status.seen:
            found.setdefault(wanted.owner.entity, []).append(answer)

    async with anyio.create_task_group() as group:
        for wanted in chosen(case):
            group.start_soon(one, wanted)
    return {
        entity: sorted(found[entity], key=lambda item: item.id) for entity in sorted(found, key=str)
    }


def arguments(wanted: Wanted) -> dict[str, str | bool]:
    """The question for one log."""
    asked: dict[str, str | bool] = {
        "namespace": wanted.pod.namespace,
        "pod": wanted.pod.name,
        "container": wanted.container,
    }
    return {**asked, "previous": True} if wanted.previous else asked


def chosen(case: Case) -> list[Wanted]:
    """The logs that are read; where there are more, those that metrics call ill before the well."""
    wanted = sorted(_worth_reading(case), key=lambda row: row.rank)
    if len(wanted) > LOGS_READ:
        ill = {signal.service for signal in measured(case).signals if signal.ill}
        wanted.sort(key=lambda row: min(row.rank, MEASURED_ILL[row.owner.entity in ill]))
    return wanted[:LOGS_READ]


def _worth_reading(case: Case) -> Iterator[Wanted]:
    """Those that crashed, then the unready, then one replica of each workload."""
    told: set[Entity] = set()
    last = _last_failures(case)
    for pod, owner in case.pods():
        newest = last.get(owner.entity, pod) is pod
        for container in containers(pod):
            if container.restarts and not container.init and _ended_lately(case, container):
                yield Wanted(0, owner, pod, container.name, previous=True)
            rank = _trouble(container, newest=newest)
            if rank is not None:
                yield Wanted(rank, owner, pod, container.name)
            elif _runs(container) and owner.entity not in told and not container.init:
                told.add(owner.entity)
                yield Wanted(3 - _near(case, owner), owner, pod, container.name)


def _trouble(container: Container, *, newest: bool) -> int | None:
    """How much its present run wants to be read for its own sake; None for one that is well."""
    if container.waiting.get("reason") == "CrashLoopBackOff":
        return 0
    if dig(container.status, "state", "terminated", "exitCode"):
        return 0 if newest else None
    begun = _runs(container) or (container.init and container.status)
    return 1 if begun and not container.ready else None


def _runs(container: Container) -> bool:
    return bool(dig(container.status, "state", "running"))


def _last_failures(case: Case) -> dict[Entity, Object]:
    """The newest pod of each workload or Job that ended for good: its log has the last words of a run."""
    newest: dict[Entity, Object] = {}
    for pod, owner in case.pods():
        best = newest.get(owner.entity)
        if pod.status.get("phase") == "Failed" and (
            best is None or str(pod.created) > str(best.created)
        ):
            newest[owner.entity] = pod
    return newest


def _ended_lately(case: Case, container: Container) -> bool:
    """Whether the run before this one ended within the window: an older one tells nothing of now."""
    at = moment(container.terminated.get("finishedAt"))
    return at is None or at >= case.scope.window.start


def _near(case: Case, owner: Object) -> int:
    """Whether the alert names it, or it keeps data for others: what it says concerns them all."""
    named = any(owner.name == entity.name for entity in case.scope.entities)
    return int(named or bool(served_engine(owner)))
