"""What a report says, as blocks, before any format: every renderer shows the same words.

Text in here is raw: each renderer escapes it in its own way, and none adds a claim.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from assistant.incident import (
    Citation,
    Evidence,
    Finding,
    Reason,
    Report,
    RunbookMatch,
    Series,
    TimelineEntry,
)
from assistant.report.words import ago, clock, utc


class Tone(StrEnum):
    """How a line is meant; a renderer may colour it, and must not rely on colour alone."""

    PLAIN = "plain"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    QUIET = "quiet"


@dataclass(frozen=True)
class Line:
    """One statement: an optional label, words, a piece of code, the evidence it rests on."""

    text: str = ""
    code: str = ""
    after: str = ""
    cites: tuple[str, ...] = ()
    label: str = ""
    tone: Tone = Tone.PLAIN
    under: tuple[Line, ...] = ()


@dataclass(frozen=True)
class Paragraph:
    """A few sentences."""

    line: Line


@dataclass(frozen=True)
class Fields:
    """Labelled lines, one per label."""

    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Bullets:
    """A list, with lists inside; numbered where the order says something."""

    lines: tuple[Line, ...]
    numbered: bool = False


@dataclass(frozen=True)
class Table:
    """Rows of cells; the last column is the one that may be long."""

    headers: tuple[str, ...]
    rows: tuple[tuple[Line, ...], ...]


@dataclass(frozen=True)
class Chart:
    """One series; the line below says its numbers in words."""

    series: Series
    line: Line


@dataclass(frozen=True)
class Diagram:
    """A Mermaid diagram, made by code from the report."""

    title: str
    source: str


Claim = Reason | Finding | TimelineEntry | Series | RunbookMatch
Block = Paragraph | Fields | Bullets | Table | Chart | Diagram


@dataclass(frozen=True)
class Section:
    """A titled part of the report; `key` names it for links and layout."""

    key: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Document:
    """The whole report: a title, one line of origin, the ten lines, then the sections."""

    title: str
    origin: str
    headline: Fields
    sections: tuple[Section, ...]


class Lookup:
    """The report's own ids resolved, and its times put into words."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.today: date = utc(report.made_at).date()
        self._evidence = {evidence.id: evidence for evidence in report.evidence}
        self._findings = {found.id: found for found in (*report.findings, *report.noise)}

    def when(self, moment: datetime) -> str:
        """`02:41`, with the day if it was not the report's."""
        return clock(moment, self.today)

    def since(self, moment: datetime) -> str:
        """`02:41 UTC, 19 min before this report`."""
        return f"{self.when(moment)} UTC, {ago(moment, self.report.made_at)}"

    def evidence(self, id: str) -> Evidence | None:
        """The evidence of that id, if the report holds it."""
        return self._evidence.get(id)

    def findings(self, ids: Iterable[str]) -> list[Finding]:
        """The findings of those ids that the report holds, in that order."""
        return [self._findings[id] for id in ids if id in self._findings]


def cited(citations: Iterable[Citation]) -> tuple[str, ...]:
    """The evidence ids, each once, in order."""
    return tuple(dict.fromkeys(citation.evidence for citation in citations))


def quotes(report: Report) -> dict[str, tuple[str, ...]]:
    """For each evidence id the words that the report quotes from it; "" is the whole answer."""
    found: dict[str, dict[str, None]] = {}
    for citation in _citations(report):
        found.setdefault(citation.evidence, {})[citation.quote] = None
    return {id: tuple(words) for id, words in found.items()}


def _citations(report: Report) -> Iterable[Citation]:
    for hypothesis in (*report.hypotheses, *report.rivals):
        yield from hypothesis.citations
        for reason in hypothesis.against:
            yield from reason.citations
    claims: tuple[Claim, ...] = (*report.impact, *report.findings, *report.noise)
    claims += (*report.timeline, *report.series, *report.runbooks)
    for claim in claims:
        yield from claim.citations
    for runbook in report.runbooks:
        for step in runbook.steps:
            yield from step.citations
