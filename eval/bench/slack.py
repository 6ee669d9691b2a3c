"""A Slack on loopback for a bench: it takes what our front end writes, and asks as Slack's HTTP mode does."""

from __future__ import annotations

import json
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import anyio
import httpx
from slack_sdk.signature import SignatureVerifier
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from assistant.chat.contract import Conversing, Reply
from assistant.chat.slack.messages import messages, plain
from assistant.chat.slack.running import Listen, Served, serve
from assistant.chat.slack.settings import slack_settings
from eval.lab.listener import listening

TEAM, CHANNEL, PERSON = "T0BENCH", "C0BENCH", "U0BENCH"
SECRET = "secret-of-the-bench"  # noqa: S105 - it guards nothing
AT_WORK = "⏳"
LONGEST_SECONDS = 120.0


@dataclass
class Message:
    """A message as it stands now."""

    thread: str
    text: str = ""
    blocks: str = ""


@dataclass
class Slack:
    """One workspace with one channel; `ask` is a person who mentions us in a thread."""

    client: httpx.AsyncClient
    """One for all: to make it takes longer than to ask."""
    where: str = ""
    messages: dict[str, Message] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    _numbers: Any = field(default_factory=lambda: count(1))
    _changed: anyio.Event = field(default_factory=anyio.Event)

    @classmethod
    @asynccontextmanager
    async def open(
        cls, engine: Conversing, clock: Callable[[], datetime], state: Path
    ) -> AsyncIterator[Slack]:
        """A Slack in which our front end answers."""
        async with httpx.AsyncClient(trust_env=False) as client:
            slack = cls(client)
            app = Starlette(routes=slack._routes())
            async with listening(app) as listener, anyio.create_task_group() as tasks:
                settings = slack_settings(_environment(listener.url), http=True)
                here, logger = Listen("127.0.0.1", 0), logging.getLogger(__name__)
                served = Served(settings, engine, clock, state, logger, here)
                slack.where = await tasks.start(serve, served)
                yield slack
                tasks.cancel_scope.cancel()

    async def ask(self, thread: str, text: str) -> Message:
        """Mention us in this thread, and wait for the answer there."""
        self.asked[thread] += 1
        wanted = self.asked[thread]
        await self._deliver(thread, text)
        with anyio.fail_after(LONGEST_SECONDS):
            while len(done := self._answers(thread)) < wanted:
                await self._changed.wait()
        return done[-1]

    def says(self, told: Message, meant: Reply) -> bool:
        """Whether a message says this reply."""
        return told.text == messages(meant)[0].notice

    def strays(self) -> int:
        """Messages in a thread in which nobody asked."""
        return sum(one.thread not in self.asked for one in self.messages.values())

    def _answers(self, thread: str) -> list[Message]:
        told = (one for one in self.messages.values() if one.thread == thread)
        return [one for one in told if AT_WORK not in one.blocks]

    async def _deliver(self, thread: str, text: str) -> None:
        number = next(self._numbers)
        event = {
            "type": "app_mention", "user": PERSON, "channel": CHANNEL, "team": TEAM,
            "ts": f"{number}.000001", "thread_ts": thread, "text": plain(text),
        }  # fmt: skip
        told = {"type": "event_callback", "team_id": TEAM, "event_id": f"Ev{number}"}
        body, at = json.dumps({**told, "event": event}), str(int(time.time()))
        signed = SignatureVerifier(SECRET).generate_signature(timestamp=at, body=body)
        headers = {
            "Content-Type": "application/json",
            "X-Slack-Request-Timestamp": at,
            "X-Slack-Signature": signed or "",
        }
        answer = await self.client.post(self.where, content=body, headers=headers)
        answer.raise_for_status()

    def _routes(self) -> list[Route]:
        api = Route("/api/{method}", self._api, methods=["GET", "POST"])
        return [api, Route("/upload", self._upload, methods=["POST"])]

    async def _api(self, request: Request) -> Response:
        method = request.path_params["method"]
        answer: dict[str, Any] = {"team_id": TEAM, "user_id": "U0BOT", "bot_id": "B0BOT"}
        if method in ("chat.postMessage", "chat.update"):
            answer = self._written(await request.json())
        elif method == "files.getUploadURLExternal":
            answer = {"upload_url": f"{request.base_url}upload", "file_id": "F1"}
        elif method == "files.completeUploadExternal":
            answer = {"files": [{"id": "F1"}]}
        return JSONResponse({"ok": True, **answer})

    def _written(self, given: dict[str, Any]) -> dict[str, Any]:
        ts = given.get("ts") or f"1700000000.{next(self._numbers):06d}"
        message = self.messages.setdefault(ts, Message(given.get("thread_ts", "")))
        message.text, message.blocks = (
            given["text"],
            json.dumps(given["blocks"], ensure_ascii=False),
        )
        self._changed.set()
        self._changed = anyio.Event()
        return {"ts": ts, "channel": given["channel"]}

    async def _upload(self, request: Request) -> Response:
        await request.body()
        return Response("OK")


def _environment(url: str) -> dict[str, str]:
    return {
        "SLACK_BOT_TOKEN": "xoxb-of-the-bench",
        "SLACK_SIGNING_SECRET": SECRET,
        "SLACK_CHANNELS": CHANNEL,
        "SLACK_PEOPLE": PERSON,
        "SLACK_API_URL": f"{url}/api/",
    }
