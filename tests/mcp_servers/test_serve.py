"""`serve.py`: what a server's plain functions look like over MCP, in memory and in both eras."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, MCPError
from mcp.types import PromptReference, TextContent, TextResourceContents

from mcp_servers import spec
from mcp_servers.guard import audit
from mcp_servers.serve import NAMES, open_server, register
from tests.mcp_servers.guard.guard_demo import MODES, Backend, guarded, unreachable

pytestmark = pytest.mark.anyio
TOOL_LIST_BYTES = 16_384


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def tool_list_bytes(tools: list[Any]) -> int:
    """The size of a `tools/list` answer as JSON."""
    dumped = [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools]
    return len(json.dumps(dumped, separators=(",", ":")).encode())


async def test_a_tool_has_a_title_a_prompt_hints_and_two_schemas(mode: str) -> None:
    async with Client(guarded(Backend(), None), mode=mode) as client:
        reads, writes = (await client.list_tools()).tools
    assert reads.title == "List things"
    assert reads.description == "Things of a namespace, such as `payments`. Cannot change them."
    assert reads.annotations is not None
    assert reads.annotations.read_only_hint
    assert writes.annotations is not None
    assert (writes.annotations.read_only_hint, writes.annotations.destructive_hint) == (False, True)
    assert reads.input_schema["properties"]["limit"] == {
        "default": 100,
        "maximum": 500,
        "minimum": 1,
        "type": "integer",
    }
    assert reads.input_schema["additionalProperties"] is False
    assert "title" not in json.dumps(reads.output_schema)
    assert set((reads.output_schema or {})["properties"]) >= {"status", "data", "total", "reason"}


async def test_progress_reaches_whoever_asked(mode: str) -> None:
    seen: list[tuple[float, float | None]] = []

    async def show(done: float, total: float | None, message: str | None) -> None:
        seen.append((done, total))

    async with Client(guarded(Backend(), None), mode=mode) as client:
        await client.call_tool("list_things", {}, progress_callback=show)
    assert seen == [(1, 2)]


async def test_a_resource_is_read_through_the_guard(mode: str, tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    async with Client(guarded(Backend(things=["hunter2"]), file), mode=mode) as client:
        read = await client.read_resource("demo://payments/checkout")
    [contents] = read.contents
    assert isinstance(contents, TextResourceContents)
    assert json.loads(contents.text) == {
        "namespace": "payments",
        "name": "checkout",
        "password": "[redacted]",
    }
    [line] = audit.read(file, tool="demo.read_resource")
    assert line["arguments"]["namespace"] == "payments"


async def test_a_resource_that_cannot_be_read_says_why(mode: str) -> None:
    async with Client(guarded(Backend(failure=unreachable()), None), mode=mode) as client:
        with pytest.raises(MCPError, match="connection refused"):
            await client.read_resource("demo://payments/checkout")
        with pytest.raises(MCPError, match="Unknown resource"):
            await client.read_resource("other://payments/checkout")


async def test_the_listing_is_live_and_its_descriptions_tell_health(mode: str) -> None:
    async with Client(guarded(Backend(), None), mode=mode) as client:
        [entry] = (await client.list_resources()).resources
        [template] = (await client.list_resource_templates()).resource_templates
    assert (str(entry.uri), entry.description) == (
        "demo://payments/checkout",
        "checkout (2/3 ready)",
    )
    assert template.uri_template == "demo://{namespace}/{name}"


async def test_a_listing_that_fails_takes_nothing_from_what_is_fixed(
    mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    backend = Backend()

    async def listing() -> list[spec.Entry]:
        raise unreachable()

    async def everything() -> str:
        """Everything there is."""
        return "[]"

    fixed = spec.Resource("demo://all", everything, "All")
    described = replace(backend.described(), listing=listing, resources=(fixed,))
    guard = guarded(backend, None).guard
    async with Client(register(described, guard), mode=mode) as client:
        [only] = (await client.list_resources()).resources
    assert str(only.uri) == "demo://all"
    assert "connection refused" in caplog.text


async def test_a_prompt_is_rendered_and_cleaned(mode: str) -> None:
    async with Client(guarded(Backend(), None), mode=mode) as client:
        [prompt] = (await client.list_prompts()).prompts
        rendered = await client.get_prompt("explain", {"name": "checkout"})
    assert prompt.title == "Explain"
    assert prompt.arguments is not None
    assert prompt.arguments[0].description == "of a thing"
    content = rendered.messages[0].content
    assert isinstance(content, TextContent)
    assert content.text == "Look at checkout. token=[redacted]"


async def test_an_argument_is_completed(mode: str) -> None:
    async with Client(guarded(Backend(), None), mode=mode) as client:
        reference = PromptReference(name="explain")
        completed = await client.complete(reference, {"name": "namespace", "value": "pay"})
    assert completed.completion.values == ["payments"]


async def test_an_unknown_server_is_named_with_the_known_ones() -> None:
    with pytest.raises(LookupError, match="kubernetes, prometheus, pagerduty, runbooks"):
        async with open_server("kubernetess", {}, lambda: datetime.now(UTC)):
            pass


@pytest.mark.parametrize("name", NAMES)
async def test_each_server_opens_without_its_backend_and_lists_a_small_surface(
    name: str, tmp_path: Path
) -> None:
    environment = {
        "MCP_AUDIT_FILE": str(tmp_path / "audit.jsonl"),
        "PROMETHEUS_URL": "http://127.0.0.1:9",
        "PAGERDUTY_API_URL": "http://127.0.0.1:9",
        "PAGERDUTY_TOKEN": "not-a-token",
        "KUBECONFIG": str(tmp_path / "kubeconfig"),
        "RUNBOOKS_INDEX": str(tmp_path / "index"),
    }
    async with (
        open_server(name, environment, lambda: datetime.now(UTC)) as server,
        Client(server) as client,
    ):
        tools = (await client.list_tools()).tools
        assert tool_list_bytes(tools) < TOOL_LIST_BYTES
        assert all(tool.description and tool.title and tool.output_schema for tool in tools)
        assert all(prompt.description for prompt in (await client.list_prompts()).prompts)
