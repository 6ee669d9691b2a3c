"""One HTTP server on loopback, in the running event loop, that can be taken down and brought back.

Uses uvicorn's protocol without its process-wide parts: several run side by side, and none may
touch signal handlers or logging of the program that started it.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import uvicorn
from starlette.types import ASGIApp

_HOST = "127.0.0.1"


class Listener:
    """Serves `app` on a free port of loopback; the port stays the same when it comes back."""

    def __init__(self, app: ASGIApp) -> None:
        self._config = uvicorn.Config(
            app, log_config=None, log_level="critical", lifespan="off", access_log=False, ws="none"
        )
        self._server: uvicorn.Server | None = None
        self._port = 0

    @property
    def url(self) -> str:
        """Where it listens (or listened, while it is down)."""
        return f"http://{_HOST}:{self._port}"

    async def start(self) -> None:
        """Accept connections. Does nothing where it already does."""
        if self._server:
            return
        listening = _bound(self._port)
        self._port = listening.getsockname()[1]
        if not self._config.loaded:
            self._config.load()
        server = uvicorn.Server(self._config)
        server.lifespan = self._config.lifespan_class(self._config)
        await server.startup(sockets=[listening])
        self._server = server

    async def stop(self) -> None:
        """Refuse connections and cut those that are open."""
        server, self._server = self._server, None
        if not server:
            return
        for listening in server.servers:
            listening.close()
        for connection in list(server.server_state.connections):
            if transport := connection.transport:
                transport.abort()
        tasks = list(server.server_state.tasks)
        if tasks:
            await asyncio.wait(tasks, timeout=1)


def _bound(port: int) -> socket.socket:
    """A listening socket; 0 takes any free port.

    The protocol is named because asyncio turns Nagle's algorithm off only where it is: without
    that each answer on a kept connection waits 40 ms for an acknowledgement.
    """
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((_HOST, port))
    bound.listen(256)
    return bound


@contextlib.asynccontextmanager
async def listening(app: ASGIApp) -> AsyncIterator[Listener]:
    """`app` on a free port of loopback while the context lasts."""
    listener = Listener(app)
    await listener.start()
    try:
        yield listener
    finally:
        await listener.stop()
