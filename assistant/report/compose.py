"""A report as a `Document`: the ten lines, then the sections in their order."""

from __future__ import annotations

from assistant.incident import Report
from assistant.report import records, sections
from assistant.report.document import Document, Lookup, Section
from assistant.report.headline import headline
from assistant.report.words import clean, cut, utc


def compose(report: Report) -> Document:
    """Everything that a report says, in the order it is read."""
    know = Lookup(report)
    return Document(
        title=cut(report.alert.title, 160),
        origin=_origin(report),
        headline=headline(report),
        sections=_sections(know),
    )


def _sections(know: Lookup) -> tuple[Section, ...]:
    makers = (
        sections.summary,
        sections.actions,
        sections.hypotheses,
        sections.rivals,
        sections.findings,
        records.dated,
        records.signals,
        sections.runbooks,
        sections.blind_spots,
        records.diagrams,
        records.evidence,
        sections.cost,
    )
    return tuple(make(know) for make in makers)


def _origin(report: Report) -> str:
    """`Alert Q1ABC, verdict: cause found. Report r1 made 21 Nov 2026 03:00; all times are UTC.`"""
    alert = report.alert
    number = f" (#{alert.number})" if alert.number is not None else ""
    made = utc(report.made_at)
    return (
        f"Alert {clean(alert.id)}{number}, verdict: {report.verdict.value}. "
        f"Report {clean(report.id)} made {made.day} {made:%b %Y %H:%M}; all times are UTC."
    )
