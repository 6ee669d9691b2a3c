"""What `assistant lab up --publish` lets through: bytes both ways, and a clear word where it cannot."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest
from anyio.abc import SocketStream

from assistant.cli.publishing import published, socket_address
from assistant.errors import SettingsError

pytestmark = pytest.mark.anyio


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@asynccontextmanager
async def echoing() -> AsyncIterator[str]:
    """A backend that answers with what it was told, in capitals, and hangs up at "bye"."""

    async def answer(client: SocketStream) -> None:
        async with client:
            async for chunk in client:
                await client.send(chunk.upper())
                if chunk == b"bye":
                    return

    port = free_port()
    async with (
        await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=port) as listener,
        anyio.create_task_group() as group,
    ):
        group.start_soon(listener.serve, answer)
        yield f"http://127.0.0.1:{port}"
        group.cancel_scope.cancel()


async def test_bytes_go_both_ways_until_one_side_ends() -> None:
    port = free_port()
    with anyio.fail_after(5):
        async with (
            echoing() as url,
            published([url], "127.0.0.1", port),
            await anyio.connect_tcp("127.0.0.1", port) as client,
        ):
            await client.send(b"hello")
            assert await client.receive() == b"HELLO"
            await client.send(b"bye")
            assert await client.receive() == b"BYE"
            with pytest.raises(anyio.EndOfStream):
                await client.receive()


async def test_a_backend_that_is_down_closes_the_connection_and_harms_no_other() -> None:
    port = free_port()
    with anyio.fail_after(5):
        async with (
            echoing() as url,
            published([f"http://127.0.0.1:{free_port()}", url], "127.0.0.1", port),
        ):
            async with await anyio.connect_tcp("127.0.0.1", port) as client:
                with pytest.raises(anyio.EndOfStream):
                    await client.receive()
            async with await anyio.connect_tcp("127.0.0.1", port + 1) as client:
                await client.send(b"still here")
                assert await client.receive() == b"STILL HERE"


async def test_a_taken_port_is_told_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"127.0.0.1:{port}"):
            async with published(["http://127.0.0.1:9"], "127.0.0.1", port):
                pass


@pytest.mark.parametrize("text", ["", "7001", ":7001", "0.0.0.0:", "0.0.0.0:http"])
def test_what_is_no_address_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(SettingsError, match=r"such as 0\.0\.0\.0:7001"):
        socket_address(text)


def test_an_address_may_be_ipv6() -> None:
    assert socket_address("::1:7001") == ("::1", 7001)
