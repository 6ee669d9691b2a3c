"""How a server is reached: in this process, as a child, or over HTTP. Opens and closes, no more."""

from __future__ import annotations

import importlib
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TextIO

import httpx2
from mcp import Client, StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

from assistant.settings import ServerSettings

Clock = Callable[[], datetime]
_LAST_WORDS = 300


@dataclass(slots=True)
class Trace:
    """What the other side said outside of MCP, for the message when a connection fails."""

    status: int = 0
    said: str = ""

    def words(self) -> str:
        """The HTTP status, or the last words a child wrote to its standard error."""
        return f"HTTP {self.status}" if self.status else self.said

    async def note(self, response: httpx2.Response) -> None:
        """Remembers the status of a refused HTTP request, which the SDK does not tell."""
        if response.status_code >= httpx2.codes.BAD_REQUEST:
            self.status = response.status_code


@dataclass(frozen=True, slots=True)
class Address:
    """Everything that is needed to open one server."""

    name: str
    server: ServerSettings
    environment: Mapping[str, str] = field(repr=False)
    clock: Clock


def open_client(address: Address, trace: Trace) -> Any:
    """An async context manager that yields the connected client."""
    ways = {"in-process": _in_process, "stdio": _child, "http": _over_http}
    return ways[address.server.transport](address, trace)


@asynccontextmanager
async def _in_process(address: Address, _trace: Trace) -> AsyncIterator[Client]:
    """The factory is found by name, so that the two rooms never import each other."""
    module, function = address.server.factory.split(":")
    factory = getattr(importlib.import_module(module), function)
    async with (
        factory(address.name, address.environment, address.clock) as server,
        Client(server, mode=address.server.mode) as client,
    ):
        yield client


@asynccontextmanager
async def _child(address: Address, trace: Trace) -> AsyncIterator[Client]:
    parameters = StdioServerParameters(
        command=address.server.command,
        args=list(address.server.args),
        env=dict(address.environment),
    )
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
        try:
            async with Client(
                stdio_client(parameters, errlog=log), mode=address.server.mode
            ) as client:
                yield client
        finally:
            trace.said = _last_words(log)


def _last_words(log: TextIO) -> str:
    log.seek(0)
    return " ".join(log.read().split())[-_LAST_WORDS:]


@asynccontextmanager
async def _over_http(address: Address, trace: Trace) -> AsyncIterator[Client]:
    token = bearer_token(address.server)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    limits = httpx2.Timeout(address.server.connect_seconds, read=address.server.call_seconds)
    async with (
        httpx2.AsyncClient(
            headers=headers, timeout=limits, event_hooks={"response": [trace.note]}
        ) as http,
        Client(
            streamable_http_client(address.server.url, http_client=http), mode=address.server.mode
        ) as client,
    ):
        yield client


def bearer_token(server: ServerSettings) -> str:
    """The token for an HTTP server, or nothing where none is set. Raises OSError."""
    return server.token_file.read_text(encoding="utf-8").strip() if server.token_file else ""
