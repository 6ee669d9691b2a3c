"""`python -m ingest`: progress on stderr, one line on stdout, an exit code for the scheduler."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial

import anyio
from rich.console import Console
from rich.progress import Progress as Bar

from ingest.changes import Progress
from ingest.errors import IndexBusy, IngestError
from ingest.job import ingest
from ingest.metrics import Ended, push_metrics, write_metrics
from ingest.options import Options, options
from ingest.report import ExitCode, IngestReport, failure, write_json
from ingest.settings import IngestSettings
from ingest.sources.base import Source

CALLED_OFF = "interrupted; the index is as it was, and the next run goes on from there"
ABOUT = "Brings the index of runbooks up to date with its sources."


def main(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Runs one ingestion and tells how it went; gives back one of `ExitCode`."""
    chosen = options(arguments, ABOUT)
    console = Console(stderr=True)
    ended, fields = _run(chosen, environment, console)
    for problem in _tell(chosen, ended, fields):
        _say(console, f"ingest: {problem}")
    if ended.report is not None:
        sys.stdout.write(f"{ended.report.line}\n")
    return int(ended.code)


def _run(
    chosen: Options, environment: Mapping[str, str], console: Console
) -> tuple[Ended, dict[str, object]]:
    """One run: how it ended, and the same as JSON has it."""
    started = datetime.now(UTC)
    try:
        with shown_on(console) as progress, chosen.opened_sources(environment) as sources:
            report = anyio.run(_ingested, chosen.settings, progress, sources)
    except IngestError as error:
        code = ExitCode.BUSY if isinstance(error, IndexBusy) else ExitCode.FAILED
        _say(console, f"ingest: {error}")
        return Ended(started, code), failure(chosen.settings.index, str(error), code)
    if report is None:
        _say(console, f"ingest: {CALLED_OFF}")
        code = ExitCode.INTERRUPTED
        return Ended(started, code), failure(chosen.settings.index, CALLED_OFF, code)
    for words in _remarks(report):
        _say(console, words)
    return Ended(started, report.exit_code, report), report.fields


async def _ingested(
    settings: IngestSettings, progress: Progress, sources: Sequence[Source]
) -> IngestReport | None:
    """The report, or None where a signal called the run off: it then ends between two steps."""
    ended: IngestReport | IngestError | None = None
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_cancel_on_signal, tasks.cancel_scope)
        try:
            ended = await ingest(settings, progress, sources)
        except IngestError as error:
            # Raised below: a task group would wrap it.
            ended = error
        tasks.cancel_scope.cancel()
    if isinstance(ended, IngestError):
        raise ended
    return ended


async def _cancel_on_signal(run: anyio.CancelScope) -> None:
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for _ in signals:
            run.cancel()


def _remarks(report: IngestReport) -> Iterator[str]:
    """What a person should know of a run besides its one line."""
    yield from report.notes
    yield from (f"skipped {one}" for one in report.skipped)
    yield from (f"source failed, its documents stay: {one}" for one in report.failed)
    if report.dry_run:
        yield from (f"would add {path}" for path in report.added)
        yield from (f"would change {path}" for path in report.changed)
        yield from (f"would remove {path}" for path in report.removed)


def _tell(chosen: Options, ended: Ended, fields: dict[str, object]) -> Iterator[str]:
    """Writes the report and the metrics; what cannot be written is told, and changes no exit code."""
    told: list[Callable[[], None]] = []
    if chosen.report is not None:
        told.append(partial(write_json, chosen.report, fields))
    if chosen.metrics_file is not None and not chosen.settings.dry_run:
        told.append(partial(write_metrics, chosen.metrics_file, ended))
    if chosen.pushgateway and not chosen.settings.dry_run:
        told.append(partial(push_metrics, chosen.pushgateway, ended))
    for tell in told:
        try:
            tell()
        except IngestError as error:
            yield str(error)


def _say(console: Console, words: str) -> None:
    console.print(words, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def shown_on(console: Console) -> Iterator[Progress]:
    """Progress bars for `ingest`; nothing where stderr is no terminal."""
    with Bar(console=console, transient=True, disable=not console.is_terminal) as bar:
        tasks = {}

        def show(doing: str, done: int, total: int) -> None:
            if doing not in tasks:
                tasks[doing] = bar.add_task(doing, total=total)
            bar.update(tasks[doing], completed=done, total=total)

        yield show


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
