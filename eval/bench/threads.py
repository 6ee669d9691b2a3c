"""`python -m eval bench threads`: ten people ask at once in ten threads, about two incidents.

Both incidents were triaged before: the answers come from stored evidence, of which every system
stays unasked. First the engine alone is measured, then the same over Slack's front end and a Slack on
loopback. What each thread is told is held against what a quiet thread was told before.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import anyio
import typer

from assistant.chat.contract import Ask, Conversing, Reply
from assistant.cli.chat import conversing
from assistant.cli.wiring import Wired
from assistant.settings import load_settings
from eval.bench.slack import Slack
from eval.lab.lab import serve
from eval.lab.worlds import default_cache, find_world
from eval.tables import quantile

QUESTIONS = ("what is the cause?", "why?", "what did you rule out?", "timeline", "full report")
"""All of them are answered from what a triage stored."""
AIM_SECONDS = 1.0
"""Of nineteen in twenty answers."""
TRIAGE_SECONDS = 60.0


@dataclass(frozen=True)
class Plan:
    """How many ask how often, and where."""

    people: int = 10
    rounds: int = 20
    world: str = "amber"
    slack: bool = True


@dataclass
class Heard:
    """The answers of one way in."""

    seconds: list[float] = field(default_factory=list)
    wrong_thread: int = 0

    def figures(self) -> dict[str, Any]:
        """As JSON holds them."""
        return {
            "answers": len(self.seconds),
            "median_seconds": round(median(self.seconds), 4),
            "p95_seconds": round(quantile(self.seconds, 0.95), 4),
            "longest_seconds": round(max(self.seconds), 4),
            "wrong_thread": self.wrong_thread,
        }


Right = Mapping[tuple[str, str], Reply]
"""What a quiet thread was told, by incident and question."""


async def measure(plan: Plan) -> dict[str, Any]:
    """Ask, round after round, and count."""
    async with _engine(plan.world) as (made, engine, alerts):
        right = await _quiet(engine, made, alerts)
        found = {"plan": asdict(plan), "engine": await _over_engine(engine, made, plan, right)}
        if plan.slack:
            found["slack"] = await _over_slack(engine, made, plan, right)
        return found


@asynccontextmanager
async def _engine(world: str) -> AsyncIterator[tuple[Wired, Conversing, list[str]]]:
    """The engine over a world of the lab, with a fresh home; and the world's open incidents."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="threads-"))
        lab = await stack.enter_async_context(serve(find_world(world, default_cache())))
        settings = load_settings({"home": folder}, {}, defaults={"budget.seconds": TRIAGE_SECONDS})
        made = Wired(settings, lab.environment, lab.clock)
        rows = lab.world.pager["incidents"]
        alerts = [row["id"] for row in rows if row["status"] != "resolved"]
        yield made, await stack.enter_async_context(conversing(made)), alerts[:2]


async def _said(engine: Conversing, made: Wired, thread: str, text: str) -> Reply:
    ask = Ask(thread=thread, text=text, by="bench", at=made.clock())
    async for item in engine.say(ask):
        if isinstance(item, Reply):
            return item
    raise AssertionError("the engine ended without a reply")


async def _quiet(engine: Conversing, made: Wired, alerts: list[str]) -> Right:
    """Triage each incident in a thread of its own, and ask each question there once."""
    right = {}
    for alert in alerts:
        await _said(engine, made, f"quiet {alert}", f"triage {alert}")
        for text in QUESTIONS:
            right[alert, text] = await _said(engine, made, f"quiet {alert}", text)
    return right


def _people(plan: Plan, right: Right) -> dict[str, str]:
    """Each thread, and the incident that it is about."""
    alerts = list(dict.fromkeys(alert for alert, _ in right))
    return {f"{number}": alerts[number % len(alerts)] for number in range(plan.people)}


def _asked(plan: Plan) -> Iterator[list[str]]:
    """Round by round what each person asks: never all the same at once."""
    for number in range(plan.rounds):
        yield [QUESTIONS[(number + person) % len(QUESTIONS)] for person in range(plan.people)]


async def _over_engine(engine: Conversing, made: Wired, plan: Plan, right: Right) -> dict[str, Any]:
    threads, heard = _people(plan, right), Heard()

    async def one(thread: str, alert: str, text: str) -> None:
        began = anyio.current_time()
        reply = await _said(engine, made, thread, text)
        heard.seconds.append(anyio.current_time() - began)
        meant = right[alert, text]
        same = (reply.text, reply.incident) == (meant.text, meant.incident)
        heard.wrong_thread += not same

    for thread, alert in threads.items():
        await _said(engine, made, thread, f"triage {alert}")
    for texts in _asked(plan):
        async with anyio.create_task_group() as tasks:
            for (thread, alert), text in zip(threads.items(), texts, strict=True):
                tasks.start_soon(one, thread, alert, text)
    return heard.figures()


async def _over_slack(engine: Conversing, made: Wired, plan: Plan, right: Right) -> dict[str, Any]:
    threads, heard = _people(plan, right), Heard()
    with tempfile.TemporaryDirectory(prefix="threads-") as folder:
        async with Slack.open(engine, made.clock, Path(folder) / "slack.db") as slack:

            async def one(thread: str, alert: str, text: str) -> None:
                began = anyio.current_time()
                told = await slack.ask(thread, text)
                heard.seconds.append(anyio.current_time() - began)
                heard.wrong_thread += not slack.says(told, right[alert, text])

            for thread, alert in threads.items():
                await slack.ask(thread, f"triage {alert}")
            for texts in _asked(plan):
                async with anyio.create_task_group() as tasks:
                    for (thread, alert), text in zip(threads.items(), texts, strict=True):
                        tasks.start_soon(one, thread, alert, text)
            strays = slack.strays()
    return heard.figures() | {"strays": strays}


def page(found: dict[str, Any]) -> Iterator[str]:
    """The figures as a person reads them."""
    plan = found["plan"]
    yield f"{plan['people']} people ask at once in {plan['people']} threads, {plan['rounds']} times"
    for way in ("engine", "slack"):
        if way in found:
            one = found[way]
            yield (
                f"{way:<7} median {one['median_seconds']:.3f} s, p95 {one['p95_seconds']:.3f} s "
                f"(aim: under {AIM_SECONDS:g}), longest {one['longest_seconds']:.3f} s, "
                f"{one['wrong_thread']} of {one['answers']} in a wrong thread (aim: 0)"
            )


def main(
    people: Annotated[int, typer.Option(min=2, help="Who ask at once, each in a thread.")] = 10,
    rounds: Annotated[int, typer.Option(min=1, help="How often all of them ask.")] = 20,
    slack: Annotated[bool, typer.Option(help="Also over Slack's front end.")] = True,  # noqa: FBT002 - a flag
    json_file: Annotated[Path | None, typer.Option("--json", help="Write them as JSON.")] = None,
) -> None:
    """Measure answers from stored evidence while others ask; count those in a wrong thread."""
    found = anyio.run(measure, Plan(people=people, rounds=rounds, slack=slack))
    if json_file:
        json_file.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write("\n".join(page(found)) + "\n")


if __name__ == "__main__":
    typer.run(main)
