"""What Slack's front end keeps over a restart."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from assistant.chat.slack.memory import Memory, Promise

pytestmark = pytest.mark.anyio


async def test_a_key_is_claimed_once_also_after_a_restart(tmp_path: Path) -> None:
    for first in (True, False):
        async with Memory.open(tmp_path / "slack.db") as memory:
            assert await memory.claim("delivery Ev1") is first
            assert await memory.claim("delivery Ev1") is False


async def test_of_many_at_once_one_claims(tmp_path: Path) -> None:
    got: list[bool] = []
    async with Memory.open(tmp_path / "slack.db") as memory:

        async def claim() -> None:
            got.append(await memory.claim("press"))

        async with anyio.create_task_group() as tasks:
            for _ in range(20):
                tasks.start_soon(claim)
    assert sorted(got) == [*[False] * 19, True]


async def test_what_was_released_can_be_claimed_again(tmp_path: Path) -> None:
    async with Memory.open(tmp_path / "slack.db") as memory:
        await memory.claim("press")
        await memory.release("press")
        assert await memory.claim("press")


async def test_only_the_newest_keys_are_kept(tmp_path: Path) -> None:
    async with Memory.open(tmp_path / "slack.db", most_handled=3) as memory:
        for number in range(10):
            assert await memory.claim(f"delivery {number}")
        assert [await memory.claim(f"delivery {number}") for number in (9, 8, 7)] == [False] * 3
        assert await memory.claim("delivery 6")


async def test_the_first_thread_of_an_incident_stays_until_it_is_dropped(tmp_path: Path) -> None:
    async with Memory.open(tmp_path / "slack.db") as memory:
        await memory.keep_thread("C1", "P1", "1.0")
        await memory.keep_thread("C1", "P1", "2.0")
        await memory.keep_thread("C2", "P1", "3.0")
        assert await memory.thread_of("C1", "P1") == "1.0"
        assert await memory.thread_of("C2", "P1") == "3.0"
        await memory.drop_thread("C1", "1.0")
        assert await memory.thread_of("C1", "P1") == ""


async def test_a_thread_speaks_of_its_newest_report(tmp_path: Path) -> None:
    async with Memory.open(tmp_path / "slack.db") as memory:
        assert await memory.newest_report("slack/T/C/1") == ""
        await memory.keep_report("slack/T/C/1", "t1")
        await memory.keep_report("slack/T/C/1", "t2")
        assert await memory.newest_report("slack/T/C/1") == "t2"


async def test_a_promise_is_remembered_until_it_is_kept(tmp_path: Path) -> None:
    async with Memory.open(tmp_path / "slack.db") as memory:
        first, second = (Promise(channel="C1", ts=ts, key=f"press {ts}") for ts in ("1", "2"))
        for promise in (first, second):
            await memory.promise(promise)
            await memory.claim(promise.key)
        await memory.settle(first, kept=True)
    async with Memory.open(tmp_path / "slack.db") as memory:
        assert await memory.promises() == [second]
        await memory.settle(second, kept=False)
        assert await memory.promises() == []
        assert [await memory.claim(one.key) for one in (first, second)] == [False, True]
