"""`assistant tools` and `assistant servers`: what the approved servers offer, and their pins."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import anyio
import typer
from rich.console import Console
from rich.table import Table

from assistant.cli.wiring import now, settled

if TYPE_CHECKING:
    from assistant.toolbox import Difference, Lockfile, ServerReport

app = typer.Typer(
    help="The approved servers and their pinned tool definitions.", invoke_without_command=True
)


async def _inspected() -> list[ServerReport]:
    from assistant.toolbox import Toolbox, inspect  # noqa: PLC0415 - `--help` needs no protocol

    async with Toolbox.open(settled({}), os.environ, now) as toolbox:
        return await inspect(toolbox)


def tools() -> None:
    """List every tool of the approved servers, as server.tool."""
    table = Table("tool", "reads only", "what it returns", box=None)
    for report in anyio.run(_inspected):
        if report.surface is None:
            table.add_row(f"{report.name}.*", "", f"cannot be reached: {report.failure}")
            continue
        for name, tool in sorted(report.surface.tools.items()):
            first = (tool.description or "").strip().partition("\n")[0]
            table.add_row(f"{report.name}.{name}", "yes" if tool.read_only else "no", first)
    Console().print(table)


@app.callback()
def servers(context: typer.Context) -> None:
    """Show the approved servers: where they are and whether they answer."""
    if context.invoked_subcommand:
        return
    table = Table("server", "where", "tools", box=None)
    for report in anyio.run(_inspected):
        offers = str(len(report.surface.tools)) if report.surface else f"none: {report.failure}"
        table.add_row(report.name, report.target, offers)
    Console().print(table)


@app.command("lock")
def lock() -> None:
    """Approve the tool definitions as they are now, and pin them in the lockfile."""
    lockfile = anyio.run(_lock)
    Console().print(f"Pinned {', '.join(sorted(lockfile.servers))} in {settled({}).lockfile}")


async def _lock() -> Lockfile:
    from assistant.toolbox import Toolbox, write_lockfile  # noqa: PLC0415 - `--help` needs no protocol
    from assistant.toolbox import lock as pinned  # noqa: PLC0415

    settings = settled({})
    async with Toolbox.open(settings, os.environ, now) as toolbox:
        lockfile = await pinned(toolbox)
    write_lockfile(settings.lockfile, lockfile)
    return lockfile


@app.command("check")
def check() -> None:
    """Compare the tool definitions with the pinned ones; exit 1 where they differ."""
    differences = anyio.run(_check)
    console = Console()
    for difference in differences:
        console.print(str(difference), highlight=False, markup=False)
    if differences:
        raise typer.Exit(1)
    console.print("All definitions are as approved.")


async def _check() -> list[Difference]:
    from assistant.toolbox import Toolbox  # noqa: PLC0415 - `--help` needs no protocol
    from assistant.toolbox import check as compared  # noqa: PLC0415

    async with Toolbox.open(settled({}), os.environ, now) as toolbox:
        return await compared(toolbox)
