"""How a server file describes itself to `serve.py`: plain data, nothing of MCP in it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mcp_servers.answer import Answer

Clock = Callable[[], datetime]
Environment = Mapping[str, str]
ToolFunction = Callable[..., Awaitable[Answer[Any]]]
Report = Callable[[float, float, str], Awaitable[None]]


class ConfigurationError(ValueError):
    """A variable holds what cannot be meant; the text says which, and what it may hold."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A typed async function (its docstring is the description) and how it may be called."""

    function: ToolFunction
    title: str
    writes: bool = False
    destructive: bool = False
    idempotent: bool = True
    timeout_seconds: float = 10.0
    calls_per_minute: int = 240
    cap_bytes: int = 256_000
    free_text: frozenset[str] = frozenset({"query", "grep", "match"})
    """Arguments that are a query or a pattern; every other string is a name and checked as one."""


@dataclass(frozen=True, slots=True)
class Resource:
    """A readable address, RFC 6570 (`k8s://{namespace}/{kind}/{name}`), and who answers it."""

    uri: str
    function: Callable[..., Awaitable[str]]
    title: str
    mime_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a live resource listing; its description tells health."""

    uri: str
    name: str
    description: str
    mime_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt template: a function from typed arguments to text."""

    function: Callable[..., Awaitable[str]]
    title: str


@dataclass(frozen=True, slots=True)
class Health:
    """What a server can reach, for `assistant doctor` and the HTTP health check."""

    reachable: bool
    detail: str
    missing: tuple[str, ...] = ()
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Server:
    """One outside system as a server: what `serve.py` registers, and nothing else."""

    name: str
    title: str
    instructions: str
    tools: tuple[Tool, ...]
    probe: Callable[[], Awaitable[Health]]
    resources: tuple[Resource, ...] = ()
    prompts: tuple[Prompt, ...] = ()
    listing: Callable[[], Awaitable[list[Entry]]] | None = None
    complete: Callable[[str, str], Awaitable[list[str]]] | None = None
    """(argument name, what is typed so far) -> possible values"""
    close: Callable[[], Awaitable[None]] | None = None
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """Values this server was configured with that may never leave it (its own tokens)."""


async def _silent(done: float, total: float, message: str) -> None:
    """Progress with nobody to report to."""


_report: ContextVar[Report] = ContextVar("report", default=_silent)


def reporting(report: Report) -> None:
    """Send the progress of the call that runs in this context to `report` (for `serve.py`)."""
    _report.set(report)


async def progress(done: float, total: float, message: str) -> None:
    """Tell whoever asked how far a long piece of work is. Does nothing where nobody listens."""
    await _report.get()(done, total, message)
