"""What a server offers, exactly as it came over the wire: the thing that is pinned and linted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from mcp import Client, MCPError
from mcp.types import METHOD_NOT_FOUND

_MOST_PAGES = 50


@dataclass(frozen=True, slots=True)
class ToolDefinition:
    """One tool; `wire` is the whole object the server sent.

    `quarantine` says why it may not be called; empty where nothing speaks against it.
    """

    name: str
    title: str
    description: str
    read_only: bool
    defaults: Mapping[str, Any]
    wire: Mapping[str, Any]
    quarantine: str = ""


@dataclass(frozen=True, slots=True)
class Surface:
    """All that one server offers. A second tool of the same name is kept in `duplicates`."""

    server: str
    target: str
    version: str
    protocol: str
    instructions: str
    tools: Mapping[str, ToolDefinition]
    duplicates: frozenset[str]
    prompts: Mapping[str, Mapping[str, Any]]
    templates: Mapping[str, Mapping[str, Any]]

    def without(self, quarantine: Mapping[str, str]) -> Surface:
        """The same surface, with these tools marked as not to be called, each with the reason."""
        marked = {
            name: replace(tool, quarantine=quarantine.get(name, ""))
            for name, tool in self.tools.items()
        }
        return replace(self, tools=marked)


async def read_surface(client: Client, server: str, target: str) -> Surface:
    """Lists everything the connected server offers, page by page."""
    tools = [_definition(wire) for wire in await _all(client.list_tools, "tools")]
    names = [tool.name for tool in tools]
    return Surface(
        server=server,
        target=target,
        version=client.server_info.version if client.server_info else "",
        protocol=client.protocol_version,
        instructions=client.instructions or "",
        tools={tool.name: tool for tool in reversed(tools)},
        duplicates=frozenset(name for name in names if names.count(name) > 1),
        prompts=_by(await _offered(client.list_prompts, "prompts"), "name"),
        templates=_by(
            await _offered(client.list_resource_templates, "resource_templates"), "uriTemplate"
        ),
    )


def _by(items: list[dict[str, Any]], key: str) -> dict[str, dict[str, Any]]:
    return {str(item[key]): item for item in items}


async def _offered(list_page: Callable[..., Awaitable[Any]], field: str) -> list[dict[str, Any]]:
    """All pages, or none where the server has no such thing."""
    try:
        return await _all(list_page, field)
    except MCPError as error:
        if error.error.code == METHOD_NOT_FOUND:
            return []
        raise


async def _all(list_page: Callable[..., Awaitable[Any]], field: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    for _ in range(_MOST_PAGES):  # a server whose pages never end must not hold the triage
        page = await list_page(cursor=cursor)
        found += [_wire(item) for item in getattr(page, field)]
        cursor = page.next_cursor
        if not cursor:
            break
    return found


def _wire(item: Any) -> dict[str, Any]:
    dumped: dict[str, Any] = item.model_dump(mode="json", by_alias=True, exclude_none=True)
    return dumped


def _definition(wire: Mapping[str, Any]) -> ToolDefinition:
    schema = wire.get("inputSchema", {})
    properties = schema.get("properties", {})
    return ToolDefinition(
        name=str(wire["name"]),
        title=str(wire.get("title", "")),
        description=str(wire.get("description", "")),
        read_only=wire.get("annotations", {}).get("readOnlyHint") is True,
        defaults={
            name: field["default"]
            for name, field in properties.items()
            if isinstance(field, Mapping) and "default" in field
        },
        wire=wire,
    )
