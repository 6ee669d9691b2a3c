"""Makes addresses of loopback reachable for other machines: plain TCP, byte by byte.

The lab itself never leaves loopback; only `assistant lab up --publish` comes here.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from urllib.parse import urlsplit

import anyio
from anyio.abc import Listener, SocketStream

from assistant.errors import SettingsError


def socket_address(text: str) -> tuple[str, int]:
    """The host and port of ADDRESS:PORT. Raises SettingsError."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal():
        raise SettingsError(f"--publish {text!r} is no ADDRESS:PORT, such as 0.0.0.0:7001")
    return host, int(port)


@contextlib.asynccontextmanager
async def published(urls: Sequence[str], host: str, port: int) -> AsyncIterator[None]:
    """Serve each of `urls` at `host`, on `port` and those above it, in their order.

    Raises SettingsError where a port is taken.
    """
    async with contextlib.AsyncExitStack() as stack:
        listeners = [
            await stack.enter_async_context(await _listener(host, port + offset))
            for offset in range(len(urls))
        ]
        group = await stack.enter_async_context(anyio.create_task_group())
        for listener, url in zip(listeners, urls, strict=True):
            group.start_soon(listener.serve, _passing_on(urlsplit(url).port or 80))
        yield
        group.cancel_scope.cancel()


async def _listener(host: str, port: int) -> Listener[SocketStream]:
    try:
        return await anyio.create_tcp_listener(local_host=host, local_port=port)
    except OSError as error:
        raise SettingsError(f"--publish: cannot listen on {host}:{port}: {error}") from error


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
