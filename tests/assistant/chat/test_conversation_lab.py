"""The scripted conversation over two worlds of the lab, a restart in the middle, ten threads at once."""

import asyncio
import sys
from contextlib import asynccontextmanager

import anyio
import pytest

from assistant.cli.chat import conversing
from assistant.cli.wiring import wired
from tests.assistant.chat.scripted import scripts
from tests.assistant.chat.talking import say

INGEST = (
    sys.executable,
    "-m",
    "ingest",
    "--source",
    "examples/runbooks",
    "--embedding",
    "none",
    "--index",
)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("ASSISTANT_HOME", str(tmp_path))
    return tmp_path


@asynccontextmanager
async def talking(world):
    async with wired(world, None) as made, conversing(made) as engine:
        yield engine


async def not_held(engine, thread, reply):
    """Every citation that does not open, or does not hold its words."""
    for citation in reply.citations:
        evidence = await engine.evidence(thread, citation.evidence)
        if evidence is None or not evidence.holds(citation.quote):
            yield citation


@pytest.mark.parametrize("script", list(scripts()), ids=lambda script: script.world)
async def test_each_turn_of_the_script_is_answered_right_and_cites_what_it_saw(script, home):
    await anyio.run_process([*INGEST, str(home / "runbooks")])
    missed = []
    async with talking(script.world) as engine:
        for turn in script.turns:
            _, reply = await say(engine, turn.say)
            missed += [(turn.say, wrong) for wrong in turn.missed_by(reply)]
            missed += [(turn.say, one) async for one in not_held(engine, "one", reply)]
    assert not missed


async def test_a_restart_loses_nothing_of_a_thread(home):
    async with talking("amber") as engine:
        _, first = await say(engine, "triage QH61GVK4YFMN1W")
        await say(engine, "show the events of quotes")
    async with talking("amber") as engine:
        _, why = await say(engine, "why?")
        _, again = await say(engine, "and in the last 20 minutes?")
    assert why.report == first.report
    assert "4.13.0-rc.2" in why.text
    assert "storefront" in again.scope


async def test_ten_threads_about_two_incidents_never_mix(home):
    titles = {"QH61GVK4YFMN1W": "bookings:4.13.0-rc.2", "QPKEWT3MO6GLWQ": "archive"}
    threads = [(f"thread {n}", list(titles)[n % 2]) for n in range(10)]
    async with talking("amber") as engine:
        told = await asyncio.gather(
            *(say(engine, f"triage {alert}", name) for name, alert in threads)
        )
        assert [reply.text for _, reply in told if not reply.incident] == []
        answers = await asyncio.gather(
            *(say(engine, "what is the cause?", name) for name, _ in threads)
        )
    for (_, alert), (_, reply) in zip(threads, answers, strict=True):
        assert reply.incident == alert
        assert titles[alert] in reply.text
