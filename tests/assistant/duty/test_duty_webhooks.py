"""Webhooks over real HTTP: only who has the secret is heard, and what was acknowledged is kept."""

import base64
import json
from contextlib import suppress

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette

from assistant.duty.alertmanager import alerts_of
from assistant.duty.pagerduty import event_of, signed
from assistant.duty.queue import Queue
from assistant.duty.received import Malformed
from assistant.duty.webhooks import ALERTMANAGER_PATH, PAGERDUTY_PATH, Intake, Senders
from eval.lab.listener import listening
from tests.assistant.duty.told import SECRET, at, event, notification, row, signature

pytestmark = pytest.mark.anyio
SENDERS = Senders(("older-secret", SECRET), ("token-1", "token-2"), ("alerts:pass:word",))


@pytest.fixture
def queue(tmp_path):
    with Queue.open(tmp_path / "duty.db") as opened:
        yield opened


@pytest.fixture
async def server(queue):
    intake = Intake(queue, SENDERS, lambda: at(60), most_bytes=20_000)
    async with (
        listening(Starlette(routes=intake.routes())) as listener,
        httpx.AsyncClient(base_url=listener.url) as client,
    ):
        yield client


async def page(server, body, header=None):
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    given_header = signature(sent) if header is None else header
    headers = {"X-PagerDuty-Signature": given_header} if given_header else {}
    return await server.post(PAGERDUTY_PATH, content=sent, headers=headers)


async def post(server, body, authorization="Bearer token-2"):
    headers = {"Authorization": authorization} if authorization else {}
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await server.post(ALERTMANAGER_PATH, content=sent, headers=headers)


async def test_a_signed_incident_is_kept_before_it_is_acknowledged(server, queue):
    answer = await page(server, event())
    assert (answer.status_code, answer.json()["new"]) == (200, 1)
    assert queue.counts()["waiting"] == 1


async def test_a_delivery_that_is_sent_again_is_taken_once(server, queue):
    await page(server, event())
    again = await page(server, event())
    assert (again.status_code, again.json()["new"], again.json()["repeated"]) == (200, 0, 1)


@pytest.mark.parametrize("secret", ["older-secret", SECRET])
async def test_while_a_secret_is_changed_both_are_good(server, secret):
    body = json.dumps(event()).encode()
    both = f"v1={'0' * 64}, {signature(body, secret)}"
    assert (await page(server, body, both)).status_code == 200


@pytest.mark.parametrize(
    "header", ["v1=" + "0" * 64, "v2=abc", "nonsense", "v1=", ",,,", "v1=ü".encode("latin-1"), ""]
)
async def test_what_is_not_signed_with_our_secret_is_refused_unread(server, queue, header):
    answer = await page(server, event(), header)
    assert answer.status_code == 401
    assert "Signature" in answer.json()["error"]
    assert SECRET not in answer.text
    assert queue.counts()["waiting"] == 0


async def test_a_signature_of_other_words_is_refused(server):
    body = json.dumps(event()).encode()
    assert (await page(server, body + b" ", signature(body))).status_code == 401


@pytest.mark.parametrize("seconds", [-3 * 86_400, 3600])
async def test_an_event_of_another_time_is_refused(server, queue, seconds):
    answer = await page(server, event(seconds=seconds))
    assert answer.status_code == 403
    assert "too far from now" in answer.json()["error"]
    assert queue.counts()["waiting"] == 0


@pytest.mark.parametrize("kind", ["incident.acknowledged", "pagey.ping", "service.updated"])
async def test_events_that_change_nothing_are_acknowledged(server, queue, kind):
    answer = await page(server, event(kind))
    assert (answer.status_code, answer.json()) == (200, {"ignored": kind})
    assert queue.counts()["waiting"] == 0


async def test_a_resolved_event_closes_the_incident_it_is_about(server, queue):
    await page(server, event())
    queue.gather(at(600))
    await page(server, event("incident.resolved", seconds=50))
    assert queue.incidents()[0].closed_at == at(60)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"event": 1}', b'{"event": {}}', b"\xff\xfe", b"[" * 15_000]
)
async def test_what_is_signed_and_no_event_is_refused_with_a_reason(server, body):
    answer = await page(server, body)
    assert answer.status_code == 400
    assert answer.json()["error"]


async def test_too_much_is_refused_whether_it_says_so_or_not(server):
    assert (await page(server, b"x" * 20_001)).status_code == 413

    async def parts():
        for _ in range(30):
            yield b"y" * 1000

    answer = await server.post(
        ALERTMANAGER_PATH, content=parts(), headers={"Authorization": "Bearer token-1"}
    )
    assert answer.status_code == 413


async def test_alerts_of_alertmanager_are_taken_each_once(server, queue):
    body = notification(row("A", service="x"), row("B", service="x"))
    assert (await post(server, body)).json()["new"] == 2
    assert (await post(server, body)).json()["repeated"] == 2
    ended = notification(row("A", status="resolved", service="x"))
    assert (await post(server, ended)).json()["resolved"] == 1
    assert queue.counts()["waiting"] == 2


async def test_a_login_is_as_good_as_a_token(server):
    login = base64.b64encode(b"alerts:pass:word").decode()
    assert (await post(server, notification(row("A")), f"Basic {login}")).status_code == 200


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer token-3", "Basic !!", "Basic YTpi", "Digest x", "token-1"],
)
async def test_without_a_known_credential_nothing_is_read(server, queue, authorization):
    answer = await post(server, notification(row("A")), authorization)
    assert answer.status_code == 401
    assert "WWW-Authenticate" in answer.headers
    assert queue.counts()["waiting"] == 0


async def test_one_alert_that_cannot_be_read_keeps_no_other_out(server, queue):
    answer = await post(server, notification(row("A"), {"labels": 5}, row("B")))
    assert (answer.status_code, answer.json()["new"]) == (200, 2)
    assert answer.json()["malformed"] == ["alerts[1].labels: expected an object, got int"]


async def test_what_alertmanager_left_out_is_said(server):
    assert (await post(server, notification(row("A"), truncatedAlerts=12))).json()["left_out"] == 12


@pytest.mark.parametrize(
    "body",
    [{}, {"version": "3", "alerts": []}, notification(), notification({"labels": {}}),
     notification(version="5"), [], 7],
)  # fmt: skip
async def test_what_is_no_notification_is_refused_with_a_reason(server, body):
    answer = await post(server, body)
    assert answer.status_code == 400
    assert answer.json()["error"]


async def test_other_methods_are_refused(server):
    assert (await server.get(PAGERDUTY_PATH)).status_code == 405


async def test_a_sender_without_a_secret_has_no_address(queue):
    assert Intake(queue, Senders(), at).routes() == []
    (only,) = Intake(queue, Senders(pagerduty_secrets=("s",)), at).routes()
    assert only.path == PAGERDUTY_PATH


async def test_what_cannot_be_kept_is_not_acknowledged(tmp_path):
    with Queue.open(tmp_path / "duty.db") as queue:
        intake = Intake(queue, SENDERS, lambda: at(60))
    async with (  # the queue is closed by now: its file cannot be written
        listening(Starlette(routes=intake.routes())) as listener,
        httpx.AsyncClient(base_url=listener.url) as client,
    ):
        answer = await post(client, notification(row("A")))
    assert answer.status_code == 503
    assert "send it again" in answer.json()["error"]


def test_secrets_are_not_shown():
    assert SECRET not in repr(SENDERS)
    assert "token-1" not in repr(SENDERS)


def test_text_of_others_is_cut_and_cleaned():
    said = row("Bell\x07\u202e" + "x" * 900, **{f"label{n}": "v" * 900 for n in range(200)})
    (one,) = alerts_of(notification(said)).alerts
    assert len(one.title) <= 300
    assert one.title.isprintable()
    assert len(one.labels) <= 64
    assert all(len(value) <= 256 for value in one.labels.values())


def test_a_link_that_is_no_web_address_is_dropped():
    said = row("A") | {"generatorURL": "javascript:alert(1)"}
    assert alerts_of(notification(said)).alerts[0].url == ""


def test_the_rules_name_in_a_pagerduty_title_is_a_label():
    told = event_of(event(title="[FIRING:3] KubePodCrashLooping shop (pod)"))
    assert told.alert.labels == {"alertname": "KubePodCrashLooping"}


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ("event", "data", "alerts", "labels", "version", "id", "startsAt", "title")
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(body=JSON, place=st.sampled_from(("body", "event", "data", "alerts")))
def test_whatever_is_sent_is_read_or_malformed_and_never_a_crash(body, place):
    known = event() if place in ("event", "data") else notification(row("A"))
    sent = {"body": body, "event": {"event": body}, "alerts": known | {"alerts": [body]},
            "data": {"event": event()["event"] | {"data": body}}}[place]  # fmt: skip
    for read in (event_of, alerts_of):
        with suppress(Malformed):
            read(sent)


@given(body=st.binary(max_size=50), header=st.text(max_size=80))
def test_no_header_but_the_right_one_is_a_signature(body, header):
    assert not signed(body, header, (SECRET,))
    assert signed(body, f"{header[:5].replace(',', '')},{signature(body)}", ("other", SECRET))
