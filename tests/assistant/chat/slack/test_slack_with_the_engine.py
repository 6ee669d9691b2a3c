"""The command itself, over the real engine, a world of the lab, and a Slack on loopback."""

from __future__ import annotations

import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from anyio.abc import Process

from tests.assistant.chat.slack.conftest import Scripted, Talk, environment
from tests.assistant.chat.slack.slack_server import CHANNEL, SlackServer
from tests.assistant.cli.conftest import environment_at

pytestmark = pytest.mark.anyio
PROGRAM = "from assistant.cli import main; main()"
COMMAND = (sys.executable, "-c", PROGRAM, "slack")
FIVE = ["Full report", "Why", "Timeline", "Runbook", "Ruled out"]


@asynccontextmanager
async def running(slack: SlackServer, told: dict[str, str], log: Path) -> AsyncIterator[Process]:
    with log.open("wb") as lines:
        async with await anyio.open_process(
            [*COMMAND, "--lab", "amber"], env=told | environment(slack), stdout=lines, stderr=lines
        ) as process:
            try:
                yield process
            finally:
                process.send_signal(signal.SIGTERM)
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


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"SLACK_PEOPLE": ""}, "SLACK_PEOPLE is empty"),
        ({"SLACK_BOT_TOKEN": "xoxb-wrong"}, "Slack refuses SLACK_BOT_TOKEN"),
        ({"SLACK_APP_TOKEN": "xapp-wrong"}, "Slack refuses SLACK_APP_TOKEN"),
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
