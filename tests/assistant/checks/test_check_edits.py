"""Objects that somebody wrote within the window, and whether that reached a program."""

import pytest

from assistant.changed import DORMANT, WRITTEN_BY, content
from assistant.checks import changes
from tests.assistant.checks.cluster import (
    ago,
    case,
    container,
    deployment,
    kinds,
    node,
    only,
    pod,
    replica_set,
    service,
    state,
    thing,
)

pytestmark = pytest.mark.anyio
FROM_ENV = container(envFrom=[{"configMapRef": {"name": "settings"}}])


def written(item, *fields, minutes=18, by="kubectl-edit"):
    row = {"at": ago(minutes), "by": by, "operation": "Update", "fields": list(fields)}
    item["metadata"]["lastWrites"] = [row]
    return item


def settings(**how):
    return written(thing("ConfigMap", "settings"), "data.LIMIT", **how)


def user(*containers, **fields):
    return [deployment("web", *containers, **fields), replica_set()]


async def test_a_configmap_that_a_workload_reads_was_written():
    given = case(settings(), *user(FROM_ENV), pod(created=ago(15)))
    found = await only(changes.check, given)
    assert (found.kind, str(found.entity)) == ("recent_config_change", "ConfigMap shop/settings")
    assert content(found) == {"data.LIMIT": "written"}
    assert found.details[WRITTEN_BY] == "kubectl-edit"
    assert [str(thing_) for thing_ in found.about] == ["Deployment shop/web"]
    assert found.began.isoformat() == ago(18).replace("Z", "+00:00")


@pytest.mark.parametrize("minutes", [61, 60 * 24])
async def test_a_write_before_the_window_is_left_out(minutes):
    given = case(settings(minutes=minutes), *user(FROM_ENV), pod(created=ago(15)))
    assert await kinds(changes.check, given) == []


async def test_a_configmap_that_nobody_reads_is_left_out():
    assert await kinds(changes.check, case(settings(), *user())) == []


async def test_what_is_read_only_at_start_is_not_in_effect_before_a_start():
    running = state(running={"startedAt": ago(days=2)}, ready=True)
    old = pod(created=ago(days=2), ready=True, states=[running])
    found = await only(changes.check, case(settings(), *user(FROM_ENV), old))
    assert DORMANT in found.details


async def test_a_container_that_started_since_has_read_it():
    running = state(running={"startedAt": ago(10)}, ready=True)
    old = pod(created=ago(days=2), ready=True, states=[running])
    found = await only(changes.check, case(settings(), *user(FROM_ENV), old))
    assert DORMANT not in found.details


async def test_a_mounted_file_changes_under_a_running_program():
    volumes = {"volumes": [{"name": "v", "configMap": {"name": "settings"}}]}
    old = pod(created=ago(days=2), ready=True, states=[state(running={"startedAt": ago(days=2)})])
    found = await only(changes.check, case(settings(), *user(pod=volumes), old))
    assert DORMANT not in found.details


async def test_an_edited_service_is_a_change():
    edited = written(service(), "spec.selector.app")
    found = await only(changes.check, case(edited))
    assert (found.kind, content(found)) == ("recent_edit", {"spec.selector.app": "written"})


async def test_a_policy_that_came_into_an_older_namespace_is_a_change():
    policy = thing("NetworkPolicy", "deny", created=ago(12), spec={"podSelector": {}})
    found = await only(changes.check, case(policy, deployment()))
    assert (found.kind, found.statement) == (
        "recent_edit", "NetworkPolicy shop/deny was created",
    )  # fmt: skip


async def test_a_policy_that_is_as_young_as_its_namespace_is_none():
    policy = thing("NetworkPolicy", "deny", created=ago(12), spec={"podSelector": {}})
    assert await kinds(changes.check, case(policy, deployment(created=ago(12)))) == []


async def test_a_taint_put_on_a_node_is_a_change_and_a_heartbeat_is_none():
    tainted = written(node("worker-1"), "spec.taints")
    beating = written(node("worker-2"), "metadata.annotations.x")
    found = await only(changes.check, case(tainted, beating))
    assert (found.kind, found.entity.name) == ("recent_node_change", "worker-1")


async def test_broken_fields_break_nothing():
    broken = thing("ConfigMap", "settings")
    broken["metadata"]["lastWrites"] = [None, {"at": 5}, {"at": ago(5), "fields": "x", "by": 3}]
    given = case(broken, *user(FROM_ENV), pod(created=ago(3)))
    assert await kinds(changes.check, given) == ["recent_config_change"]
