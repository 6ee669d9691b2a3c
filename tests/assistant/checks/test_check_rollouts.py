"""What is stuck, what was scaled to nothing, and updates that take everything away at once."""

import pytest

from assistant.checks import rollouts
from tests.assistant.checks.cluster import (
    ago,
    case,
    container,
    deployment,
    event,
    kinds,
    only,
    pod,
    replica_set,
    service,
)

pytestmark = pytest.mark.anyio


def rolled_out(*, ready=1, before=0, minutes=20, **fields):
    old = replica_set("web-11111", revision=4, replicas=before, have=before, created=ago(days=9))
    new = replica_set(revision=5, status={"readyReplicas": ready}, created=ago(minutes))
    return [deployment(**fields), old, new]


async def test_a_rollout_that_does_not_finish_while_the_old_revision_runs():
    assert (
        await only(rollouts.check, case(*rolled_out(ready=0, before=1)))
    ).kind == "rollout_stuck"


async def test_a_rollout_in_its_first_minute_is_on_its_way():
    assert await kinds(rollouts.check, case(*rolled_out(ready=0, before=1, minutes=1))) == []


async def test_a_first_rollout_past_its_deadline_is_stuck():
    late = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
    objects = [deployment(status={"conditions": [late]}), replica_set(revision=1)]
    assert (await only(rollouts.check, case(*objects))).kind == "rollout_stuck"


async def test_a_rollout_in_its_first_seconds_without_an_older_revision_is_not_stuck():
    assert await kinds(rollouts.check, case(deployment(), replica_set(revision=1))) == []


def called():
    return deployment("front", container("front", env=[{"name": "WEB", "value": "http://web:80"}]))


async def test_zero_replicas_that_somebody_depends_on():
    off = deployment(replicas=0)
    words = "Scaled down replica set web-6d4b9 to 0 from 1"
    events = [event(off, "ScalingReplicaSet", words, type="Normal", minutes=21)]
    given = case(off, replica_set(replicas=0, have=0), service(), called(), events=events)
    found = await only(rollouts.check, given)
    assert (found.kind, found.strength) == ("deployment_zero_replicas", 1.0)
    assert "Deployment shop/front" in map(str, found.about)
    assert found.began.isoformat() == ago(21).replace("Z", "+00:00")


async def test_zero_replicas_with_nobody_calling_is_switched_off_on_purpose():
    assert await kinds(rollouts.check, case(deployment(replicas=0), service())) == []


async def test_the_old_replica_set_of_a_rollout_going_to_zero_is_not_the_workload_going_to_zero():
    on = deployment()
    events = [
        event(
            on, "ScalingReplicaSet", "Scaled down replica set web-11111 to 0 from 1", type="Normal"
        )
    ]
    assert await kinds(rollouts.check, case(on, service(), called(), events=events)) == []


def rolling(**limits):
    return {"strategy": {"type": "RollingUpdate", "rollingUpdate": limits}}


@pytest.mark.parametrize(
    ("replicas", "allowed", "blamed"),
    [(2, "100%", True), (2, 2, True), (1, 1, True), (2, "50%", False), (4, "25%", False), (2, 1, False)],
)  # fmt: skip
async def test_an_update_that_may_take_all_pods_away_and_did(replicas, allowed, blamed):
    objects = rolled_out(ready=0, replicas=replicas, spec=rolling(maxUnavailable=allowed))
    found = await kinds(rollouts.check, case(*objects, pod()))
    assert ("bad_update_strategy" in found) is blamed


async def test_such_an_update_that_went_well_is_nobody_s_fault():
    objects = rolled_out(spec=rolling(maxUnavailable="100%"))
    assert await kinds(rollouts.check, case(*objects, pod(ready=True))) == []
