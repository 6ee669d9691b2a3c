"""The command itself, over the real engine and worlds of the lab, in a real browser."""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import pytest
from anyio.abc import ByteReceiveStream
from playwright.async_api import Locator, expect

from tests.assistant.chat.scripted import Script, Turn, scripts
from tests.assistant.chat.web.conftest import TOKEN, Tab, Watched
from tests.assistant.cli.conftest import environment_at

pytestmark = pytest.mark.anyio
COMMAND = (sys.executable, "-m", "assistant", "serve", "--port", "0")
SECONDS = 100
ANSWER = 60_000


@dataclass
class Command:
    """The command that runs: where its page is, and what it wrote."""

    url: str = ""
    log: str = ""
    up: anyio.Event = field(default_factory=anyio.Event)

    async def read(self, lines: ByteReceiveStream) -> None:
        async for chunk in lines:
            self.log += chunk.decode()
            if found := re.search(r"listening: (\S+)\n", self.log):
                self.url = found.group(1)
                self.up.set()
        self.up.set()


@asynccontextmanager
async def serving(told: dict[str, str], *arguments: str) -> AsyncIterator[Command]:
    """The command, which is told to end afterwards, and does."""
    made = Command()
    async with (
        await anyio.open_process([*COMMAND, *arguments], env=told) as process,
        anyio.create_task_group() as tasks,
    ):
        assert process.stderr
        tasks.start_soon(made.read, process.stderr)
        try:
            with anyio.fail_after(60):
                await made.up.wait()
            yield made
        finally:
            process.send_signal(signal.SIGTERM)
            with anyio.fail_after(30, shield=True):
                await process.wait()
    assert process.returncode == 0, made.log


@pytest.fixture
def told(tmp_path: Path, cache_home: Path, index: Path) -> dict[str, str]:
    return environment_at(tmp_path / "home", cache_home, index)


@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
@pytest.mark.timeout(SECONDS)
async def test_a_page_at_2am_from_the_list_to_an_opened_piece_of_evidence(
    told: dict[str, str], tmp_path: Path, tab: Tab, *, phone: bool
) -> None:
    secret = tmp_path / "token"
    secret.write_text(f"priya: {TOKEN}\n")
    told["WEB_TOKEN_FILE"] = str(secret)
    async with (
        serving(told, "--lab", "amber") as command,
        tab(command.url, phone=phone) as seen,
    ):
        page = seen.page
        await page.fill("#token", TOKEN)
        await page.keyboard.press("Enter")
        await page.locator("#lists .row", has_text="Bookings: more than 5%").click()
        await expect(page.locator(".steps")).to_contain_text("reading the alert", timeout=ANSWER)
        answer = page.locator(".turn .answer:not(.busy)").first
        await expect(answer).to_contain_text("4.13.0-rc.2 cannot be pulled", timeout=ANSWER)
        await expect(page.locator("#head .state")).to_have_text("cause found")
        await answer.locator(".text a.cite").first.click()
        await expect(page.locator("#drawer h2")).to_contain_text("kubernetes.")
        await expect(page.locator("#drawer .data")).to_contain_text("4.13.0-rc.2")
        await page.locator("#drawer .close").click()
        await page.fill("#text", "draw me the cause chain")
        await page.keyboard.press("Enter")
        await expect(page.locator("figure[data-drawn=yes] img").first).to_be_visible(timeout=ANSWER)
        async with page.expect_popup() as opening:
            await page.locator("#head a", has_text="Report").click()
        report = await opening.value
        await expect(report.locator("header h1")).to_contain_text("Bookings")
        assert await report.locator("svg.chart").count() > 0
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert seen.hosts <= {"127.0.0.1", "blob:"}
        assert seen.errors == []
    assert TOKEN not in command.log
    assert "Traceback" not in command.log


async def shown(turn: Locator) -> dict[str, str]:
    """What a person reads of one answer: its words, its scope, its files, its evidence."""
    await turn.locator(".cites").evaluate_all("all => all.forEach((one) => { one.open = true; })")
    parts = {"text": ".text", "scope": ".scope-words", "files": ".files", "cites": ".cites"}
    return {
        name: "\n".join(
            await turn.locator(f".answer > {where}, .answer > p > {where}").all_inner_texts()
        )
        for name, where in parts.items()
    }


def missed(turn: Turn, read: dict[str, str], *, sure: bool) -> list[str]:
    """What the page lacks of what the script wants."""
    names = [line.split(" ")[0] for line in read["files"].split(" · ")]
    return [
        *turn.missed_by_text(read["text"]),
        *([] if sure == turn.sure else [f"sure is {sure}"]),
        *([] if read["scope"] else ["says no scope"]),
        *(f"scope lacks {word!r}" for word in turn.scope if word not in read["scope"]),
        *([] if read["cites"] or not turn.cites else ["cites nothing"]),
        *(f"no file {end!r}" for end in turn.files
          if not any(name.startswith(end) or name.endswith(end) for name in names)),
    ]  # fmt: skip


async def said(seen: Watched, number: int, text: str) -> Locator:
    """The turn in which this was said, once it is answered."""
    page = seen.page
    await page.fill("#text", text)
    await page.keyboard.press("Enter")
    turn = page.locator(f"#turn-{number}")
    await turn.locator(".answer:not(.busy)").wait_for(timeout=ANSWER)
    return turn


@pytest.mark.parametrize("script", list(scripts()), ids=lambda script: script.world)
@pytest.mark.timeout(2 * SECONDS)
async def test_each_turn_of_the_script_is_answered_on_the_page_as_anywhere(
    script: Script, told: dict[str, str], tab: Tab
) -> None:
    wrong = []
    async with serving(told, "--lab", script.world) as command, tab(command.url) as seen:
        for number, turn in enumerate(script.turns, 1):
            place = await said(seen, number, turn.say)
            sure = await place.locator(".answer.unsure").count() == 0
            wrong += [(turn.say, one) for one in missed(turn, await shown(place), sure=sure)]
            if turn.cites:
                await place.locator(".cites a.cite").first.click()
                await expect(seen.page.locator("#drawer .status")).to_be_visible()
                await seen.page.keyboard.press("Escape")
        assert seen.errors == []
        assert seen.hosts <= {"127.0.0.1", "blob:"}
    assert wrong == []


@pytest.mark.timeout(SECONDS)
async def test_a_restart_of_the_command_loses_nothing_of_a_thread(
    told: dict[str, str], tab: Tab
) -> None:
    path = "incidents/QH61GVK4YFMN1W"
    async with serving(told, "--lab", "amber") as command, tab(f"{command.url}{path}") as seen:
        await seen.page.locator(".opening button").click()
        await seen.page.locator("#turn-1 .answer:not(.busy)").wait_for(timeout=ANSWER)
    async with serving(told, "--lab", "amber") as command, tab(f"{command.url}{path}") as seen:
        await expect(seen.page.locator("#turn-1")).to_contain_text("4.13.0-rc.2")
        await expect(await said(seen, 2, "why?")).to_contain_text("For it")
        await seen.page.locator("#turn-1 .text a.cite").first.click()
        await expect(seen.page.locator("#drawer .status")).to_have_text("ok")


@pytest.mark.timeout(SECONDS)
async def test_an_unknown_incident_is_a_clear_answer(told: dict[str, str], tab: Tab) -> None:
    async with (
        serving(told, "--lab", "amber") as command,
        tab(f"{command.url}incidents/QN0SUCHALERT99") as seen,
    ):
        await seen.page.locator(".opening button").click()
        answer = seen.page.locator(".turn .answer:not(.busy)").first
        await expect(answer).to_contain_text("QN0SUCHALERT99", timeout=ANSWER)
        await expect(answer).to_contain_text("Not answered")


@pytest.mark.timeout(SECONDS)
async def test_systems_that_are_down_are_told_apart_from_quiet_ones(
    told: dict[str, str], tmp_path: Path, tab: Tab
) -> None:
    told |= {
        "PAGERDUTY_API_URL": "http://127.0.0.1:9", "PAGERDUTY_TOKEN": "made-up",
        "PROMETHEUS_URL": "http://127.0.0.1:9", "KUBECONFIG": str(tmp_path / "none"),
    }  # fmt: skip
    async with serving(told) as command, tab(command.url) as seen:
        await expect(seen.page.locator("#lists")).to_contain_text("Could not be seen")
        turn = await said(seen, 1, "what is failing right now?")
        await expect(turn).to_contain_text("Could not see")
        await expect(turn).to_contain_text("not the same as nothing wrong")
        assert seen.errors == []


@pytest.mark.parametrize(
    ("arguments", "variables", "words"),
    [
        (("--host", "0.0.0.0"), {}, "WEB_TOKEN_FILE"),  # noqa: S104
        ((), {"WEB_TOKEN_FILE": "/no/such/file"}, "WEB_TOKEN_FILE names"),
        ((), {"WEB_TOKEN": "short-secret"}, "fewer than 16"),
    ],
)
async def test_what_keeps_it_from_starting_is_one_clear_error(
    told: dict[str, str], arguments: tuple[str, ...], variables: dict[str, str], words: str
) -> None:
    with anyio.fail_after(60):
        done = await anyio.run_process([*COMMAND, *arguments], env=told | variables, check=False)
    lines = done.stderr.decode()
    assert done.returncode == 1
    assert lines.startswith("assistant: ")
    assert words in lines
    assert "short-secret" not in lines
