"""`assistant triage`: one alert id in, one incident report out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import anyio
import typer
from rich.console import Console

from assistant.cli.output import Shape, show_report, write_report
from assistant.cli.progress import Progress
from assistant.cli.wiring import Wired, alert_of, private_folder, wired
from assistant.errors import NotFound
from assistant.incident import Report
from assistant.settings import FOR_SERVER

if TYPE_CHECKING:
    from assistant.store import Store, Triage

BLIND = 3
"""Exit code: the report was made, and it has blind spots."""


def triage(
    alert_id: Annotated[
        str, typer.Argument(help="PagerDuty incident id, number, alert id or URL.")
    ] = "",
    lab: Annotated[
        str | None,
        typer.Option(
            "--lab",
            metavar="WORLD",
            help="Look at a world of the lab instead of real systems (a name or a folder).",
        ),
    ] = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="Take this RFC 3339 time for now.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The report as JSON.")] = False,
    plain: Annotated[
        bool, typer.Option("--plain", help="No colour, no boxes, 80 columns.")
    ] = False,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write one HTML file as well.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write every form into this folder.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a triage that was cut off.")
    ] = False,
    record: Annotated[
        Path | None, typer.Option("--record", help="Record what was seen as a world.")
    ] = None,
) -> None:
    """Triage one alert: what is broken, since when, why, and the safest next command."""
    shape = Shape(as_json=as_json, plain=plain)

    async def run() -> Report:
        async with wired(lab, as_of) as made:
            report = await _triage(made, alert_of(made, alert_id), resume=resume)
            if record:
                await _record(made, report, record)
            return report

    report = anyio.run(run)
    show_report(report, shape)
    write_report(report, html, out)
    raise typer.Exit(BLIND if report.blind_spots else 0)


async def _triage(made: Wired, alert_id: str, *, resume: bool) -> Report:
    from assistant.store import Store  # noqa: PLC0415 - `--help` needs no database

    private_folder(made.settings.home)
    with Progress.shown(Console(stderr=True)) as progress:
        async with Store.open(made.settings.database) as store:
            started = await _begin(store, made, alert_id, resume=resume)
            try:
                report = await _run(made, store, started, progress)
            except NotFound:
                await store.drop(started.id)
                raise
            await store.finish(started.id, report)
            return report


async def _begin(store: Store, made: Wired, alert_id: str, *, resume: bool) -> Triage:
    if not resume:
        return await store.start(alert_id, made.clock())
    unfinished = await store.unfinished(alert_id)
    if unfinished is None:
        raise NotFound(f"no triage of {alert_id} was cut off: leave out --resume")
    return unfinished


async def _run(made: Wired, store: Store, started: Triage, progress: Progress) -> Report:
    # The workflow and the protocol are the heavy imports of a triage; nothing else needs them.
    from assistant.cli.duty import known_alert  # noqa: PLC0415 - which uses this file
    from assistant.toolbox import Session, Toolbox  # noqa: PLC0415
    from assistant.triage import Desk, triage  # noqa: PLC0415

    session = Session(
        incident=started.id,
        caller="cli",
        known=await store.evidence(started.id),
        keep=lambda evidence: store.keep(started.id, evidence),
        on_call=lambda event: progress.answered(event.evidence.status) if event.evidence else None,
    )
    timer = stopwatch()
    async with Toolbox.open(made.settings, made.environment, made.clock, session) as toolbox:
        toolbox.begin(FOR_SERVER)
        desk = Desk(
            toolbox=toolbox,
            clock=made.clock,
            timer=timer,
            lookback=timedelta(seconds=made.settings.lookback_seconds),
            on_stage=progress.stage,
            given=known_alert(made.settings.home, started.alert_id),
        )
        return await triage(started.id, started.alert_id, desk, made.settings.checkpoints)


def stopwatch() -> Callable[[], float]:
    """Seconds since now."""
    began = anyio.current_time()
    return lambda: anyio.current_time() - began


async def _record(made: Wired, report: Report, folder: Path) -> None:
    # Recording reads the systems once more, raw; it is a maker of worlds and no part of a triage.
    from eval.lab.recorder import Recorded, record  # noqa: PLC0415

    scope = report.scope
    wanted = Recorded(report.alert.id, scope.namespaces, scope.window.start, scope.window.end)
    for gap in await record(made.environment, folder, wanted):
        Console(stderr=True).print(f"not recorded: {gap}", highlight=False, markup=False)
