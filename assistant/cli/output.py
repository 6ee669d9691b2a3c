"""A report on standard output in the form that was asked for, and into files."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from assistant.errors import AssistantError
from assistant.incident import Report


@dataclass(frozen=True)
class Shape:
    """The form of a report on standard output."""

    as_json: bool = False
    plain: bool = False


def show_report(report: Report, shape: Shape) -> None:
    """Print the report."""
    from assistant.report.schema import to_json  # noqa: PLC0415 - renderers load with a report
    from assistant.report.terminal import plain, terminal  # noqa: PLC0415

    if shape.as_json:
        sys.stdout.write(to_json(report) + "\n")
    elif shape.plain or not sys.stdout.isatty():
        sys.stdout.write(plain(report))
    else:
        Console().print(terminal(report))


def write_report(report: Report, html_file: Path | None, folder: Path | None) -> None:
    """Write the HTML page, and every form into a folder. Raises AssistantError."""
    from assistant.report.html import html  # noqa: PLC0415 - only a page needs the template engine

    try:
        if html_file:
            html_file.write_text(html(report), encoding="utf-8")
        if folder:
            folder.mkdir(parents=True, exist_ok=True)
            for name, text in _forms(report).items():
                (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise AssistantError(f"the report cannot be written: {error}") from error
    for path in filter(None, (html_file, folder)):
        sys.stderr.write(f"· written to {path}\n")


def _forms(report: Report) -> dict[str, str]:
    from assistant.report import mermaid  # noqa: PLC0415
    from assistant.report.html import html  # noqa: PLC0415
    from assistant.report.markdown import markdown  # noqa: PLC0415
    from assistant.report.schema import to_json  # noqa: PLC0415

    return {
        "report.md": markdown(report),
        "report.html": html(report),
        "report.json": to_json(report),
        "cause_chain.mmd": mermaid.cause_chain(report),
        "timeline.mmd": mermaid.timeline(report),
        "topology.mmd": mermaid.topology(report),
    }
