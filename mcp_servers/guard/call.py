"""The nouns of the guard: who calls, what is called, one call. No layer lives here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mcp_servers.answer import Status, ToolFailure
from mcp_servers.spec import Tool

Envelope = dict[str, Any]
"""An `Answer` as JSON: what every layer behind the tool reads and writes."""

META_INCIDENT = "io.github.incident-assistant/incident"
META_CALLER = "io.github.incident-assistant/caller"
META_REASON = "io.github.incident-assistant/reason"
STATED_LENGTH = 500
"""What a caller says of itself is kept up to this many characters."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, over what, and what they say of themselves (`caller`, `incident`, `reason`)."""

    subject: str
    transport: str
    session: str
    incident: str = ""
    caller: str = ""
    reason: str = ""

    @classmethod
    def stating(
        cls, subject: str, transport: str, session: str, meta: Mapping[str, Any] | None
    ) -> Caller:
        """The caller with what the request's `_meta` says; anything but a string is ignored."""

        def stated(key: str) -> str:
            value = (meta or {}).get(key)
            return value[:STATED_LENGTH] if isinstance(value, str) else ""

        return cls(
            subject,
            transport,
            session,
            incident=stated(META_INCIDENT),
            caller=stated(META_CALLER),
            reason=stated(META_REASON),
        )


def _unchecked(arguments: dict[str, Any]) -> dict[str, Any]:
    return arguments


@dataclass(frozen=True, slots=True)
class Target:
    """What is called and the bounds it is called within: a tool, or the reading of a resource."""

    name: str
    parameters: frozenset[str]
    validate: Callable[[dict[str, Any]], dict[str, Any]] = _unchecked
    """Raw arguments -> typed ones; raises `pydantic.ValidationError`."""
    writes: bool = False
    timeout_seconds: float = 10.0
    calls_per_minute: int = 240
    cap_bytes: int = 256_000
    free_text: frozenset[str] = frozenset()
    audited: bool = True

    @classmethod
    def of(
        cls,
        tool: Tool,
        parameters: frozenset[str],
        validate: Callable[[dict[str, Any]], dict[str, Any]],
    ) -> Target:
        """The target of a tool that a server file declared."""
        return cls(
            tool.function.__name__,
            parameters,
            validate,
            writes=tool.writes,
            timeout_seconds=tool.timeout_seconds,
            calls_per_minute=tool.calls_per_minute,
            cap_bytes=tool.cap_bytes,
            free_text=tool.free_text,
        )


@dataclass(slots=True)
class Call:
    """One call on its way through the guard; layers note their decision on it for the audit."""

    target: Target
    caller: Caller
    arguments: dict[str, Any]
    run: Callable[[dict[str, Any]], Awaitable[Envelope]] = field(repr=False)
    """Does the work with validated arguments."""
    decision: str = "none"
    rule: str = ""


def envelope(status: Status, reason: str, suggestions: tuple[str, ...] = ()) -> Envelope:
    """An answer without data, as JSON."""
    return {
        "status": status.value,
        "data": None,
        "total": None,
        "truncated": False,
        "reason": reason,
        "suggestions": list(suggestions),
        "source": "",
    }


def failed(failure: ToolFailure) -> Envelope:
    """The answer that a tool's failure becomes."""
    answer = envelope(failure.status, failure.reason, tuple(failure.suggestions))
    answer["source"] = failure.source
    return answer
