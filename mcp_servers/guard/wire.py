"""An answer as MCP's own content, and MCP's own content as what an answer holds."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from typing import Any

from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.types import CallToolResult, InputRequiredResult, TextContent

from mcp_servers.answer import Status, ToolFailure
from mcp_servers.guard.call import Envelope
from mcp_servers.guard.cap import encode

_UNANSWERED = frozenset({Status.ERROR, Status.DENIED, Status.LIMITED, Status.TIMEOUT})


def result(answer: Envelope, *, brief: bool) -> CallToolResult:
    """The answer as MCP. `brief`: the caller is our own host, which reads the structured part;
    other hosts may show their model the text alone, so theirs carries the data as well.
    """
    text = line(answer) if brief else f"{line(answer)}\n{encode(answer)}"
    return CallToolResult(
        content=[TextContent(type="text", text=text)],
        structured_content=answer,
        is_error=answer["status"] in _UNANSWERED,
    )


def raw_result(answer: Envelope) -> CallToolResult | InputRequiredResult:
    """What a raw tool answered, as it was before the guard looked at it; or the refusal."""
    data = answer["data"]
    if data is None:
        return result(answer, brief=True).model_copy(update={"structured_content": None})
    if data.get("resultType") == "input_required":
        return InputRequiredResult.model_validate(data)
    return CallToolResult.model_validate(data)


def line(answer: Envelope) -> str:
    """One line that says how it went."""
    total = "" if answer["total"] is None else f", {answer['total']} in all"
    cut = ", cut" if answer["truncated"] else ""
    parts = [f"{answer['status']}{total}{cut}", answer["reason"], *answer["suggestions"]]
    return " ".join(f"{part.rstrip('.')}." for part in parts if part)


def part(contents: ReadResourceContents) -> dict[str, Any]:
    """Contents as JSON; a JSON text as what it says, so that its keys can be looked at."""
    if isinstance(contents.content, bytes):
        blob = base64.b64encode(contents.content).decode()
        return {"blob": blob, "mime": contents.mime_type}
    if contents.mime_type == "application/json":
        with suppress(ValueError):
            return {"json": json.loads(contents.content), "mime": contents.mime_type}
    return {"text": contents.content, "mime": contents.mime_type}


def contents(answer: Envelope, part: dict[str, Any]) -> ReadResourceContents:
    """A cleaned part as resource contents; an answer that is stale or cut says so beside it."""
    meta = {"status": answer["status"], "truncated": answer["truncated"]}
    if "blob" in part:
        return ReadResourceContents(base64.b64decode(part["blob"]), part["mime"])
    text = encode(part["json"]) if "json" in part else part["text"]
    return ReadResourceContents(text, part["mime"], meta if answer["reason"] else None)


def tool_failure(error: BaseException) -> ToolFailure:
    """The failure inside the SDK's wrapping, or the wrapping's own words."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ToolFailure):
            return cause
        cause = cause.__cause__
    return ToolFailure(Status.ERROR, str(error))
