"""Makes addresses of loopback reachable for other machines: plain TCP, byte by byte.

The lab itself never leaves loopback; only `assistant lab up --publish` comes here.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from urllib.parse import urlsplit

import anyio
from anyio.abc import SocketStream

from assistant.errors import SettingsError


@contextlib.asynccontextmanager
async def published(
    urls: Mapping[str, str], address: str, name: str
) -> AsyncIterator[Mapping[str, str]]:
    """Serve `urls` at ADDRESS:PORT and the ports above it, in their order.

    Yields where each is for others, who know this machine as `name`. Raises SettingsError.
    """
    host, _, first = address.rpartition(":")
    if not host or not first.isdecimal():
        raise SettingsError(f"--publish {address!r} is no ADDRESS:PORT, such as 0.0.0.0:7001")
    ports = {backend: int(first) + offset for offset, backend in enumerate(urls)}
    async with anyio.create_task_group() as group:
        for backend, url in urls.items():
            listener = await _listener(host, ports[backend])
            group.start_soon(listener.serve, _passing_on(urlsplit(url).port or 80))
        yield {backend: f"http://{name}:{port}" for backend, port in ports.items()}
        group.cancel_scope.cancel()


async def _listener(host: str, port: int) -> anyio.abc.Listener[SocketStream]:
    try:
        return await anyio.create_tcp_listener(local_host=host, local_port=port)
    except OSError as error:
        raise SettingsError(f"--publish: {host}:{port} cannot be listened on: {error}") from error


def _passing_on(port: int) -> Callable[[SocketStream], Awaitable[None]]:
    async def handle(client: SocketStream) -> None:
        # A backend that is down shows as a connection that closes at once.
        with contextlib.suppress(OSError):
            async with (
                client,
                await anyio.connect_tcp("127.0.0.1", port) as backend,
                anyio.create_task_group() as group,
            ):
                group.start_soon(_copy, client, backend, group.cancel_scope)
                group.start_soon(_copy, backend, client, group.cancel_scope)

    return handle


async def _copy(source: SocketStream, target: SocketStream, both: anyio.CancelScope) -> None:
    """Until one side ends, which ends the other: HTTP clients do not close by halves."""
    with contextlib.suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
        async for chunk in source:
            await target.send(chunk)
    both.cancel()
