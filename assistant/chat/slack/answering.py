"""One question and its answer: a message that shows the work, updated in place, then the reply."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from logging import Logger

import anyio
from anyio import to_thread

from assistant.chat.contract import Ask, Conversing, Reply, Step
from assistant.chat.slack.memory import Memory, Promise
from assistant.chat.slack.messages import Message, messages, said, too_long, working
from assistant.chat.slack.pictures import Upload, upload
from assistant.chat.slack.wire import TROUBLE, Place, Wire, reason
from assistant.incident import Frozen

PACE_SECONDS = 1.5
"""Between two updates of one message. Slack allows about fifty a minute in a workspace."""
QUIET_PACES = 3
"""After so many without news the seconds are counted on: a message that stands still looks dead."""
LAST_WORDS_SECONDS = 3.0
CUT_OFF = said("I was stopped before this was answered. Nothing was changed; ask again.")
PARTLY = said("I was stopped before the rest of this was sent. Ask again to have all of it.")
FAILED = Reply(
    text=(
        "This could not be answered: something inside me failed, and the log says what. "
        "Nothing was changed; ask again, or run `assistant triage ALERT_ID`."
    ),
    sure=False,
)


class Question(Frozen):
    """What was said where and by whom."""

    place: Place
    text: str
    by: str
    heading: str = ""
    """What the answer shows of the question, where that stands nowhere else in the thread."""
    key: str = ""
    """What was claimed for it, and is claimed again where this is not answered."""
    incident: str = ""
    """What the person called the incident that this opens a thread for."""


@dataclass(frozen=True)
class Answering:
    """Carries questions to the engine and its answers to Slack."""

    engine: Conversing
    wire: Wire
    memory: Memory
    clock: Callable[[], datetime]
    logger: Logger
    pace: float = PACE_SECONDS
    busy: set[str] = field(default_factory=set)

    async def answer(self, question: Question, ts: str = "") -> None:
        """Answer in the thread, into the message `ts` where there is one."""
        ts = ts or await self.wire.post(question.place, first_words(question))
        promise = Promise(channel=question.place.channel, ts=ts, key=question.key)
        await self.memory.promise(promise)
        kept, shown = False, [CUT_OFF]
        try:
            reply = await self._worked_out(question, ts)
            kept, shown = reply is not FAILED, list(messages(reply, question.heading))
            await self._remember(question, reply)
            if not await self.wire.update(promise.channel, ts, shown[0]):
                await self.wire.post(question.place, shown[0])
        except anyio.get_cancelled_exc_class():
            await self._last_words(promise, shown[0], kept=kept)
            raise
        await self.memory.settle(promise, kept=kept)
        await self._rest(question, reply, shown[1:])

    async def interrupted(self) -> None:
        """Say so in each message whose answer was cut off when the last process ended."""
        for promise in await self.memory.promises():
            try:
                await self.wire.update(promise.channel, promise.ts, CUT_OFF)
            except TROUBLE as error:
                self.logger.warning("a message of before stays as it is: %s", reason(error))
            await self.memory.settle(promise, kept=False)

    async def _worked_out(self, question: Question, ts: str) -> Reply:
        async def write(message: Message) -> None:
            try:
                await self.wire.update(question.place.channel, ts, message)
            except TROUBLE as error:
                self.logger.warning("progress was not shown: %s", reason(error))

        # Slack counts all messages together: the more of them are at work, the rarer each is updated.
        shown = Shown(write, question.heading, lambda: self.pace * len(self.busy))
        reply = FAILED
        self.busy.add(ts)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(shown.keep_current)
            try:
                reply = await self._reply(question, shown)
            finally:
                shown.stop()
                self.busy.discard(ts)
        return reply

    async def _reply(self, question: Question, shown: Shown) -> Reply:
        thread, by = question.place.thread, question.by
        ask = Ask(thread=thread, text=question.text, by=by, at=self.clock())
        reply = None
        try:
            async for one in self.engine.say(ask):
                if isinstance(one, Step):
                    shown.show(one)
                else:
                    reply = one
        except Exception:  # the engine promises not to; a person at 2AM is told, whatever it was
            self.logger.exception("the engine failed in thread %s", ask.thread)
        return reply or FAILED

    async def _remember(self, question: Question, reply: Reply) -> None:
        place = question.place
        for incident in filter(None, {question.incident, reply.incident}):
            if place.ts:
                await self.memory.keep_thread(place.channel, incident, place.ts)
        if reply.report:
            await self.memory.keep_report(place.thread, reply.report)

    async def _rest(self, question: Question, reply: Reply, others: list[Message]) -> None:
        """The other messages and the files beneath the first one; or that they did not get there."""
        try:
            for other in others:
                await self.wire.post(question.place, other)
            await self._files(question.place, reply)
        except anyio.get_cancelled_exc_class():
            if others or reply.attachments:
                with anyio.move_on_after(LAST_WORDS_SECONDS, shield=True):
                    await self.memory.release(question.key)
                    await self.wire.post(question.place, PARTLY)
            raise

    async def _files(self, place: Place, reply: Reply) -> None:
        uploads = [await to_thread.run_sync(upload, one) for one in reply.attachments]
        if too_long(reply):
            uploads.append(Upload(name="answer.md", content=reply.text.encode()))
        if uploads and (why := await self.wire.upload(place, uploads)):
            names = ", ".join(one.name for one in uploads)
            await self.wire.post(place, said(f"Slack did not take {names}: {why}"))

    async def _last_words(self, promise: Promise, words: Message, *, kept: bool) -> None:
        """The answer, where there is one by now; it may stand there already, and must stay."""
        with anyio.move_on_after(LAST_WORDS_SECONDS, shield=True):
            await self.wire.update(promise.channel, promise.ts, words)
            await self.memory.settle(promise, kept=kept)


def first_words(question: Question) -> Message:
    """What stands there until something is known."""
    return working(Step(text="Looking"), question.heading)


class Shown:
    """One message that shows the newest step. Slack may be slow or refuse: the work does not wait."""

    def __init__(
        self, write: Callable[[Message], Awaitable[object]], heading: str, pace: Callable[[], float]
    ) -> None:
        self._write = write
        self._heading = heading
        self._pace = pace
        self._newest: tuple[Step, float] | None = None
        self._news = anyio.Event()
        self._over = anyio.Event()

    def show(self, step: Step) -> None:
        """From now on this step is the newest."""
        self._newest = (step, anyio.current_time())
        self._news.set()

    def stop(self) -> None:
        """There is nothing more to show; an update on its way still arrives, before the reply."""
        self._over.set()
        self._news.set()

    async def keep_current(self) -> None:
        """Update the message until all is over, at most once in a pace; the seconds go on."""
        while not self._over.is_set():
            with anyio.move_on_after(QUIET_PACES * self._pace() or None):
                await self._news.wait()
            self._news = anyio.Event()
            if self._newest and not self._over.is_set():
                await self._write(working(self._current(*self._newest), self._heading))
            with anyio.move_on_after(self._pace()):
                await self._over.wait()

    def _current(self, step: Step, since: float) -> Step:
        return step.model_copy(update={"seconds": step.seconds + anyio.current_time() - since})
