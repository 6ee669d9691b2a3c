"""The MCP Inspector's command line lists and calls a tool of each server, over stdio and HTTP.

Needs Node 24 and `@modelcontextprotocol/inspector` 2.12.0: INSPECTOR_BIN names its executable (or
`mcp-inspector` is on PATH), NODE_BIN names node (or it is on PATH).
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from mcp_servers.guard import audit
from tests.contract.mcp_processes import (
    SERVERS,
    command,
    environment,
    node_program,
    over_http,
    run_node,
)

CALLS = {
    "conformance": ("list_greetings", ("name=inspector",)),
    "kubernetes": ("list_nodes", ()),
    "prometheus": ("query", ("query=up",)),
    "pagerduty": ("get_active_incidents", ()),
    "runbooks": ("list_runbooks", ()),
}
STATUSES = {"ok", "empty", "error"}


@pytest.fixture
def inspector() -> list[str]:
    program = node_program("INSPECTOR_BIN", "mcp-inspector")
    if program is None:
        pytest.skip("the MCP Inspector is not here: set INSPECTOR_BIN and NODE_BIN")
    return [*program, "--cli"]


def answer(said: str) -> Any:
    """The JSON object that the inspector printed, whatever it said round it."""
    found = re.search(r"^\{.*^\}", said, re.MULTILINE | re.DOTALL)
    assert found, said[-2000:]
    return json.loads(found[0])


def look(inspector: list[str], name: str, target: list[str], *options: str) -> None:
    tool, arguments = CALLS[name]
    listed = answer(run_node(inspector, *target, *options, "--method", "tools/list"))
    assert tool in {one["name"] for one in listed["tools"]}
    given = [part for argument in arguments for part in ("--tool-arg", argument)]
    called = answer(
        run_node(
            inspector, *target, *options, "--method", "tools/call", "--tool-name", tool, *given
        )
    )
    assert called["structuredContent"]["status"] in STATUSES


@pytest.mark.parametrize("name", ["conformance", *SERVERS])
def test_the_inspector_lists_and_calls_over_http(
    inspector: list[str], name: str, tmp_path: Path
) -> None:
    with over_http(name, tmp_path) as url:
        look(inspector, name, [url], "--transport", "http")
    assert [line["tool"] for line in audit.read(tmp_path / "audit.jsonl")] == [CALLS[name][0]]


@pytest.mark.parametrize("name", ["conformance", *SERVERS])
def test_the_inspector_lists_and_calls_over_stdio(
    inspector: list[str], name: str, tmp_path: Path
) -> None:
    variables = [
        part
        for variable, value in environment(tmp_path).items()
        for part in ("-e", f"{variable}={value}")
    ]
    look(inspector, name, command(name), *variables)
    assert [line["tool"] for line in audit.read(tmp_path / "audit.jsonl")] == [CALLS[name][0]]
