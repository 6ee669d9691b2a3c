"""Runs the real triage against the lab, for one world after the other or several at a time.

What is run is the product as it is, with other addresses; the answers are nowhere in reach.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from assistant.errors import AssistantError
from assistant.incident import Hypothesis, Report
from assistant.settings import load_settings
from assistant.toolbox import Session, Toolbox
from assistant.triage import Desk, triage
from assistant.triage.compose import unsupported
from eval.adapters import Case, Vocabulary, vocabulary
from eval.lab.lab import serve
from eval.lab.worlds import default_cache, find_world
from eval.records import Ranked, Record, append, journal_of, read_journal, write_predictions


@dataclass(frozen=True)
class Plan:
    """What to run, and where the answers go."""

    worlds: tuple[str, ...]
    out: Path
    vocabulary: str = "own"
    jobs: int = 1
    fresh: bool = False
    runbooks: str = ""
    """A runbook index for all worlds; without one, runbooks are a blind spot."""


def run(plan: Plan, console: Console) -> Mapping[str, Record]:
    """Triage every world of the plan that has no record yet; all records. Raises NotFound."""
    vocabulary(plan.vocabulary)
    worlds = {str(name): str(find_world(name, default_cache())) for name in plan.worlds}
    plan.out.parent.mkdir(parents=True, exist_ok=True)
    if plan.fresh:
        journal_of(plan.out).unlink(missing_ok=True)
    done = read_journal(plan.out)
    todo = [folder for folder in worlds.values() if Path(folder).name not in done]
    for record in _shown(_records(todo, plan), len(todo), console):
        append(plan.out, record)
        done[record.world] = record
        if record.failed:
            console.print(f"{record.world}: {record.failed}", markup=False, highlight=False)
    write_predictions(plan.out, done)
    return done


def _shown(records: Iterator[Record], total: int, console: Console) -> Iterator[Record]:
    columns = (TextColumn("worlds"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        yield from progress.track(records, total=total)


def _records(folders: Sequence[str], plan: Plan) -> Iterator[Record]:
    """A record for each world, as they are done."""
    # Spawned, not forked: a worker must not inherit the threads and sockets of this process.
    with ProcessPoolExecutor(max_workers=plan.jobs, mp_context=get_context("spawn")) as pool:
        asked = {
            pool.submit(triage_world, folder, plan.vocabulary, plan.runbooks): folder
            for folder in folders
        }
        for future in as_completed(asked):
            yield _settled(future, Path(asked[future]).name)


def _settled(future: Future[Record], world: str) -> Record:
    try:
        return future.result()
    except Exception as error:  # noqa: BLE001 - one world's bug must not end a run over hundreds
        return Record(world=world, failed=f"{type(error).__name__}: {error}"[:500])


def triage_world(folder: str, words: str, runbooks: str = "") -> Record:
    """Serve the world, triage its alert, and say what came of it."""
    try:
        return asyncio.run(_triage_world(Path(folder), vocabulary(words), runbooks))
    except AssistantError as error:
        return Record(world=Path(folder).name, failed=str(error))


async def _triage_world(folder: Path, words: Vocabulary, runbooks: str) -> Record:
    with tempfile.TemporaryDirectory(prefix="eval-") as home:
        settings = load_settings({"home": home}, {})
        async with serve(folder) as lab:
            environment = {**lab.environment, **({"RUNBOOKS_INDEX": runbooks} if runbooks else {})}
            session = Session(incident=folder.name, caller="eval")
            began = time.monotonic()
            async with Toolbox.open(settings, environment, lab.clock, session) as toolbox:
                lookback = timedelta(seconds=settings.lookback_seconds)
                desk = Desk(toolbox, lab.clock, lambda: time.monotonic() - began, lookback)
                report = await triage(
                    folder.name, lab.world.alert_id, desk, Path(home) / "checkpoints.db"
                )
            return record(folder.name, report, words, lab.requests.total())


def record(world: str, report: Report, words: Vocabulary, requests: int = 0) -> Record:
    """What a report says, in our words and in the vocabulary's."""
    return Record(
        world=world,
        verdict=report.verdict,
        ranked=tuple(_ranked(Case.of(report), words, (*report.hypotheses, *report.rivals))),
        unsupported=tuple(unsupported(report)),
        blind_spots=tuple(f"{spot.tool}: {spot.status}" for spot in report.blind_spots),
        seconds=report.cost.seconds,
        calls=report.cost.calls,
        requests=requests,
    )


def _ranked(case: Case, words: Vocabulary, answers: Iterable[Hypothesis]) -> Iterator[Ranked]:
    for answer in answers:
        yield Ranked(
            kind=answer.kind,
            entity=str(answer.entity),
            confidence=answer.confidence,
            statement=answer.statement,
            evidence=tuple(dict.fromkeys(one.evidence for one in answer.citations)),
            ruled_out=answer.ruled_out,
            fault=words.fault(case, answer),
            named=words.entity(case, answer),
        )
