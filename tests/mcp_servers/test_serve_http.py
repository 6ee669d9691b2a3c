"""The servers as processes: over HTTP with its checks, over stdio, and how they start and end."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from mcp_servers.__main__ import main
from mcp_servers.guard import audit
from tests.mcp_servers.guard.guard_demo import MODES, Backend, guarded

pytestmark = pytest.mark.anyio
TOKEN = "a-token-for-tests"
BASE = "http://127.0.0.1:8000"
CALL = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
HEADERS = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}


@asynccontextmanager
async def http(app: Any, **headers: str) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of an ASGI app, with the app's lifespan running."""
    started, stopped = anyio.Event(), anyio.Event()

    async def receive() -> dict[str, str]:
        if not started.is_set():
            return {"type": "lifespan.startup"}
        await stopped.wait()
        return {"type": "lifespan.shutdown"}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "lifespan.startup.complete":
            started.set()

    transport = httpx2.ASGITransport(app)
    async with anyio.create_task_group() as group:
        group.start_soon(app, {"type": "lifespan", "state": {}}, receive, send)
        with anyio.fail_after(5):
            await started.wait()
        client = httpx2.AsyncClient(transport=transport, base_url=BASE, headers=HEADERS | headers)
        async with client:
            yield client
        stopped.set()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": f"Basic {TOKEN}"}, 401),
        ({"X-API-Key": "wrong"}, 401),
        ({"Authorization": f"Bearer {TOKEN}", "Host": "evil.example.com"}, 421),
        ({"X-API-Key": TOKEN, "Origin": "https://evil.example.com"}, 403),
    ],
)
async def test_who_may_not_come_in_is_told_so_by_status(
    headers: dict[str, str], status: int
) -> None:
    app = guarded(Backend(), None).http_app(TOKEN)
    async with http(app, **headers) as client:
        assert (await client.post("/mcp", json=CALL)).status_code == status


@pytest.mark.parametrize(
    "headers", [{"Authorization": f"Bearer {TOKEN}"}, {"X-API-Key": TOKEN}], ids=["bearer", "key"]
)
@pytest.mark.parametrize("mode", MODES)
async def test_a_token_is_the_verified_subject_of_its_calls(
    headers: dict[str, str], mode: str, tmp_path: Path
) -> None:
    file = tmp_path / "audit.jsonl"
    app = guarded(Backend(), file).http_app(TOKEN)
    async with (
        http(app, **headers) as client,
        Client(streamable_http_client(f"{BASE}/mcp", http_client=client), mode=mode) as mcp,
    ):
        result = await mcp.call_tool("list_things", {})
    assert result.structured_content is not None
    assert result.structured_content["status"] == "ok"
    [line] = audit.read(file)
    assert line["transport"] == "http"
    assert line["subject"].startswith("token:")
    assert TOKEN not in json.dumps(line)


async def test_a_named_host_is_answered_besides_loopback() -> None:
    app = guarded(Backend(), None).http_app("", ["kubernetes-mcp"])
    async with http(app, Host="kubernetes-mcp:8000") as client:
        assert (await client.post("/mcp", json=CALL)).status_code != 421
    app = guarded(Backend(), None).http_app("", ["kubernetes-mcp"])
    async with http(app, Host="kubernetes-mcp.evil.example") as client:
        assert (await client.post("/mcp", json=CALL)).status_code == 421


async def test_health_asks_for_no_token_and_tells_no_detail() -> None:
    backend = Backend(failure=RuntimeError("secret detail"))
    app = guarded(backend, None).http_app(TOKEN)
    async with http(app) as client:
        answer = await client.get("/health")
        assert answer.json() == {"status": "ok", "server": "demo", "backend_reachable": False}
        foreign = await client.get("/health", headers={"Host": "evil.example.com"})
        assert foreign.status_code == 421


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def environment(tmp_path: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {
        **kept,
        "MCP_AUDIT_FILE": str(tmp_path / "audit.jsonl"),
        "PROMETHEUS_URL": "http://127.0.0.1:9",
    }


@contextmanager
def process(arguments: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    started = subprocess.Popen(
        [sys.executable, "-m", "mcp_servers", *arguments],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with started:
        yield started
        if started.poll() is None:
            started.kill()


async def until_healthy(port: int) -> dict[str, Any]:
    """Ask until the server answers; at most 20 seconds, since it may be starting on a busy machine."""
    with anyio.fail_after(20):
        async with httpx2.AsyncClient() as client:
            while True:
                try:
                    return dict((await client.get(f"http://127.0.0.1:{port}/health")).json())
                except httpx2.TransportError:
                    await anyio.sleep(0.05)


async def test_a_server_over_http_answers_its_health_and_ends_cleanly_on_sigterm(
    tmp_path: Path,
) -> None:
    port = free_port()
    with process(["prometheus", "--http", "--port", str(port)], environment(tmp_path)) as server:
        assert (await until_healthy(port))["server"] == "prometheus"
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=10) == 0
        assert server.stdout is not None
        assert server.stdout.read() == ""


async def test_a_server_over_stdio_ends_cleanly_on_sigterm_and_at_the_end_of_input(
    tmp_path: Path,
) -> None:
    hello = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        },
    }
    for ending in ("signal", "input"):
        with process(["prometheus"], environment(tmp_path)) as server:
            assert server.stdin is not None
            assert server.stdout is not None
            server.stdin.write(json.dumps(hello) + "\n")
            server.stdin.flush()
            assert '"serverInfo"' in server.stdout.readline()
            if ending == "signal":
                server.send_signal(signal.SIGTERM)
            else:
                server.stdin.close()
            assert server.wait(timeout=10) == 0


@pytest.mark.parametrize("mode", MODES)
async def test_a_server_over_stdio_answers_a_real_client(mode: str, tmp_path: Path) -> None:
    parameters = StdioServerParameters(
        command=sys.executable, args=["-m", "mcp_servers", "prometheus"], env=environment(tmp_path)
    )
    async with Client(parameters, mode=mode, read_timeout_seconds=30) as client:
        result = await client.call_tool("query", {"query": "up"})
    assert result.structured_content is not None
    assert result.structured_content["status"] == "error"
    assert len(audit.read(tmp_path / "audit.jsonl")) == 1


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.10", "example.com"])  # noqa: S104
def test_an_open_address_without_a_token_is_refused_in_one_line(
    host: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("MCP_HTTP_TOKEN", raising=False)
    monkeypatch.delenv("MCP_HTTP_TOKEN_FILE", raising=False)
    assert main(["prometheus", "--http", "--host", host]) == 1
    said = capsys.readouterr().err
    assert said == (
        f"mcp_servers: Listening on {host} needs a token: "
        "set MCP_HTTP_TOKEN or MCP_HTTP_TOKEN_FILE.\n"
    )


def test_an_empty_token_file_is_no_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "token"
    empty.write_text("\n")
    monkeypatch.setenv("MCP_HTTP_TOKEN_FILE", str(empty))
    assert main(["prometheus", "--http", "--host", "::"]) == 1
    assert "is empty" in capsys.readouterr().err


def test_a_wrong_policy_file_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = tmp_path / "policy.yaml"
    wrong.write_text("rules: [")
    monkeypatch.setenv("MCP_POLICY_FILE", str(wrong))
    monkeypatch.setenv("MCP_AUDIT_FILE", str(tmp_path / "audit.jsonl"))
    assert main(["prometheus"]) == 1
    assert capsys.readouterr().err.startswith("mcp_servers: Cannot read the policy file")
