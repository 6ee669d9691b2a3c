"""The graph: a triage that was cut off goes on, a check that breaks is a blind spot, replays agree."""

from datetime import timedelta

import pytest

from assistant.incident import Entity, Status, Verdict
from assistant.triage import Desk, replay, triage
from assistant.triage.compose import alert_gone, unsupported
from assistant.triage.workflow import run_checks
from tests.assistant.checks.cluster import (
    NOW,
    ago,
    case,
    deployment,
    evidence,
    gathered,
    pod,
    replica_set,
    thing,
    waiting,
    web,
)
from tests.assistant.triage.recorded import Cut, Recorded

pytestmark = pytest.mark.anyio
LABELS = {"namespace": "shop", "deployment": "web", "alertname": "WebErrors"}
INCIDENT = {"id": "Q1", "title": "Web answers 503", "created_at": ago(15), "status": "triggered"}
ANSWERS = {
    "pagerduty.get_incident": {"incident": INCIDENT, "alerts": [{"labels": LABELS}]},
    "pagerduty.get_oncall": {"on_call": [{"name": "Ada", "level": 1}]},
    "kubernetes.list_deployments": {
        "workloads": [{"kind": "Deployment", "namespace": "shop", "name": "web"}]
    },
}


def desk(toolbox, late=timedelta()):
    return Desk(toolbox, lambda: NOW + late, lambda: 1.0, timedelta(hours=1))


def broken_cluster():
    message = "couldn't find key password in Secret shop/web-db"
    ill = pod(states=[waiting("CreateContainerConfigError", message)], phase="Pending")
    return gathered(*web(), ill, thing("Secret", "web-db", data={"db-password": "[redacted]"}))


async def test_the_steps_lead_from_an_alert_to_a_cause(tmp_path):
    report = await triage("t1", "Q1", desk(Recorded(ANSWERS, broken_cluster())), tmp_path / "c.db")
    best = report.hypotheses[0]
    assert report.verdict is Verdict.CAUSE_FOUND
    assert (best.kind, str(best.entity)) == ("missing_key", "Secret shop/web-db")
    assert report.on_call == ("Ada (level 1)",)
    assert unsupported(report) == []


@pytest.mark.parametrize("breaks_at", [0, 1, 2, 4, 9, 15, 22])
async def test_a_triage_that_is_cut_off_goes_on_and_asks_nothing_again(tmp_path, breaks_at):
    toolbox = Recorded(ANSWERS, broken_cluster())
    toolbox.breaks_at = breaks_at
    with pytest.raises((Cut, ExceptionGroup)):
        await triage("t1", "Q1", desk(toolbox), tmp_path / "c.db")
    toolbox.breaks_at = None
    report = await triage("t1", "Q1", desk(toolbox), tmp_path / "c.db")
    whole = await triage("t2", "Q1", desk(Recorded(ANSWERS, broken_cluster())), tmp_path / "d.db")
    assert report.hypotheses == whole.hypotheses
    assert len(toolbox.asked) == whole.cost.calls


async def test_a_triage_that_is_cut_off_over_its_runbook_keeps_its_conclusions(tmp_path, caplog):
    toolbox = Recorded(ANSWERS, broken_cluster())
    toolbox.breaks_on = "runbooks.search_runbooks"
    with pytest.raises(Cut):
        await triage("t1", "Q1", desk(toolbox), tmp_path / "c.db")
    toolbox.breaks_on = ""
    report = await triage("t1", "Q1", desk(toolbox), tmp_path / "c.db")
    assert report.verdict is Verdict.CAUSE_FOUND
    assert "Blocked deserialization" not in caplog.text


async def test_a_triage_that_was_cut_off_after_its_last_step_asks_nothing_again(tmp_path):
    toolbox = Recorded(ANSWERS, broken_cluster())
    first = await triage("t1", "Q1", desk(toolbox), tmp_path / "c.db")
    asked = len(toolbox.asked)
    again = await triage("t1", "Q1", desk(toolbox, timedelta(minutes=3)), tmp_path / "c.db")
    assert len(toolbox.asked) == asked
    assert again.scope == first.scope
    assert again.hypotheses == first.hypotheses


async def test_another_triage_begins_anew(tmp_path):
    toolbox = Recorded(ANSWERS, broken_cluster())
    await triage("t1", "Q1", desk(toolbox), tmp_path / "c.db")
    later = await triage("t2", "Q1", desk(toolbox, timedelta(minutes=3)), tmp_path / "c.db")
    assert later.scope.window.end == NOW + timedelta(minutes=3)


async def test_a_replay_from_the_same_evidence_says_the_same(tmp_path):
    toolbox = Recorded(ANSWERS, broken_cluster())
    report = await triage("t1", "Q1", desk(toolbox), tmp_path / "c.db")
    again = await replay("t1", "Q1", desk(Recorded({}, report.evidence)))
    assert again.model_dump(exclude={"cost"}) == report.model_dump(exclude={"cost"})


async def test_a_check_that_breaks_is_a_blind_spot_and_the_others_go_on():
    given = case(deployment(), replica_set())

    async def breaks(_):
        raise ZeroDivisionError("0/0")

    async def works(_):
        return [found]

    found = await _one_finding()
    checks = {"broken": breaks, "working": works}
    findings, failures = await run_checks(desk(Recorded({})), given.alert, given.scope, checks)
    assert findings == (found,)
    assert [(spot.tool, spot.status) for spot in failures] == [("check broken", Status.ERROR)]
    assert "ZeroDivisionError: 0/0" in failures[0].reason


async def _one_finding():
    from assistant.checks import startup  # noqa: PLC0415
    from tests.assistant.checks.cluster import only  # noqa: PLC0415

    message = 'secret "web-db" not found'
    ill = pod(states=[waiting("CreateContainerConfigError", message)], phase="Pending")
    return await only(startup.check, case(*web(), ill))


def firing(*minutes_ago, name="WebErrors", namespace="shop"):
    points = [[NOW.timestamp() - 60 * m, 1.0] for m in minutes_ago]
    row = {"labels": {"alertname": name, "namespace": namespace}, "points": points}
    data = {"step_seconds": 60, "series": [row]}
    return evidence("prometheus.query_range", {"query": 'ALERTS{alertstate="firing"}'}, data)


@pytest.mark.parametrize(
    ("series", "gone"),
    [
        (firing(15, 10, 0), False),
        (firing(15, 12, 10), True),
        (firing(15, 2), False),
        (firing(15, 10, name="Other"), False),
    ],
    ids=["still fires", "stopped ten minutes ago", "a scrape may be late", "another alert"],
)
def test_an_alert_is_gone_when_it_was_seen_to_fire_and_to_stop(series, gone):
    given = case(entities=(Entity(kind="Deployment", name="web", namespace="shop"),))
    alert = given.alert.model_copy(update={"labels": LABELS})
    assert alert_gone(alert, given.scope, [series]) is gone


def test_an_alert_that_prometheus_never_saw_is_not_called_gone():
    given = case()
    assert not alert_gone(given.alert, given.scope, [])


def test_a_resolved_incident_is_gone():
    given = case()
    resolved = given.alert.model_copy(update={"resolved_at": NOW})
    assert alert_gone(resolved, given.scope, [])
