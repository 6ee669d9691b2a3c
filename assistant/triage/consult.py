"""Hypotheses -> the runbook section that applies, its steps held against live state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from assistant.diagnosis import Diagnosis
from assistant.faults import fault
from assistant.incident import (
    Alert,
    Evidence,
    Finding,
    RunbookMatch,
    RunbookStep,
    Scope,
    Status,
)
from assistant.snapshot import dig, listing, mapping, whole, word
from assistant.triage.desk import Desk, utc
from assistant.triage.steps import Incident, held, known_of, steps

SEARCH = "runbooks.search_runbooks"
MOST_SECTIONS = 2
MOST_STEPS = 12
"""Of the section, and of the rest of its page, that are held against live state."""
MOST_KINDS, MOST_TEMPLATES = 3, 2
LONGEST_QUERY, LONGEST_PART = 600, 160
MOST_REASONS = 2


async def consult(
    desk: Desk,
    alert: Alert,
    scope: Scope,
    findings: Sequence[Finding],
    diagnosis: Diagnosis,
) -> tuple[RunbookMatch, ...]:
    """The sections that fit, best first; none where the search abstains or cannot be asked."""
    arguments = question(alert, scope, findings, diagnosis)
    answer = await desk.toolbox.call(SEARCH, arguments, reason="which runbook applies")
    if answer.status not in (Status.OK, Status.STALE) or dig(answer.data, "abstained"):
        return ()
    rows = [mapping(row) for row in listing(answer.data, "matches")][:MOST_SECTIONS]
    reader = Reader(desk, _incident(desk, alert, scope, findings, diagnosis))
    matches = [await reader.match(answer, row) for row in rows]
    # What the search holds best comes first, but nobody should follow an outdated page if another fits.
    return tuple(sorted(matches, key=lambda match: bool(match.outdated)))


def _incident(
    desk: Desk, alert: Alert, scope: Scope, findings: Sequence[Finding], diagnosis: Diagnosis
) -> Incident:
    best = next(iter(diagnosis.hypotheses), None)
    causes = (best.entity, *best.chain) if best else ()
    known = known_of(alert, scope.entities, causes, desk.view().snapshot)
    wrong = frozenset(
        entity
        for finding in findings
        if finding.active
        for entity in (finding.entity, *finding.about)
    )
    return Incident(known, utc(scope.window.end), wrong)


def question(
    alert: Alert, scope: Scope, findings: Iterable[Finding], diagnosis: Diagnosis
) -> dict[str, Any]:
    """What the incident knows, as the search takes it; what it does not know is left out."""
    labels = alert.labels
    known = {
        "query": _query(alert, findings, diagnosis),
        "alert_name": labels.get("alertname", "")[:200],
        "service": _service(alert, scope)[:200],
        "environment": labels.get("environment", "")[:100],
        "runbook_url": labels.get("runbook_url", "")[:2000],
    }
    return {key: value for key, value in known.items() if value}


def _query(alert: Alert, findings: Iterable[Finding], diagnosis: Diagnosis) -> str:
    """Title and summary of the alert, the faults found, what the logs repeat: the surest first."""
    parts = [alert.title, *_faults(diagnosis), *_summary(alert), *_templates(findings)]
    return " ".join(" ".join(dict.fromkeys(filter(None, parts))).split())[:LONGEST_QUERY]


def _faults(diagnosis: Diagnosis) -> Iterator[str]:
    for hypothesis in diagnosis.hypotheses[:MOST_KINDS]:
        yield fault(hypothesis.kind).title
        yield hypothesis.kind.replace("_", " ")
    for hypothesis in diagnosis.hypotheses[:1]:
        yield hypothesis.entity.name


def _summary(alert: Alert) -> Iterator[str]:
    """The first sentence of the alert's details that is not its title again."""
    lines = (line.strip() for line in alert.details.splitlines())
    said = (line for line in lines if " " in line and line != alert.title)
    yield from (line[:LONGEST_PART] for line in islice(said, 1))


def _templates(findings: Iterable[Finding]) -> Iterator[str]:
    """What logs repeat again and again, without its open places."""
    found = (finding.details.get("template", "") for finding in findings if finding.active)
    for template in islice(filter(None, found), MOST_TEMPLATES):
        yield template.replace("<*>", " ")[:LONGEST_PART]


def _service(alert: Alert, scope: Scope) -> str:
    named = alert.labels.get("service") or alert.labels.get("deployment") or ""
    return named or next((entity.name for entity in scope.entities), "")


@dataclass(frozen=True)
class Reader:
    """Reads a runbook as somebody on call in this incident does."""

    desk: Desk
    incident: Incident

    async def match(self, answer: Evidence, row: Mapping[str, Any]) -> RunbookMatch:
        """A section that was found, with the steps of its runbook held against live state."""
        runbook = str(row.get("runbook") or row.get("id"))
        title = str(row.get("title") or runbook)
        page = await self.desk.toolbox.call(
            "runbooks.get_runbook",
            {"id": runbook},
            reason="the steps of the runbook that was found",
        )
        judged = await self._judged(row, page)
        return RunbookMatch(
            runbook=runbook,
            title=title,
            section=str(row.get("section") or ""),
            path=str(row.get("path") or ""),
            url=str(row.get("url") or ""),
            first_line=whole(row.get("first_line")),
            last_line=whole(row.get("last_line")),
            text=str(row.get("text") or ""),
            score=float(row.get("score") or 0),
            why=str(row.get("why") or ""),
            last_reviewed=str(row.get("last_reviewed") or ""),
            outdated=outdated(judged),
            warnings=tuple(map(str, listing(row, "warnings"))),
            steps=judged,
            citations=(answer.cite(title),),
        )

    async def _judged(self, row: Mapping[str, Any], page: Evidence) -> tuple[RunbookStep, ...]:
        """The steps of the section first, then those of the rest of the page about the same alert."""
        text = word(row.get("text")) or word(dig(page.data, "text"))
        whole_page = word(dig(page.data, "text"))
        first = first_line_of(text, whole_page, whole(row.get("first_line")))
        found = list(islice(steps(text, first, word(row.get("section"))), MOST_STEPS))
        found = found if first else [replace(step, line=0) for step in found]
        rest = list(islice(steps(_rest(row, page)), MOST_STEPS)) if first else []
        known = self.incident.known.on_page(whole_page or text)
        judged = await held(self.desk, replace(self.incident, known=known), [*found, *rest])
        return tuple(
            step.model_copy(update={"in_section": place < len(found)})
            for place, step in enumerate(judged)
        )


def first_line_of(text: str, page: str, near: int) -> int:
    """The line of the page on which a section's text begins; 0 where the page does not hold it so."""
    wanted, lines = text.splitlines(), page.splitlines()
    for first in range(max(1, near), min(near + 8, len(lines)) + 1):
        if wanted and lines[first - 1 : first - 1 + len(wanted)] == wanted:
            return first
    return 0


def _rest(row: Mapping[str, Any], page: Evidence) -> str:
    """The page without the section found and the sections about other alerts; lines stay in place."""
    lines = word(dig(page.data, "text")).splitlines()
    for section in map(mapping, listing(page.data, "sections")):
        found = section.get("id") == row.get("id")
        if found or section.get("topic") != row.get("topic"):
            first, last = whole(section.get("first_line")), whole(section.get("last_line"))
            lines[max(0, first - 1) : last] = [""] * len(lines[max(0, first - 1) : last])
    return "\n".join(lines)


def outdated(judged: Iterable[RunbookStep]) -> str:
    """What live state contradicts, and how many steps need it; empty for a page that still holds."""
    reasons: dict[str, int] = {}
    for step in judged:
        if step.outdates:
            reasons[step.why] = reasons.get(step.why, 0) + 1
    most = sorted(reasons.items(), key=lambda item: -item[1])[:MOST_REASONS]
    told = [
        f"{why}, yet {count} of its steps need{'s' if count == 1 else ''} it" for why, count in most
    ]
    return "; ".join(told)
