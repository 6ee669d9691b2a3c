"""The toolbox: one door through which every question to a server goes, and comes back as Evidence."""

from __future__ import annotations

import difflib
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import chain
from typing import Any

import anyio
from mcp import MCPError
from pydantic import ValidationError

from assistant.errors import DefinitionChanged, ToolUnavailable
from assistant.incident import Evidence, Status, evidence_id
from assistant.settings import Settings, server_environment
from assistant.tasks import background
from assistant.toolbox.answer import (
    Answer,
    NotAsked,
    nonsense,
    not_asked,
    protocol_error,
    read_answer,
    refused,
)
from assistant.toolbox.approval import Approval
from assistant.toolbox.budget import Patience, Purse
from assistant.toolbox.connection import Connection
from assistant.toolbox.pins import Lockfile
from assistant.toolbox.question import Call, CallEvent, Session, Stamp, plain, without_defaults
from assistant.toolbox.scrub import Scrubber, secrets_of
from assistant.toolbox.surface import Surface, ToolDefinition
from assistant.toolbox.transport import Address, Clock

_CLOSING_SECONDS = 5.0


class Toolbox:
    """Asks the approved servers. Nothing a server does makes `call` raise.

    A question is a tool and its arguments, without those that are None or the tool's own default.
    Asked twice, even at the same time, it is one call and one piece of evidence.
    """

    def __init__(
        self,
        settings: Settings,
        session: Session,
        connections: Mapping[str, Connection],
        approval: Approval,
        stamp: Stamp,
    ) -> None:
        self.settings = settings
        self._session = session
        self._connections = connections
        self._approval = approval
        self._stamp = stamp
        self._purse = Purse(settings.budget, session.timer)
        self._patience = {name: Patience(settings.budget, session.timer) for name in connections}
        self._slots = anyio.Semaphore(settings.budget.concurrent)
        self._known = {evidence.id: evidence for evidence in session.known}
        self._in_flight: dict[str, anyio.Event] = {}

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        settings: Settings,
        environment: Mapping[str, str],
        clock: Clock,
        session: Session | None = None,
    ) -> AsyncIterator[Toolbox]:
        """A toolbox; servers are connected when first asked, and left when the block ends.

        Raises SettingsError for a lockfile that cannot be read.
        """
        session = session or Session()
        approval = Approval(settings)
        addresses = _addresses(settings, environment, clock, offline=session.offline)
        secrets = (secrets_of(one.server, one.environment) for one in addresses)
        stamp = Stamp(clock, Scrubber(chain.from_iterable(secrets)))
        async with background() as tasks:
            connections = {
                one.name: Connection(one, tasks, settings.backoff_seconds, approval.approve)
                for one in addresses
            }
            try:
                yield cls(settings, session, connections, approval, stamp)
            finally:
                for connection in connections.values():
                    connection.close()
                tasks.cancel_scope.deadline = anyio.current_time() + _CLOSING_SECONDS

    @property
    def servers(self) -> tuple[str, ...]:
        """The names of the servers that may be asked."""
        return tuple(sorted(self._connections))

    @property
    def lockfile(self) -> Lockfile:
        """What is approved, with the servers that were met for the first time."""
        return self._approval.lockfile

    @property
    def first_met(self) -> tuple[str, ...]:
        """Servers trusted because they were seen for the first time; a person should be told."""
        return tuple(self._approval.first_met)

    @property
    def calls(self) -> int:
        """Calls made by this toolbox; what was known from before is not counted."""
        return self._purse.calls

    @property
    def seconds_left(self) -> float:
        """What is left of the triage's time."""
        return self._purse.seconds_left

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """All that is known, oldest first."""
        return tuple(sorted(self._known.values(), key=lambda one: (one.taken_at, one.tool, one.id)))

    def begin(self, servers: Iterable[str]) -> None:
        """Start to connect those of `servers` that run elsewhere: they all come up at once."""
        for name in servers:
            if name in self._connections:
                self._connections[name].begin()

    async def surface(self, server: str) -> Surface:
        """What a server offers, quarantined tools marked. Raises ToolUnavailable."""
        return await self._connections[server].surface()

    async def collect(self, calls: Iterable[Call]) -> list[Evidence]:
        """The evidence for each call, in their order; asked at the same time."""
        asked = list(calls)
        answers: dict[int, Evidence] = {}

        async def ask(place: int, call: Call) -> None:
            answers[place] = await self.call(call.tool, call.arguments, reason=call.reason)

        async with background() as tasks:
            for place, call in enumerate(asked):
                tasks.start_soon(ask, place, call)
        return [answers[place] for place in range(len(asked))]

    async def call(
        self, tool: str, arguments: Mapping[str, Any] | None = None, *, reason: str = ""
    ) -> Evidence:
        """The answer of `tool` (full name, `server.tool`), whatever became of the question."""
        call = Call(tool, plain(arguments or {}), reason)
        if known := self._known.get(evidence_id(tool, call.arguments)):
            return known
        found = await self._look_up(tool)
        if isinstance(found, ToolDefinition):
            call = replace(call, arguments=without_defaults(call.arguments, found.defaults))
        return await self._once(call, found)

    async def _once(self, call: Call, found: ToolDefinition | Answer) -> Evidence:
        """Ask, unless it is known or being asked; who waits takes over if the asker is cancelled."""
        id = evidence_id(call.tool, call.arguments)
        while id not in self._known:
            if asking := self._in_flight.get(id):
                await asking.wait()
                continue
            done = self._in_flight[id] = anyio.Event()
            try:
                self._known[id] = await self._ask(call, found)
            finally:
                del self._in_flight[id]
                done.set()
        return self._known[id]

    async def _ask(self, call: Call, found: ToolDefinition | Answer) -> Evidence:
        self._session.on_call(CallEvent(call))
        started = self._session.timer()
        answer = found if isinstance(found, Answer) else await self._try(call, found)
        evidence = self._stamp.evidence(call, answer, self._session.timer() - started)
        if not isinstance(answer, NotAsked):
            await self._session.keep(evidence)
        self._session.on_call(CallEvent(call, evidence))
        return evidence

    async def _look_up(self, tool: str) -> ToolDefinition | Answer:
        """The tool's definition, or why there is none to be had."""
        server, _, name = tool.partition(".")
        if late := self._purse.late():
            return not_asked(late)
        if server not in self._connections:
            return self._replayed(tool) or _unknown(tool, "server", server, self.servers)
        started = self._session.timer()
        try:
            with anyio.fail_after(self._seconds_to_connect(server)):
                surface = await self.surface(server)
        except ToolUnavailable as error:
            failure = f"{tool} was not asked: {error}"
            return self._replayed(tool) or refused(Status.ERROR, failure, "assistant doctor")
        except TimeoutError:
            self._patience[server].waited(started)
            return refused(Status.TIMEOUT, f"server {server!r} did not come up within {self._time}")
        return surface.tools.get(name) or _unknown(tool, "tool", name, surface.tools)

    def _seconds_to_connect(self, server: str) -> float:
        """How long a server may take to come up. In this process that is work, and no silence."""
        left = self._purse.seconds_left
        in_process = self._connections[server].settings.transport == "in-process"
        return left if in_process else min(left, self._patience[server].seconds_left)

    def _replayed(self, tool: str) -> Answer | None:
        """The answer to a question that a replay asks and the triage did not."""
        if not self._session.offline:
            return None
        return not_asked(f"{tool} was not asked with these arguments then: this is a replay")

    async def _try(self, call: Call, definition: ToolDefinition) -> Answer:
        """Ask, unless this tool may not be called at all."""
        if definition.quarantine:
            return refused(Status.DENIED, f"{call.tool}: {definition.quarantine}")
        if self._session.read_only and not definition.read_only:
            return refused(
                Status.DENIED, f"{call.tool} is not marked as read-only: not for a triage"
            )
        return self._replayed(call.tool) or await self._send(call, definition)

    async def _send(self, call: Call, definition: ToolDefinition) -> Answer:
        """The server's answer, in turn, within the budget and what its server is waited for."""
        server = call.tool.partition(".")[0]
        try:
            with anyio.fail_after(self._purse.seconds_left):
                await self._slots.acquire()
        except TimeoutError:
            return not_asked(self._purse.late())
        try:
            if spent := self._patience[server].lost(server) or self._purse.spend():
                return not_asked(spent)
            return await self._wait(call, definition, self._patience[server])
        finally:
            self._slots.release()

    async def _wait(self, call: Call, definition: ToolDefinition, patience: Patience) -> Answer:
        """The server's answer; its own word that it timed out is no better than silence."""
        seconds = min(self._purse.seconds_left, patience.seconds_left)
        started = self._session.timer()
        try:
            with anyio.fail_after(seconds):
                answer = await self._receive(call, definition)
        except TimeoutError:
            given = f"{call.tool} did not answer within {seconds:.3g} s of {self._time}"
            answer = refused(Status.TIMEOUT, given)
        if answer.status is Status.TIMEOUT:
            patience.waited(started)
        else:
            patience.answered()
        return answer

    async def _receive(self, call: Call, definition: ToolDefinition) -> Answer:
        server = call.tool.partition(".")[0]
        try:
            result = await self._connections[server].call(
                definition.name,
                call.arguments,
                self._session.meta(call),
                again=definition.read_only,
            )
        except DefinitionChanged as error:
            return refused(Status.DENIED, f"{call.tool}: {error}")
        except ToolUnavailable as error:
            return refused(Status.ERROR, f"{call.tool} got no answer: {error}", "assistant doctor")
        except MCPError as error:
            return protocol_error(call.tool, call.arguments, error)
        except (RuntimeError, ValidationError) as error:  # the SDK holds answers against the schema
            return nonsense(call.tool, "not what its own schema promises", str(error))
        return read_answer(call.tool, result)

    @property
    def _time(self) -> str:
        return f"the triage's {self.settings.budget.seconds:g} seconds"


def _unknown(tool: str, kind: str, name: str, known: Iterable[str]) -> Answer:
    there = difflib.get_close_matches(name, list(known), n=3, cutoff=0.4) or sorted(known)
    return refused(
        Status.ERROR,
        f"{tool} cannot be asked: there is no {kind} {name!r} among the approved",
        f"known: {', '.join(there)}",
    )


def _addresses(
    settings: Settings, environment: Mapping[str, str], clock: Clock, *, offline: bool
) -> list[Address]:
    """The servers that may be asked. Offline, those in this process tell their tools at least."""
    return [
        Address(name, server, server_environment(settings, name, environment), clock)
        for name, server in settings.servers.items()
        if server.enabled and (server.transport == "in-process" or not offline)
    ]
