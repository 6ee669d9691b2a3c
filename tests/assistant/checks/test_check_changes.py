"""What was changed: rollouts and their content, scaling, new nodes, and what was announced."""

import pytest

from assistant.changed import NEW_PODS, OLD_PODS, RETURNS_TO, SUMMARY, content
from assistant.checks import changes
from tests.assistant.checks.cluster import (
    ago,
    case,
    deployment,
    event,
    evidence,
    kinds,
    node,
    only,
    pod,
    replica_set,
    thing,
)

pytestmark = pytest.mark.anyio
HISTORY = "kubernetes.get_rollout_history"
CHANGE = {"path": "containers[web].image", "before": "web:1.4.2", "after": "web:1.4.3"}
HISTORY_NOTE = "deployment.kubernetes.io/revision-history"


def history(*rows, created=None):
    row = {
        "revision": 5,
        "name": "web-6d4b9",
        "created_at": created or ago(20),
        "changes": list(rows),
    }
    return {"workload": "web", "revisions": [row, {"revision": 4, "changes": []}]}


def rolled_out(*, minutes=20, kept=0):
    old = replica_set("web-11111", revision=4, replicas=kept, have=kept, created=ago(days=9))
    return [deployment(), old, replica_set(revision=5, created=ago(minutes))]


async def test_a_rollout_within_the_window_tells_what_changed():
    found = await only(changes.check, case(*rolled_out(), answers={HISTORY: history(CHANGE)}))
    assert found.kind == "recent_rollout"
    assert "web:1.4.2 -> web:1.4.3" in found.statement
    assert content(found) == {"containers[web].image": "web:1.4.2 -> web:1.4.3"}


async def test_it_tells_how_the_new_pods_are_and_how_the_old_ones():
    pods = [
        pod("web-6d4b9-a"), pod("web-6d4b9-b", ready=True),
        pod("web-11111-c", ready=True, owner=("ReplicaSet", "web-11111")),
    ]  # fmt: skip
    given = case(*rolled_out(kept=1), *pods, answers={HISTORY: history(CHANGE)})
    found = await only(changes.check, given)
    assert (found.details[NEW_PODS], found.details[OLD_PODS]) == ("1 of 2 Ready", "1 of 1 Ready")
    assert found.statement.endswith("of its pods 1 of 2 Ready")


async def test_a_restart_on_demand_changes_nothing_and_says_so():
    path = "metadata.annotations.kubectl.kubernetes.io/restartedAt"
    restart = {"path": path, "before": "", "after": ago(20)}
    found = await only(changes.check, case(*rolled_out(), answers={HISTORY: history(restart)}))
    assert content(found) == {}


async def test_a_rollout_of_last_week_is_not_asked_about():
    assert await kinds(changes.check, case(*rolled_out(minutes=60 * 24 * 7))) == []


async def test_the_first_revision_is_no_change():
    assert await kinds(changes.check, case(deployment(), replica_set(revision=1))) == []


async def test_a_history_that_cannot_be_read_is_no_finding():
    assert await kinds(changes.check, case(*rolled_out())) == []


async def test_an_old_revision_that_was_brought_back_is_dated_by_its_pods():
    old = replica_set("web-6d4b9", revision=7, created=ago(days=30))
    old["metadata"]["annotations"][HISTORY_NOTE] = "2,4"
    other = replica_set("web-22222", revision=6, replicas=0, have=0, created=ago(days=2))
    back = history(CHANGE, created=ago(days=30))
    given = case(deployment(), old, other, pod(ready=True), answers={HISTORY: back})
    found = await only(changes.check, given)
    assert found.details[RETURNS_TO] == "4"
    assert found.began.isoformat() == ago(20).replace("Z", "+00:00")


async def test_a_finished_rollout_of_a_statefulset_is_seen_by_its_new_pods():
    db = deployment("db", kind="StatefulSet", status={"updateRevision": "db-2"})
    db["metadata"]["generation"] = 3
    fresh = pod("db-0", ready=True, owner=("StatefulSet", "db"))
    fresh["metadata"]["labels"]["controller-revision-hash"] = "db-2"
    found = await only(changes.check, case(db, fresh, answers={HISTORY: history(CHANGE)}))
    assert str(found.entity) == "StatefulSet shop/db"


async def test_a_statefulset_that_nobody_ever_changed_is_not_asked_about():
    db = deployment("db", kind="StatefulSet")
    db["metadata"]["generation"] = 1
    given = case(db, pod("db-0", owner=("StatefulSet", "db")), answers={HISTORY: history(CHANGE)})
    assert await kinds(changes.check, given) == []


def scaled(about, words, minutes):
    return event(about, "ScalingReplicaSet", words, type="Normal", minutes=minutes)


@pytest.mark.parametrize(
    "words",
    [
        "Scaled down replica set web-6d4b9 to 2 from 6",
        "Scaled down replica set web-6d4b9 from 6 to 2",
    ],
)
async def test_replicas_that_differ_from_before_are_a_change(words):
    web = deployment()
    given = case(web, replica_set(), events=[scaled(web, words, 22)])
    found = await only(changes.check, given)
    assert (found.kind, content(found)) == ("recent_scaling", {"spec.replicas": "6 -> 2"})


async def test_replicas_that_came_back_to_what_they_were_are_no_change():
    web = deployment()
    up = scaled(web, "Scaled up replica set web-6d4b9 to 6 from 2", 30)
    down = scaled(web, "Scaled down replica set web-6d4b9 to 2 from 6", 8)
    assert await kinds(changes.check, case(web, replica_set(), events=[up, down])) == []


async def test_a_node_that_was_added_within_the_window_is_a_change():
    found = await only(changes.check, case(node("fresh", created=ago(12)), node("old")))
    assert (found.kind, found.entity.name) == ("recent_node_change", "fresh")


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
    ("summary", "service_name", "entity"),
    [
        ("Rotated access in web-db", "Web", "Secret shop/web-db"),
        ("Applied web-settings: LIMIT 96 -> 448", "Web", "ConfigMap shop/web-settings"),
        ("Kernel of worker-7 updated", "Platform", "Node worker-7"),
        ("New prices", "Price List", "Deployment shop/price-list"),
        ("Newsletter sent", "Marketing", "Service Marketing"),
    ],
)
async def test_a_change_event_is_about_what_it_names(summary, service_name, entity):
    objects = [
        thing("Secret", "web-db"), thing("ConfigMap", "web-settings"), node("worker-7"),
        deployment("price-list"),
    ]  # fmt: skip
    given = case(*objects, more=[change_event(summary, service_name)])
    found = await only(changes.check, given)
    assert (found.kind, str(found.entity)) == ("recent_change", entity)


async def test_what_a_summary_names_comes_before_what_its_particulars_name():
    objects = [deployment("web"), deployment("front")]
    told = change_event("Deployed web 2.0", "Front", via="front")
    assert (await only(changes.check, case(*objects, more=[told]))).entity.name == "web"


async def test_the_particulars_of_an_event_are_its_content_but_not_who_did_it():
    told = change_event("Deployed web", version="2.0", by="r.bot", link="https://ci")
    found = await only(changes.check, case(more=[told]))
    assert content(found) == {"version": "2.0"}
    assert found.details[SUMMARY] == "Deployed web"


async def test_a_change_event_before_the_window_is_left_out():
    old = change_event("Rotated access in web-db")
    row = {**old.data["change_events"][0], "at": ago(600)}
    aged = old.model_copy(update={"data": {"change_events": [row]}})
    assert await kinds(changes.check, case(more=[aged])) == []
