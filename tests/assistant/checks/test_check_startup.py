"""What keeps containers from starting; what is optional, finished or switched off is no trouble."""

import pytest

from assistant.checks import startup
from tests.assistant.checks.cluster import (
    case,
    container,
    deployment,
    event,
    kinds,
    only,
    pod,
    replica_set,
    state,
    thing,
    waiting,
    web,
)

pytestmark = pytest.mark.anyio


def secret(name="web-db", *keys):
    return thing("Secret", name, data=dict.fromkeys(keys, "[redacted]"))


def wants(name="web-db", key="password", **more):
    reference = {"name": name, "key": key, **more}
    return container(env=[{"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": reference}}])


def workload(*containers):
    return [deployment("web", *containers), replica_set()]


@pytest.mark.parametrize(
    ("message", "kind", "entity", "key"),
    [
        ('secret "web-db" not found', "missing_secret", "Secret shop/web-db", ""),
        ('configmap "web-settings" not found', "missing_configmap", "ConfigMap shop/web-settings", ""),
        ("couldn't find key password in Secret shop/web-db", "missing_key", "Secret shop/web-db", "password"),
        ("couldn't find key LEVEL in ConfigMap shop/web-settings", "missing_key", "ConfigMap shop/web-settings", "LEVEL"),
    ],
)  # fmt: skip
async def test_kubelet_names_the_missing_thing(message, kind, entity, key):
    broken = pod(states=[waiting("CreateContainerConfigError", message)], phase="Pending")
    found = await only(startup.check, case(*web(), broken))
    assert (found.kind, str(found.entity), found.details["key"]) == (kind, entity, key)
    assert "Deployment shop/web" in map(str, found.about)


@pytest.mark.parametrize(
    ("reason", "message", "kind"),
    [
        ("CreateContainerConfigError", "container has runAsNonRoot and image will run as root", "run_as_root_refused"),
        ("RunContainerError", 'exec: "serve": executable file not found in $PATH: unknown', "bad_command"),
        ("RunContainerError", "exec /app/web: exec format error", "image_wrong_arch"),
        ("CreateContainerError", "context deadline exceeded", "container_not_created"),
    ],
)  # fmt: skip
async def test_a_container_that_cannot_be_created_says_why(reason, message, kind):
    broken = pod(states=[waiting(reason, message)])
    assert (await only(startup.check, case(*web(), broken))).kind == kind


async def test_a_start_that_failed_before_the_back_off_is_still_named():
    ended = {
        "reason": "StartError",
        "exitCode": 128,
        "message": 'exec: "serve": executable file not found in $PATH',
    }
    broken = pod(states=[waiting("CrashLoopBackOff", "back-off", last=ended, restarts=5)])
    assert (await only(startup.check, case(*web(), broken))).kind == "bad_command"


@pytest.mark.parametrize(
    ("reason", "message", "kind"),
    [
        ("FailedMount", 'MountVolume.SetUp failed for volume "db" : secret "web-db" not found', "missing_secret"),
        ("FailedMount", 'MountVolume.SetUp failed for volume "db" : references non-existent secret key: ca.crt',
         "missing_key"),
    ],
)  # fmt: skip
async def test_what_is_to_be_mounted_and_missing_is_named(reason, message, kind):
    broken = pod(states=[waiting("ContainerCreating")], phase="Pending")
    found = await only(startup.check, case(*web(), broken, events=[event(broken, reason, message)]))
    assert found.kind == kind


async def test_a_mount_that_worked_at_the_second_try_is_nothing():
    running = pod(states=[state(ready=True)], ready=True)
    events = [event(running, "FailedMount", 'configmap "kube-root-ca.crt" not found', minutes=19)]
    assert await kinds(startup.check, case(*web(), running, events=events)) == []


async def test_a_key_that_was_renamed_is_found_before_kubelet_says_anything():
    broken = pod("web-6d4b9-x2x7p", wants(), states=[waiting("ContainerCreating")])
    given = case(*workload(wants()), broken, secret("web-db", "db-password"))
    found = await only(startup.check, given)
    assert (found.kind, found.details["key"]) == ("missing_key", "password")


async def test_an_absent_secret_is_found_where_the_namespace_has_none_at_all():
    broken = pod("web-6d4b9-x2x7p", wants(), states=[waiting("ContainerCreating")])
    assert (await only(startup.check, case(*workload(wants()), broken))).kind == "missing_secret"


async def test_secrets_that_were_not_read_are_not_called_missing():
    broken = pod("web-6d4b9-x2x7p", wants(), states=[waiting("ContainerCreating")])
    given = case(*workload(wants()), broken, unread=["Secret"])
    assert await kinds(startup.check, given) == []


async def test_an_optional_secret_may_be_missing():
    lacking = wants("web-extras", "token", optional=True)
    broken = pod("web-6d4b9-x2x7p", lacking, states=[waiting("ContainerCreating")])
    given = case(*workload(lacking), broken, secret())
    assert await kinds(startup.check, given) == []


async def test_a_workload_that_is_ready_needs_no_look_at_its_references():
    running = pod("web-6d4b9-x2x7p", wants(), states=[state(ready=True)], ready=True)
    assert await kinds(startup.check, case(*workload(wants()), running, secret())) == []


async def test_a_finished_job_does_not_miss_the_secret_that_was_cleared_away_after_it():
    done = pod(
        "import-7x", wants("import-key"), phase="Succeeded", owner=("Job", "import"), labels={}
    )
    assert await kinds(startup.check, case(done, secret())) == []


async def test_a_workload_that_is_switched_off_does_not_miss_its_secret():
    assert await kinds(startup.check, case(deployment("web", wants(), replicas=0), secret())) == []


async def test_a_renamed_key_is_named_beside_the_missing_one():
    there = secret("web-db", "DB-PASSWORD", "username")
    message = "couldn't find key db_password in Secret shop/web-db"
    broken = pod(states=[waiting("CreateContainerConfigError", message)], phase="Pending")
    found = await only(startup.check, case(*web(), there, broken))
    assert found.details["like"] == "DB-PASSWORD"
    assert "there is the key DB-PASSWORD" in found.statement


async def test_a_secret_of_a_like_name_is_named():
    message = 'secret "web-db" not found'
    broken = pod(states=[waiting("CreateContainerConfigError", message)], phase="Pending")
    found = await only(startup.check, case(*web(), secret("webdb"), secret("other"), broken))
    assert "there is one named webdb" in found.statement


async def test_a_user_that_the_image_does_not_have():
    message = "unable to find user app: no matching entries in passwd file"
    broken = pod(states=[waiting("RunContainerError", message)], phase="Pending")
    assert await kinds(startup.check, case(*web(), broken)) == ["bad_user"]
