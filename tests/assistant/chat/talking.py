"""What the tests of the conversation share: systems that answer nothing, and how to ask."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from assistant.chat.contract import Ask, Reply, Step
from assistant.chat.conversation import Conversation, Engine
from assistant.chat.memory import Memory
from assistant.errors import NotFound
from assistant.incident import Evidence, Status, evidence_id
from assistant.store import Store

NOW = datetime(2026, 4, 8, 19, 47, tzinfo=UTC)


@dataclass
class Deaf:
    """Systems that are all down, and remember what they were asked."""

    asked: list[str] = field(default_factory=list)
    triaged: list[str] = field(default_factory=list)
    failure: Exception | None = None
    ends: dict[str, datetime] = field(default_factory=dict)

    def now(self):
        return NOW

    @asynccontextmanager
    async def toolbox(self, _thread, _told):
        if self.failure:
            raise self.failure
        yield self

    async def collect(self, calls: Iterable):
        return [self._down(call) for call in calls]

    def _down(self, call):
        self.asked.append(call.tool)
        return Evidence(
            id=evidence_id(call.tool, call.arguments),
            tool=call.tool,
            arguments=call.arguments,
            status=Status.ERROR,
            reason="connection refused",
            taken_at=NOW,
        )

    async def ended(self, alert, _told):
        return self.ends.get(alert)

    async def triage(self, alert, told):
        self.triaged.append(alert)
        told("reading the alert")
        raise NotFound(f"no alert {alert!r}")


@dataclass
class Hearing(Deaf):
    """Systems that give the same answer to each question of a tool."""

    answers: dict[str, Any] = field(default_factory=dict)

    async def collect(self, calls: Iterable):
        return [self._answer(call) for call in calls]

    def _answer(self, call):
        self.asked.append(call.tool)
        return Evidence(
            id=evidence_id(call.tool, call.arguments),
            tool=call.tool,
            arguments=call.arguments,
            status=Status.OK,
            data=self.answers.get(call.tool, {}),
            taken_at=NOW,
        )


@asynccontextmanager
async def conversation(folder, systems, model=None) -> AsyncIterator[Conversation]:
    async with (
        Store.open(folder / "incidents.db") as store,
        Memory.open(folder / "chat.db") as memory,
    ):
        yield Conversation(Engine(systems, store, memory, lambda: 0.0, model))


async def say(engine, text, thread="one") -> tuple[list[Step], Reply]:
    """The steps and the one reply."""
    items = [item async for item in engine.say(Ask(thread=thread, text=text, by="kit", at=NOW))]
    *steps, reply = items
    assert isinstance(reply, Reply)
    assert all(isinstance(step, Step) for step in steps)
    return steps, reply
