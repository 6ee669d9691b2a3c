"""What is open right now, as the systems say: asked for all tabs together, and now and then."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from logging import Logger
from typing import Any

import anyio
from anyio.abc import TaskGroup

from assistant.chat.answers.live import INCIDENTS
from assistant.errors import AssistantError
from assistant.incident import Evidence, Frozen
from assistant.report.words import cut
from assistant.snapshot import listing, mapping, moment
from assistant.toolbox import Call

GOOD_FOR_SECONDS = 15.0
PATIENCE_SECONDS = 1.0
"""How long a page waits for what is open; after that it says that it is being asked."""
MOST_SHOWN = 50

Asking = Callable[[Sequence[Call]], Awaitable[Sequence[Evidence]]]
"""Asks the read tools."""


class Open(Frozen):
    """One open incident."""

    id: str
    title: str
    number: int | None = None
    status: str = ""
    urgency: str = ""
    service: str = ""
    since: datetime | None = None
    taken_by: tuple[str, ...] = ()


class OpenNow(Frozen):
    """The open incidents, or why they could not be seen."""

    rows: tuple[Open, ...] = ()
    unseen: str = ""
    asking: bool = False
    """Whether nobody has answered yet."""
    asked_at: datetime | None = None


@dataclass
class Alerts:
    """The open incidents, no older than a moment; a system that hangs keeps no page waiting."""

    ask: Asking
    clock: Callable[[], datetime]
    logger: Logger
    tasks: TaskGroup
    good_for: float = GOOD_FOR_SECONDS
    _known: OpenNow = field(default_factory=lambda: OpenNow(asking=True))
    _until: float = 0.0
    _answer: anyio.Event | None = None

    async def open_now(self) -> OpenNow:
        """What is open, or was when it was last seen. Never raises for what the systems do."""
        if anyio.current_time() >= self._until and self._answer is None:
            self._answer = anyio.Event()
            self.tasks.start_soon(self._refresh, self._answer)
        if self._answer:
            with anyio.move_on_after(PATIENCE_SECONDS):
                await self._answer.wait()
        return self._known

    async def _refresh(self, answer: anyio.Event) -> None:
        try:
            self._known = await self._asked()
        except Exception:  # a bug here must not take the threads with it
            self.logger.exception("the open incidents could not be read")
            self._known = OpenNow(unseen="something inside me failed, and the log says what")
        finally:
            self._until = anyio.current_time() + self.good_for
            self._answer = None
            answer.set()

    async def _asked(self) -> OpenNow:
        at = self.clock()
        try:
            (answer,) = await self.ask([INCIDENTS])
        except AssistantError as error:
            return OpenNow(unseen=cut(str(error), 300), asked_at=at)
        if not answer.status.seen:
            return OpenNow(unseen=f"{answer.status}: {cut(answer.reason, 300)}", asked_at=at)
        found = (mapping(row) for row in listing(answer.data, "incidents"))
        rows = tuple(_row(one) for one in found if one.get("id"))
        return OpenNow(rows=rows[:MOST_SHOWN], asked_at=at)


def _row(row: Mapping[str, Any]) -> Open:
    number = row.get("number")
    return Open(
        id=str(row["id"]),
        title=cut(str(row.get("title") or "without a title"), 200),
        number=number if isinstance(number, int) else None,
        status=cut(str(row.get("status") or ""), 30),
        urgency=cut(str(row.get("urgency") or ""), 30),
        service=cut(str(row.get("service") or ""), 80),
        since=moment(row.get("created_at")),
        taken_by=tuple(cut(str(one), 60) for one in listing(row, "assigned_to")[:3]),
    )
