"""Looks at whole servers, for people: what each offers, whether it is as approved, whether it lives."""

from __future__ import annotations

from dataclasses import dataclass

import anyio

from assistant.errors import ToolUnavailable
from assistant.toolbox.box import Toolbox
from assistant.toolbox.lint import lint
from assistant.toolbox.pins import Difference, Lockfile, differences, pin
from assistant.toolbox.surface import Surface


@dataclass(frozen=True, slots=True)
class ServerReport:
    """One approved server: what it offers, or why it could not be reached."""

    name: str
    target: str
    surface: Surface | None = None
    failure: str = ""


async def inspect(toolbox: Toolbox) -> list[ServerReport]:
    """All approved servers, connected at the same time, by name."""
    reports: dict[str, ServerReport] = {}

    async def look(name: str) -> None:
        target = toolbox.settings.servers[name].target
        try:
            surface = await toolbox.surface(name)
        except ToolUnavailable as error:
            reports[name] = ServerReport(name, target, failure=str(error))
        else:
            reports[name] = ServerReport(name, target, surface)

    async with anyio.create_task_group() as group:
        for name in toolbox.servers:
            group.start_soon(look, name)
    return [reports[name] for name in sorted(reports)]


async def lock(toolbox: Toolbox) -> Lockfile:
    """The pins of all servers as they are now; one that cannot be reached keeps its old ones."""
    lockfile = toolbox.lockfile
    for report in await inspect(toolbox):
        if report.surface:
            lockfile = lockfile.with_server(report.name, pin(report.surface))
    return lockfile


async def check(toolbox: Toolbox) -> list[Difference]:
    """What is not as approved, what is suspicious, and who could not be asked."""
    found: list[Difference] = []
    for report in await inspect(toolbox):
        if report.surface is None:
            found.append(Difference(report.name, "server", f"cannot be reached: {report.failure}"))
            continue
        if pinned := toolbox.lockfile.servers.get(report.name):
            found += differences(report.surface, pinned)
        found += lint(report.surface, toolbox.servers)
    return found
