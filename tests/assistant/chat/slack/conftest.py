"""The Slack front end against a Slack on loopback, over an engine that says what a test tells it to."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import pytest

from assistant.chat.contract import Ask, Choice, Reply, Step
from assistant.chat.slack.logs import Redacted
from assistant.chat.slack.running import Listen, OnDuty, Served, serve
from assistant.chat.slack.settings import slack_settings
from assistant.errors import NotFound
from tests.assistant.chat.logged import Lines
from tests.assistant.chat.slack.slack_server import (
    APP_TOKEN,
    BOT_TOKEN,
    CHANNEL,
    DIRECT,
    PERSON,
    SIGNING_SECRET,
    TEAM,
    SlackServer,
    slack_server,
)

NOW = datetime(2026, 3, 14, 2, 26, tzinfo=UTC)


class Scripted:
    """An engine: says what stands under the words of the question, and keeps who asked what."""

    def __init__(self) -> None:
        self.asks: list[Ask] = []
        self.briefs: dict[str, list[str]] = {}
        self.said = 0
        self.answers: dict[str, list[Step | Reply | anyio.Event | Exception]] = {}

    async def say(self, ask: Ask) -> AsyncIterator[Step | Reply]:
        self.asks.append(ask)
        for one in self.answers.get(ask.text, [Reply(text=f"heard: {ask.text}")]):
            if isinstance(one, anyio.Event):
                await one.wait()
            elif isinstance(one, Exception):
                raise one
            else:
                self.said += 1
                yield one

    async def brief(self, thread: str, report: str) -> Reply:
        self.briefs.setdefault(thread, []).append(report)
        if report == "t404":
            raise NotFound("no incident 't404'")
        why = Choice(label="Why", text="why?")
        return Reply(text=f"**Cause** of {report}", scope="north", report=report, choices=(why,))


@dataclass
class Talk:
    """What people do in Slack, and what comes of it."""

    server: SlackServer
    engine: Scripted
    log: list[str] = field(default_factory=list)
    where: str = ""

    def event(self, event: dict[str, Any], **outside: Any) -> dict[str, Any]:
        """The payload of an event, as Slack wraps it."""
        ids = {"event_id": f"Ev{self.server.number()}", "team_id": TEAM, "type": "event_callback"}
        return {
            **ids,
            "event": {"user": PERSON, "channel": CHANNEL, "team": TEAM, **event},
            **outside,
        }

    def mention(self, text: str, **event: Any) -> dict[str, Any]:
        ts = event.pop("ts", f"1600000000.{self.server.number():06d}")
        return self.event({"type": "app_mention", "ts": ts, "text": f"<@U0BOT> {text}", **event})

    def direct(self, text: str, **event: Any) -> dict[str, Any]:
        ts = event.pop("ts", f"1600000000.{self.server.number():06d}")
        said = {"type": "message", "channel_type": "im", "channel": DIRECT, "ts": ts, "text": text}
        return self.event({**said, **event})

    def command(self, name: str, text: str = "", **other: str) -> dict[str, Any]:
        return {
            "command": name,
            "text": text,
            "team_id": TEAM,
            "user_id": PERSON,
            "channel_id": CHANNEL,
            "trigger_id": f"trigger-{self.server.number()}",
            "response_url": f"{self.server.address}/respond",
            **other,
        }

    def by_hand(self, kind: str, **other: Any) -> dict[str, Any]:
        return {
            "type": kind,
            "team": {"id": TEAM},
            "user": {"id": PERSON, "team_id": TEAM},
            "channel": {"id": CHANNEL},
            "trigger_id": f"trigger-{self.server.number()}",
            "response_url": f"{self.server.address}/respond",
            **other,
        }

    def press(self, ts: str, button: dict[str, Any], **other: Any) -> dict[str, Any]:
        """A button of a message is pressed."""
        post = self.server.at(ts)
        container = {"type": "message", "message_ts": ts, "channel_id": post.channel}
        if post.thread_ts:
            container["thread_ts"] = post.thread_ts
        channel = {"id": post.channel}
        action = {"type": "button", "block_id": "b", "action_ts": "1.0", **button}
        made = self.by_hand("block_actions", container=container, channel=channel, actions=[action])
        return made | other

    async def say(self, payload: dict[str, Any], retry: int | None = None) -> None:
        await self.server.deliver("events_api", payload, retry)

    async def run(self, payload: dict[str, Any]) -> None:
        await self.server.deliver("slash_commands", payload)

    async def click(self, payload: dict[str, Any]) -> None:
        await self.server.deliver("interactive", payload)

    async def answered(self, words: str) -> Any:
        """The message that says these words, once there is one."""
        posts = self.server.posts
        await self.server.until(lambda: any(words in one.words for one in posts))
        return next(one for one in posts if words in one.words)

    def response(self, place: int = -1) -> str:
        return str(self.server.responses[place]["text"])


Opened = Callable[..., AbstractAsyncContextManager[Talk]]


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loopback is spoken to directly, whatever the machine is told to do."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
async def slack() -> AsyncIterator[SlackServer]:
    async with slack_server() as server:
        yield server


def environment(server: SlackServer, **other: str) -> dict[str, str]:
    return {
        "SLACK_BOT_TOKEN": BOT_TOKEN,
        "SLACK_APP_TOKEN": APP_TOKEN,
        "SLACK_SIGNING_SECRET": SIGNING_SECRET,
        "SLACK_CHANNELS": CHANNEL,
        "SLACK_PEOPLE": PERSON,
        "SLACK_API_URL": f"{server.address}/api/",
        **other,
    }


@pytest.fixture
def opened(slack: SlackServer, tmp_path: Path) -> Opened:
    """Opens the front end, as often as a test wants, over the same memory."""

    @asynccontextmanager
    async def up(
        engine: Scripted | None = None,
        listen: Listen | None = None,
        duty: OnDuty | None = None,
        ping: float = 0.2,
        pace: float = 0.0,
        **other: str,
    ) -> AsyncIterator[Talk]:
        talk = Talk(slack, engine or Scripted())
        logger = logging.Logger("slack test", logging.INFO)  # noqa: LOG001 - one for each test
        handler = Lines(talk.log)
        settings = slack_settings(environment(slack, **other), http=listen is not None)
        handler.setFormatter(Redacted("%(levelname)s %(message)s", settings.secrets))
        logger.addHandler(handler)
        served = Served(
            settings=settings,
            engine=talk.engine,
            clock=lambda: NOW,
            state=tmp_path / "slack.db",
            logger=logger,
            listen=listen,
            duty=duty,
            pace=pace,
            ping=ping,
        )
        async with anyio.create_task_group() as tasks:
            talk.where = await tasks.start(serve, served)
            yield talk
            tasks.cancel_scope.cancel()

    return up


@pytest.fixture
async def talk(opened: Opened) -> AsyncIterator[Talk]:
    async with opened() as talk:
        yield talk
