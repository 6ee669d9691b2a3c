"""What the runbook says: the section that the report holds, or the one that a search finds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from assistant.chat.answers.asked import Asked, Said
from assistant.chat.answers.stored import inline_action
from assistant.chat.answers.words import block, bullets, cite, marks, plain
from assistant.incident import Report, RunbookMatch
from assistant.snapshot import dig, listing, mapping

_MOST_LINES = 24


async def runbook(asked: Asked) -> Said:
    """The section that applies, with its place; none where no runbook is close enough."""
    meaning = asked.meaning
    own = not meaning.topic and not _elsewhere(asked)
    if asked.report and asked.report.runbooks and own:
        return _held(asked.report, asked.report.runbooks[0])
    words = meaning.topic or meaning.subject or _about(asked)
    if not words:
        return Said("About what? Say for example: what does the runbook say about disk pressure?", sure=False)  # fmt: skip
    arguments: dict[str, Any] = {"query": words[:300], "limit": 3}
    if asked.subject:
        arguments["service"] = asked.subject.name
    if " " not in words and words.lower() != words:
        arguments["alert_name"] = words[:200]
    answer = await asked.seen.one("runbooks.search_runbooks", arguments, "which runbook applies")
    rows = [mapping(row) for row in listing(answer.data, "matches")]
    if not rows or dig(answer.data, "abstained"):
        none = f"No runbook is close enough to **{plain(words, 120)}**; none is guessed."
        next_step = f"\nDo next: {inline_action(asked.report)}" if asked.report and asked.report.actions else ""  # fmt: skip
        return Said((none + next_step) if answer.status.seen else "", citations=(cite(answer),))
    others = [
        f"{plain(row.get('title'), 80)} > {plain(row.get('section'), 80)}" for row in rows[1:]
    ]
    more = f"\nAlso near:\n{bullets(others)}" if others else ""
    told = (cite(answer, rows[0].get("title")),)
    return Said(_found(rows[0], answer.id) + more, citations=told)


def _elsewhere(asked: Asked) -> bool:
    subject = asked.subject if asked.meaning.subject else None
    named = subject is not None and asked.report is not None
    return bool(named and subject and subject.namespace not in asked.report.scope.namespaces)  # type: ignore[union-attr]


def _about(asked: Asked) -> str:
    return asked.report.alert.title if asked.report else asked.subject.name if asked.subject else ""


def _found(row: Mapping[str, Any], id: str) -> str:
    place = f"{row.get('path')}:{row.get('first_line')}-{row.get('last_line')}"
    reviewed = (
        f", last reviewed {plain(row['last_reviewed'], 20)}" if row.get("last_reviewed") else ""
    )
    head = f"**{plain(row.get('title'), 80)} > {plain(row.get('section'), 80)}** ({plain(place, 120)}{reviewed}) [{id}]"
    return f"{head}\n{block(_lines(str(row.get('text') or '')))}"


def _not_this(match: RunbookMatch) -> str:
    name = f"{plain(match.title, 80)} > {plain(match.section, 80)} ({plain(match.path, 120)})"
    why = f"is **out of date**: {plain(match.outdated)}" if match.outdated else "fits as well"
    return f"{name} {why} {marks(match.citations)}"


def _lines(text: str) -> list[str]:
    lines = text.strip().splitlines()
    rest = [f"… and {len(lines) - _MOST_LINES} more lines"] if len(lines) > _MOST_LINES else []
    return lines[:_MOST_LINES] + rest


def _held(report: Report, match: RunbookMatch) -> Said:
    """The section that the triage found, its steps held against live state."""
    id = match.citations[0].evidence
    row = match.model_dump(include={"title", "section", "path", "first_line", "last_line", "last_reviewed", "text"})  # fmt: skip
    parts = [_found(row, id)]
    parts += [f"**Out of date:** {plain(match.outdated)}"] if match.outdated else []
    steps = [
        f"{step.state.value}: {plain(step.text, 160)} {plain(step.why, 120)}".strip()
        for step in match.steps
    ]
    parts += [f"Its steps, held against what was seen:\n{bullets(steps, 10)}"] if steps else []
    parts += [_not_this(other) for other in report.runbooks if other is not match]
    parts += [f"Do next: {inline_action(report)}"] if report.actions else []
    cited = (*match.citations, *(c for step in match.steps for c in step.citations))
    return Said("\n".join(parts), citations=cited, report=report)
