"""The MCP Inspector's command line lists and calls tools of each server, over stdio and HTTP.

Needs Node 24 and `@modelcontextprotocol/inspector` 2.12.0: INSPECTOR_BIN names its executable (or
`mcp-inspector` is on PATH), NODE_BIN names node (or it is on PATH).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mcp_servers.guard import audit
from tests.contract.mcp_processes import (
    SERVERS,
    Scene,
    command,
    environment,
    node_program,
    over_http,
    run_node,
)

TOOLS = {
    "conformance": "list_greetings",
    "kubernetes": "list_failing_pods",
    "prometheus": "query",
    "pagerduty": "get_incident",
    "runbooks": "search_runbooks",
}


@pytest.fixture
def inspector() -> list[str]:
    program = node_program("INSPECTOR_BIN", "mcp-inspector")
    if program is None:
        pytest.skip("the MCP Inspector is not here: set INSPECTOR_BIN and NODE_BIN")
    return [*program, "--cli"]


def arguments(name: str, scene: Scene) -> Mapping[str, str]:
    """Arguments for the server's tool to which the lab has an answer."""
    return {
        "conformance": {"name": "inspector"},
        "kubernetes": {},
        "prometheus": {"query": "count(kube_pod_info)", "time": scene.now},
        "pagerduty": {"id": scene.incident},
        "runbooks": {"query": "pods cannot pull their image"},
    }[name]


def asked(inspector: list[str], *options: str) -> Any:
    """What the inspector printed as JSON; it ends with 6 where a schema is not portable."""
    said = run_node(inspector, *options)
    assert said.returncode == 0, said.stdout[-2000:] + said.stderr[-2000:]
    return json.loads(said.stdout)


def look(inspector: list[str], name: str, scene: Scene, *target: str) -> None:
    tool = TOOLS[name]
    listed = asked(inspector, *target, "--method", "tools/list", "--strict")
    assert tool in {one["name"] for one in listed["tools"]}
    given = [
        part
        for argument, value in arguments(name, scene).items()
        for part in ("--tool-arg", f"{argument}={value}")
    ]
    called = asked(inspector, *target, "--method", "tools/call", "--tool-name", tool, *given)
    assert called.get("isError", False) is False
    assert called["structuredContent"]["status"] == "ok"
    assert called["structuredContent"]["data"]


@pytest.mark.parametrize("name", ["conformance", *SERVERS])
def test_the_inspector_lists_and_calls_over_http(
    inspector: list[str], name: str, scene: Scene, tmp_path: Path
) -> None:
    with over_http(name, tmp_path, scene.environment) as url:
        look(inspector, name, scene, url, "--transport", "http")
    assert [line["tool"] for line in audit.read(tmp_path / "audit.jsonl")] == [TOOLS[name]]


@pytest.mark.parametrize("name", ["conformance", *SERVERS])
def test_the_inspector_lists_and_calls_over_stdio(
    inspector: list[str], name: str, scene: Scene, tmp_path: Path
) -> None:
    variables = [
        part
        for variable, value in environment(tmp_path, scene.environment).items()
        for part in ("-e", f"{variable}={value}")
    ]
    look(inspector, name, scene, *command(name), *variables)
    assert [line["tool"] for line in audit.read(tmp_path / "audit.jsonl")] == [TOOLS[name]]
