"""docs/reference.md: its tables are made from the code; UPDATE_SNAPSHOTS=1 writes them anew."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from pydantic import BaseModel
from typer.main import get_command

from assistant.cli.app import app
from assistant.settings.load import variables
from assistant.settings.model import (
    FOR_EVERY_SERVER,
    FOR_SERVER,
    Budget,
    ServerSettings,
    Settings,
)
from mcp_servers.serve import open_server

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/reference.md"
VARIABLE = re.compile(r"(?:environment(?:\.get\(|\[)|credential\(environment, )\"([A-Z_]+)\"")
NOT_OURS = {"HOME", "XDG_STATE_HOME"}


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def fields(model: type[BaseModel], prefix: str = "") -> list[tuple[str, str]]:
    """Each setting and its meaning, which is the docstring under it."""
    rows = []
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            rows += fields(inner, f"{prefix}{name}.")
        else:
            rows.append((f"{prefix}{name}", " ".join((field.description or "").split())))
    return rows


def settings_table() -> str:
    named = {setting: variable for variable, setting in variables().items()}
    return table(
        ("setting", "variable", "meaning"),
        [(f"`{key}`", f"`{named[key]}`", meaning) for key, meaning in fields(Settings)],
    )


def server_settings_table() -> str:
    rows = [(f"`servers.NAME.{key}`", meaning) for key, meaning in fields(ServerSettings)]
    return table(("setting", "meaning"), rows)


def commands(command: Any, words: str) -> Iterable[tuple[str, str]]:
    inner = getattr(command, "commands", {})
    if not inner or command.invoke_without_command:
        options = [_option(one) for one in command.params if one.name != "help"]
        shown = " ".join([words, *filter(None, options)])
        yield f"`{shown}`", " ".join((command.help or "").split())
    for name, one in inner.items():
        yield from commands(one, f"{words} {name}")


def _option(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        name = parameter.name.upper()
        return name if parameter.required else f"[{name}]"
    if parameter.name in ("install_completion", "show_completion"):
        return ""
    value = "" if parameter.is_flag else f" {parameter.metavar or parameter.name.upper()}"
    return f"[{parameter.opts[0]}{value}]"


def commands_table() -> str:
    return table(("command", "what it does"), list(commands(get_command(app), "assistant")))


async def tools_tables() -> str:
    parts = []
    for server in FOR_SERVER:
        async with (
            open_server(server, {}, lambda: datetime(2026, 1, 1, tzinfo=UTC)) as made,
            Client(made) as client,
        ):
            tools = (await client.list_tools()).tools
        rows = [(f"`{tool.name}`", _first_sentence(tool.description)) for tool in tools]
        parts.append(f"### {server}\n\n{table(('tool', 'what it returns'), rows)}")
    return "\n\n".join(parts)


def _first_sentence(description: str | None) -> str:
    text = " ".join((description or "").split())
    return re.split(r"(?<=\.) (?=[A-Z])", text, maxsplit=1)[0]


async def written() -> str:
    """The page as it should be."""
    made: dict[str, str | Callable[[], str]] = {
        "commands": commands_table(),
        "settings": settings_table(),
        "server settings": server_settings_table(),
        "tools": await tools_tables(),
    }
    text = PAGE.read_text("utf-8")
    for name, part in made.items():
        marks = f"<!-- {name} -->", f"<!-- /{name} -->"
        before, _, rest = text.partition(marks[0])
        assert rest, f"{PAGE.name} has no place for {name}"
        text = f"{before}{marks[0]}\n{part}\n{marks[1]}{rest.partition(marks[1])[2]}"
    return text


async def test_the_reference_says_what_the_code_says() -> None:
    expected = await written()
    if os.environ.get("UPDATE_SNAPSHOTS"):
        PAGE.write_text(expected, "utf-8")
    assert PAGE.read_text("utf-8") == expected, "run it with UPDATE_SNAPSHOTS=1 and review"


def test_every_setting_has_a_meaning() -> None:
    rows = [*fields(Settings), *fields(Budget), *fields(ServerSettings)]
    assert [key for key, meaning in rows if not meaning] == []


def test_every_variable_of_a_server_is_documented() -> None:
    read = {
        name
        for path in (ROOT / "mcp_servers").rglob("*.py")
        for name in VARIABLE.findall(path.read_text("utf-8"))
    }
    known = read | {*FOR_EVERY_SERVER} | {name for names in FOR_SERVER.values() for name in names}
    text = PAGE.read_text("utf-8")
    assert sorted(name for name in known - NOT_OURS if f"`{name}`" not in text) == []
