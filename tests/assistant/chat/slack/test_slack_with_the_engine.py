"""The command itself, over the real engine, a world of the lab, and a Slack on loopback."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import httpx
import pytest
from anyio.abc import Process

from assistant.duty.webhooks import ALERTMANAGER_PATH
from eval.lab.world import load_world
from eval.lab.worlds import find_world
from tests.assistant.chat.slack.conftest import Scripted, Talk, environment
from tests.assistant.chat.slack.slack_server import CHANNEL, SlackServer
from tests.assistant.cli.conftest import environment_at

pytestmark = pytest.mark.anyio
PROGRAM = "from assistant.cli import main; main()"
TOKEN = "token-of-the-test"
COMMAND = (sys.executable, "-c", PROGRAM, "slack")
FIVE = ["Full report", "Why", "Timeline", "Runbook", "Ruled out"]


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@asynccontextmanager
async def running(
    slack: SlackServer, told: dict[str, str], log: Path, ends_by: int = signal.SIGTERM
) -> AsyncIterator[Process]:
    with log.open("wb") as lines:
        async with await anyio.open_process(
            [*COMMAND, "--lab", "amber"],
            env=told | environment(slack),
            stdout=lines,
            stderr=lines,
            start_new_session=True,
        ) as process:
            try:
                yield process
            finally:
                if ends_by == signal.SIGKILL:
                    os.killpg(process.pid, ends_by)
                else:
                    process.send_signal(ends_by)
                with anyio.fail_after(30, shield=True):
                    await process.wait()


async def test_a_page_at_2am_from_alert_to_report_in_one_thread(
    slack: SlackServer, tmp_path: Path, cache_home: Path, index: Path
) -> None:
    talk, log = Talk(slack, Scripted()), tmp_path / "log"
    told = environment_at(tmp_path / "home", cache_home, index)
    async with running(slack, told, log) as process:
        with anyio.fail_after(100):
            await slack.connected.wait()
            await talk.run(talk.command("/triage", "QH61GVK4YFMN1W"))
            root = await talk.answered("4.13.0-rc.2")
            assert list(root.buttons)[:5] == FIVE
            assert any("⏳" in version for version in root.before)
            await talk.click(talk.press(root.ts, root.buttons["Full report"]))
            await slack.until(lambda: "files.completeUploadExternal" in slack.calls)
            for label in FIVE[1:]:
                await talk.click(talk.press(root.ts, root.buttons[label]))
                answer = await talk.answered(f"↳ {label}")
                await slack.until(lambda one=answer: "⏳" not in one.words)
            await talk.run(talk.command("/oncall"))
            await talk.answered("Priya")
            await talk.say(talk.mention("restart bookings <!channel>", thread_ts=root.ts))
            await talk.answered("kubectl")
    assert process.returncode == 0
    assert {file["thread_ts"] for file in slack.files.values()} == {root.ts}
    assert {post.channel for post in slack.posts} == {CHANNEL}
    lines = log.read_text("utf-8")
    assert "listening: Socket Mode" in lines
    assert "made-up" not in lines
    assert "Traceback" not in lines


async def test_an_alert_that_nobody_asked_about_becomes_a_report_in_a_thread_of_its_own(
    slack: SlackServer, tmp_path: Path, cache_home: Path, index: Path
) -> None:
    talk, log = Talk(slack, Scripted()), tmp_path / "log"
    told = environment_at(tmp_path / "home", cache_home, index) | {
        "ASSISTANT_DUTY_SLACK_CHANNEL": CHANNEL,
        "ASSISTANT_DUTY_POLL_SECONDS": "1",
        "ASSISTANT_DUTY_SETTLE_SECONDS": "0",
    }
    async with running(slack, told, log):
        with anyio.fail_after(100):
            root = await talk.answered("4.13.0-rc.2")
            assert root.thread_ts == ""
            assert root.before[0].startswith("↳ ")
            assert any("⏳" in version for version in root.before)
            assert list(root.buttons)[:5] == FIVE
            await talk.say(talk.mention("why?", thread_ts=root.ts))
            answer = await talk.answered("For it")
            assert answer.thread_ts == root.ts
            await talk.click(talk.press(root.ts, root.buttons["Postmortem"]))
            await talk.answered("Postmortem draft")
    assert "Traceback" not in log.read_text("utf-8")


async def delivered(url: str, row: dict[str, Any]) -> None:
    """Post as Alertmanager does until the address is up, within bounds."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with anyio.fail_after(60):
        async with httpx.AsyncClient(headers=headers, trust_env=False) as client:
            while True:
                try:
                    answer = await client.post(url, json={"version": "4", "alerts": [row]})
                    assert answer.is_success, answer.text
                except httpx.ConnectError:
                    await anyio.sleep(0.1)
                else:
                    return


async def test_an_alert_by_webhook_is_told_from_its_beginning_to_its_postmortem(
    slack: SlackServer, tmp_path: Path, cache_home: Path, cache: Path, index: Path
) -> None:
    talk, log, port = Talk(slack, Scripted()), tmp_path / "log", free_port()
    told = environment_at(tmp_path / "home", cache_home, index) | {
        "ASSISTANT_DUTY_SLACK_CHANNEL": CHANNEL,
        "ASSISTANT_DUTY_LISTEN": f"127.0.0.1:{port}",
        "ASSISTANT_DUTY_SETTLE_SECONDS": "0",
        "ALERTMANAGER_WEBHOOK_TOKEN": TOKEN,
    }
    now = load_world(await anyio.to_thread.run_sync(find_world, "amber", cache)).as_of
    row = {
        "status": "firing",
        "labels": {"alertname": "ErrorRatioHigh", "namespace": "dispatch", "service": "bookings"},
        "startsAt": (now - timedelta(minutes=15)).isoformat(),
        "fingerprint": "f1",
    }
    over = {"status": "resolved", "endsAt": (now + timedelta(minutes=4)).isoformat()}
    url = f"http://127.0.0.1:{port}{ALERTMANAGER_PATH}"
    async with running(slack, told, log):
        with anyio.fail_after(100):
            await delivered(url, row)
            root = await talk.answered("4.13.0-rc.2")
            await delivered(url, row | over)
            end = await talk.answered("closed: every alert of it is resolved")
            await talk.click(talk.press(end.ts, end.buttons["Postmortem"]))
            await slack.until(lambda: any("content" in file for file in slack.files.values()))
    (file,) = slack.files.values()
    assert root.thread_ts == ""
    assert end.thread_ts == root.ts
    assert b"until 02:30 UTC" in file["content"]
    assert "Traceback" not in log.read_text("utf-8")


@pytest.mark.timeout(240)
async def test_a_kill_in_the_middle_of_a_triage_ends_in_the_thread_that_was_begun(
    slack: SlackServer, tmp_path: Path, cache_home: Path, index: Path
) -> None:
    talk, log = Talk(slack, Scripted()), tmp_path / "log"
    told = environment_at(tmp_path / "home", cache_home, index) | {
        "ASSISTANT_DUTY_SLACK_CHANNEL": CHANNEL,
        "ASSISTANT_DUTY_POLL_SECONDS": "1",
        "ASSISTANT_DUTY_SETTLE_SECONDS": "0",
        "ASSISTANT_DUTY_LEASE_SECONDS": "2",
    }
    with anyio.fail_after(200):
        async with running(slack, told, log, ends_by=signal.SIGKILL):
            begun = await talk.answered("⏳ Bookings: more than 5% of requests fail")
            # Its triage goes on, so it was noted that the thread is there.
            await slack.until(lambda: begun.before)
        before = {post.ts for post in slack.posts}
        async with running(slack, told, log):
            root = await talk.answered("4.13.0-rc.2")
    assert root.ts in before
    titles = [post.words.count("Bookings: more than 5%") for post in slack.posts]
    assert titles.count(0) == len(titles) - 1


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"SLACK_PEOPLE": ""}, "SLACK_PEOPLE is empty"),
        ({"SLACK_BOT_TOKEN": "xoxb-wrong"}, "Slack refuses SLACK_BOT_TOKEN"),
        ({"SLACK_APP_TOKEN": "xapp-wrong"}, "Slack refuses SLACK_APP_TOKEN"),
        ({"ASSISTANT_DUTY_SLACK_CHANNEL": "C0OTHER"}, "not in SLACK_CHANNELS"),
        ({"ASSISTANT_DUTY_SLACK_CHANNEL": CHANNEL}, "duty needs a way in"),
    ],
)
async def test_what_keeps_it_from_starting_is_one_clear_error(
    slack: SlackServer, tmp_path: Path, cache_home: Path, index: Path,
    changed: dict[str, str], said: str,
) -> None:  # fmt: skip
    told = environment_at(tmp_path / "home", cache_home, index) | environment(slack) | changed
    with anyio.fail_after(60):
        done = await anyio.run_process([*COMMAND], env=told, check=False)
    lines = done.stderr.decode()
    assert done.returncode == 1
    assert lines.splitlines()[-1].startswith("assistant: ")
    assert said in lines
    assert "-wrong" not in lines
    assert "Traceback" not in lines
