"""Jobs and CronJobs: failed, cut off, suspended, blocked; a failure that a later run made good is over."""

import pytest

from assistant.checks import jobs
from tests.assistant.checks.cluster import ago, case, event, kinds, only, pod, state, thing

pytestmark = pytest.mark.anyio


def job(name="backup-1", reason="", *, cron=True, **status):
    conditions = []
    if reason:
        text = f"Job has reached the limit: {reason}"
        conditions = [
            {
                "type": "Failed",
                "status": "True",
                "reason": reason,
                "message": text,
                "lastTransitionTime": ago(10),
            }
        ]
    if status.get("completionTime"):
        conditions = [{"type": "Complete", "status": "True"}]
    owner = {"owner": ("CronJob", "backup")} if cron else {}
    return thing("Job", name, spec={}, status={"conditions": conditions, **status}, **owner)


def cron(*, suspend=False, **spec):
    status = spec.pop("status", {})
    return thing(
        "CronJob",
        "backup",
        spec={"schedule": "*/5 * * * *", "suspend": suspend, **spec},
        status=status,
    )


async def test_a_failed_job_is_its_cron_jobs_trouble_and_tells_how_its_pod_ended():
    ended = state(terminated={"exitCode": 3, "reason": "Error"})
    last = pod("backup-1-x", states=[ended], phase="Failed", owner=("Job", "backup-1"))
    found = await only(jobs.check, case(cron(), job(reason="BackoffLimitExceeded"), last))
    assert (found.kind, str(found.entity)) == ("job_failed", "CronJob shop/backup")
    assert "backup-1-x ended with 3 (Error)" in found.statement
    assert found.active


async def test_of_several_failures_the_last_is_told_with_their_number():
    older = job("backup-0", reason="BackoffLimitExceeded")
    older["status"]["conditions"][0]["lastTransitionTime"] = ago(900)
    found = await only(jobs.check, case(cron(), older, job(reason="BackoffLimitExceeded")))
    assert found.details["job"] == "backup-1"
    assert found.statement.endswith("; 2 of its runs that are kept failed")


async def test_a_failure_that_a_later_run_made_good_is_over():
    good = job("backup-2", completionTime=ago(2))
    found = await only(jobs.check, case(cron(), job(reason="BackoffLimitExceeded"), good))
    assert not found.active


async def test_a_deadline_is_told_from_a_failure():
    assert await kinds(jobs.check, case(job(reason="DeadlineExceeded", cron=False))) == [
        "job_deadline_exceeded"
    ]


async def test_a_finished_job_is_nothing():
    assert await kinds(jobs.check, case(job(completionTime=ago(2)))) == []


async def test_a_suspended_cron_job_is_a_hint_unless_the_alert_speaks_of_it():
    given = case(cron(suspend=True))
    assert (await only(jobs.check, given)).strength < 1
    alert = given.alert.model_copy(update={"title": "backup has not run since yesterday"})
    about = type(given)(
        alert, given.scope, given.snapshot, given.topology, given.evidence, given.ask
    )
    assert (await only(jobs.check, about)).strength == 1.0


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("UnparseableSchedule", "cron_schedule_invalid"),
        ("UnknownTimeZone", "cron_schedule_invalid"),
        ("TooManyMissedTimes", "cron_not_started"),
        ("FailedCreate", "cron_not_started"),
    ],
)
async def test_a_cron_job_that_starts_nothing_says_why(reason, kind):
    given = cron()
    assert await kinds(jobs.check, case(given, events=[event(given, reason, "why")])) == [kind]


async def test_a_missed_run_that_was_followed_by_one_is_nothing():
    given = cron(status={"lastScheduleTime": ago(1)})
    assert await kinds(jobs.check, case(given, events=[event(given, "MissSchedule", "why")])) == []


async def test_a_run_that_does_not_end_blocks_the_next():
    given = cron(concurrencyPolicy="Forbid", status={"active": [{"name": "backup-1"}]})
    running = job(startTime=ago(180), active=1)
    events = [
        event(given, "JobAlreadyActive", "Not starting job because prior execution is running")
    ]
    found = await only(jobs.check, case(given, running, events=events))
    assert (found.kind, "has run for 3.0 h" in found.statement) == ("cron_blocked_by_run", True)


async def test_a_run_that_has_just_begun_blocks_nobody():
    given = cron(concurrencyPolicy="Forbid", status={"active": [{"name": "backup-1"}]})
    events = [event(given, "JobAlreadyActive", "prior execution is running")]
    assert await kinds(jobs.check, case(given, job(startTime=ago(4)), events=events)) == []
