"""Jobs that failed or were cut off, and CronJobs that do not run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta

from assistant.checks.case import Case, containers, newest
from assistant.checks.reading.objects.spoken import speaks_of, urgency
from assistant.incident import Entity, Finding
from assistant.snapshot import Event, Object, dig, listing, moment, whole

WORDS = ("job", "cron", "batch", "backup", "schedule")
DEADLINE = "DeadlineExceeded"
NOT_STARTED = ("MissSchedule", "TooManyMissedTimes", "UnknownTimeZone", "InvalidSchedule",
               "UnparseableSchedule", "UnparseableCronJobSchedule")  # fmt: skip
UNREADABLE = frozenset(NOT_STARTED[2:])
LONG_RUN = timedelta(hours=1)
"""A run that has blocked the next one for this long is stuck, or its schedule is too tight."""


async def check(case: Case) -> list[Finding]:
    """What went wrong with the Jobs in scope, one finding for each Job or for the CronJob above."""
    found: dict[str, Finding] = {}
    for rows in _failed(case).values():
        finding = _failure(case, max(rows, key=_ended_at), len(rows))
        found[finding.id] = finding
    for cron in case.namespaced("CronJob"):
        for finding in [*_suspended(case, cron), *_not_started(case, cron), *_blocked(case, cron)]:
            found.setdefault(finding.id, finding)
    return list(found.values())


def _failed(case: Case) -> dict[Entity, list[Object]]:
    """The Jobs that failed, by what started them: of a CronJob's failures the last one is told."""
    rows: dict[Entity, list[Object]] = defaultdict(list)
    for job in case.namespaced("Job"):
        if job.condition("Failed").get("status") == "True":
            rows[case.snapshot.owner(job).entity].append(job)
    return rows


def _ended_at(job: Object) -> str:
    return str(job.condition("Failed").get("lastTransitionTime") or job.created or "")


def _failure(case: Case, job: Object, times: int) -> Finding:
    failed, owner = job.condition("Failed"), case.snapshot.owner(job)
    reason, message = str(failed.get("reason") or ""), str(failed.get("message") or "")
    ended = moment(failed.get("lastTransitionTime"))
    before = f"; {times} of its runs that are kept failed" if times > 1 else ""
    return Finding(
        kind="job_deadline_exceeded" if reason == DEADLINE else "job_failed",
        entity=job.entity if speaks_of(case, job.name) else owner.entity,
        statement=f"{job.entity} failed ({reason}): {message}{_last_words(case, job)}{before}"[
            :400
        ],
        citations=job.cite(reason, message),
        began=ended,
        active=not _done_since(case, job, ended),
        details={"job": job.name, "reason": reason},
        about=(job.entity, owner.entity, *(pod.entity for pod in _pods(case, job)[:2])),
    )


def _done_since(case: Case, job: Object, ended: datetime | None) -> bool:
    """Whether a later run of the same CronJob succeeded."""
    owner = case.snapshot.owner(job)
    return owner is not job and any(
        other.condition("Complete").get("status") == "True"
        and case.snapshot.owner(other) is owner
        and (done := moment(other.status.get("completionTime")))
        and (ended is None or done > ended)
        for other in case.namespaced("Job")
    )


def _pods(case: Case, job: Object) -> list[Object]:
    return [
        pod
        for pod in case.snapshot.pods_of(case.snapshot.owner(job))
        if any(dig(o, "name") == job.name for o in listing(pod.raw, "metadata", "ownerReferences"))
    ]


def _last_words(case: Case, job: Object) -> str:
    """How the last of its pods ended."""
    for pod in sorted(_pods(case, job), key=lambda one: str(one.created), reverse=True):
        for container in containers(pod):
            code = container.terminated.get("exitCode")
            if code:
                return f"; {pod.name} ended with {code} ({container.terminated.get('reason')})"
    return ""


def _suspended(case: Case, cron: Object) -> Iterator[Finding]:
    """Suspended on purpose, for all that can be seen: a cause where the alert misses its runs."""
    if cron.spec.get("suspend") is not True:
        return
    last = str(cron.status.get("lastScheduleTime") or "")
    yield Finding(
        kind="cron_suspended",
        entity=cron.entity,
        statement=f"{cron.entity} is suspended; its last run was {last or 'never'}",
        citations=cron.cite("suspend"),
        strength=1.0 if speaks_of(case, cron.name) else urgency(case, "cron"),
    )


def _not_started(case: Case, cron: Object) -> Iterator[Finding]:
    event = newest(case.snapshot.events_of(cron, *NOT_STARTED, "FailedCreate"))
    if not event or not case.in_window(event.last) or _ran_since(cron, event):
        return
    bad = event.reason in UNREADABLE
    yield Finding(
        kind="cron_schedule_invalid" if bad else "cron_not_started",
        entity=cron.entity,
        statement=f"{cron.entity} ({cron.spec.get('schedule')}) starts no run: {event.message}"[
            :400
        ],
        citations=(event.cite(), *cron.cite()),
        began=event.first,
        details={"schedule": str(cron.spec.get("schedule"))},
    )


def _ran_since(cron: Object, event: Event) -> bool:
    last = moment(cron.status.get("lastScheduleTime"))
    return bool(last and event.last and last > event.last)


def _blocked(case: Case, cron: Object) -> Iterator[Finding]:
    """`Forbid` with a run that does not end: no further run starts."""
    if cron.spec.get("concurrencyPolicy") != "Forbid":
        return
    for reference in listing(cron.status, "active"):
        job = case.snapshot.get("Job", cron.namespace, str(dig(reference, "name")))
        began = moment(job.status.get("startTime")) if job else None
        event = newest(case.snapshot.events_of(cron, "JobAlreadyActive"))
        if job and began and event and case.scope.window.end - began > LONG_RUN:
            hours = (case.scope.window.end - began).total_seconds() / 3600
            yield Finding(
                kind="cron_blocked_by_run",
                entity=cron.entity,
                statement=f"{cron.entity} forbids two runs at once, and {job.name} has run for {hours:.1f} h "
                f"({whole(job.status.get('failed'))} failed tries)",
                citations=(event.cite(), *cron.cite("Forbid"), *job.cite()),
                began=event.first,
                strength=urgency(case, *WORDS, cron.name),
                details={"job": job.name},
                about=(job.entity,),
            )
