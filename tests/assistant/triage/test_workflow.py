"""The graph: a triage that was cut off goes on, a check that breaks is a blind spot, replays agree."""

from datetime import timedelta

import pytest

from assistant.incident import Citation, Entity, Status, Verdict
from assistant.triage import Desk, replay, triage
from assistant.triage.compose import alert_gone, unsupported
from assistant.triage.workflow import run_checks
from tests.assistant.checks.cluster import (
    NOW,
    ago,
    case,
    evidence,
    gathered,
    pod,
    state,
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
    given, found = await _one_finding()

    async def breaks(_):
        raise ZeroDivisionError("0/0")

    async def works(_):
        return [found]

    checks = {"broken": breaks, "working": works}
    known = desk(Recorded({}, given.evidence))
    findings, failures = await run_checks(known, given.alert, given.scope, checks)
    assert findings == (found,)
    assert [(spot.tool, spot.status) for spot in failures] == [("check broken", Status.ERROR)]
    assert "ZeroDivisionError: 0/0" in failures[0].reason


@pytest.mark.parametrize(
    ("evidence", "quote"),
    [("e00000000", ""), ("e00000000", "web-db"), ("", "words that nobody said")],
    ids=["an answer nobody gave", "words of no answer", "words that the answer lacks"],
)
async def test_a_finding_that_cites_what_is_not_there_never_reaches_a_report(
    tmp_path, evidence, quote
):
    given, found = await _one_finding()
    forged = Citation(evidence=evidence or found.citations[0].evidence, quote=quote)
    cited = {"kind": "oom_killed", "citations": (*found.citations, forged)}
    made_up = found.model_copy(update=cited)

    async def lies(_):
        return [made_up, found]

    toolbox = Recorded(ANSWERS, given.evidence)
    liar = Desk(toolbox, lambda: NOW, lambda: 1.0, timedelta(hours=1), checks={"lying": lies})
    report = await triage("t1", "Q1", liar, tmp_path / "c.db")
    assert {item.kind for item in (*report.hypotheses, *report.rivals, *report.findings)} == {
        "missing_secret"
    }
    assert "oom_killed at Secret shop/web-db cites what no evidence holds" in {
        spot.reason for spot in report.blind_spots
    }
    assert unsupported(report) == []


@pytest.mark.parametrize(
    ("labels", "verdict"),
    [
        ({"alertname": "Watchdog"}, Verdict.HEALTHY),
        ({"alertname": "DeadMansSwitch"}, Verdict.HEALTHY),
        ({"alertname": "InfoInhibitor", "severity": "none"}, Verdict.HEALTHY),
        ({"alertname": "WatchdogMissing"}, Verdict.INCONCLUSIVE),
        ({"alertname": "WebErrors", "severity": "critical"}, Verdict.INCONCLUSIVE),
    ],
)
async def test_only_an_alert_that_is_meant_to_fire_always_is_no_sign_of_trouble(
    tmp_path, labels, verdict
):
    row = {"labels": labels, "points": [[NOW.timestamp(), 1]]}
    alert = {"labels": {**labels, "namespace": "shop"}}
    answers = {
        **ANSWERS,
        "pagerduty.get_incident": {"incident": INCIDENT, "alerts": [alert]},
        "prometheus.query_range": {"series": [row], "step_seconds": 60},
    }
    well = pod(states=[state(ready=True)], ready=True)
    known = gathered(*web(), well, thing("Namespace", "shop", namespace=""))
    report = await triage("t1", "Q1", desk(Recorded(answers, known)), tmp_path / "c.db")
    assert report.verdict is verdict, report.summary
    assert ("is meant to fire always" in report.summary) is (verdict is Verdict.HEALTHY)


async def _one_finding():
    from assistant.checks import startup  # noqa: PLC0415
    from tests.assistant.checks.cluster import only  # noqa: PLC0415

    message = 'secret "web-db" not found'
    ill = pod(states=[waiting("CreateContainerConfigError", message)], phase="Pending")
    given = case(*web(), ill)
    return given, await only(startup.check, given)


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
