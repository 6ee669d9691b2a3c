"""The page as a process: a server on one address, until it is stopped."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from logging import Logger
from pathlib import Path

import anyio
import uvicorn
from anyio.abc import TaskGroup, TaskStatus
from starlette.types import ASGIApp

from assistant.chat.web.access import Doors, Gate
from assistant.chat.web.alerts import Alerts, Asking
from assistant.chat.web.answering import CUT_OFF, Answering, Engine
from assistant.chat.web.login import Login
from assistant.chat.web.memory import Memory
from assistant.chat.web.pages import Pages
from assistant.chat.web.routes import application
from assistant.chat.web.sessions import Sessions, key_at
from assistant.chat.web.settings import WebSettings
from assistant.chat.web.views import Templates
from assistant.errors import SettingsError
from assistant.store import Store

LAST_REQUESTS_SECONDS = 2


@dataclass(frozen=True)
class Listen:
    """Where browsers call."""

    host: str
    port: int


@dataclass(frozen=True)
class Served:
    """What the page works with."""

    settings: WebSettings
    engine: Engine
    ask: Asking
    store: Store
    clock: Callable[[], datetime]
    home: Path
    """Folder of its own small memory and of the key that signs its cookies."""
    logger: Logger
    listen: Listen
    nobody: str = "somebody"


async def serve(
    served: Served, *, task_status: TaskStatus[str] = anyio.TASK_STATUS_IGNORED
) -> None:
    """Answer until cancelled. Reports, once it listens, where. Raises SettingsError."""
    with _bound(served.listen) as sock:
        async with (
            Memory.open(served.home / "web.db") as memory,
            anyio.create_task_group() as tasks,
        ):
            await memory.cut_off(CUT_OFF)
            server = uvicorn.Server(_config(await _application(served, memory, tasks)))
            async with _running(server, sock, tasks):
                where = _address(sock)
                served.logger.info("listening: %s", where)
                task_status.started(where)
                await anyio.sleep_forever()


@asynccontextmanager
async def _running(
    server: uvicorn.Server, sock: socket.socket, tasks: TaskGroup
) -> AsyncIterator[None]:
    """The server beside us. It is told to end rather than cancelled: that is how it closes cleanly."""
    ended = anyio.Event()

    async def run() -> None:
        with anyio.CancelScope(shield=True):
            await server._serve([sock])  # noqa: SLF001 - `serve` takes the signals, which are the command's
        ended.set()

    tasks.start_soon(run)
    try:
        yield
    finally:
        server.should_exit = True
        with anyio.move_on_after(2 * LAST_REQUESTS_SECONDS, shield=True):
            await ended.wait()


async def _application(served: Served, memory: Memory, tasks: TaskGroup) -> ASGIApp:
    key = await anyio.to_thread.run_sync(key_at, served.home / "web.key")
    doors = Doors(served.settings, Sessions(key, served.settings), served.nobody)
    answering = Answering(served.engine, memory, served.clock, served.logger, tasks)
    templates = Templates()
    pages = Pages(
        memory,
        answering,
        Alerts(served.ask, served.clock, served.logger, tasks),
        served.store,
        templates,
        served.clock,
        can_leave=bool(served.settings.people),
    )
    return Gate(application(pages, Login(doors, templates, served.logger)), doors)


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        lifespan="off",
        ws="none",
        proxy_headers=False,  # who calls is who connects: a header is believed of proxies alone
        server_header=False,
        timeout_graceful_shutdown=LAST_REQUESTS_SECONDS,
    )


def _bound(listen: Listen) -> socket.socket:
    """The address, taken before anything else is begun. Raises SettingsError."""
    family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
    # Named as TCP: asyncio sends small answers at once on such a socket alone, 40 ms sooner.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((listen.host.strip("[]"), listen.port))
        sock.listen(128)
    except OSError as error:
        sock.close()
        raise SettingsError(
            f"cannot listen on {listen.host}:{listen.port}: {error.strerror}"
        ) from None
    return sock


def _address(sock: socket.socket) -> str:
    host, port = sock.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"
