"""One question with all that is needed to answer it, and one answer on its way to a Reply."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from assistant.chat.answers.words import at, lasting, plain
from assistant.chat.contract import Attachment, Choice
from assistant.chat.memory import Thread
from assistant.chat.understanding import Meaning
from assistant.incident import Citation, Entity, Evidence, Report, Window
from assistant.toolbox import Call

USUAL = timedelta(hours=1)
"""The window of a question that names none, where there is no incident."""

_SLACK = timedelta(minutes=15)
"""A report's evidence still answers a question about "the last hour" for so long."""

_NARROWING = ("namespace", "name", "pod", "kind", "incident_id", "id", "previous", "warnings_only")
_MEASURED = ("namespace", "workload", "service")


class Asking(Protocol):
    """The part of the toolbox that answers use."""

    async def collect(self, calls: Iterable[Call]) -> list[Evidence]:
        """The evidence for each call, asked at the same time."""
        ...


class Seen:
    """Evidence for one answer: what is stored, and the systems where that does not reach."""

    def __init__(
        self, stored: Iterable[Evidence], asking: Callable[[], Awaitable[Asking]], *, fresh: bool
    ) -> None:
        self.stored = () if fresh else tuple(one for one in stored if one.status.seen)
        self._asking = asking
        self.used: list[Evidence] = []

    async def all(self, calls: Iterable[Call]) -> list[Evidence]:
        """The evidence for each call, stored or asked for now."""
        wanted = list(calls)
        known = {id(call): self._find(call) for call in wanted}
        missing = [call for call in wanted if known[id(call)] is None]
        if missing:
            answers = await (await self._asking()).collect(missing)
            known.update({id(call): one for call, one in zip(missing, answers, strict=True)})
        found = [one for call in wanted if (one := known[id(call)])]
        self.used += found
        return found

    async def one(self, tool: str, arguments: Mapping[str, Any], reason: str) -> Evidence:
        """The evidence for one call."""
        return (await self.all([Call(tool, arguments, reason)]))[0]

    def _find(self, call: Call) -> Evidence | None:
        return next((one for one in self.stored if _covers(one, call)), None)


def _covers(stored: Evidence, call: Call) -> bool:
    """Whether the stored answer holds what is asked: the same tool, asked as widely or more so."""
    if stored.tool != call.tool:
        return False
    if call.tool == "prometheus.get_metrics":
        return all(stored.arguments.get(key) == call.arguments.get(key) for key in _MEASURED)
    keys = [key for key in _NARROWING if key in stored.arguments]
    return all(stored.arguments[key] == call.arguments.get(key) for key in keys)


@dataclass
class Asked:
    """One question, in its thread."""

    meaning: Meaning
    thread: Thread
    now: datetime
    seen: Seen
    report: Report | None = None
    subject: Entity | None = None
    namespace: str = ""
    cluster: str = ""

    @property
    def window(self) -> Window:
        """The time that is asked about: as said, else the incident's, else the last hour."""
        if self.meaning.window:
            return self.meaning.window
        if self.meaning.follows and self.thread.window:
            return self.thread.window
        if self.report and not self.meaning.now:
            return self.report.scope.window
        return Window(start=self.now - USUAL, end=self.now)


def reaches(report: Report, meaning: Meaning) -> bool:
    """Whether the report's evidence can answer: it saw the time that is asked about."""
    if meaning.now or meaning.again:
        return False
    asked, seen = meaning.window, report.scope.window
    return asked is None or (asked.start >= seen.start - _SLACK and asked.end <= seen.end + _SLACK)


@dataclass
class Said:
    """What is said: Markdown, and what it stands on."""

    text: str
    citations: tuple[Citation, ...] = ()
    choices: tuple[Choice, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    sure: bool = True
    scope: str | None = None
    moment: datetime | None = None
    """For what is true at a moment, and not over a window."""
    report: Report | None = None


def scope_words(asked: Asked, moment: datetime | None) -> str:
    """`cluster pw-north-1, namespace dispatch, 18:47 to 19:47 UTC`, or `as of 19:47 UTC`."""
    cluster = asked.cluster or _cluster(asked)
    parts = [f"cluster {plain(cluster, 80)}" if cluster else "cluster not known"]
    spaces = [asked.namespace] if asked.namespace else _report_spaces(asked)
    if spaces:
        word = "namespace" if len(spaces) == 1 else "namespaces"
        parts.append(f"{word} {', '.join(plain(space, 63) for space in spaces)}")
    else:
        parts.append("all namespaces")
    when = f"as of {at(moment, asked.now)}" if moment else lasting(asked.window, asked.now)
    return ", ".join([*parts, when])


def _report_spaces(asked: Asked) -> list[str]:
    wide = asked.meaning.wide or asked.report is None
    return [] if wide or asked.report is None else list(asked.report.scope.namespaces)


def _cluster(asked: Asked) -> str:
    """The cluster as it is called, without its address."""
    seen = (one.source for one in asked.seen.used if one.tool.startswith("kubernetes."))
    name = asked.report.scope.cluster if asked.report else next(filter(None, seen), "")
    return name.partition(" (")[0]


def unseen(evidence: Iterable[Evidence]) -> str:
    """What could not be seen, as one sentence; empty where all was answered."""
    blind = {one.tool: one for one in evidence if not one.status.seen}
    if not blind:
        return ""
    rows = (f"{tool} ({one.status.value}: {plain(one.reason, 160)})" for tool, one in blind.items())
    return f"**Could not see:** {'; '.join(rows)}. That is not the same as nothing wrong."
