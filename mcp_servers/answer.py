"""What every tool answers with: a status, the data, and what could not be seen.

This vocabulary is also kept in `assistant.incident.Status`; the two rooms may not import each
other, and a test compares them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

Data = TypeVar("Data")


class Status(StrEnum):
    """How a call ended."""

    OK = "ok"
    EMPTY = "empty"
    ERROR = "error"
    DENIED = "denied"
    LIMITED = "limited"
    TIMEOUT = "timeout"
    STALE = "stale"


def _brief(schema: dict[str, Any]) -> None:
    """Each tool publishes this envelope: names and types only, or it outweighs the tools' own."""
    schema.pop("description", None)
    schema.pop("additionalProperties", None)
    fields = schema.get("properties", {})
    for described in fields.values():
        described.pop("description", None)
        described.pop("default", None)
    fields["status"] = {"enum": [status.value for status in Status]}
    fields["total"] = {"type": ["integer", "null"]}


class Answer(BaseModel, Generic[Data]):
    """The one shape of a tool's result. `empty` means asked and nothing there; it is not an error."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=_brief)

    status: Status
    data: Data | None = None
    total: int | None = Field(None, description="how many there are before any cut")
    truncated: bool = False
    reason: str = Field("", description="what failed or why it was cut, in the backend's words")
    suggestions: list[str] = Field(default_factory=list, description="what to try next")
    source: str = Field("", description="which cluster, server or account answered")


def found(data: Data, *, total: int, source: str, truncated: bool = False) -> Answer[Data]:
    """An answer of `ok`, or of `empty` where `total` is 0."""
    status = Status.OK if total else Status.EMPTY
    return Answer(status=status, data=data, total=total, truncated=truncated, source=source)


class ToolFailure(Exception):  # noqa: N818 - the guard turns it into an answer; nobody else sees it
    """A tool cannot answer. The guard turns this into an `Answer` of the same status.

    `reason` says what failed, with which exact input, and what the other side said.
    """

    def __init__(
        self, status: Status, reason: str, suggestions: tuple[str, ...] = (), source: str = ""
    ) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.suggestions = suggestions
        self.source = source
