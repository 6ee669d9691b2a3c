"""Every tool of every server, asked about a live scene: it answers, and as its schema says."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from mcp import Client

from mcp_servers.moments import aware, rfc3339
from mcp_servers.serve import open_server
from tests.contract.mcp_processes import SERVERS, Scene, environment

pytestmark = pytest.mark.anyio
MAYBE_EMPTY = {"get_past_incidents", "find_anomalies", "get_targets", "list_rules"}
"""What may honestly have nothing to tell."""
ALSO = {"get_metrics": ("namespace",)}
"""Arguments that a tool cannot do without though each alone is optional."""
BUSY = "topk(1, sum by (namespace) (rate(container_cpu_usage_seconds_total[5m])))"


@pytest.fixture(params=SERVERS)
async def server(request: pytest.FixtureRequest, scene: Scene, tmp_path: Path) -> Any:
    given = environment(tmp_path, scene.environment)
    async with (
        open_server(request.param, given, scene.clock) as opened,
        Client(opened) as client,
    ):
        yield client


async def arguments(client: Any, scene: Scene) -> dict[str, Any]:
    """A value for every argument that some tool requires, from what the scene itself shows."""
    now = aware(scene.clock())
    window = {"start": rfc3339(now - timedelta(hours=1)), "end": rfc3339(now)}
    values = {**window, "since": window["start"], "until": window["end"], "query": BUSY}
    tools = {tool.name for tool in (await client.list_tools()).tools}
    if "list_failing_pods" in tools:
        pods = (await asked(client, "list_pods", {"namespace": ""}))["pods"]
        pod = next(
            one for one in pods if one["owner"].startswith("Deployment ") and not one["reason"]
        )
        owner = pod["owner"].split()[1]
        values |= {"namespace": pod["namespace"], "pod": pod["name"], "name": owner, "kind": "Pod"}
    if "query" in tools:
        series = (await asked(client, "query", {"query": BUSY}))["series"]
        values["namespace"] = series[0]["labels"]["namespace"]
    if "get_incident" in tools:
        incident = await asked(client, "get_incident", {"id": scene.incident})
        values |= {"id": scene.incident, "incident_id": incident["incident"]["id"]}
    if "list_runbooks" in tools:
        runbooks = (await asked(client, "list_runbooks", {}))["runbooks"]
        values |= {"id": runbooks[0]["id"], "query": "image cannot be pulled"}
    return values


async def asked(client: Any, tool: str, given: dict[str, Any]) -> Any:
    return (await client.call_tool(tool, given)).structured_content["data"]


async def test_every_tool_answers_as_its_schema_says(server: Any, scene: Scene) -> None:
    values = await arguments(server, scene)
    for tool in (await server.list_tools()).tools:
        needed = {*tool.input_schema.get("required", ()), *ALSO.get(tool.name, ())}
        given = {name: values[name] for name in needed}
        if tool.name == "get_pod_status":
            given["name"] = values["pod"]
        answer = (await server.call_tool(tool.name, given)).structured_content
        Draft202012Validator(tool.output_schema).validate(answer)
        allowed = {"ok", "empty"} if tool.name in MAYBE_EMPTY else {"ok"}
        assert answer["status"] in allowed, (tool.name, answer["reason"])


async def test_every_listed_resource_can_be_read(server: Any) -> None:
    listed = (await server.list_resources()).resources
    assert listed
    for entry in listed[:10]:
        [part] = (await server.read_resource(str(entry.uri))).contents
        assert part.text
        assert entry.description
