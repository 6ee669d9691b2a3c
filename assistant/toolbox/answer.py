"""What a server answered, as one shape; anything that does not fit is an error, never a silence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mcp import MCPError
from mcp.types import CONNECTION_CLOSED, REQUEST_TIMEOUT, CallToolResult, TextContent
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assistant.incident import Status

_SHOWN = 300
_REFUSALS = {
    REQUEST_TIMEOUT: Status.TIMEOUT,
    -32010: Status.LIMITED,
    -32011: Status.DENIED,
    -32012: Status.DENIED,
}
"""Errors of the protocol, and of our own guard, that are a status of their own."""


class Answer(BaseModel):
    """The envelope every tool answers in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    status: Status
    data: Any = None
    total: int | None = Field(None, ge=0)
    truncated: bool = False
    reason: str = ""
    suggestions: tuple[str, ...] = ()
    source: str = ""


class NotAsked(Answer):
    """The host did not make the call, for lack of budget: nothing that a resumed triage knows."""


def refused(status: Status, reason: str, *suggestions: str) -> Answer:
    """An answer the host gives by itself, for a call that was not made or got no reply."""
    return Answer(status=status, reason=reason, suggestions=suggestions)


def not_asked(reason: str) -> NotAsked:
    """The answer to a question there was no budget for."""
    return NotAsked(status=Status.LIMITED, reason=reason)


def read_answer(tool: str, result: CallToolResult) -> Answer:
    """The envelope in `result`; an error answer that quotes the server where there is none."""
    text = " ".join(part.text for part in result.content if isinstance(part, TextContent))
    content = result.structured_content
    if content is None:
        said = _cut(text) or "nothing"
        why = "failed" if result.is_error else "answered without structured content"
        return refused(Status.ERROR, f"{tool} {why}; the server said: {said}")
    try:
        return _checked(Answer.model_validate(content))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        return nonsense(tool, f"{where}: {first['msg']}", json.dumps(content, default=str))


def _checked(answer: Answer) -> Answer:
    """`answer`, or an error where it claims to have seen something and shows nothing."""
    if answer.status is Status.OK and answer.data is None:
        return refused(Status.ERROR, "the server answered ok, without data")
    return answer


def nonsense(tool: str, problem: str, said: str) -> Answer:
    """An error answer for a reply that is not an envelope."""
    reason = f"{tool} answered something that is not a tool answer ({problem}): {_cut(said)}"
    return refused(Status.ERROR, reason, "is this server one of ours, and of this version?")


def protocol_error(tool: str, arguments: Mapping[str, Any], error: MCPError) -> Answer:
    """The answer for a JSON-RPC error, with the exact input and the server's words."""
    status = _REFUSALS.get(error.error.code, Status.ERROR)
    asked = json.dumps(arguments, default=str, ensure_ascii=False)
    reason = f"{tool} {_cut(asked)} failed: {_cut(error.error.message)} ({error.error.code})"
    data = error.error.data
    if isinstance(data, Mapping) and "retry_after_s" in data:
        return refused(status, reason, f"try again in {data['retry_after_s']} seconds")
    return refused(status, reason)


def closed(error: MCPError) -> bool:
    """Whether `error` says that the connection is gone, rather than that the call failed."""
    return error.error.code == CONNECTION_CLOSED


def _cut(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
