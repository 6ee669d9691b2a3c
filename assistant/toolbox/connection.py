"""One server's connection: opened when first needed, shared by all calls, reopened when it broke.

The connection lives in a task of its own, since what opens a client must also close it; calls come
from any task. Raises ToolUnavailable, DefinitionChanged, or MCPError for a call that failed.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import anyio
import httpx2
from anyio.abc import TaskGroup
from mcp import Client, MCPError
from mcp.types import CallToolResult
from pydantic import ValidationError

from assistant.errors import DefinitionChanged, SettingsError, ToolUnavailable, first
from assistant.toolbox.answer import closed
from assistant.toolbox.surface import Surface, read_surface
from assistant.toolbox.transport import Address, Trace, open_client

_QUIET_SECONDS = 30.0
_PERMANENT = (ImportError, AttributeError, FileNotFoundError, PermissionError, SettingsError)
Approve = Callable[[Surface], Surface]
"""Marks the tools that may not be called."""
_Result = TypeVar("_Result")
_GONE = (OSError, anyio.ClosedResourceError, anyio.BrokenResourceError, httpx2.TransportError)


@dataclass(frozen=True, slots=True, eq=False)
class _Open:
    """A connection that stands."""

    client: Client
    surface: Surface
    stop: anyio.Event


class _Attempt:
    """One try at being connected, from its start to its end."""

    def __init__(self) -> None:
        self.settled = anyio.Event()
        self.stop = anyio.Event()
        self.opened: _Open | None = None
        self.failure = ""
        self.permanent = False


class Connection:
    """A server that can be called; connecting, and connecting again, is its own business."""

    def __init__(
        self, address: Address, tasks: TaskGroup, backoff_seconds: float, approve: Approve
    ) -> None:
        self.name = address.name
        self.settings = address.server
        self._address = address
        self._tasks = tasks
        self._waits = (backoff_seconds, 2 * backoff_seconds)
        self._approve = approve
        self._attempt: _Attempt | None = None
        self._failures = 0
        self._down = ""
        self._down_until = -math.inf

    async def surface(self) -> Surface:
        """What the server offers. Raises ToolUnavailable after the third failed attempt."""
        attempt = await self._patiently(self._connected, again=True)
        return attempt.surface

    async def call(
        self, tool: str, arguments: Mapping[str, Any], meta: Mapping[str, Any], *, again: bool
    ) -> CallToolResult:
        """One call; made anew on a broken connection, twice at most and only if `again`."""
        return await self._patiently(lambda: self._call(tool, arguments, meta), again=again)

    async def _patiently(self, once: Callable[[], Awaitable[_Result]], *, again: bool) -> _Result:
        for wait in self._waits:
            try:
                return await once()
            except ToolUnavailable:
                if not again or self._is_down:
                    raise
            await anyio.sleep(wait)
        return await once()

    def begin(self) -> None:
        """Start to connect without waiting, where the starting is another process's work."""
        if self.settings.transport != "in-process":
            self._begun()

    def close(self) -> None:
        """Ask the connection's task to end; the task group waits for it."""
        if self._attempt:
            self._attempt.stop.set()

    @property
    def _is_down(self) -> bool:
        return anyio.current_time() < self._down_until

    async def _call(
        self, tool: str, arguments: Mapping[str, Any], meta: Mapping[str, Any]
    ) -> CallToolResult:
        attempt = await self._connected()
        definition = attempt.surface.tools.get(tool)
        if not definition or definition.quarantine:  # a new connection may meet another server
            raise DefinitionChanged(definition.quarantine if definition else "the tool is gone")
        try:
            return await attempt.client.call_tool(
                tool,
                dict(arguments),
                read_timeout_seconds=self.settings.call_seconds,
                meta=dict(meta),  # type: ignore[arg-type]  # a TypedDict that allows more keys
            )
        except MCPError as error:
            if not closed(error):
                raise
            self._lost(attempt)
            raise ToolUnavailable(f"{self._place}: connection closed during {tool}") from error
        except _GONE as error:
            self._lost(attempt)
            raise ToolUnavailable(f"{self._place}: {_words(error)} during {tool}") from error

    @property
    def _place(self) -> str:
        return f"server {self.name!r} ({self.settings.target})"

    def _lost(self, attempt: _Open) -> None:
        attempt.stop.set()
        if self._attempt and self._attempt.opened is attempt:
            self._attempt = None

    async def _connected(self) -> _Open:
        """The open connection, from the attempt that all callers share."""
        if self._is_down:
            raise ToolUnavailable(self._down)
        attempt = self._begun()
        await attempt.settled.wait()
        if attempt.opened:
            self._failures = 0
            return attempt.opened
        failure = f"{self._place}: {attempt.failure or 'connection closed'}"
        if attempt is self._attempt:
            self._failed(attempt, failure)
        raise ToolUnavailable(failure)

    def _begun(self) -> _Attempt:
        """The attempt that runs or stands, started if there is none."""
        if self._attempt is None:
            self._attempt = _Attempt()
            self._tasks.start_soon(self._hold, self._attempt)
        return self._attempt

    def _failed(self, attempt: _Attempt, failure: str) -> None:
        self._attempt = None
        self._failures += 1
        if attempt.permanent or self._failures > len(self._waits):
            self._down = failure
            self._down_until = anyio.current_time() + _QUIET_SECONDS

    async def _hold(self, attempt: _Attempt) -> None:
        """Open the client, keep it open until told to stop, close it in the same task."""
        trace = Trace()
        try:
            await self._open(attempt, trace)
        except Exception as error:  # noqa: BLE001 - whatever a server does at its start, or at its end, the triage goes on with the others
            attempt.permanent = isinstance(first(error), _PERMANENT) or _refused(trace)
            attempt.failure = "; ".join(filter(None, (_words(error), trace.words())))
        finally:
            attempt.opened = None
            attempt.settled.set()

    async def _open(self, attempt: _Attempt, trace: Trace) -> None:
        in_process = self.settings.transport == "in-process"
        # Importing a server's libraries cannot be interrupted, and must not look like a hang.
        seconds = math.inf if in_process else self.settings.connect_seconds
        with anyio.fail_after(seconds) as limit:
            async with open_client(self._address, trace) as client:
                surface = await read_surface(client, self.name, self.settings.target)
                limit.deadline = math.inf
                attempt.opened = _Open(client, self._approve(surface), attempt.stop)
                attempt.settled.set()
                await attempt.stop.wait()


def _refused(trace: Trace) -> bool:
    """Whether the server said no in a way that asking again does not change."""
    unclear = (httpx2.codes.REQUEST_TIMEOUT, httpx2.codes.TOO_MANY_REQUESTS)
    return httpx2.codes.is_client_error(trace.status) and trace.status not in unclear


def _words(error: BaseException) -> str:
    leaf = first(error)
    if isinstance(leaf, TimeoutError):
        return "no answer while connecting, within its time limit"
    if isinstance(leaf, ValidationError):
        return "its answer is not MCP"
    said = " ".join(str(leaf).split())[:300]
    return said if isinstance(leaf, MCPError) else f"{type(leaf).__name__}: {said}"
