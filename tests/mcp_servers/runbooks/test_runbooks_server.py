"""The runbooks server, through a real MCP client and the guard."""

import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from mcp import Client, MCPError
from mcp.types import ResourceTemplateReference

from ingest.job import IngestSettings, ingest
from mcp_servers.serve import open_server
from tests.ingest.conftest import CHECKOUT, DISK, ETCD, write

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 10, tzinfo=UTC)


@pytest.fixture
async def index(tmp_path):
    source = tmp_path / "source"
    files = {"crash.md": CHECKOUT, "node/NodeFilesystemSpaceFillingUp.md": DISK}
    write(source, {**files, "playbooks.md": ETCD})
    await ingest(IngestSettings(source, tmp_path / "index", embedding="none"))
    return tmp_path / "index"


@pytest.fixture(params=["auto", "legacy"])
def mode(request):
    return request.param


@asynccontextmanager
async def connected(index, mode="auto"):
    audit = str(index.parent / "audit.jsonl")
    environment = {"RUNBOOKS_INDEX": str(index), "MCP_AUDIT_FILE": audit}
    opened = open_server("runbooks", environment, lambda: NOW)
    async with opened as server, Client(server, mode=mode) as client:
        yield client


async def call(client, tool, **arguments):
    return (await client.call_tool(tool, arguments)).structured_content


async def test_a_search_cites_path_and_lines_and_says_why(index, mode):
    async with connected(index, mode) as client:
        answer = await call(
            client, "search_runbooks", query="pods restart", alert_name="KubePodCrashLooping"
        )
    match = answer["data"]["matches"][0]
    assert (answer["status"], answer["data"]["mode"]) == ("ok", "routed")
    assert (match["runbook"], match["path"]) == ("crash", "crash.md")
    lines = CHECKOUT.split("\n")[match["first_line"] - 1 : match["last_line"]]
    assert match["text"] in "\n".join(lines)
    assert "exactly this alert" in match["why"]
    assert "reviewed 40 days ago" in match["why"]


async def test_an_abstention_is_empty_and_names_what_came_closest(index):
    async with connected(index) as client:
        answer = await call(client, "search_runbooks", query="lunch menu of the node cafeteria")
    assert (answer["status"], answer["data"]["abstained"]) == ("empty", True)
    assert "no runbook is close enough" in answer["reason"]
    assert "too far to rely on" in answer["suggestions"][0]


async def test_a_runbook_is_read_by_its_id_or_a_section_s(index):
    async with connected(index) as client:
        whole = (await call(client, "get_runbook", id="crash"))["data"]
        section = whole["sections"][1]
        assert (await call(client, "get_runbook", id=section["id"]))["data"]["id"] == "crash"
    assert whole["text"] == CHECKOUT
    assert whole["owner"] == "team-payments"
    assert CHECKOUT.split("\n")[section["first_line"] - 1] == "## Diagnosis"


async def test_an_unknown_runbook_is_an_error_that_says_where_ids_are(index):
    async with connected(index) as client:
        answer = await call(client, "get_runbook", id="nope")
    assert (answer["status"], answer["reason"]) == (
        "error",
        "there is no runbook 'nope' in the index",
    )
    assert "list_runbooks" in answer["suggestions"][0]


async def test_runbooks_are_listed_for_one_service_with_the_true_total(index):
    async with connected(index) as client:
        every = await call(client, "list_runbooks", limit=2)
        mine = await call(client, "list_runbooks", service="checkout")
    assert (every["total"], every["truncated"], len(every["data"]["runbooks"])) == (3, True, 2)
    assert [one["id"] for one in mine["data"]["runbooks"]] == ["crash"]


async def test_runbooks_are_resources_with_completion(index):
    async with connected(index) as client:
        listed = (await client.list_resources()).resources
        uris = {str(resource.uri) for resource in listed}
        text = (await client.read_resource("runbook://crash")).contents[0].text
        reference = ResourceTemplateReference(uri="runbook://{id}")
        completed = await client.complete(reference, {"name": "id", "value": "node"})
    assert uris == {
        "runbook://crash",
        "runbook://node.NodeFilesystemSpaceFillingUp",
        "runbook://playbooks",
    }
    assert text == CHECKOUT
    assert completed.completion.values == ["node.NodeFilesystemSpaceFillingUp"]


async def test_the_prompt_names_the_alert_and_forbids_acting(index):
    async with connected(index) as client:
        prompt = await client.get_prompt("find_runbook", {"alert_name": "X"})
    assert "'X'" in prompt.messages[0].content.text
    assert "Do not carry out any step" in prompt.messages[0].content.text


@pytest.mark.parametrize("tool", ["search_runbooks", "get_runbook", "list_runbooks"])
async def test_without_an_index_every_tool_says_how_to_build_one(tmp_path, tool):
    arguments = {"search_runbooks": {"query": "x"}, "get_runbook": {"id": "x"}}.get(tool, {})
    async with connected(tmp_path / "absent") as client:
        answer = await call(client, tool, **arguments)
        assert (await client.list_resources()).resources == []
        with pytest.raises(MCPError, match="python -m ingest"):
            await client.read_resource("runbook://crash")
    assert answer["status"] == "error"
    assert "python -m ingest --source" in answer["suggestions"][0]


async def test_without_a_setting_the_variable_is_named(tmp_path):
    async with open_server(
        "runbooks", {"MCP_AUDIT_FILE": str(tmp_path / "a")}, lambda: NOW
    ) as server:
        async with Client(server) as client:
            answer = await call(client, "list_runbooks")
        health = await server.described.probe()
    assert answer["reason"] == "RUNBOOKS_INDEX is not set"
    assert (health.reachable, health.detail) == (False, "RUNBOOKS_INDEX is not set")


async def test_the_surface_is_small(index):
    async with connected(index) as client:
        tools = (await client.list_tools()).tools
    wire = json.dumps([t.model_dump(mode="json", by_alias=True, exclude_none=True) for t in tools])
    assert len(wire) < 9_000
    assert {tool.name for tool in tools} == {"search_runbooks", "get_runbook", "list_runbooks"}
