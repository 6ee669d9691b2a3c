"""Crashes: memory kills and crash loops; a restart of last week is no crash."""

import pytest

from assistant.checks import crashes
from tests.assistant.checks.cluster import (
    ago,
    case,
    container,
    event,
    kinds,
    only,
    pod,
    state,
    waiting,
    web,
)

pytestmark = pytest.mark.anyio
LIMITED = container(resources={"limits": {"memory": "256Mi"}})
OOM = {"reason": "OOMKilled", "exitCode": 137, "finishedAt": ago(3)}
ERROR = {"reason": "Error", "exitCode": 1, "finishedAt": ago(3)}


def looping(last, **fields):
    return pod(
        states=[waiting("CrashLoopBackOff", "back-off 2m40s", last=last, restarts=6)], **fields
    )


async def test_a_memory_kill_is_found_with_its_limit_and_the_first_kill():
    broken = pod(
        "web-6d4b9-x2x7p", LIMITED, states=[state(last=OOM, restarts=4, ready=True)], ready=True
    )
    events = [event(broken, "BackOff", "Back-off restarting failed container web", first=31)]
    found = await only(crashes.check, case(*web(), broken, events=events))
    assert found.kind == "oom_killed"
    assert found.details["limit"] == "256Mi"
    assert found.began.isoformat() == ago(31).replace("Z", "+00:00")


async def test_a_job_pod_that_was_killed_for_memory_and_never_restarted_is_found():
    broken = pod("web-6d4b9-x2x7p", LIMITED, states=[state(terminated=OOM)], phase="Failed")
    assert (await only(crashes.check, case(*web(), broken))).kind == "oom_killed"


async def test_a_container_that_ends_again_and_again_is_a_crash_loop():
    found = await only(crashes.check, case(*web(), looping(ERROR)))
    assert (found.kind, found.details["exit_code"]) == ("crash_loop", "1")


@pytest.mark.parametrize("ended", [OOM, ERROR])
async def test_a_restart_of_three_days_ago_is_nothing_of_now(ended):
    old = {**ended, "finishedAt": ago(days=3)}
    running = pod(states=[state(last=old, restarts=1, ready=True)], ready=True, created=ago(days=9))
    assert await kinds(crashes.check, case(*web(), running)) == []


async def test_one_restart_within_the_window_is_a_restart_and_over():
    running = pod(states=[state(last=ERROR, restarts=1, ready=True)], ready=True)
    found = await only(crashes.check, case(*web(), running))
    assert (found.kind, found.active) == ("restarted", False)


def killed(minutes, lasted, *, since):
    """A Ready container whose run of `lasted` minutes was ended for memory, and that runs since."""
    last = {
        **OOM,
        "startedAt": ago(minutes + lasted),
        "finishedAt": ago(minutes),
    }
    running = {"startedAt": ago(since)}
    status = state(last=last, restarts=3, ready=True, running=running)
    return pod("web-6d4b9-x2x7p", LIMITED, states=[status], ready=True, created=ago(days=2))


@pytest.mark.parametrize(
    ("minutes", "lasted", "active"),
    [(40, 6, False), (40, 55, True), (12, 3, True)],
    ids=["a burst that is over", "a leak that takes an hour", "too soon to tell"],
)
async def test_a_memory_kill_is_over_once_a_run_lasts_far_longer_than_those_that_ended(
    minutes, lasted, active
):
    broken = killed(minutes, lasted, since=minutes)
    assert (await only(crashes.check, case(*web(), broken))).active is active


async def test_starts_that_lie_far_apart_keep_a_memory_kill_alive():
    broken = killed(40, 2, since=40)
    events = [event(broken, "Started", "Started container web", first=58, minutes=4, count=3)]
    assert (await only(crashes.check, case(*web(), broken, events=events))).active


async def test_one_pod_that_is_still_killed_outweighs_its_calm_sister():
    calm = killed(40, 6, since=40)
    ill = pod("web-6d4b9-ill", LIMITED, states=[state(last=OOM, restarts=3)])
    for objects in ((calm, ill), (ill, calm)):
        assert (await only(crashes.check, case(*web(), *objects))).active
