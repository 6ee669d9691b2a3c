"""Incidents of duty in one channel: each has a thread, whose first message becomes the report.

What was told is kept with each step, so that a restart goes on in the same threads. Between Slack's
taking a message and our noting it a crash can still tell it twice: Slack has no way to ask.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from logging import Logger

import anyio

from assistant.chat.contract import Briefing, Choice, Reply, Step
from assistant.chat.slack.answering import LAST_WORDS_SECONDS, QUIET_PACES
from assistant.chat.slack.memory import Memory, Told
from assistant.chat.slack.messages import Message, messages, working
from assistant.chat.slack.wire import GONE, TROUBLE, Place, Wire, reason
from assistant.duty.rows import NO_REPORT, OPENED, TRIAGED, Incident
from assistant.errors import AssistantError, NotFound
from assistant.report.markdown import escape
from assistant.report.words import count, cut

BEGINNING = "its triage is about to begin"
PAUSED = "I was stopped; its triage goes on when I am back"
AGAIN = Choice(label="Try again", text="triage {}")
POSTMORTEM = Choice(label="Postmortem", text="postmortem")
SHOWN_OTHERWISE = (OPENED, TRIAGED)
"""The first message says why the alerts are one incident, and becomes the report."""


@dataclass(frozen=True)
class Announcer:
    """Tells one channel of incidents. Raises one of `TROUBLE` where Slack does not take it."""

    place: Place
    """The channel."""
    engine: Briefing
    wire: Wire
    memory: Memory
    logger: Logger
    now: Callable[[], float]
    pace: float
    opening: anyio.Lock
    """Held while a thread is opened: people open some, too."""
    _stages: dict[str, tuple[str, float]] = field(default_factory=dict)
    """What each running triage does, by its alert, and since when it runs."""
    _unshown: set[str] = field(default_factory=set)
    """The alerts whose stage was not shown yet."""
    _waiting: list[anyio.Event] = field(default_factory=list)
    _turn: anyio.Lock = field(default_factory=anyio.Lock)

    async def __call__(self, incident: Incident, report: str) -> None:
        """Tell what is new of an incident in its thread, which is opened where there is none."""
        try:
            async with self._turn:
                told = await self._opened(incident)
                told = await self._first_message(incident, report, told)
                await self._added(incident, report, told)
        except TROUBLE as error:
            self.logger.error(  # noqa: TRY400 - one line, no traceback
                "incident %s could not be told in %s, and will be again: %s",
                incident.id, self.place.channel, reason(error),
            )  # fmt: skip
            if reason(error) in GONE:
                await self._forget(incident)
            raise

    def progress(self, alert_id: str, stage: str) -> None:
        """The triage of this alert now does this: its incident's first message shows it."""
        _, began = self._stages.get(alert_id, ("", self.now()))
        self._stages[alert_id] = (stage, began)
        self._unshown.add(alert_id)
        while self._waiting:
            self._waiting.pop().set()

    async def keep_current(self) -> None:
        """Show the progress of the triages until cancelled, at most once in a pace each."""
        try:
            while True:
                await self._something_new()
                async with self._turn:
                    await self._show()
                await anyio.sleep(self.pace)
        except anyio.get_cancelled_exc_class():
            with anyio.move_on_after(LAST_WORDS_SECONDS, shield=True):
                for alert_id in list(self._stages):
                    self.progress(alert_id, PAUSED)
                await self._show()
            raise

    async def _something_new(self) -> None:
        """Wait for it; where there is none for a while, the seconds of what runs go on."""
        if self._unshown:
            return
        self._waiting[:] = [anyio.Event()]
        patience = QUIET_PACES * self.pace if self._stages else 0
        with anyio.move_on_after(patience or None):
            await self._waiting[0].wait()
        self._unshown.update(self._stages)

    async def _show(self) -> None:
        while self._unshown:
            alert_id = self._unshown.pop()
            try:
                told = await self.memory.awaited(self.place.channel, alert_id)
                if told and alert_id in self._stages:
                    await self.wire.update(self.place.channel, told.first, self._working(told))
            except TROUBLE as error:
                self.logger.warning("progress was not shown: %s", reason(error))
            except AssistantError as error:
                self.logger.warning("progress was not shown: %s", error)

    def _working(self, about: Told) -> Message:
        stage, began = self._stages.get(about.alert, (BEGINNING, self.now()))
        step = Step(text=f"{cut(about.title, 200)}: {stage}", seconds=self.now() - began)
        return working(step, about.why)

    async def _opened(self, incident: Incident) -> Told:
        """What was told of it; a new thread where it has none, or the one of its alert."""
        channel = self.place.channel
        if told := await self.memory.told(channel, incident.id):
            return told
        told = Told(alert=incident.alert_id, title=incident.title, why=incident.why)
        async with self.opening:
            known = await self.memory.thread_of(channel, incident.alert_id)
            first = await self.wire.post(self._thread(known), self._working(told))
            told = told.model_copy(update={"thread": known or first, "first": first})
            await self.memory.keep_told(channel, incident.id, told)
            await self.memory.keep_thread(channel, incident.alert_id, told.thread)
        return told

    async def _first_message(self, incident: Incident, report: str, told: Told) -> Told:
        """Bring it up to date; a later report than the first one is a message of its own."""
        now = told.model_copy(
            update={"alert": incident.alert_id, "title": incident.title, "why": incident.why}
        )
        if report and report != told.report:
            first = await self._brief(report, now)
            now = now.model_copy(update={"report": report, "first": first})
        elif not report:
            shown = _without_report(incident) if _over(incident) else (self._working(now),)
            now = now.model_copy(update={"first": await self._write(now, *shown)})
        if report or _over(incident):
            self._stages.pop(incident.alert_id, None)
        await self.memory.keep_told(self.place.channel, incident.id, now)
        return now

    async def _brief(self, report: str, told: Told) -> str:
        place = self._thread(told.thread)
        try:
            reply = await self.engine.brief(place.thread, report)
        except NotFound as error:
            reply = Reply(text=f"Report {report} cannot be shown: {escape(str(error))}", sure=False)
        await self.memory.keep_report(place.thread, report)
        first = told.first if not told.report else ""
        return await self._write(
            told.model_copy(update={"first": first}), *messages(reply, told.why)
        )

    async def _write(self, told: Told, first: Message, *others: Message) -> str:
        """Put the first message into its place, or anew where there is none; the rest beneath it."""
        place, ts = self._thread(told.thread), told.first
        if not ts or not await self.wire.update(place.channel, ts, first):
            ts = await self.wire.post(place, first)
        for other in others:
            await self.wire.post(place, other)
        return ts

    async def _added(self, incident: Incident, report: str, told: Told) -> None:
        """What else is new, in one message; once, also where a later step failed."""
        lines = [line for line in incident.news if not line.startswith(SHOWN_OTHERWISE)]
        key = f"news {self.place.channel} {incident.news_key}"
        if not lines or await self.memory.handled(key):
            return
        text = "\n".join(f"- {escape(line)}" for line in lines)
        ended = incident.closed_at is not None and bool(report)
        choices = (POSTMORTEM,) if ended else ()
        reply = Reply(text=text, choices=choices, report=report, incident=incident.alert_id)
        for message in messages(reply):
            await self.wire.post(self._thread(told.thread), message)
        await self.memory.claim(key)

    async def _forget(self, incident: Incident) -> None:
        """Its thread was deleted: the next telling opens another."""
        channel = self.place.channel
        if told := await self.memory.told(channel, incident.id):
            await self.memory.drop_thread(channel, told.thread)
            await self.memory.forget_told(channel, incident.id)
        else:
            known = await self.memory.thread_of(channel, incident.alert_id)
            await self.memory.drop_thread(channel, known)

    def _thread(self, ts: str) -> Place:
        return self.place.model_copy(update={"ts": ts})


def _over(incident: Incident) -> bool:
    """Whether no triage is to come for now."""
    failed = any(line.startswith(NO_REPORT) for line in incident.news)
    return failed or incident.closed_at is not None


def _without_report(incident: Incident) -> tuple[Message, ...]:
    """The first message where there will be no report."""
    firing = f"{incident.firing} of {count(incident.alerts, 'alert')} firing"
    text = f"**{escape(incident.title)}**: no report; {firing}."
    again = AGAIN.model_copy(update={"text": AGAIN.text.format(incident.alert_id)})
    reply = Reply(text=text, choices=(again,), incident=incident.alert_id)
    return messages(reply, incident.why)
