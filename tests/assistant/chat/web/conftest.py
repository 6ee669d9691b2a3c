"""The page on loopback, over an engine that says what a test tells it to, and Debian's browser."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import httpx
import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from assistant.chat.contract import Ask, Reply, Step
from assistant.chat.web.running import Listen, Served, serve
from assistant.chat.web.settings import web_settings
from assistant.incident import Evidence, Status
from assistant.store import Store
from tests.assistant.chat.logged import Lines

NOW = datetime(2026, 3, 14, 2, 26, tzinfo=UTC)
TOKEN = "a-made-up-token-of-priya"
PATIENCE = 30_000
"""Milliseconds that a state of the page is waited for."""


def incident(id: str = "PAY1", title: str = "Checkout fails", **more: Any) -> dict[str, Any]:
    return {
        "id": id, "number": 7, "title": title, "status": "triggered", "urgency": "high",
        "created_at": "2026-03-14T02:11:00Z", "service": "Checkout", **more,
    }  # fmt: skip


@dataclass
class Scripted:
    """An engine: says what stands under the words of the question, and keeps who asked what."""

    asks: list[Ask] = field(default_factory=list)
    answers: dict[str, list[Step | Reply | anyio.Event | Exception]] = field(default_factory=dict)
    held: dict[str, Evidence] = field(default_factory=dict)

    async def say(self, ask: Ask) -> AsyncIterator[Step | Reply]:
        self.asks.append(ask)
        for one in self.answers.get(ask.text, [Reply(text=f"heard: {ask.text}", scope="nowhere")]):
            if isinstance(one, anyio.Event):
                await one.wait()
            elif isinstance(one, Exception):
                raise one
            else:
                yield one

    async def evidence(self, _thread: str, id: str) -> Evidence | None:
        return self.held.get(id)

    def holds(self, data: Any, **more: Any) -> Evidence:
        """One more piece of evidence."""
        id = f"e{len(self.held):08d}"
        told = {"tool": "kubernetes.get_logs", "arguments": {"pod": "a"}, "status": Status.OK}
        self.held[id] = Evidence(id=id, data=data, taken_at=NOW, **(told | more))
        return self.held[id]


@dataclass
class Web:
    """The page that is up, and what it works with."""

    engine: Scripted
    store: Store
    incidents: list[dict[str, Any]]
    unseen: str = ""
    failure: Exception | None = None
    ready: anyio.Event | None = None
    asked: int = 0
    url: str = ""
    log: list[str] = field(default_factory=list)

    async def ask(self, calls: Any) -> list[Evidence]:
        self.asked += 1
        if self.ready:
            await self.ready.wait()
        if self.failure:
            raise self.failure
        status = Status.ERROR if self.unseen else Status.OK
        made = {"id": "e00000000", "arguments": {}, "status": status, "reason": self.unseen}
        data = {"incidents": self.incidents}
        return [Evidence(tool=one.tool, data=data, taken_at=NOW, **made) for one in calls]

    @asynccontextmanager
    async def client(self, **more: Any) -> AsyncIterator[httpx.AsyncClient]:
        """Somebody without a browser."""
        async with httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=20, **more) as one:
            yield one

    @asynccontextmanager
    async def known(self) -> AsyncIterator[httpx.AsyncClient]:
        """Somebody who has logged in."""
        async with self.client() as client:
            await client.post("/login", data={"token": TOKEN})
            yield client


Opened = Callable[..., AbstractAsyncContextManager[Web]]


@pytest.fixture
def opened(tmp_path: Path) -> Opened:
    """Opens the page, as often as a test wants, over the same home."""

    @asynccontextmanager
    async def up(
        engine: Scripted | None = None,
        tokens: tuple[str, ...] = (),
        port: int = 0,
        **variables: str,
    ) -> AsyncIterator[Web]:
        logger = logging.Logger("web test", logging.INFO)  # noqa: LOG001 - one for each test
        async with (
            Store.open(tmp_path / "incidents.db") as store,
            anyio.create_task_group() as tasks,
        ):
            web = Web(engine or Scripted(), store, [incident()])
            logger.addHandler(Lines(web.log))
            settings = web_settings(variables, tokens)
            served = Served(
                settings, web.engine, web.ask, store, lambda: NOW, tmp_path, logger,
                Listen("127.0.0.1", port), "kit",
            )  # fmt: skip
            web.url = await tasks.start(serve, served)
            yield web
            tasks.cancel_scope.cancel()

    return up


@pytest.fixture
async def web(opened: Opened) -> AsyncIterator[Web]:
    """The page for whoever sits at this machine."""
    async with opened() as one:
        yield one


@dataclass
class Watched:
    """A tab, and all that it did that a page of ours must not do."""

    page: Page
    hosts: set[str] = field(default_factory=set)
    errors: list[str] = field(default_factory=list)

    def watch(self) -> Watched:
        """Take note from now on."""
        self.page.set_default_timeout(PATIENCE)
        self.page.on(
            "request", lambda one: self.hosts.add(urlsplit(one.url).hostname or one.url[:5])
        )
        self.page.on("pageerror", lambda one: self.errors.append(str(one)))
        self.page.on("dialog", lambda one: self.errors.append(f"dialog {one.message}"))
        self.page.on("console", self._line)
        return self

    def _line(self, line: Any) -> None:
        if line.type in ("error", "warning"):
            self.errors.append(line.text)

    async def answers(self, number: int) -> None:
        """Until so many turns are answered."""
        await self.page.locator(".turn .answer:not(.busy)").nth(number - 1).wait_for()


Tab = Callable[..., AbstractAsyncContextManager[Watched]]


@pytest.fixture(scope="session")
def modules() -> Path:
    """The programs of package.json."""
    if "MERMAID_MODULES" not in os.environ:
        pytest.skip("MERMAID_MODULES names no node_modules")
    return Path(os.environ["MERMAID_MODULES"])


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    """Debian's browser."""
    expect.set_options(timeout=PATIENCE)
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("chromium is not installed")
    async with async_playwright() as playwright:
        # Nobody but this test's own pages is in it: it may run as root, as CI does.
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest.fixture
def tab(chromium: Browser) -> Tab:
    """Opens a tab of its own, with a clean slate; a phone's if it is told to."""

    @asynccontextmanager
    async def open_at(url: str, *, phone: bool = False, **more: Any) -> AsyncIterator[Watched]:
        width, height = (390, 844) if phone else (1280, 800)
        context = await chromium.new_context(
            viewport={"width": width, "height": height}, has_touch=phone, is_mobile=phone, **more
        )
        watched = Watched(await context.new_page()).watch()
        await watched.page.goto(url)
        yield watched
        await context.close()

    return open_at
