"""An HTTP server beside other work: it ends with its block, and touches no signal of the process."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from assistant.errors import SettingsError
from assistant.tasks import background


class Beside(uvicorn.Server):
    """Uvicorn's server, but that whoever started the process hears its signals."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Captures none."""
        yield


@asynccontextmanager
async def listening(host: str, port: int, routes: Sequence[BaseRoute]) -> AsyncIterator[None]:
    """Serve these routes until the block ends. Raises SettingsError for an address that is taken."""
    config = uvicorn.Config(
        Starlette(routes=list(routes)), log_level="warning", access_log=False, lifespan="off",
        ws="none",
    )  # fmt: skip
    server = Beside(config)
    with _bound(host, port) as bound:
        async with background() as tasks:
            tasks.start_soon(server.serve, [bound])
            try:
                yield
            finally:
                server.should_exit = True


@contextmanager
def _bound(host: str, port: int) -> Iterator[socket.socket]:
    """Bound here and not by uvicorn, which would end the process where it cannot."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        made = socket.create_server((host, port), family=family)
    except OSError as error:
        raise SettingsError(f"cannot listen on {host}:{port}: {error.strerror or error}") from None
    with made:
        yield made
