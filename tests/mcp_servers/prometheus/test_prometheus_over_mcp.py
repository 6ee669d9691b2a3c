"""The server as a client meets it: through the guard, over MCP, in both protocol eras."""

import json

import pytest
from mcp import Client
from prometheus_bed import BEGAN, NOW, ONSET

from mcp_servers.serve import open_server

pytestmark = pytest.mark.anyio
LARGEST_LISTING = 16_000


@pytest.fixture(params=["auto", "legacy"])
async def connect(request, tmp_path):
    async def call(url, tool, **arguments):
        environment = {"PROMETHEUS_URL": url, "MCP_AUDIT_FILE": str(tmp_path / "audit.jsonl")}
        environment["PROMETHEUS_TOKEN"] = "s3cret-token"
        async with (
            open_server("prometheus", environment, lambda: NOW) as server,
            Client(server, mode=request.param) as client,
        ):
            return (await client.call_tool(tool, arguments)).structured_content

    return call


async def test_every_tool_answers_a_client(shop, connect):
    window = {"start": BEGAN.isoformat(), "end": NOW.isoformat()}
    golden = await connect(shop, "get_metrics", service="checkout", namespace="shop", **window)
    assert {signal["name"] for signal in golden["data"]["signals"]} >= {
        "error_ratio",
        "latency_p99",
    }
    ranged = await connect(shop, "query_range", query="level", **window)
    assert ranged["data"]["series"][0]["trend"] == "steady"
    recent = window | {"start": ONSET.isoformat()}
    changed = await connect(shop, "find_anomalies", **recent)
    assert changed["data"]["anomalies"]
    assert (await connect(shop, "query", query="level"))["status"] == "ok"
    assert (await connect(shop, "list_alerts"))["total"] == 1
    assert (await connect(shop, "list_metrics", match="level"))["total"] == 1
    assert (await connect(shop, "list_rules"))["status"] == "empty"
    assert (await connect(shop, "get_targets"))["status"] in ("ok", "empty")


async def test_a_token_that_the_backend_echoes_does_not_leave_the_server(backend, connect):
    backend.status = 500
    backend.body = json.dumps({"error": "who is s3cret-token?"}).encode()
    answer = await connect(backend.url, "query", query="up")
    assert answer["status"] == "error"
    assert "s3cret" not in json.dumps(answer)


async def test_arguments_out_of_bounds_do_not_reach_prometheus(backend, connect):
    window = {"start": BEGAN.isoformat(), "end": NOW.isoformat()}
    answer = await connect(backend.url, "query_range", query="up", max_series=5000, **window)
    assert answer["status"] == "error"
    assert backend.asked == []


async def test_the_tool_list_is_small_and_every_tool_only_reads(tmp_path):
    environment = {"MCP_AUDIT_FILE": str(tmp_path / "audit.jsonl")}
    async with (
        open_server("prometheus", environment, lambda: NOW) as server,
        Client(server) as client,
    ):
        tools = (await client.list_tools()).tools
    wire = [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools]
    assert len(json.dumps(wire)) < LARGEST_LISTING
    assert all(tool["annotations"]["readOnlyHint"] for tool in wire)
