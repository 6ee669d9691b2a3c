"""Init containers: failing and endless told apart, and what their scripts wait for."""

import pytest

from assistant.checks import inits
from tests.assistant.checks.cluster import (
    ago,
    case,
    container,
    event,
    kinds,
    only,
    pod,
    service,
    state,
    waiting,
    web,
)

pytestmark = pytest.mark.anyio
ENDLESS = state("migrate", running={"startedAt": ago(18)})


def begun(status=ENDLESS, **spec):
    return pod(
        states=[waiting("PodInitializing")],
        spec={"initContainers": [container("migrate", **spec)]},
        status={"initContainerStatuses": [status]},
        conditions=[{"type": "Initialized", "status": "False"}],
    )


def script(text):
    return {"command": ["sh", "-c", text]}


async def test_init_containers_that_loop_or_never_end_are_told_apart():
    last = {"exitCode": 1, "reason": "Error"}
    looping = waiting("CrashLoopBackOff", last=last, name="migrate", restarts=4)
    for status, kind in ((looping, "init_failed"), (ENDLESS, "init_waits")):
        assert (await only(inits.check, case(*web(), begun(status)))).kind == kind


@pytest.mark.parametrize(
    "text",
    [
        "until nc -z db 5432; do sleep 2; done",
        "until nslookup db; do echo waiting for db; sleep 2; done",
        "wget -qO- http://db:8080/ready",
        "until pg_isready -h db; do sleep 1; done",
        "until (echo > /dev/tcp/db/5432) 2>/dev/null; do sleep 1; done",
        "./wait-for-it.sh db:5432 -- true",
    ],
)
async def test_the_service_that_a_script_waits_for_is_named(text):
    silent = service("db")
    found = await only(inits.check, case(*web(), begun(**script(text)), silent))
    assert (found.kind, found.details["waits_for"]) == ("init_waits", "db")
    assert "has no Ready pod" in found.statement


async def test_a_service_that_does_not_exist_will_never_answer():
    found = await only(
        inits.check,
        case(*web(), begun(**script("until nc -z dbb 5432; do sleep 2; done")), service("db")),
    )
    assert found.kind == "init_waits_for_nothing"
    assert "Service shop/dbb, which does not exist" in found.statement


async def test_a_host_may_stand_in_a_variable():
    env = [{"name": "DB_HOST", "value": "dbb"}]
    found = await only(
        inits.check, case(*web(), begun(**script("until nc -z $DB_HOST 5432; do :; done"), env=env))
    )
    assert found.details["waits_for"] == "dbb"


@pytest.mark.parametrize(
    "text", ["nc -z db.example.com 443", "nc -z 10.0.0.9 80", "nc -z localhost 80", "sleep 900"]
)
async def test_what_is_outside_of_the_cluster_is_not_called_missing(text):
    assert await kinds(inits.check, case(*web(), begun(**script(text)))) == ["init_waits"]


async def test_a_sidecar_among_the_init_containers_is_meant_to_run():
    assert await kinds(inits.check, case(*web(), begun(restartPolicy="Always"))) == []


async def test_a_post_start_hook_that_fails():
    hooked = pod(
        "web-6d4b9-x",
        container(lifecycle={"postStart": {"exec": {"command": ["x"]}}}),
        states=[waiting("CrashLoopBackOff")],
    )
    said = event(hooked, "FailedPostStartHook", "PostStartHook failed")
    assert await kinds(inits.check, case(*web(), hooked, events=[said])) == [
        "post_start_hook_failed"
    ]
