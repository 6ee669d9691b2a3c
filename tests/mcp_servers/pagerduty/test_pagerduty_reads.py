import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some
from pagerduty_account import NOW, alert, incident, stamp

from mcp_servers.answer import Status, ToolFailure
from mcp_servers.pagerduty.lookup import meant
from mcp_servers.pagerduty.shapes import common_labels, labels

pytestmark = pytest.mark.anyio
WINDOW = {"since": NOW - timedelta(hours=2), "until": NOW}


@pytest.mark.parametrize(
    "given_id",
    [
        "PONE",
        " PONE ",
        "1",
        "#1",
        "QONE",
        "https://acme.pagerduty.com/incidents/PONE",
        "https://acme.pagerduty.com/incidents/PONE?x=1#notes",
        "https://acme.pagerduty.com/alerts/QONE",
    ],
)
async def test_an_incident_is_found_by_whatever_is_in_hand(tools, given_id):
    answer = await tools["get_incident"](given_id)
    assert answer.data.incident.id == "PONE"
    assert [one.id for one in answer.data.alerts] == ["QONE"]


async def test_an_incident_is_found_by_the_key_of_its_alert_in_few_requests(tools, account):
    answer = await tools["get_incident"]("alertmanager-key")
    assert answer.data.incident.number == 2
    assert len(account.asked) == 4


async def test_an_incident_tells_names_and_no_addresses(tools):
    answer = await tools["get_incident"]("PONE")
    told = answer.data.incident
    assert (told.assigned_to, told.service, told.service_id) == (["Ann"], "checkout", "PSVC")
    assert told.details == {"text": "it broke"}
    assert answer.data.notes[0].model_dump() == {"at": stamp(5), "author": "Ann", "text": "on it"}
    assert "@" not in answer.model_dump_json()


async def test_labels_come_from_alertmanagers_text_where_all_its_alerts_agree(tools):
    (told,) = (await tools["get_incident"]("PONE")).data.alerts
    assert told.labels == {"alertname": "ErrorsHigh", "namespace": "shop", "cluster": "north"}


async def test_an_unknown_id_is_empty_and_tells_what_was_tried(tools):
    with pytest.raises(ToolFailure) as failure:
        await tools["get_incident"]("PNONE")
    assert failure.value.status is Status.EMPTY
    assert "'PNONE'" in failure.value.reason
    assert "as an alert of the 2 newest incidents of the last 7 days" in failure.value.reason


async def test_an_unknown_number_is_not_searched_among_alerts(tools, account):
    with pytest.raises(ToolFailure, match="tried as an incident number"):
        await tools["get_incident"]("999")
    assert len(account.asked) == 1


async def test_an_id_cannot_leave_its_place_in_the_path(tools, account):
    with pytest.raises(ToolFailure):
        await tools["get_incident"]("../oncalls?x=1")
    assert all(path.startswith("/incidents") for path, _ in account.asked)


async def test_notes_that_may_not_be_read_cost_only_the_notes(tools, account):
    account.forbidden = "/notes"
    answer = await tools["get_incident"]("PONE")
    assert (answer.status, answer.truncated, len(answer.data.alerts)) == (Status.OK, True, 1)
    assert "Access Denied" in answer.reason


async def test_open_incidents_leave_out_the_resolved(tools):
    answer = await tools["get_active_incidents"]()
    assert [one.id for one in answer.data.incidents] == ["PONE"]


async def test_pages_are_read_until_done_and_no_further_than_asked(tools, account):
    account.incidents = [incident(f"P{number}", number) for number in range(230)]
    everything = await tools["get_active_incidents"](limit=500)
    assert (len(everything.data.incidents), everything.total) == (230, 230)
    assert not everything.truncated
    assert len(account.asked) == 3
    some_of_them = await tools["get_active_incidents"](limit=150)
    assert (len(some_of_them.data.incidents), some_of_them.total) == (150, 230)
    assert some_of_them.truncated


async def test_recent_alerts_are_those_of_the_window_newest_first(tools, account):
    account.alerts["PONE"].append(alert("QNEW", "PONE", 1))
    account.alerts["PONE"].append(alert("QOLD", "PONE", 500))
    answer = await tools["get_recent_alerts"](**WINDOW)
    assert [one.id for one in answer.data.alerts] == ["QNEW", "QONE"]
    assert answer.data.alerts[0].incident_id == "PONE"


async def test_change_events_are_of_a_service_or_of_all(tools, account):
    answer = await tools["list_change_events"](**WINDOW)
    (event,) = answer.data.change_events
    assert (event.at, event.details, event.links) == (stamp(30), {"version": "2"}, ["https://ci/1"])
    await tools["list_change_events"](**WINDOW, service_id="PSVC")
    assert [path for path, _ in account.asked] == ["/change_events", "/services/PSVC/change_events"]
    assert account.asked[0][1]["since"] == [stamp(120)]


async def test_a_window_that_runs_backwards_is_refused(tools):
    with pytest.raises(ToolFailure, match="must run forward"):
        await tools["list_change_events"](since=NOW, until=NOW - timedelta(hours=1))


async def test_history_on_call_and_past_incidents(tools, account):
    history = await tools["list_log_entries"]("PONE")
    assert history.data.log_entries[0].model_dump() == {
        "at": stamp(3),
        "type": "notify",
        "summary": "called Ann",
        "agent": "Ann",
    }
    on_call = await tools["get_oncall"](escalation_policy_id="PESC")
    assert (on_call.data.on_call[0].name, on_call.data.on_call[0].level) == ("Ann", 1)
    assert account.asked[-1][1]["since"] == [stamp(0)]
    past = await tools["get_past_incidents"]("PONE")
    assert [one.score for one in past.data.past_incidents] == [9.5, 1]


async def test_a_record_of_another_shape_is_a_failure_and_no_crash(tools, account):
    account.incidents = [{"status": "triggered", "created_at": "x"}]
    with pytest.raises(ToolFailure, match="not in PagerDuty's form"):
        await tools["get_active_incidents"]()


async def test_the_probe_names_the_permission_that_is_missing(server, account):
    assert (await server.probe()).reachable
    account.forbidden = "/oncalls"
    health = await server.probe()
    assert (health.reachable, health.missing) == (True, ("oncalls.read",))
    account.refuse(401)
    health = await server.probe()
    assert not health.reachable
    assert len(health.missing) == 3


def test_labels_of_plain_details_are_the_short_ones():
    body = {"details": {"namespace": "shop", "long": "x" * 400, "n": 3, "nested": {"a": 1}}}
    assert labels(body) == {"namespace": "shop", "n": "3"}
    assert labels({"cef_details": {"details": {"labels": {"pod": "a"}}}}) == {"pod": "a"}
    assert labels(None) == {}


@given(some.text(max_size=300))
def test_no_text_breaks_the_reading_of_labels(text):
    assert all(isinstance(value, str) for value in common_labels(f"Labels:\n{text}").values())
    assert len(meant(text)) == 2


@given(some.dictionaries(some.text(max_size=20), some.none() | some.text() | some.integers()))
def test_no_details_break_the_reading_of_labels(details):
    json.dumps(labels({"details": details}))
