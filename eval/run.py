"""Runs the real triage against the lab, for one world after the other or several at a time.

What is run is the product as it is, with other addresses; the answers are nowhere in reach.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from rich.console import Console

from assistant.errors import AssistantError, NotFound
from assistant.incident import Report
from assistant.settings import load_settings
from assistant.toolbox import Session, Toolbox
from assistant.triage import Desk, triage
from assistant.triage.compose import unsupported
from eval.adapters import Case, Vocabulary, vocabulary
from eval.lab.lab import serve
from eval.lab.worlds import default_cache, find_world, world_names
from eval.labels import BUILTIN
from eval.pool import Outcome, over_worlds, shown
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
    """Triage every world of the plan that has no report yet; all records. Raises NotFound."""
    vocabulary(plan.vocabulary)
    named = worlds(plan.worlds)
    plan.out.parent.mkdir(parents=True, exist_ok=True)
    if plan.fresh:
        journal_of(plan.out).unlink(missing_ok=True)
    done = read_journal(plan.out)
    _same_vocabulary(plan, done.values())
    todo = [place for name, place in named.items() if name not in done or done[name].failed]
    for record in shown(_records(todo, plan), len(todo), console):
        append(journal_of(plan.out), record)
        done[record.world] = record
        if record.failed:
            console.print(f"{record.world}: {record.failed}", markup=False, highlight=False)
    write_predictions(plan.out, done)
    return done


def worlds(named: Iterable[str]) -> dict[str, str]:
    """Where each world is, by its id: folders, folders of worlds, builtin names, or `builtin`.

    Raises NotFound for what is none of these, and AssistantError where two have the same id.
    """
    found: dict[str, str] = {}
    for place in (place for name in named for place in _places(name)):
        id = Path(place).resolve().name
        if found.setdefault(id, place) != place:
            raise AssistantError(f"{found[id]} and {place} are both called {id}: run them apart")
    return found


def _places(name: str) -> Sequence[str]:
    known = world_names()
    if name == BUILTIN or name in known:
        return known if name == BUILTIN else [name]
    folder = Path(name)
    if folder.is_dir() and not (folder / "world.json").exists():
        if inside := sorted(str(path.parent) for path in folder.glob("*/world.json")):
            return inside
        raise NotFound(f"{name} holds neither world.json nor folders that do")
    return [str(find_world(folder, default_cache()))]


def _same_vocabulary(plan: Plan, done: Iterable[Record]) -> None:
    for record in done:
        if record.vocabulary not in ("", plan.vocabulary):
            raise AssistantError(
                f"{journal_of(plan.out)} was written in the vocabulary {record.vocabulary!r}, "
                f"not {plan.vocabulary!r}: use --fresh, or another --out"
            )


def _records(todo: Sequence[str], plan: Plan) -> Iterator[Record]:
    """A record for each world, as they are done."""
    work = partial(triage_world, words=plan.vocabulary, runbooks=plan.runbooks)
    for place, outcome in over_worlds(work, todo, plan.jobs):
        yield _settled(Path(place).resolve().name, plan.vocabulary, outcome)


def _settled(world: str, words: str, outcome: Outcome[Record]) -> Record:
    if isinstance(outcome, Record):
        return outcome
    known = isinstance(outcome, AssistantError)
    told = str(outcome) if known else f"{type(outcome).__name__}: {outcome}"[:500]
    return Record(world=world, vocabulary=words, failed=told)


def triage_world(world: str, words: str, runbooks: str = "") -> Record:
    """Serve the world, triage its alert, and say what came of it."""
    folder = find_world(world, default_cache())
    report, requests = asyncio.run(triaged(folder, runbooks))
    return record(folder.name, report, words, requests)


async def triaged(folder: Path, runbooks: str = "") -> tuple[Report, int]:
    """The report on a world's alert, and how many requests reached its systems."""
    with tempfile.TemporaryDirectory(prefix="eval-") as home:
        settings = load_settings({"home": home}, {})
        async with serve(folder) as lab:
            environment = {**lab.environment, **({"RUNBOOKS_INDEX": runbooks} if runbooks else {})}
            session = Session(incident=folder.name, caller="eval")
            began = time.monotonic()
            async with Toolbox.open(settings, environment, lab.clock, session) as toolbox:
                lookback = timedelta(seconds=settings.lookback_seconds)
                desk = Desk(toolbox, lab.clock, lambda: time.monotonic() - began, lookback)
                checkpoints = Path(home) / "checkpoints.db"
                report = await triage(folder.name, lab.world.alert_id, desk, checkpoints)
            return report, lab.requests.total()


def record(world: str, report: Report, words: str, requests: int = 0) -> Record:
    """What a report says, in our words and in the vocabulary's."""
    return Record(
        world=world,
        vocabulary=words,
        verdict=report.verdict,
        ranked=tuple(_ranked(report, vocabulary(words))),
        unsupported=tuple(unsupported(report)),
        blind_spots=tuple(f"{spot.tool}: {spot.status}" for spot in report.blind_spots),
        seconds=report.cost.seconds,
        calls=report.cost.calls,
        requests=requests,
    )


def _ranked(report: Report, words: Vocabulary) -> Iterator[Ranked]:
    case = Case.of(report)
    for answer in (*report.hypotheses, *report.rivals):
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
