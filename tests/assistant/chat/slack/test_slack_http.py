"""Slack calls us: the signature, the age of a request, and the same answers as over the socket."""

from __future__ import annotations

import json
import time
from urllib.parse import urlencode

import httpx
import pytest
from slack_sdk.signature import SignatureVerifier

from assistant.chat.slack.running import Listen
from assistant.errors import SettingsError
from tests.assistant.chat.slack.conftest import Opened, Talk
from tests.assistant.chat.slack.slack_server import SIGNING_SECRET

pytestmark = pytest.mark.anyio
LOOPBACK = Listen("127.0.0.1", 0)


async def sent(
    talk: Talk, body: str, kind: str, secret: str = SIGNING_SECRET, age: int = 0, **headers: str
) -> httpx.Response:
    at = str(int(time.time()) - age)
    signature = SignatureVerifier(secret).generate_signature(timestamp=at, body=body)
    signed = {"X-Slack-Request-Timestamp": at, "X-Slack-Signature": signature or ""}
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.post(
            talk.where, content=body, headers={"Content-Type": kind, **signed, **headers}
        )


async def test_a_signed_event_is_answered_and_its_retry_is_not(opened: Opened) -> None:
    async with opened(listen=LOOPBACK) as talk:
        body = json.dumps(talk.mention("why?"))
        first = await sent(talk, body, "application/json")
        await talk.answered("heard: why?")
        again = await sent(talk, body, "application/json", **{"X-Slack-Retry-Num": "1"})
        assert (first.status_code, again.status_code) == (200, 200)
        assert any("delivered again (retry 1)" in line for line in talk.log)
        assert len(talk.engine.asks) == 1


async def test_a_signed_command_is_answered(opened: Opened) -> None:
    async with opened(listen=LOOPBACK) as talk:
        body = urlencode(talk.command("/triage", "P1"))
        done = await sent(talk, body, "application/x-www-form-urlencoded")
        assert done.status_code == 200
        await talk.answered("heard: triage P1")


@pytest.mark.parametrize(
    "forged",
    [{"secret": "wrong"}, {"age": 600}, {"X-Slack-Signature": ""}, {"X-Slack-Signature": "v0=00"}],
    ids=["wrong secret", "ten minutes old", "no signature", "made-up signature"],
)
async def test_whoever_cannot_sign_is_refused_and_nothing_is_heard(opened: Opened, forged) -> None:
    async with opened(listen=LOOPBACK) as talk:
        done = await sent(talk, json.dumps(talk.mention("why?")), "application/json", **forged)
        assert done.status_code == 401
        assert talk.engine.asks == []
        assert talk.server.posts == []


async def test_slacks_question_whether_the_address_is_ours_is_answered(opened: Opened) -> None:
    async with opened(listen=LOOPBACK) as talk:
        body = json.dumps({"type": "url_verification", "challenge": "c-1", "token": "x"})
        done = await sent(talk, body, "application/json")
        assert done.json() == {"challenge": "c-1"}


async def test_an_address_that_is_taken_is_named(opened: Opened) -> None:
    async with opened(listen=LOOPBACK) as talk:
        taken = int(talk.where.split(":")[2].split("/")[0])
        with pytest.raises(ExceptionGroup) as refused:
            async with opened(listen=Listen("127.0.0.1", taken)):
                pass
        assert refused.group_contains(SettingsError, match=f"cannot listen on 127.0.0.1:{taken}")
