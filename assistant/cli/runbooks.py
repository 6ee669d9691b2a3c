"""`assistant runbooks`: search and read the index, and see where the runbooks fail those on call.

It looks into the index itself: a question at 2AM does not wait for servers to start.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import anyio
import typer

from assistant.errors import AssistantError, NotFound
from assistant.report.words import clean, clean_block

if TYPE_CHECKING:
    from assistant.store import Gap
    from ingest.lookup import Runbook, StoredSection
    from ingest.search import Found, Match, RunbookSearch

app = typer.Typer(help="Search, read and judge the runbooks.", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]
Result = TypeVar("Result")


@app.command("search")
def search(
    query: Annotated[str, typer.Argument(help="An alert line, a summary or a question.")],
    service: Annotated[str, typer.Option(help="The service it is about.")] = "",
    alert: Annotated[str, typer.Option(help="The alert's exact name.")] = "",
    environment: Annotated[str, typer.Option(help="For example production.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=20, help="At most so many.")] = 5,
    strict: Annotated[
        bool, typer.Option("--strict", help="Leave out those of other services, environments.")
    ] = False,
    max_age: Annotated[
        int, typer.Option(min=0, metavar="DAYS", help="Leave out those reviewed longer ago.")
    ] = 0,
    as_json: AsJson = False,
) -> None:
    """Find the runbook sections that apply, with path and lines, or hear that there is none."""
    from ingest.candidates import Query  # noqa: PLC0415 - `--help` needs no index

    if not query.strip():
        raise AssistantError("the query is empty: give an alert line, a summary or a question")
    known = (query[:4000], alert, service, environment, "", limit)
    asked = Query(*known, datetime.now(UTC).date(), strict=strict, max_age_days=max_age)
    found = _from_index(lambda index: index.search(asked))
    _print(_found_as_json(query, found) if as_json else _found_in_words(query, found))


@app.command("show")
def show(
    id: Annotated[str, typer.Argument(help="Id of a runbook or a section, as `search` gives it.")],
    as_json: AsJson = False,
) -> None:
    """Show a runbook: what it says of itself, what is suspicious in it, and its text."""
    found = _from_index(lambda index: index.runbook(id))
    if found is None:
        raise NotFound(f"there is no runbook {id!r}: `assistant runbooks list` gives the ids")
    about, text, sections = found
    if as_json:
        rows = [_section(section) for section in sections]
        _print([json.dumps({**_about(about), "sections": rows, "text": text}, indent=2)])
    else:
        _print([*_headed(about, sections), "", clean_block(text)])


@app.command("list")
def list_runbooks(
    service: Annotated[str, typer.Option(help="Only of this service.")] = "",
    as_json: AsJson = False,
) -> None:
    """List the runbooks of the index by path."""
    every = _from_index(lambda index: index.runbooks())
    chosen = [one for one in every if not service or service in one.services]
    if as_json:
        _print([json.dumps([_about(one) for one in chosen], indent=2)])
    else:
        lines = [f"{clean(one.id)}  {clean(one.path)}  {clean(one.title)}" for one in chosen]
        _print(lines or ["There is no such runbook."])


@app.command("gaps")
def gaps(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 50,
    lab: Annotated[bool, typer.Option("--lab", help="Those of the lab.")] = False,
    as_json: AsJson = False,
) -> None:
    """List alerts that had no runbook, and runbooks that live state contradicted."""
    found = anyio.run(_gaps, lab, limit)
    if as_json:
        _print([json.dumps([asdict(gap) for gap in found], indent=2, default=str)])
    else:
        _print([line for gap in found for line in _gap(gap)] or ["No gap is known yet."])


async def _gaps(lab: bool, limit: int) -> list[Gap]:
    from assistant.cli.incidents import settings_of  # noqa: PLC0415 - a search needs no settings
    from assistant.store import Store  # noqa: PLC0415 - a search needs no database

    async with Store.open(settings_of(lab=lab).database) as store:
        return await store.gaps(limit)


def _gap(gap: Gap) -> Iterator[str]:
    times = "once" if gap.count == 1 else f"{gap.count} times"
    last = gap.last.strftime("%Y-%m-%d %H:%M UTC")
    yield f"{gap.kind}: {clean(gap.subject)} ({times}, last {last})"
    if gap.detail:
        yield f"    {clean(gap.detail)}"


def index_folder() -> Path:
    """Where the index lies: as `RUNBOOKS_INDEX` says, else in the home of the assistant."""
    named = os.environ.get("RUNBOOKS_INDEX")
    if named:
        return Path(named)
    from assistant.cli.wiring import settled  # noqa: PLC0415 - where the index is named, nothing is set

    return Path(settled({}).runbook_index)


def _from_index(ask: Callable[[RunbookSearch], Awaitable[Result]]) -> Result:
    """What the index answers; its failures in words of the command line."""
    from ingest.errors import IndexMissing, IngestError  # noqa: PLC0415 - `--help` needs no index
    from ingest.search import RunbookSearch  # noqa: PLC0415

    async def answered() -> Result:
        opened = RunbookSearch(index_folder(), os.environ.get("CHROMA_URL", ""))
        try:
            return await ask(opened)
        finally:
            await opened.close()

    try:
        return anyio.run(answered)
    except IndexMissing as error:
        raise AssistantError(f"{error}; build it: assistant ingest FOLDER_OF_RUNBOOKS") from error
    except IngestError as error:
        raise AssistantError(str(error)) from error


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        sys.stdout.write(f"{line}\n")


def _found_in_words(query: str, found: Found) -> Iterator[str]:
    """Each match with its place, score, reason and warnings; or that there is none, and what came nearest."""
    if found.missing:
        yield f"note: {clean(found.missing)}"
    if found.abstained:
        yield f"No runbook is close enough to {clean(query)[:200]!r}."
        if found.nearest:
            yield f"Nearest, but too far to rely on: {clean(', '.join(found.nearest))}"
    for place, match in enumerate(found.matches, 1):
        yield from _match_in_words(place, match)


def _match_in_words(place: int, match: Match) -> Iterator[str]:
    runbook, section = match.runbook, match.section
    heading = f" > {section.heading_path}" if section.heading_path else ""
    lines = f"{runbook.path}:{section.first_line}-{section.last_line}"
    yield f"{place}. {clean(runbook.title + heading)}"
    yield f"   {clean(lines)}  score {match.score:.2f}  id {clean(section.id)}"
    yield f"   why: {clean(match.why)}"
    if runbook.url:
        yield f"   open: {clean(runbook.url)}"
    for warning in section.warnings:
        yield f"   SUSPICIOUS: {clean(warning)}"


def _found_as_json(query: str, found: Found) -> Iterator[str]:
    matches = [
        {
            **_about(match.runbook),
            **_section(match.section),
            "runbook": match.runbook.id,
            "text": match.section.text,
            "score": match.score,
            "why": match.why,
        }
        for match in found.matches
    ]
    answer = {
        "query": query,
        "abstained": found.abstained,
        "confidence": found.confidence,
        "nearest": list(found.nearest),
        "mode": found.mode,
        "missing": found.missing,
        "matches": matches,
    }
    yield json.dumps(answer, indent=2)


def _about(runbook: Runbook) -> dict[str, Any]:
    """A runbook without its text."""
    return {
        "id": runbook.id,
        "title": runbook.title,
        "path": runbook.path,
        "url": runbook.url,
        "services": list(runbook.services),
        "alerts": list(runbook.alerts),
        "environments": list(runbook.environments),
        "owner": runbook.owner,
        "last_reviewed": runbook.last_reviewed,
        "inferred": list(runbook.inferred),
        "converted": runbook.converted,
    }


def _section(section: StoredSection) -> dict[str, Any]:
    return {
        "id": section.id,
        "section": section.heading_path,
        "first_line": section.first_line,
        "last_line": section.last_line,
        "warnings": list(section.warnings),
    }


def _headed(about: Runbook, sections: Iterable[StoredSection]) -> Iterator[str]:
    """What stands above a runbook's text."""
    yield f"{clean(about.title)} ({clean(about.path)})"
    said = {
        "services": ", ".join(about.services),
        "alerts": ", ".join(about.alerts),
        "owner": about.owner,
        "last reviewed": about.last_reviewed or "never, or not said",
        "url": about.url,
    }
    yield from (f"{key}: {clean(value)}" for key, value in said.items() if value)
    if about.inferred:
        yield f"inferred, not written down: {clean(', '.join(about.inferred))}"
    if about.converted:
        yield "lines are those of the Markdown that was made of it"
    for section in sections:
        for warning in section.warnings:
            yield f"SUSPICIOUS, lines {section.first_line} to {section.last_line}: {clean(warning)}"
