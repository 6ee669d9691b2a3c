"""The whole server as a client meets it: over MCP in memory, guard included, both protocol eras."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from kubernetes_objects import deployment, pod, thing
from mcp import Client

from mcp_servers.serve import open_server

pytestmark = pytest.mark.anyio
LARGEST_TOOL_LIST = 16_000
CALLS = {
    "check_cluster_health": {},
    "list_failing_pods": {},
    "list_pods": {"namespace": "payments"},
    "get_pod_status": {"namespace": "payments", "name": "web"},
    "get_recent_events": {},
    "list_deployments": {},
    "get_rollout_history": {"namespace": "payments", "name": "checkout"},
    "get_workload": {"namespace": "payments", "name": "checkout"},
    "list_nodes": {},
    "list_resources": {"kind": "pods"},
    "get_pod_logs": {"namespace": "payments", "pod": "web"},
}
OBJECTS = [deployment(), pod("web"), thing("v1", "Secret", "db", data={"password": "aHVudGVyMg=="})]


@pytest.fixture
def audited(tmp_path):
    return {"MCP_AUDIT_FILE": str(tmp_path / "audit.jsonl")}


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_every_tool_answers_over_mcp_with_a_result_that_fits_its_schema(
    cluster, audited, mode
):
    async with cluster(*OBJECTS) as tools:
        environment = {**tools.lab.environment, **audited}
        async with (
            open_server("kubernetes", environment, tools.lab.clock) as server,
            Client(server, mode=mode) as client,
        ):
            listed = (await client.list_tools()).tools
            assert {tool.name for tool in listed} == set(CALLS)
            for name, arguments in CALLS.items():
                result = await client.call_tool(name, arguments)
                assert result.structured_content["status"] in ("ok", "empty", "error"), name


async def test_the_tool_list_is_small_and_each_argument_bounded(audited):
    async with (
        open_server("kubernetes", audited, lambda: None) as server,
        Client(server) as client,
    ):
        tools = (await client.list_tools()).tools
    shown = [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools]
    assert len(json.dumps(shown)) < LARGEST_TOOL_LIST
    for tool in shown:
        for name, argument in tool["inputSchema"]["properties"].items():
            bounded = {"maxLength", "maximum", "enum"} & set(argument)
            assert bounded or argument["type"] == "boolean", (tool["name"], name)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("list_pods", {"namespace": "payments", "limit": 501}),
        ("list_pods", {"namespace": "payments", "limit": 0}),
        ("list_pods", {"namespace": "payments", "color": "red"}),
        ("list_pods", {}),
        ("get_pod_status", {"namespace": "payments", "name": "x" * 300}),
        ("get_pod_status", {"namespace": "payments", "name": "../../secrets"}),
        ("get_rollout_history", {"namespace": "payments", "name": "a", "kind": "Secret"}),
    ],
)
async def test_arguments_out_of_bounds_reach_no_cluster(cluster, audited, name, arguments):
    async with cluster(*OBJECTS) as tools:
        environment = {**tools.lab.environment, **audited}
        async with (
            open_server("kubernetes", environment, tools.lab.clock) as server,
            Client(server) as client,
        ):
            result = await client.call_tool(name, arguments)
        assert result.structured_content["status"] in ("error", "denied")
        assert tools.lab.requests["kubernetes"] == 0


async def test_resources_prompts_and_the_listing_are_served(cluster, audited):
    async with cluster(*OBJECTS) as tools:
        environment = {**tools.lab.environment, **audited}
        async with (
            open_server("kubernetes", environment, tools.lab.clock) as server,
            Client(server) as client,
        ):
            listed = (await client.list_resources()).resources
            read = await client.read_resource("k8s://payments/Secret/db")
            prompt = await client.get_prompt(
                "diagnose_workload", {"namespace": "payments", "name": "checkout"}
            )
    assert "checkout (3/3 ready) in payments" in [one.description for one in listed]
    assert "aHVudGVyMg==" not in read.contents[0].text
    assert "checkout" in prompt.messages[0].content.text


def test_importing_the_server_does_not_import_the_client():
    code = "import sys, mcp_servers.kubernetes; print(sorted({'kubernetes', 'urllib3', 'mcp'} & {*sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
