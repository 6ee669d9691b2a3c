"""`assistant duty`: alerts that triage themselves; and their wiring, for any front end to use."""

from __future__ import annotations

import os
import secrets
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import anyio
import anyio.to_thread
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from assistant.cli.triage import stopwatch
from assistant.cli.wiring import (
    Wired,
    asking,
    now,
    private_folder,
    settled,
    stopped_by_signals,
    wired,
)
from assistant.errors import NotFound, SettingsError
from assistant.report.words import clean
from assistant.settings import FOR_SERVER
from assistant.tasks import background

if TYPE_CHECKING:
    from starlette.routing import Route

    from assistant.duty.queue import Queue
    from assistant.duty.rows import Incident
    from assistant.duty.webhooks import Senders
    from assistant.duty.worker import Announcing, Triaging, Worker
    from assistant.incident import Alert, Report
    from assistant.settings import DutySettings, Terms
    from assistant.store import Store, Triage

SECRETS = {
    "PAGERDUTY_WEBHOOK_SECRET": "pagerduty_secret_file",
    "ALERTMANAGER_WEBHOOK_TOKEN": "alertmanager_token_file",
    "ALERTMANAGER_WEBHOOK_LOGIN": "alertmanager_login_file",
}
"""What a sender proves itself with: a variable, (with `_FILE`) the name of a file, or a setting."""

LEARN_SECONDS = 600.0

Progress = Callable[[str, str], None]
"""Is told of a triage's alert id and of what it does now."""

app = typer.Typer(name="duty", help="Alerts that triage themselves.", no_args_is_help=True)


@dataclass(frozen=True)
class Duty:
    """Duty that is running: its queue, and the addresses for a server to mount."""

    queue: Queue
    routes: list[Route]


@asynccontextmanager
async def taking_alerts(
    made: Wired, announce: Announcing, progress: Progress | None = None
) -> AsyncIterator[None]:
    """Duty as the settings say, its webhooks included, until the block ends.

    Raises SettingsError where no alert can arrive or the address is taken.
    """
    from assistant.cli.listening import listening  # noqa: PLC0415 - `--help` needs no server

    duty = made.settings.duty
    if not duty.has_a_way_in:
        raise SettingsError(
            "duty needs a way in: --listen HOST:PORT for webhooks, or --poll SECONDS"
            " (settings duty.listen, duty.poll_seconds)"
        )
    senders = senders_of(os.environ, duty)
    address = _address(duty.listen, senders) if duty.listen else None
    async with on_duty(made, announce, senders=senders, progress=progress) as running:
        if address is None:
            yield
            return
        async with listening(*address, running.routes):
            yield


@asynccontextmanager
async def on_duty(
    made: Wired,
    announce: Announcing,
    *,
    senders: Senders,
    terms: Terms | None = None,
    poll_seconds: float | None = None,
    progress: Progress | None = None,
) -> AsyncIterator[Duty]:
    """Duty as a task beside the caller's own, until the block ends.

    What is left out is as the settings say. `poll_seconds` of 0 leaves PagerDuty unasked: then
    webhooks bring the alerts. `progress` is told of each stage of a triage, with the alert's id.
    Raises AssistantError where the queue cannot be opened.
    """
    from assistant.duty.learning import Learning  # noqa: PLC0415 - `--help` needs none of it
    from assistant.duty.polling import Poll  # noqa: PLC0415
    from assistant.duty.webhooks import Intake  # noqa: PLC0415

    ask, duty = asking(made, "duty"), made.settings.duty
    seconds = duty.poll_seconds if poll_seconds is None else poll_seconds
    with opened(made.settings.home, terms or duty) as queue:
        worker = _worker(made, queue, announce, progress or _untold)
        intake = Intake(queue, senders, made.clock, worker.wake)
        async with background() as tasks:
            tasks.start_soon(worker.run)
            tasks.start_soon(Learning(queue, ask, made.clock).run, LEARN_SECONDS)
            if seconds:
                tasks.start_soon(Poll(queue, ask, made.clock, worker.wake).run, seconds)
            yield Duty(queue, intake.routes())
            tasks.cancel_scope.cancel()


def _worker(made: Wired, queue: Queue, announce: Announcing, progress: Progress) -> Worker:
    from assistant.duty.worker import Worker  # noqa: PLC0415 - see above

    owner = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
    return Worker(queue, _triaging(made, queue, progress), announce, made.clock, owner)


def _untold(_alert_id: str, _stage: str) -> None:
    """Nobody watches."""


@contextmanager
def opened(home: Path, terms: Terms | None = None) -> Iterator[Queue]:
    """The queue of this home."""
    from assistant.duty.queue import Queue  # noqa: PLC0415 - `--help` needs no database

    with Queue.open(private_folder(home) / "duty.db", terms) as queue:
        yield queue


def known_alert(home: Path, alert_id: str) -> Alert | None:
    """The alert by value, where only duty knows it: Alertmanager's alerts have no id anywhere else.

    A triage of such an id is given it as `Desk.given`. Blocks for milliseconds.
    """
    if not alert_id.startswith("alertmanager:") or not (home / "duty.db").is_file():
        return None
    with opened(home) as queue:
        return queue.by_value(alert_id)


def senders_of(environment: Mapping[str, str], duty: DutySettings | None = None) -> Senders:
    """Who may deliver, by the variables, else by the settings.

    Raises SettingsError for a file that cannot be read.
    """
    from assistant.duty.webhooks import Senders  # noqa: PLC0415 - `--help` needs no server

    signing, tokens, logins = (
        _lines(environment.get(name, ""), *_file(environment, name, duty)) for name in SECRETS
    )
    return Senders(signing, tokens, logins)


def _file(
    environment: Mapping[str, str], variable: str, duty: DutySettings | None
) -> tuple[str, str]:
    """What names the file of a secret, and the file."""
    if named := environment.get(f"{variable}_FILE", "").strip():
        return f"{variable}_FILE", named
    setting = SECRETS[variable]
    return f"duty.{setting}", str(getattr(duty, setting, None) or "")


def secret_lines(environment: Mapping[str, str], variable: str) -> tuple[str, ...]:
    """The variable, or the file that `variable`_FILE names. Raises SettingsError."""
    naming = f"{variable}_FILE"
    return _lines(environment.get(variable, ""), naming, environment.get(naming, "").strip())


def _lines(text: str, naming: str, path: str) -> tuple[str, ...]:
    """One secret a line; several while one is being changed for another."""
    if not text.strip() and path:
        try:
            text = Path(path).expanduser().read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{naming} names {path!r}: {error}") from None
        if not text.strip():
            raise SettingsError(f"{naming} names {path!r}, which is empty")
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def _triaging(made: Wired, queue: Queue, progress: Progress) -> Triaging:
    async def triaged(alert_id: str) -> str:
        from assistant.store import Store  # noqa: PLC0415 - see above

        async with Store.open(made.settings.database) as store:
            cut_off = await anyio.to_thread.run_sync(queue.interrupted, alert_id)
            begun = await store.unfinished(alert_id) if cut_off else None
            started = begun or await store.start(alert_id, made.clock())
            told = partial(progress, alert_id)
            try:
                report = await _report(made, store, started, queue, told)
            except NotFound:
                await store.drop(started.id)
                raise
            await store.finish(started.id, report)
            return started.id

    return triaged


async def _report(
    made: Wired, store: Store, started: Triage, queue: Queue, told: Callable[[str], None]
) -> Report:
    from assistant.toolbox import Session, Toolbox  # noqa: PLC0415 - see above
    from assistant.triage import Desk, triage  # noqa: PLC0415 - see above

    session = Session(
        incident=started.id,
        caller="duty",
        known=await store.evidence(started.id),
        keep=lambda evidence: store.keep(started.id, evidence),
    )
    given = await anyio.to_thread.run_sync(queue.by_value, started.alert_id)
    async with Toolbox.open(made.settings, made.environment, made.clock, session) as toolbox:
        toolbox.begin(FOR_SERVER)
        desk = Desk(
            toolbox=toolbox,
            clock=made.clock,
            timer=stopwatch(),
            lookback=timedelta(seconds=made.settings.lookback_seconds),
            on_stage=told,
            given=given,
        )
        return await triage(started.id, started.alert_id, desk, made.settings.checkpoints)


@app.command("run")
def run(
    lab: Annotated[
        str | None, typer.Option("--lab", metavar="WORLD", help="Be on duty for a lab's systems.")
    ] = None,
    listen: Annotated[
        str | None, typer.Option(help="HOST:PORT for webhooks; without it there are none.")
    ] = None,
    poll: Annotated[
        float | None, typer.Option(min=0, help="Ask PagerDuty every so many seconds; 0: never.")
    ] = None,
    window: Annotated[float | None, typer.Option(help="Seconds in which alerts are one.")] = None,
    settle: Annotated[float | None, typer.Option(help="Seconds of quiet before grouping.")] = None,
    cooldown: Annotated[float | None, typer.Option(help="Seconds between triages of one.")] = None,
    per_hour: Annotated[int | None, typer.Option(help="Triages in any hour.")] = None,
) -> None:
    """Take alerts in, group them, triage each incident once. Prints what happens; Ctrl-C ends it.

    What is not given here is as the settings of the group `duty` say.
    """
    given = {"listen": listen, "poll_seconds": poll, "window_seconds": window,
             "settle_seconds": settle, "cooldown_seconds": cooldown, "triages_per_hour": per_hour}  # fmt: skip
    anyio.run(_run, lab, {f"duty.{name}": value for name, value in given.items()})


async def _run(lab: str | None, flags: Mapping[str, object]) -> None:
    if channel := settled(flags).duty.slack_channel:
        # Two that tell of one queue would each tell half of it.
        raise SettingsError(
            f"duty.slack_channel is {channel}: run `assistant slack`, which takes the alerts in and "
            "tells of them there; empty it to have them printed here"
        )
    with stopped_by_signals():
        async with wired(lab, None, flags) as made, taking_alerts(made, _print):
            await anyio.sleep_forever()


def _address(listen: str, senders: Senders) -> tuple[str, int]:
    """Where to listen. Raises SettingsError where nobody may deliver."""
    host, _, port = listen.rpartition(":")
    if not any(
        (senders.pagerduty_secrets, senders.alertmanager_tokens, senders.alertmanager_logins)
    ):
        named = ", ".join(f"{name}_FILE" for name in SECRETS)
        raise SettingsError(f"duty listens for nobody without a secret: set one of {named}")
    return host.strip("[]"), int(port)


async def _print(incident: Incident, report: str) -> None:
    told = "; ".join(incident.news)
    shown = f", `assistant show {report}`" if report else ""
    line = f"{incident.id} {incident.title} ({incident.firing} of {incident.alerts} firing): {told}"
    sys.stdout.write(clean(f"{line}{shown}") + "\n")
    sys.stdout.flush()


InLab = Annotated[bool, typer.Option("--lab", help="Those of the lab.")]


@app.command("list")
def list_incidents(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 20,
    lab: InLab = False,
) -> None:
    """List the incidents of duty, newest first, each with why its alerts are one."""
    with opened(_home(lab=lab)) as queue:
        rows = queue.incidents(limit)
    table = Table("incident", "opened", "state", "title", "alerts", "why", "report", box=None)
    for row in rows:
        state = "closed" if row.closed_at else "open"
        at = row.opened_at.strftime("%Y-%m-%d %H:%M")
        table.add_row(
            row.id, at, state, escape(row.title), str(row.alerts), escape(row.why), row.report
        )
    Console().print(table if rows else "No alert has come in yet.")


@app.command("show")
def show_incident(
    id: Annotated[str, typer.Argument(help="Incident of duty.")], lab: InLab = False
) -> None:
    """Show every alert of an incident, and why it is in it."""
    with opened(_home(lab=lab)) as queue:
        incident, alerts = queue.incident(id), queue.alerts(id)
    table = Table("alert", "began", "state", "title", "why", box=None)
    for row in alerts:
        state = "resolved" if row.resolved_at else "firing"
        began = row.alert.starts_at.strftime("%Y-%m-%d %H:%M")
        table.add_row(escape(row.alert.id), began, state, escape(row.alert.title), escape(row.why))
    Console().print(f"{incident.title}: {incident.why}", markup=False, highlight=False)
    Console().print(table)


@app.command("split")
def split_incident(
    id: Annotated[str, typer.Argument(help="Incident of duty.")],
    alerts: Annotated[list[str], typer.Argument(help="Its alerts that do not belong to it.")],
    why: Annotated[str, typer.Option(help="Told in both threads.")],
    lab: InLab = False,
) -> None:
    """Take alerts out of an incident into one of their own, which is triaged; both are told why."""
    with opened(_home(lab=lab)) as queue:
        typer.echo(queue.split(id, alerts, clean(why), now()))


def _home(*, lab: bool) -> Path:
    home = settled({}).home
    return home / "lab" if lab else home
