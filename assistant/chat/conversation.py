"""The one conversation engine: what is said in a thread -> steps, then one reply.

It reads only. What it needs from outside is given to it; it works without a model.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol
from weakref import WeakValueDictionary

from assistant.chat.answers import change, live, manners, runbook, stored, tools
from assistant.chat.answers.asked import Asked, Asking, Said, Seen, reaches, scope_words, unseen
from assistant.chat.answers.place import main_subject, names_of, placed
from assistant.chat.answers.words import at, cite, plain
from assistant.chat.contract import Ask, Choice, Reply, Step
from assistant.chat.memory import Memory, Thread
from assistant.chat.understanding import SURE, Context, Intent, Meaning, understand
from assistant.errors import AssistantError, NotFound
from assistant.incident import Evidence, Report
from assistant.store import Filter, Progress, Store

FRESH = timedelta(minutes=5)
"""A report this young answers "triage" again; `triage again` looks anew."""

_UNKNOWN = "not known: it was not answered"
_MOST_REPORTS = 16
_LOG = logging.getLogger(__name__)

Told = Callable[[str], None]
"""Is told what is being looked at."""


class Systems(Protocol):
    """The systems, as a conversation needs them."""

    def now(self) -> datetime:
        """The clock."""
        ...

    def toolbox(self, thread: str, told: Told) -> AbstractAsyncContextManager[Asking]:
        """The read tools, for one answer."""
        ...

    async def triage(self, alert: str, told: Told) -> Report:
        """A new report on an alert, already stored. Raises NotFound, AssistantError."""
        ...

    async def ended(self, alert: str, told: Told) -> datetime | None:
        """When an alert was resolved, where that can be seen now."""
        ...


class FreeSpeech(Protocol):
    """The place for a language model: it may say what a sentence means, and nothing else.

    It is asked only where the words alone are not sure; what it returns is a `Meaning`, which the
    same code answers from evidence. It never sees tools and never writes an answer.
    """

    async def meaning(self, text: str, context: Context) -> Meaning | None:
        """What is meant, or None."""
        ...


@dataclass(frozen=True)
class Engine:
    """What a conversation works with."""

    systems: Systems
    store: Store
    memory: Memory
    timer: Callable[[], float]
    model: FreeSpeech | None = None


class Conversation:
    """Answers in threads; each thread's questions are answered one after the other."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._reports: dict[str, Report] = {}

    async def say(self, ask: Ask) -> AsyncIterator[Step | Reply]:
        """Steps while it works, then one Reply. Raises nothing for what people say."""
        waiting: asyncio.Queue[Step | Reply] = asyncio.Queue()
        began = self._engine.timer()

        def told(text: str) -> None:
            seconds = round(self._engine.timer() - began, 1)
            waiting.put_nowait(Step(text=text, seconds=seconds))

        async def work() -> None:
            waiting.put_nowait(await self._reply(ask, told))

        # A task of its own: a front end may stop listening between any two steps.
        task = asyncio.create_task(work())
        try:
            while not isinstance(item := await waiting.get(), Reply):
                yield item
            yield item
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def evidence(self, thread: str, id: str) -> Evidence | None:
        """What a citation of this thread points to: of its report, or heard since."""
        about = await self._engine.memory.thread(thread)
        report = await self._report(about.report)
        held = {one.id: one for one in report.evidence} if report else {}
        return held.get(id) or await self._engine.memory.evidence(thread, id)

    async def brief(self, thread: str, report: str) -> Reply:
        """The ten lines of a stored report, of which the thread speaks from now on. Raises NotFound."""
        async with self._lock(f"thread {thread}"):
            found = await self._engine.store.report(report)
            about = await self._engine.memory.thread(thread)
            subject = main_subject(found)
            space = subject.namespace if subject else ""
            meaning, now = Meaning(intent=Intent.TRIAGE, confidence=1.0), self._engine.systems.now()
            seen = Seen(found.evidence, _nobody, fresh=False)
            asked = Asked(meaning, about, now, seen, found, subject, space)
            return await self._finished(asked, stored.summary(found))

    async def _reply(self, ask: Ask, told: Told) -> Reply:
        try:
            async with self._lock(f"thread {ask.thread}"):
                return await self._answered(ask, told)
        except AssistantError as error:
            return Reply(text=f"**Not answered.** {plain(error, 600)}", scope=_UNKNOWN, sure=False)
        except Exception as error:  # noqa: BLE001 - a front end is told, whatever broke
            _LOG.exception("a question could not be answered")
            kind = type(error).__name__
            return Reply(text=f"**Not answered**: something broke in me ({kind}). Nothing was changed; `assistant triage` still works.", scope=_UNKNOWN, sure=False)  # fmt: skip

    def _lock(self, name: str) -> asyncio.Lock:
        lock = self._locks.get(name)
        if lock is None:
            lock = self._locks[name] = asyncio.Lock()
        return lock

    async def _answered(self, ask: Ask, told: Told) -> Reply:
        thread = await self._engine.memory.thread(ask.thread)
        report = await self._report(thread.report)
        meaning = await self._meaning(ask.text, thread, report)
        if said := manners.refusal(ask.text, meaning):
            return _reply(said, meaning.model_copy(update={"intent": None}), thread)
        if meaning.intent is None or meaning.confidence < SURE:
            return _reply(manners.asking_back(meaning), meaning, thread)
        return await self._looked_up(Question(meaning, thread, report, told))

    async def _meaning(self, text: str, thread: Thread, report: Report | None) -> Meaning:
        if len(text) > manners.LONGEST:
            return Meaning()
        names = names_of(report.evidence) if report else names_of(())
        context = Context(
            intent=thread.intent,
            incident=bool(thread.alert),
            namespaces=names.namespaces,
            subjects=frozenset(one.name for one in names.workloads),
        )
        meaning = understand(text, self._engine.systems.now(), context)
        unsure = meaning.confidence < SURE and not (meaning.orders or meaning.secret)
        if unsure and self._engine.model:
            meaning = await self._engine.model.meaning(text, context) or meaning
        return meaning

    async def _looked_up(self, question: Question) -> Reply:
        meaning, thread, told = question.meaning, question.thread, question.told
        async with AsyncExitStack() as stack:
            opened: list[Asking] = []

            async def asking() -> Asking:
                if not opened:
                    box = self._engine.systems.toolbox(thread.id, told)
                    opened.append(await stack.enter_async_context(box))
                return opened[0]

            if meaning.alert and meaning.alert not in (thread.alert, _number(question.report)):
                question = replace(question, report=await self._latest(meaning.alert))
            report = question.report
            held = report.evidence if report else ()
            fresh = report is None or not reaches(report, meaning)
            seen = Seen(held, asking, fresh=fresh)
            asked = Asked(meaning, thread, self._engine.systems.now(), seen, report)
            said = await self._said(asked, told)
            await self._keep(asked)
        return await self._finished(asked, said)

    async def _said(self, asked: Asked, told: Told) -> Said:
        intent = asked.meaning.intent
        if intent is Intent.HELP:
            return manners.greeting()
        if intent in _PLACED and (back := await placed(asked)):
            return back
        if intent in _LOOKED_UP:
            return await _LOOKED_UP[intent](asked)
        if intent is Intent.TRIAGE:
            return await self._triage(asked, told)
        return await self._of_report(asked, told)

    async def _of_report(self, asked: Asked, told: Told) -> Said:
        """An answer that a report holds; where there is none yet, it is made first."""
        elsewhere = (
            asked.report is not None and asked.meaning.intent is Intent.CAUSE and _outside(asked)
        )
        if asked.report is None or elsewhere:
            made = await self._triage(asked, told)
            if made.report is None:
                return made
            asked.report = made.report
        intent = asked.meaning.intent
        if intent is Intent.POSTMORTEM:
            ended = await self._ended(asked.report, told)
            return stored.postmortem(asked.report, ended)
        said = _OF_REPORT[intent](asked, asked.report) if intent else stored.summary(asked.report)
        said.report = asked.report
        return said

    async def _ended(self, report: Report, told: Told) -> datetime | None:
        """When it was over; where that cannot be seen, the draft says when it was still open."""
        if report.alert.resolved_at:
            return report.alert.resolved_at
        with contextlib.suppress(AssistantError):
            return await self._engine.systems.ended(report.alert.id, told)
        return None

    async def _triage(self, asked: Asked, told: Told) -> Said:
        alert = asked.meaning.alert or ("" if _outside(asked) else asked.thread.alert)
        if not alert:
            found = await _open_incidents(asked)
            if isinstance(found, Said):
                return found
            alert = found
        async with self._lock(f"alert {alert}"):
            known = await self._latest(alert)
            if known and not asked.meaning.again and asked.now - known.made_at < FRESH:
                told("taking the report that was just made")
                report = known
            else:
                report = await self._engine.systems.triage(alert, told)
        asked.report, asked.subject = report, main_subject(report)
        asked.namespace = asked.subject.namespace if asked.subject else ""
        return stored.summary(report)

    async def _latest(self, alert: str) -> Report | None:
        """The newest stored report on an alert."""
        rows = await self._engine.store.search(
            Filter(alert_id=alert, progress=Progress.DONE, limit=1)
        )
        return await self._report(rows[0].id) if rows else None

    async def _report(self, id: str) -> Report | None:
        """A stored report. Reports never change, so the last few are kept as they were read."""
        if not id:
            return None
        if id not in self._reports:
            with contextlib.suppress(NotFound):  # pruned; any other failure is to be said
                self._reports[id] = await self._engine.store.report(id)
            for old in list(self._reports)[:-_MOST_REPORTS]:
                del self._reports[old]
        return self._reports.get(id)

    async def _keep(self, asked: Asked) -> None:
        held = {one.id for one in asked.report.evidence} if asked.report else set()
        for one in asked.seen.used:
            if one.id not in held:
                await self._engine.memory.keep(asked.thread.id, one)

    async def _finished(self, asked: Asked, said: Said) -> Reply:
        report = said.report or asked.report
        thread = asked.thread.model_copy(
            update={
                "alert": report.alert.id if report else asked.thread.alert,
                "report": report.id if report else asked.thread.report,
                **(_spoken(asked) if said.sure else {}),
            }
        )
        await self._engine.memory.save(thread)
        blind = unseen(asked.seen.used)
        said.text = "\n".join(filter(None, (said.text, blind))) or "Nothing was seen."
        said.scope = said.scope or scope_words(asked, said.moment)
        if not said.citations:
            said.citations = tuple(map(cite, asked.seen.used))
        return _reply(said, asked.meaning, thread)


@dataclass(frozen=True)
class Question:
    """What is asked, and where."""

    meaning: Meaning
    thread: Thread
    report: Report | None
    told: Told


Maker = Callable[[Asked], Awaitable[Said]]

_LOOKED_UP: dict[Intent | None, Maker] = {
    Intent.FAILING: live.failing,
    Intent.RESTARTS: live.restarts,
    Intent.UNUSUAL: live.unusual,
    Intent.ON_CALL: live.on_call,
    Intent.CHANGES: tools.changes,
    Intent.LOGS: tools.logs,
    Intent.EVENTS: tools.events,
    Intent.METRICS: tools.metrics,
    Intent.RUNBOOK: runbook.runbook,
    Intent.CHANGE_REQUEST: change.change,
}
_OF_REPORT: dict[Intent, Callable[[Asked, Report], Said]] = {
    Intent.CAUSE: stored.cause,
    Intent.WHY: stored.why,
    Intent.RULED_OUT: stored.ruled_out,
    Intent.DIAGRAM: stored.diagram,
    Intent.REPORT: stored.full,
}
_PLACED = frozenset(
    {
        Intent.FAILING, Intent.RESTARTS, Intent.UNUSUAL, Intent.CHANGES, Intent.LOGS, Intent.EVENTS,
        Intent.METRICS, Intent.RUNBOOK, Intent.CHANGE_REQUEST, Intent.CAUSE,
    }
)  # fmt: skip
"""What is asked of a place: the names are held against those that there are."""


_REPEATED = _PLACED - {Intent.CHANGE_REQUEST, Intent.CAUSE, Intent.RUNBOOK}
"""What is asked again where only a place or a time is named: "and in dispatch?"."""


async def _nobody() -> Asking:
    """A brief is of what was stored: no system is asked."""
    raise AssistantError("a brief asks no system")


def _number(report: Report | None) -> str:
    return str(report.alert.number) if report and report.alert.number else ""


def _outside(asked: Asked) -> bool:
    """Whether something is named that the thread's incident does not touch."""
    named = asked.meaning.subject or asked.meaning.namespace
    spaces = asked.report.scope.namespaces if asked.report else ()
    return bool(named and asked.namespace and asked.namespace not in spaces)


def _spoken(asked: Asked) -> dict[str, object]:
    """What a later "and its logs?" or "and yesterday?" refers to."""
    spoken: dict[str, object] = {}
    if asked.meaning.intent in _REPEATED:
        spoken = {"intent": asked.meaning.intent, "window": asked.meaning.window}
    another = asked.report is not None and asked.report.id != asked.thread.report
    if asked.namespace or asked.subject or another:
        spoken |= {"subject": asked.subject, "namespace": asked.namespace}
    return spoken


async def _open_incidents(asked: Asked) -> str | Said:
    """The one open incident of the place that is asked about, else the question which."""
    answer = (await asked.seen.all([live.INCIDENTS]))[0]
    choices = tuple(live.triage_choices(answer, asked))
    known = asked.meaning.intent is not Intent.TRIAGE or live.named(answer, asked)
    if len(choices) == 1 and known:
        return choices[0].text.removeprefix("triage ")
    if choices:
        unknown = (
            "" if known else f"No open incident speaks of {plain(asked.meaning.subject, 63)}. "
        )
        return Said(f"{unknown}Which incident? These are open.", choices=choices, sure=False)
    where = f" in {plain(asked.namespace, 63)}" if asked.namespace else ""
    text = f"No incident is open{where} as of {at(answer.taken_at, asked.now)}. Give an id: triage P123."
    failing = Choice(label="What fails", text="what is failing right now?")
    return Said(text if answer.status.seen else "", choices=(failing,), sure=False)


def _reply(said: Said, meaning: Meaning, thread: Thread) -> Reply:
    return Reply(
        text=said.text,
        intent=meaning.intent.value if meaning.intent and meaning.confidence >= SURE else "",
        scope=said.scope or "",
        citations=tuple(dict.fromkeys(said.citations)),
        choices=said.choices,
        attachments=said.attachments,
        incident=thread.alert,
        report=thread.report,
        sure=said.sure,
    )
