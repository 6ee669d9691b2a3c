"""Serves an MCP server over HTTP on a free loopback port, for the toolbox's tests."""

from contextlib import asynccontextmanager

import anyio
import anyio.lowlevel
import uvicorn


class Running:
    """An HTTP server on a free loopback port, up until it is told to stop."""

    def __init__(self, app) -> None:
        config = uvicorn.Config(app, port=0, log_level="critical", timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._ended = anyio.Event()

    async def serve(self, *, task_status) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._until_started, task_status)
            await self._server.serve()
        self._ended.set()

    async def _until_started(self, task_status) -> None:
        with anyio.fail_after(10):
            while not self._server.started:
                await anyio.lowlevel.checkpoint()
        port = self._server.servers[0].sockets[0].getsockname()[1]
        task_status.started(f"http://127.0.0.1:{port}/mcp")

    async def stop(self) -> None:
        self._server.should_exit = True
        with anyio.fail_after(10):
            await self._ended.wait()


def only_with(token, app):
    """The app, for who sends this token; 401 for all others."""

    async def guarded(scope, receive, send):
        sent = dict(scope.get("headers", [])).get(b"authorization", b"").decode()
        if scope["type"] != "http" or sent == f"Bearer {token}":
            return await app(scope, receive, send)
        await send({"type": "http.response.start", "status": 401, "headers": []})
        return await send({"type": "http.response.body", "body": b""})

    return guarded


@asynccontextmanager
async def over_http(server, token=""):
    """The server over HTTP; with a token, only for who sends it."""
    app = server.streamable_http_app(host="127.0.0.1")
    running = Running(only_with(token, app) if token else app)
    async with anyio.create_task_group() as tasks:
        yield running, await tasks.start(running.serve)
        await running.stop()
