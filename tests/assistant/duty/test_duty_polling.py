"""Polling: PagerDuty's REST API in the lab, asked through the real toolbox."""

from datetime import timedelta

import pytest

from assistant.duty.learning import Learning
from assistant.duty.polling import Poll
from assistant.duty.queue import Queue
from assistant.incident import Status
from assistant.settings import load_settings
from assistant.toolbox import Session, Toolbox
from eval.lab.lab import serve
from eval.lab.world import World
from tests.assistant.checks.cluster import evidence
from tests.assistant.duty.told import at, incident

pytestmark = pytest.mark.anyio


def opened(id, service, seconds=0, **labels):
    """An incident of PagerDuty, and its alert."""
    row = {"id": id, "type": "incident", "incident_number": 7, "title": f"{service} is down",
           "status": "triggered", "urgency": "high", "created_at": at(seconds).isoformat(),
           "service": {"id": f"S{service}", "type": "service_reference", "summary": service}}  # fmt: skip
    told = {"id": f"A{id}", "type": "alert", "summary": "down", "status": "triggered",
            "created_at": at(seconds).isoformat(), "severity": "critical",
            "service": row["service"], "incident": {"id": id, "type": "incident_reference"},
            "body": {"type": "alert_body", "details": labels}}  # fmt: skip
    return row, told


def world(*pairs):
    pager = {
        "incidents": [row for row, _ in pairs],
        "alerts": {row["id"]: [told] for row, told in pairs},
    }
    return World(id="paged", as_of=at(60), pager=pager)


@pytest.fixture
def queue(tmp_path):
    with Queue.open(tmp_path / "duty.db") as opened:
        yield opened


async def look(queue, tmp_path, lab_world, now=60.0, misbehaviour=""):
    """One look at PagerDuty as it is then."""
    async with serve(lab_world, backends=("pagerduty",)) as lab:
        if misbehaviour:
            await lab.misbehave("pagerduty", misbehaviour)
        settings = load_settings({"home": tmp_path}, {})

        async def ask(calls):
            async with Toolbox.open(
                settings, lab.environment, lambda: at(now), Session()
            ) as toolbox:
                return await toolbox.collect(calls)

        return await Poll(queue, ask, lambda: at(now)).once()


async def test_open_incidents_are_taken_with_the_labels_of_their_alerts(queue, tmp_path):
    paged = world(opened("P1", "Portal", namespace="shop", deployment="cart"))
    polled = await look(queue, tmp_path, paged)
    assert (polled.taken.new, polled.blind) == (1, "")
    (name,) = queue.gather(at(100))
    (row,) = queue.alerts(name)
    assert row.alert.alert_id == "P1"
    assert row.alert.service == "Portal"
    assert row.alert.labels["namespace"] == "shop"


async def test_what_a_webhook_brought_already_is_the_same_alert(queue, tmp_path):
    queue.take([incident("P1", service="Portal")], at())
    polled = await look(queue, tmp_path, world(opened("P1", "Portal")))
    assert (polled.taken.new, polled.taken.repeated) == (0, 1)


async def test_what_is_no_longer_open_is_resolved(queue, tmp_path):
    await look(queue, tmp_path, world(opened("P1", "Portal"), opened("P2", "Ledger")))
    queue.gather(at(100))
    polled = await look(queue, tmp_path, world(opened("P2", "Ledger")), now=120)
    assert polled.gone == 1
    assert sorted(one.firing for one in queue.incidents()) == [0, 1]


@pytest.mark.parametrize("how", ["down", "500", "401", "html", "nonsense"])
async def test_a_pagerduty_that_is_not_seen_closes_nothing_and_is_said(queue, tmp_path, how):
    await look(queue, tmp_path, world(opened("P1", "Portal")))
    queue.gather(at(100))
    polled = await look(queue, tmp_path, world(), now=120, misbehaviour=how)
    assert "was not seen" in polled.blind
    assert queue.incidents()[0].firing == 1


async def test_an_answer_that_was_cut_closes_nothing(queue):
    queue.take([incident("P1"), incident("P2")], at())
    row = {"id": "P2", "title": "x", "created_at": at().isoformat(), "service": "s", "url": ""}
    cut = evidence(
        "pagerduty.get_active_incidents", {}, {"incidents": [row]}, truncated=True, total=900
    )
    alerts = evidence(
        "pagerduty.get_recent_alerts", {}, None, status=Status.ERROR, reason="HTTP 500"
    )

    async def ask(_):
        return [cut, alerts]

    polled = await Poll(queue, ask, lambda: at(60)).once()
    assert polled.gone == 0
    assert "900 open incidents, 1 of them were read" in polled.blind


async def test_who_calls_whom_is_learnt_and_kept_while_nothing_is_seen(queue):
    rows = {"calls": [{"client": "portal", "server": "cart"}, {"client": "cart", "server": ""}]}
    answers = [evidence("prometheus.list_services", {}, rows),
               evidence("prometheus.list_services", {}, None, status=Status.ERROR)]  # fmt: skip

    async def ask(_):
        return [answers.pop(0)]

    learning = Learning(queue, ask, at)
    await learning.once()
    assert await learning.once() == 0
    queue.take([incident("P1", service="Cart"), incident("P2", 30, service="Portal")], at())
    (name,) = queue.gather(at() + timedelta(minutes=1))
    assert queue.incident(name).why == "portal calls cart; 2 alerts within 30 s"
