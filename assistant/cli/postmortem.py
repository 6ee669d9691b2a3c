"""`assistant postmortem` and `assistant confirm`: what is left of an incident when it is over."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import anyio
import typer

from assistant.cli.incidents import InLab, _load, settings_of
from assistant.cli.wiring import now, private_folder
from assistant.errors import AssistantError


def postmortem(
    id: Annotated[str, typer.Argument(help="Incident id, or how it begins.")],
    out: Annotated[Path | None, typer.Option("--out", help="Write it into this file.")] = None,
    lab: InLab = False,
) -> None:
    """Draft the postmortem of an incident from what was stored, as Markdown."""
    from assistant.chat.postmortem import draft  # noqa: PLC0415 - only this command needs it

    text = draft(anyio.run(_load, settings_of(lab=lab), id))
    if out is None:
        sys.stdout.write(text)
        return
    _write(out, text)


def confirm(
    id: Annotated[str, typer.Argument(help="Incident id, or how it begins.")],
    cause: Annotated[
        str, typer.Option("--cause", help="What it was, where the report is not right.")
    ] = "",
    lab: InLab = False,
) -> None:
    """Say that the cause is confirmed: later triages find the incident as a past one."""
    from assistant.chat.postmortem import confirmed  # noqa: PLC0415 - only this command needs it

    settings = settings_of(lab=lab)
    report = anyio.run(_load, settings, id)
    try:
        text = confirmed(report, cause, now().date())
    except ValueError as error:
        raise AssistantError(
            f"{report.id}: {error}, so there is nothing to confirm; say it with --cause TEXT"
        ) from error
    _write(private_folder(settings.home / "confirmed") / f"{report.id}.md", text)


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise AssistantError(f"{file} cannot be written: {error.strerror}; is its folder there?") from error  # fmt: skip
    sys.stderr.write(f"· written to {file}\n")
