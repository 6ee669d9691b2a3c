"""Leave-one-out: does the triage accuse wrongly when a family of checks is missing?

Each world is triaged once. Then its evidence is diagnosed again without one family after the other.
A replay sees only what its own checks asked for: the answers that the missing family would have
fetched stay unseen, as they would in a triage without it.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from assistant.checks import CHECKS, Case, Check
from assistant.incident import Evidence, Finding, Frozen, Report
from assistant.settings import load_settings
from assistant.toolbox import Call, Session, Toolbox
from assistant.triage import Desk, replay
from eval.adapters import vocabulary
from eval.lab.worlds import default_cache, find_world
from eval.pool import over_worlds, shown
from eval.records import Record, append, read_lines
from eval.run import Plan, record, triaged, worlds

PATIENCE_SECONDS = 3600.0
"""Replays ask nobody: no budget may cut them short."""


class Ablation(Frozen):
    """One world: what is said with every family, and without each."""

    world: str
    whole: Record
    without: Mapping[str, Record]


MOST_KEPT = 5
"""Answers that are kept of each diagnosis: the first ones tell who is accused."""


class Recorded:
    """A toolbox that answers from a triage's evidence, and shows what it was asked for."""

    def __init__(self, toolbox: Toolbox) -> None:
        self._toolbox = toolbox
        self._asked: set[str] = set()

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """All that was asked for so far, oldest first."""
        return tuple(item for item in self._toolbox.evidence if item.id in self._asked)

    @property
    def calls(self) -> int:
        """Questions asked."""
        return len(self._asked)

    async def call(
        self, tool: str, arguments: Mapping[str, Any] | None = None, *, reason: str = ""
    ) -> Evidence:
        """The answer of the triage to this question."""
        answer = await self._toolbox.call(tool, arguments, reason=reason)
        self._asked.add(answer.id)
        return answer

    async def collect(self, calls: Iterable[Call]) -> list[Evidence]:
        """The answers to several."""
        return [await self.call(call.tool, call.arguments, reason=call.reason) for call in calls]


def ablated(plan: Plan, console: Console) -> list[Ablation]:
    """Every world of the plan; what was done before stands in its file and is not done again."""
    vocabulary(plan.vocabulary)
    named = worlds(plan.worlds)
    plan.out.parent.mkdir(parents=True, exist_ok=True)
    if plan.fresh:
        plan.out.unlink(missing_ok=True)
    done = {row.world: row for row in read_lines(plan.out, Ablation)}
    todo = [place for name, place in named.items() if name not in done]
    work = partial(ablate_world, words=plan.vocabulary)
    for place, outcome in shown(over_worlds(work, todo, plan.jobs), len(todo), console):
        if isinstance(outcome, Ablation):
            append(plan.out, outcome)
            done[outcome.world] = outcome
        else:
            console.print(f"{place}: {outcome!r}", markup=False, highlight=False)
    return [done[name] for name in sorted(done) if name in named]


def ablate_world(world: str, words: str) -> Ablation:
    """Triage a world, then diagnose it again without each family."""
    folder = find_world(world, default_cache())
    return asyncio.run(_ablate(folder, words))


async def _ablate(folder: Path, words: str) -> Ablation:
    report, _ = await triaged(folder)
    with tempfile.TemporaryDirectory(prefix="eval-") as home:
        settings = load_settings({"home": home, "budget.seconds": PATIENCE_SECONDS}, {})
        session = Session(incident=report.id, caller="eval", known=report.evidence, offline=True)
        end = report.scope.window.end
        lookback = timedelta(seconds=settings.lookback_seconds)
        async with Toolbox.open(settings, {}, lambda: end, session) as toolbox:

            async def said(checks: Mapping[str, Check]) -> Record:
                desk = Desk(Recorded(toolbox), lambda: end, lambda: 0.0, lookback, checks=checks)
                return _told(await replay(report.id, report.alert.id, desk), words)

            active = set[str]()
            whole = await said({name: _watched(name, one, active) for name, one in CHECKS.items()})
            without = {
                missing: await said({name: CHECKS[name] for name in CHECKS if name != missing})
                for missing in sorted(active)
            }
    idle = dict.fromkeys(CHECKS, whole)
    return Ablation(world=folder.name, whole=whole, without={**idle, **without})


def _watched(name: str, check: Check, active: set[str]) -> Check:
    """The check, noted where it found or asked something: without any other, nothing is otherwise."""

    async def watched(case: Case) -> list[Finding]:
        async def ask(tool: str, arguments: Mapping[str, Any], why: str) -> Evidence:
            active.add(name)
            return await case.ask(tool, arguments, why)

        found = await check(replace(case, ask=ask))
        if found:
            active.add(name)
        return found

    return watched


def _told(report: Report, words: str) -> Record:
    made = record(report.id, report, words)
    return made.model_copy(update={"ranked": made.ranked[:MOST_KEPT], "blind_spots": ()})
