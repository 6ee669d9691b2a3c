"""What was changed, what is stuck, and what was scaled to nothing."""

import pytest

from assistant.checks import rollouts
from tests.assistant.checks.cluster import (
    ago,
    case,
    container,
    deployment,
    event,
    evidence,
    kinds,
    only,
    replica_set,
    service,
    thing,
)

pytestmark = pytest.mark.anyio
HISTORY = "kubernetes.get_rollout_history"
CHANGE = {"path": "containers[web].image", "before": "web:1.4.2", "after": "web:1.4.3"}


def history(*changes, created=None):
    row = {
        "revision": 5,
        "name": "web-6d4b9",
        "created_at": created or ago(20),
        "changes": list(changes),
    }
    return {"workload": "web", "revisions": [row, {"revision": 4, "changes": []}]}


def rolled_out(*, ready=1, before=0, minutes=20, **fields):
    old = replica_set("web-11111", revision=4, replicas=before, have=before, created=ago(days=9))
    new = replica_set(revision=5, status={"readyReplicas": ready}, created=ago(minutes))
    return [deployment(**fields), old, new]


async def test_a_rollout_within_the_window_tells_what_changed():
    found = await only(rollouts.check, case(*rolled_out(), answers={HISTORY: history(CHANGE)}))
    assert found.kind == "recent_rollout"
    assert "web:1.4.2 -> web:1.4.3" in found.statement
    assert found.details == {"containers[web].image": "web:1.4.2 -> web:1.4.3"}


async def test_a_restart_on_demand_changes_nothing_and_says_so():
    path = "metadata.annotations.kubectl.kubernetes.io/restartedAt"
    restart = {"path": path, "before": "", "after": ago(20)}
    found = await only(rollouts.check, case(*rolled_out(), answers={HISTORY: history(restart)}))
    assert found.details == {}


async def test_a_rollout_of_last_week_is_not_asked_about():
    assert await kinds(rollouts.check, case(*rolled_out(minutes=60 * 24 * 7))) == []


async def test_the_first_revision_is_no_change():
    assert await kinds(rollouts.check, case(deployment(), replica_set(revision=1))) == []


async def test_a_history_that_cannot_be_read_is_no_finding():
    assert await kinds(rollouts.check, case(*rolled_out())) == []


async def test_a_rollout_that_does_not_finish_while_the_old_revision_runs():
    given = case(*rolled_out(ready=0, before=1), answers={HISTORY: history(CHANGE)})
    assert await kinds(rollouts.check, given) == ["recent_rollout", "rollout_stuck"]


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


def change_event(summary, service_name="Web", **details):
    row = {
        "id": "C1",
        "at": ago(30),
        "summary": summary,
        "service": service_name,
        "source": "ci",
        "details": details,
    }
    return evidence("pagerduty.list_change_events", {"since": ago(60)}, {"change_events": [row]})


@pytest.mark.parametrize(
    ("summary", "entity"),
    [
        ("Rotated access in web-db", "Secret shop/web-db"),
        ("Applied web-settings: LIMIT 96 -> 448", "ConfigMap shop/web-settings"),
        ("Newsletter sent", "Service Web"),
    ],
)
async def test_a_change_event_is_about_what_it_names(summary, entity):
    objects = [thing("Secret", "web-db"), thing("ConfigMap", "web-settings")]
    found = await only(rollouts.check, case(*objects, more=[change_event(summary)]))
    assert (found.kind, str(found.entity)) == ("recent_change", entity)


async def test_a_change_event_before_the_window_is_left_out():
    old = change_event("Rotated access in web-db")
    row = {**old.data["change_events"][0], "at": ago(600)}
    aged = old.model_copy(update={"data": {"change_events": [row]}})
    assert await kinds(rollouts.check, case(more=[aged])) == []
