"""`assistant incidents`, `show` and `replay`: what was triaged before."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import anyio
import typer
from rich.console import Console
from rich.table import Table

from assistant.cli.output import Shape, show_report, write_report
from assistant.cli.triage import BLIND, stopwatch
from assistant.cli.wiring import settled
from assistant.incident import Report
from assistant.settings import Settings

if TYPE_CHECKING:
    from assistant.store import Triage

InLab = Annotated[bool, typer.Option("--lab", help="Those of the lab.")]


def settings_of(*, lab: bool) -> Settings:
    """The settings of this process, or those of its lab."""
    home = settled({}).home
    return settled({"home": home / "lab"}) if lab else settled({})


def incidents(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 20,
    service: Annotated[str, typer.Option(help="Only of this service.")] = "",
    lab: InLab = False,
) -> None:
    """List the incidents that were triaged, newest first."""
    rows = anyio.run(_search, settings_of(lab=lab), service, limit)
    table = Table("incident", "started", "alert", "title", "verdict", box=None)
    for row in rows:
        started = row.started_at.strftime("%Y-%m-%d %H:%M")
        table.add_row(row.id, started, row.alert_id, row.title, row.verdict or str(row.progress))
    Console().print(table if rows else "No incident was triaged yet.")


async def _search(settings: Settings, service: str, limit: int) -> list[Triage]:
    from assistant.store import Filter, Store  # noqa: PLC0415 - `--help` needs no database

    async with Store.open(settings.database) as store:
        return await store.search(Filter(service=service, limit=limit))


def show(
    id: Annotated[str, typer.Argument(help="Incident id, or how it begins.")],
    as_json: Annotated[bool, typer.Option("--json", help="The report as JSON.")] = False,
    plain: Annotated[bool, typer.Option("--plain", help="No colour, no boxes.")] = False,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write one HTML file as well.")
    ] = None,
    lab: InLab = False,
) -> None:
    """Show the report of an incident again."""
    report = anyio.run(_load, settings_of(lab=lab), id)
    show_report(report, Shape(as_json=as_json, plain=plain))
    write_report(report, html, None)


async def _load(settings: Settings, id: str) -> Report:
    from assistant.store import Store  # noqa: PLC0415 - `--help` needs no database

    async with Store.open(settings.database) as store:
        return await store.report(id)


def replay(
    id: Annotated[str, typer.Argument(help="Incident id, or how it begins.")],
    as_json: Annotated[bool, typer.Option("--json", help="The report as JSON.")] = False,
    plain: Annotated[bool, typer.Option("--plain", help="No colour, no boxes.")] = False,
    lab: InLab = False,
) -> None:
    """Diagnose an incident again from its stored evidence; no system is asked anything."""
    report = anyio.run(_replay, settings_of(lab=lab), id)
    show_report(report, Shape(as_json=as_json, plain=plain))
    raise typer.Exit(BLIND if report.blind_spots else 0)


async def _replay(settings: Settings, id: str) -> Report:
    from assistant.store import Store  # noqa: PLC0415 - `--help` needs neither of them
    from assistant.toolbox import Session, Toolbox  # noqa: PLC0415
    from assistant.triage import Desk  # noqa: PLC0415
    from assistant.triage import replay as again  # noqa: PLC0415

    async with Store.open(settings.database) as store:
        triage, evidence = await store.find(id), await store.evidence((await store.find(id)).id)
        report = await store.report(triage.id)
    ended = report.scope.window.end
    # An alert that came by value was asked of nobody.
    asked = any(one.tool == "pagerduty.get_incident" for one in evidence)
    session = Session(incident=triage.id, caller="replay", known=evidence, offline=True)
    async with Toolbox.open(settings, {}, lambda: ended, session) as toolbox:
        lookback = timedelta(seconds=settings.lookback_seconds)
        desk = Desk(
            toolbox=toolbox,
            clock=lambda: ended,
            timer=stopwatch(),
            lookback=lookback,
            given=None if asked else report.alert,
        )
        return await again(triage.id, triage.alert_id, desk)
