"""Questions on their way: each is kept first, then worked on, whether or not anybody still watches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from logging import Logger
from typing import Protocol

import anyio
from anyio.abc import TaskGroup

from assistant.chat.contract import Ask, Conversing, Reply, Step
from assistant.chat.web.memory import Memory, Said, Talk
from assistant.incident import Evidence

MOST_STEPS = 200
CUT_OFF = Reply(
    text="**Stopped** before this was answered. Nothing was changed; ask again.", sure=False
)
FAILED = Reply(
    text=(
        "**Not answered**: something inside me failed, and the log says what. "
        "Nothing was changed; ask again, or run `assistant triage ALERT_ID`."
    ),
    sure=False,
)


class Engine(Conversing, Protocol):
    """The conversation, which also opens what it cites."""

    async def evidence(self, thread: str, id: str) -> Evidence | None:
        """What a citation of this thread points to."""
        ...


@dataclass
class Progress:
    """What is known of an answer so far."""

    began: float
    steps: list[Step] = field(default_factory=list)
    news: anyio.Event = field(default_factory=anyio.Event)

    @property
    def seconds(self) -> float:
        """Since the question was asked."""
        return round(anyio.current_time() - self.began, 1)

    def tell(self, step: Step) -> None:
        """There is a newer step."""
        if len(self.steps) < MOST_STEPS:
            self.steps.append(step)
        self.stir()

    def stir(self) -> None:
        """Wake whoever waits for news."""
        self.news.set()
        self.news = anyio.Event()


@dataclass(frozen=True)
class Answering:
    """Works on questions as tasks of their own."""

    engine: Engine
    memory: Memory
    clock: Callable[[], datetime]
    logger: Logger
    tasks: TaskGroup
    running: dict[tuple[str, int], Progress] = field(default_factory=dict)

    async def ask(self, talk: Talk, text: str, by: str, key: str) -> tuple[int, bool]:
        """Put this into the thread. Its number, and whether it is new: the same key is asked once."""
        said = Said(key=key, text=text, by=by, at=self.clock())
        number, new = await self.memory.begin(talk, said)
        if new:
            self.running[talk.id, number] = Progress(anyio.current_time())
            ask = Ask(thread=talk.id, text=text, by=by, at=said.at)
            self.tasks.start_soon(self._answer, ask, number)
        return number, new

    async def news(self, thread: str, number: int, seen: int, patience: float) -> Progress | None:
        """The progress, as soon as there are more steps than were seen; None once it is over."""
        with anyio.move_on_after(patience):
            while (now := self.running.get((thread, number))) and len(now.steps) <= seen:
                await now.news.wait()
        return self.running.get((thread, number))

    async def _answer(self, ask: Ask, number: int) -> None:
        progress = self.running[ask.thread, number]
        try:
            reply = await self._reply(ask, progress)
            await self.memory.finish(ask.thread, number, reply, tuple(progress.steps))
        except anyio.get_cancelled_exc_class():
            with anyio.move_on_after(3, shield=True):
                await self.memory.finish(ask.thread, number, CUT_OFF, tuple(progress.steps))
            raise
        except Exception:  # one thread that cannot be kept must not end all others
            self.logger.exception("an answer could not be kept in thread %s", ask.thread)
        finally:
            del self.running[ask.thread, number]
            progress.stir()

    async def _reply(self, ask: Ask, progress: Progress) -> Reply:
        try:
            async for one in self.engine.say(ask):
                if isinstance(one, Reply):
                    return one
                progress.tell(one)
        except Exception:  # the engine promises not to; a person at 2AM is told, whatever it was
            self.logger.exception("the engine failed in thread %s", ask.thread)
        return FAILED
