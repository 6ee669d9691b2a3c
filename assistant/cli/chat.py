"""`assistant chat`: the conversation in a terminal, and the engine that every front end is given."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import anyio
import typer

from assistant.cli.duty import known_alert
from assistant.cli.triage import stopwatch
from assistant.cli.wiring import Wired, private_folder, wired
from assistant.errors import NotFound
from assistant.incident import Report
from assistant.settings import FOR_SERVER

if TYPE_CHECKING:
    from assistant.chat.conversation import Conversation, Told
    from assistant.store import Store
    from assistant.toolbox import Toolbox


@dataclass(frozen=True)
class Live:
    """The systems that the settings name, as a conversation asks them."""

    made: Wired
    store: Store

    def now(self) -> datetime:
        """The clock; the world's own in the lab."""
        return self.made.clock()

    @asynccontextmanager
    async def toolbox(self, thread: str, told: Told) -> AsyncIterator[Toolbox]:
        """The read tools, for one answer; each question is told before it is asked."""
        from assistant.toolbox import CallEvent, Session, Toolbox  # noqa: PLC0415 - heavy

        def asking(event: CallEvent) -> None:
            if event.evidence is None:
                told(event.call.reason or event.call.tool)

        session = Session(incident=f"chat {thread}"[:80], caller="chat", on_call=asking)
        made = self.made
        async with Toolbox.open(made.settings, made.environment, made.clock, session) as toolbox:
            yield toolbox

    async def triage(self, alert: str, told: Told) -> Report:
        """A new report on an alert, stored. Raises NotFound, AssistantError."""
        started = await self.store.start(alert, self.made.clock())
        try:
            report = await self._run(started.id, alert, told)
        except NotFound:
            await self.store.drop(started.id)
            raise
        await self.store.finish(started.id, report)
        return report

    async def ended(self, alert: str, told: Told) -> datetime | None:
        """When an alert was resolved: as duty was told, else as PagerDuty says now."""
        from assistant.snapshot import dig, moment  # noqa: PLC0415 - see `toolbox`
        from assistant.toolbox import Call  # noqa: PLC0415

        if known := known_alert(self.made.settings.home, alert):
            return known.resolved_at
        asked = Call("pagerduty.get_incident", {"id": alert}, "whether it is over")
        async with self.toolbox(f"end of {alert}", told) as toolbox:
            (answer,) = await toolbox.collect([asked])
        return moment(dig(answer.data, "incident", "resolved_at"))

    async def _run(self, id: str, alert: str, told: Told) -> Report:
        # The workflow and the protocol are the heavy imports of a triage; nothing else needs them.
        from assistant.toolbox import Session, Toolbox  # noqa: PLC0415
        from assistant.triage import Desk, triage  # noqa: PLC0415

        made, store, timer = self.made, self.store, stopwatch()
        session = Session(
            incident=id, caller="chat", keep=lambda evidence: store.keep(id, evidence)
        )
        async with Toolbox.open(made.settings, made.environment, made.clock, session) as toolbox:
            toolbox.begin(FOR_SERVER)
            lookback = timedelta(seconds=made.settings.lookback_seconds)
            given = known_alert(made.settings.home, alert)
            desk = Desk(toolbox, made.clock, timer, lookback, on_stage=told, given=given)
            return await triage(id, alert, desk, made.settings.checkpoints)


@asynccontextmanager
async def conversing(made: Wired) -> AsyncIterator[Conversation]:
    """The conversation engine over the systems of a command, its memory in `home`."""
    from assistant.chat.conversation import Conversation, Engine  # noqa: PLC0415 - see `_run`
    from assistant.chat.memory import Memory  # noqa: PLC0415
    from assistant.store import Store  # noqa: PLC0415

    home = private_folder(made.settings.home)
    async with Store.open(made.settings.database) as store, Memory.open(home / "chat.db") as memory:
        yield Conversation(Engine(Live(made, store), store, memory, anyio.current_time))


def chat(
    lab: Annotated[
        str | None,
        typer.Option("--lab", metavar="WORLD", help="Talk about a world of the lab."),
    ] = None,
    incident: Annotated[
        str, typer.Option("--incident", metavar="ID", help="Begin with this incident or alert.")
    ] = "",
    thread: Annotated[
        str, typer.Option("--thread", help="Go on with the thread of this name.")
    ] = "",
) -> None:
    """Ask about your systems in plain words; it only reads. Also takes questions from a pipe."""
    anyio.run(_chat, lab, incident, thread)


async def _chat(lab: str | None, incident: str, thread: str) -> None:
    from assistant.chat.terminal import Place, talk  # noqa: PLC0415 - only a talk needs a prompt

    async with wired(lab, None) as made, conversing(made) as conversation:
        place = Place(
            thread=thread or f"terminal {made.clock():%Y-%m-%dT%H:%M:%S.%f}",
            first=f"triage {incident}" if incident else "",
            history=made.settings.home / "chat_history",
            clock=made.clock,
            by=made.environment.get("USER", ""),
        )
        await talk(conversation, place, sys.stdin, sys.stdout)
