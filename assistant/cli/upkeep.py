"""`assistant audit`, `doctor`, `config` and `version`: is all as it should be?"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import version as installed
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import anyio
import typer
from rich.console import Console
from rich.table import Table

from assistant.cli.wiring import Wired, settled, wired
from assistant.incident import Evidence
from assistant.settings import describe

if TYPE_CHECKING:
    from assistant.toolbox import Call

audit = typer.Typer(help="The tamper-evident audit of every tool call.", no_args_is_help=True)
AuditFile = Annotated[Path | None, typer.Option("--file", help="Default: this host's own.")]


@audit.command("verify")
def verify(file: AuditFile = None) -> None:
    """Prove that no line was changed, removed or reordered; exit 1 and name the line otherwise."""
    raise typer.Exit(anyio.run(_audit, ["verify", str(file or settled({}).audit_file)]))


@audit.command("show")
def show(
    file: AuditFile = None,
    incident: Annotated[str, typer.Option(help="Only of this incident.")] = "",
    limit: Annotated[int, typer.Option(help="Only the newest so many; 0 for all.")] = 50,
) -> None:
    """Show audit lines as JSON, oldest first."""
    arguments = ["show", str(file or settled({}).audit_file), "--limit", str(limit)]
    raise typer.Exit(
        anyio.run(_audit, [*arguments, *(["--incident", incident] if incident else [])])
    )


async def _audit(arguments: list[str]) -> int:
    """The guard keeps the audit, so the guard reads it: the host asks the servers' own command."""
    command = [sys.executable, "-m", "mcp_servers", "audit", *arguments]
    done = await anyio.run_process(command, stdout=None, stderr=None, check=False)
    return done.returncode


def doctor(
    lab: Annotated[
        str | None, typer.Option("--lab", metavar="WORLD", help="Examine a lab.")
    ] = None,
) -> None:
    """Check each connection and permission; say what is missing and how to grant it."""
    answers = anyio.run(_examine, lab)
    table = Table("what", "status", "answer", box=None)
    for answer in answers:
        kind = answer.arguments.get("kind", "")
        where = answer.source if answer.status.seen else _trouble(answer)
        table.add_row(f"{answer.tool} {kind}".strip(), answer.status.value, where)
    Console().print(table)
    raise typer.Exit(0 if all(answer.status.seen for answer in answers) else 1)


def _trouble(answer: Evidence) -> str:
    return "\n".join([answer.reason, *(f"-> {hint}" for hint in answer.suggestions)])


async def _examine(lab: str | None) -> list[Evidence]:
    from assistant.toolbox import Session, Toolbox  # noqa: PLC0415 - `--help` needs no protocol

    async with wired(lab, None) as made:
        session = Session(caller="doctor")
        async with Toolbox.open(made.settings, made.environment, made.clock, session) as toolbox:
            return await toolbox.collect(_questions(made))


def _questions(made: Wired) -> Iterator[Call]:
    """One small question for each permission that a triage needs."""
    from assistant.toolbox import Call  # noqa: PLC0415 - `--help` needs no protocol
    from assistant.triage.gather import CLUSTER_WIDE, NAMESPACED, ON_DEMAND  # noqa: PLC0415

    why = "whether it may be read"
    for kind in (*CLUSTER_WIDE, *NAMESPACED, "Namespace", *ON_DEMAND):
        yield Call("kubernetes.list_resources", {"kind": kind, "limit": 1}, why)
    yield Call("kubernetes.get_recent_events", {"limit": 1}, why)
    yield Call("prometheus.query", {"query": "vector(1)", "time": made.clock().isoformat()}, why)
    yield Call("pagerduty.get_active_incidents", {"limit": 1}, why)
    yield Call("pagerduty.get_oncall", {}, why)
    yield Call("runbooks.list_runbooks", {"limit": 1}, why)


def config() -> None:
    """Show every effective setting, where it comes from and what it means; secrets are masked."""
    table = Table("setting", "value", "from", "meaning", box=None)
    for row in describe(settled({})):
        table.add_row(row.key, row.value, row.origin, row.meaning)
    Console().print(table)


def version() -> None:
    """Show the version."""
    Console().print(f"incident-assistant {installed('incident-assistant')}", highlight=False)
