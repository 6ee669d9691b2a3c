"""A desk whose toolbox answers from a table, for the steps of a triage that ask little."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from assistant.incident import Evidence, Status, evidence_id
from assistant.toolbox import Call
from assistant.triage import Desk
from tests.assistant.checks.cluster import NOW, evidence

AT = "2026-03-14T02:26:00Z"


class Cut(Exception):  # noqa: N818 - it is no error of ours: somebody pulled the plug
    """The process ends here."""


class Recorded:
    """Answers by the name of the tool; what is not in the table comes back empty.

    The same question twice is one call, as with the real toolbox. From `breaks_at` calls on, or at
    the tool `breaks_on`, it raises.
    """

    breaks_at: int | None = None
    breaks_on: str = ""

    def __init__(self, answers: Mapping[str, Any], known: Iterable[Evidence] = ()) -> None:
        self.answers = dict(answers)
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self._known = {item.id: item for item in known}

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        return tuple(self._known.values())

    @property
    def calls(self) -> int:
        return len(self.asked)

    async def call(
        self, tool: str, arguments: Mapping[str, Any] | None = None, *, reason: str = ""
    ) -> Evidence:
        given = dict(arguments or {})
        if known := self._known.get(evidence_id(tool, given)):
            return known
        if tool == self.breaks_on or (self.breaks_at is not None and self.calls >= self.breaks_at):
            raise Cut
        self.asked.append((tool, given))
        data = self.answers.get(tool)
        if isinstance(data, Evidence):
            answer = data
        else:
            status = Status.EMPTY if data is None else Status.OK
            answer = evidence(tool, given, data, status=status, asked_because=reason)
        self._known[answer.id] = answer
        return answer

    async def collect(self, calls: Iterable[Call]) -> list[Evidence]:
        return [await self.call(call.tool, call.arguments, reason=call.reason) for call in calls]


def desk_of(answers: Mapping[str, Any] | None = None, known: Iterable[Evidence] = ()) -> Desk:
    """A desk at the end of the window."""
    toolbox = Recorded(answers or {}, known)
    return Desk(toolbox, lambda: NOW, lambda: 1.0, timedelta(hours=1))
