"""What every front end says to the one conversation engine, and what it gets back. No I/O."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Protocol

from pydantic import Field

from assistant.incident import Citation, Frozen


class Ask(Frozen):
    """What one person says in one thread."""

    thread: str = Field(
        description="the same for all that belongs together; the front end's own id"
    )
    text: str = Field(description="as it was typed, without the mention of the assistant")
    by: str = Field(description="who says it, as the front end knows them")
    at: datetime


class Step(Frozen):
    """What is being looked at while the answer is on its way."""

    text: str
    seconds: float = Field(0.0, description="since the question was asked")


class Choice(Frozen):
    """Something that may be said next; a front end shows a button, or a line to type."""

    label: str
    text: str = Field(description="what is said where it is chosen")


class Attachment(Frozen):
    """Something that goes with an answer as a file or a picture."""

    name: str
    media_type: str = Field(
        description="text/markdown, text/html, text/vnd.mermaid, image/svg+xml, application/json"
    )
    text: str


class Reply(Frozen):
    """An answer: short Markdown in which all text of systems is neutralised, and what it stands on."""

    text: str
    intent: str = Field("", description="what was understood; empty where nothing was")
    scope: str = Field("", description="cluster, namespace and window that it speaks of")
    citations: tuple[Citation, ...] = ()
    choices: tuple[Choice, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    incident: str = Field("", description="alert id of the incident of this thread")
    report: str = Field("", description="id of the stored triage that it speaks of")
    sure: bool = Field(default=True, description="false where it asks back what is meant")


class Briefing(Protocol):
    """The engine, as whoever tells of a triage sees it that nobody asked for."""

    async def brief(self, thread: str, report: str) -> Reply:
        """The ten lines of a stored report, of which the thread speaks from now on.

        Raises NotFound where there is no such report, another AssistantError for what may pass.
        """
        ...


class Conversing(Protocol):
    """The engine, as front ends see it."""

    def say(self, ask: Ask) -> AsyncIterator[Step | Reply]:
        """Steps while it works, then one Reply. Raises nothing at a front end for what people say."""
        ...
