"""`assistant ask`: one question to one tool, the way a triage asks it."""

from __future__ import annotations

import json
from typing import Annotated, Any

import anyio
import typer

from assistant.cli.wiring import wired
from assistant.errors import SettingsError
from assistant.incident import Evidence

BLIND = 3


def ask(
    tool: Annotated[str, typer.Argument(help="server.tool, as `assistant tools` lists them.")],
    arguments: Annotated[
        list[str] | None,
        typer.Argument(help="name=text, or name:=JSON for numbers, true and false."),
    ] = None,
    lab: Annotated[
        str | None, typer.Option("--lab", metavar="WORLD", help="Ask a lab's systems.")
    ] = None,
) -> None:
    """Ask a tool and print its answer as JSON. Exit code 3 says that it could not be seen."""
    asked = dict(argument(text) for text in arguments or [])
    answer = anyio.run(_asked, tool, asked, lab)
    shown = answer.model_dump(mode="json", exclude_defaults=True)
    typer.echo(json.dumps(shown, indent=2, ensure_ascii=False))
    raise typer.Exit(0 if answer.status.seen else BLIND)


def argument(text: str) -> tuple[str, Any]:
    """`name=text` or `name:=JSON` as the name and its value. Raises SettingsError."""
    name, sign, value = text.partition("=")
    if not sign or not name.strip(":"):
        raise SettingsError(f"{text!r} is no argument: write name=text, or name:=JSON")
    if not name.endswith(":"):
        return name, value
    try:
        return name[:-1], json.loads(value)
    except ValueError as error:
        raise SettingsError(f"{text!r}: {value!r} is not JSON ({error})") from error


async def _asked(tool: str, arguments: dict[str, Any], lab: str | None) -> Evidence:
    from assistant.toolbox import Session, Toolbox  # noqa: PLC0415 - `--help` needs no protocol

    async with wired(lab, None) as made:
        session = Session(caller="ask")
        async with Toolbox.open(made.settings, made.environment, made.clock, session) as toolbox:
            return await toolbox.call(tool, arguments, reason="a person asks")
