"""A question and the evidence it becomes: what makes two questions the same one."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import anyio
from pydantic import JsonValue
from pydantic_core import to_jsonable_python

from assistant.incident import Evidence, evidence_id
from assistant.toolbox.answer import Answer
from assistant.toolbox.budget import Timer
from assistant.toolbox.scrub import Scrubber
from assistant.toolbox.transport import Clock

_META = "io.github.incident-assistant/"


@dataclass(frozen=True, slots=True)
class Call:
    """One question: a tool by its full name, its arguments, and why it is asked."""

    tool: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CallEvent:
    """A call has started, or, with its evidence, has finished."""

    call: Call
    evidence: Evidence | None = None


async def _forget(_evidence: Evidence) -> None:
    """Keeps nothing."""


def _unseen(_event: CallEvent) -> None:
    """Tells nobody."""


@dataclass(frozen=True, slots=True)
class Session:
    """For whom the toolbox is open, what is known already, and who wants to hear of each answer."""

    incident: str = ""
    caller: str = ""
    known: Iterable[Evidence] = ()
    """Evidence of the same triage from before: these questions are not asked again."""
    keep: Callable[[Evidence], Awaitable[None]] = _forget
    """Called with each new evidence before anybody else sees it."""
    on_call: Callable[[CallEvent], None] = _unseen
    read_only: bool = True
    """Refuse every tool that is not marked as only reading. A triage never lifts this."""
    timer: Timer = anyio.current_time
    """Measures seconds; monotonic."""
    offline: bool = False
    """Answer from `known` alone, for a replay: no system is asked anything."""

    def meta(self, call: Call) -> dict[str, str]:
        """What a server is told about a call, for its audit: the incident, the caller, and why."""
        told = {"incident": self.incident, "caller": self.caller, "reason": call.reason}
        return {f"{_META}{key}": value for key, value in told.items() if value}


@dataclass(frozen=True, slots=True)
class Stamp:
    """Turns an answer into evidence. The only place that does."""

    clock: Clock
    scrubber: Scrubber

    def evidence(self, call: Call, answer: Answer, seconds: float) -> Evidence:
        """The evidence of this answer to this question, taken now, without known secrets."""
        clean = self.scrubber.clean(answer)
        return Evidence(
            id=evidence_id(call.tool, call.arguments),
            tool=call.tool,
            arguments=call.arguments,
            asked_because=call.reason,
            taken_at=self.clock(),
            seconds=round(seconds, 3),
            **dict(clean),  # field by field: a copy of the data would cost as much as the call
        )


def plain(arguments: Mapping[str, Any]) -> dict[str, JsonValue]:
    """The arguments as JSON, without those that are None: not given is not a value."""
    plain = to_jsonable_python(dict(arguments))
    return {name: value for name, value in plain.items() if value is not None}


def without_defaults(
    arguments: Mapping[str, JsonValue], defaults: Mapping[str, Any]
) -> dict[str, JsonValue]:
    """The arguments, without those that only say what the tool would have taken anyway."""
    return {
        name: value
        for name, value in arguments.items()
        if name not in defaults or json.dumps(value) != json.dumps(defaults[name])
    }
