"""What a host sees of each server, reviewed as code; UPDATE_SNAPSHOTS=1 writes it anew."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from mcp_servers import variables
from mcp_servers.answer import Answer
from mcp_servers.serve import NAMES, open_server
from mcp_servers.surface import inlined, output_schema

pytestmark = pytest.mark.anyio
SNAPSHOTS = Path(__file__).parent / "snapshots"
MOST_BYTES = 16_000
LONGEST_DESCRIPTION = 500
SELF_EXPLAINING = {"limit", "tail_lines", "max_points", "max_series", "baseline_seconds", "kind"}


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def client(name: str, tmp_path: Path) -> Any:
    environment = {"MCP_AUDIT_FILE": str(tmp_path / "audit.jsonl")}
    async with (
        open_server(name, environment, lambda: datetime.now(UTC)) as server,
        Client(server) as connected,
    ):
        yield connected


async def listed(client: Any) -> list[dict[str, Any]]:
    tools = (await client.list_tools()).tools
    return [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools]


async def surface(client: Any) -> dict[str, Any]:
    """The parts of the surface that a reviewer reads."""
    tools = await listed(client)
    templates = (await client.list_resource_templates()).resource_templates
    resources = (await client.list_resources()).resources
    prompts = (await client.list_prompts()).prompts
    return {
        "bytes": len(json.dumps(tools, separators=(",", ":")).encode()),
        "instructions": client.instructions,
        "tools": {tool["name"]: shown(tool) for tool in tools},
        "resources": {
            **{str(one.uri): f"{one.title}: {one.description}" for one in resources},
            **{one.uri_template: f"{one.title}: {one.description}" for one in templates},
        },
        "prompts": {
            prompt.name: {
                "title": prompt.title,
                "description": prompt.description,
                "arguments": {
                    one.name: f"{one.description}{'' if one.required else ' (optional)'}"
                    for one in prompt.arguments or ()
                },
            }
            for prompt in prompts
        },
    }


def shown(tool: dict[str, Any]) -> dict[str, Any]:
    schema = tool["inputSchema"]
    data = tool["outputSchema"]["properties"]["data"]["anyOf"][0]
    return {
        "title": tool["title"],
        "description": tool["description"].splitlines(),
        "arguments": {
            name: words(argument, required=name in schema.get("required", ()))
            for name, argument in schema["properties"].items()
        },
        "data": list(data["properties"]),
        "annotations": tool["annotations"],
    }


def words(argument: dict[str, Any], *, required: bool) -> str:
    """An argument on one line: whether it is required, and what JSON Schema says of it."""
    bounds = " ".join(f"{word}={value!r}" for word, value in sorted(argument.items()))
    return f"required {bounds}" if required else bounds


async def test_the_surface_is_the_one_that_was_reviewed(client: Any, name: str) -> None:
    path = SNAPSHOTS / f"{name}.json"
    seen = json.dumps(await surface(client), indent=2, ensure_ascii=False) + "\n"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(seen, "utf-8")
    assert path.read_text("utf-8") == seen


async def test_the_tool_list_stays_small_however_it_is_written(client: Any) -> None:
    assert len(json.dumps(await listed(client)).encode()) <= MOST_BYTES


async def test_no_description_is_longer_than_a_model_reads(client: Any) -> None:
    for tool in await listed(client):
        assert len(tool["description"]) <= LONGEST_DESCRIPTION, tool["name"]


async def test_every_argument_is_flat_bounded_and_has_an_example_or_a_default(client: Any) -> None:
    for tool in await listed(client):
        assert tool["inputSchema"]["additionalProperties"] is False
        for argument, schema in tool["inputSchema"]["properties"].items():
            where = (tool["name"], argument)
            assert schema["type"] in ("string", "integer", "number", "boolean"), where
            bounds = {"maxLength", "maximum", "enum", "format"} & set(schema)
            assert bounds or schema["type"] == "boolean", where
            told = schema.get("description") or "enum" in schema or schema["type"] == "boolean"
            assert told or argument in SELF_EXPLAINING, where


async def test_annotations_tell_readers_from_writers(client: Any) -> None:
    for tool in await listed(client):
        assert tool["annotations"] == {
            "readOnlyHint": True,
            "destructiveHint": False,
            "openWorldHint": False,
        }


async def test_every_prompt_and_template_is_described_and_its_arguments_too(client: Any) -> None:
    prompts = (await client.list_prompts()).prompts
    templates = (await client.list_resource_templates()).resource_templates
    assert prompts
    assert templates
    assert all(one.title and one.description for one in (*prompts, *templates))
    assert all(one.description for prompt in prompts for one in prompt.arguments or ())


async def test_help_names_every_variable_that_the_server_reads(name: str, tmp_path: Path) -> None:
    environment = Recording({"MCP_AUDIT_FILE": str(tmp_path / "audit.jsonl")})
    async with open_server(name, environment, lambda: datetime.now(UTC)) as server:
        await server.described.probe()
    told = variables.described(name)
    system = {"HOME", "XDG_STATE_HOME", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"}
    assert {one for one in environment.asked if one not in told} <= system


class Recording(dict[str, str]):
    """An environment that remembers what it was asked for."""

    def __init__(self, values: dict[str, str]) -> None:
        super().__init__(values)
        self.asked: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        self.asked.add(key)
        return super().get(key, default)


def test_what_is_referred_to_once_is_put_in_its_place() -> None:
    schema = {
        "$defs": {
            "Once": {"type": "object", "properties": {"inner": {"$ref": "#/$defs/Deep"}}},
            "Deep": {"type": "string"},
            "Twice": {"type": "integer"},
        },
        "properties": {
            "a": {"$ref": "#/$defs/Once"},
            "b": {"$ref": "#/$defs/Twice"},
            "c": {"items": {"$ref": "#/$defs/Twice"}},
        },
    }
    assert inlined(schema) == {
        "$defs": {"Twice": {"type": "integer"}},
        "properties": {
            "a": {"type": "object", "properties": {"inner": {"type": "string"}}},
            "b": {"$ref": "#/$defs/Twice"},
            "c": {"items": {"$ref": "#/$defs/Twice"}},
        },
    }


def test_a_definition_that_refers_to_itself_stays_one() -> None:
    schema = {
        "$defs": {"Tree": {"properties": {"branch": {"$ref": "#/$defs/Tree"}}}},
        "properties": {"root": {"$ref": "#/$defs/Tree"}},
    }
    assert inlined(schema) == schema


def test_a_tool_that_does_not_say_what_it_returns_is_refused() -> None:
    async def silent():
        return Answer(status="ok")

    with pytest.raises(TypeError, match="does not say what it returns"):
        output_schema(silent)
