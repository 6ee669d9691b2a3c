"""A report and the history of its incident -> a draft of the postmortem, and a confirmed incident. Pure.

Only what was stored is told; what nobody can know from it is put as a question to people.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime

import yaml

from assistant.chat.answers.words import bullets, marks, plain
from assistant.incident import Report, StepState, Verdict
from assistant.report.document import Lookup
from assistant.report.headline import accused, began
from assistant.report.words import clean, confidence, count, span
from assistant.snapshot import dig, listing, moment

_MOST = 30


def draft(report: Report, ended: datetime | None = None) -> str:
    """The postmortem as Markdown; every fact cites its evidence.

    `ended` is when the alert was resolved, where that was after its report.
    """
    sections = {
        "Summary": _summary(report, ended or report.alert.resolved_at),
        "Impact": _impact(report),
        "Timeline": _timeline(report),
        "Cause": _cause(report),
        "Ruled out": _ruled_out(report),
        "What went well": bullets(_went_well(report), _MOST) or "Nothing of it can be read from what was stored.",
        "What was not seen": _not_seen(report),
        "Runbook gaps": bullets(gaps(report), _MOST) or "None: the runbook was found, and nothing contradicted it.",
        "Action items, as questions": bullets(questions(report), _MOST),
    }  # fmt: skip
    head = f"# Postmortem (draft): {plain(report.alert.title)}"
    note = f"Incident {plain(report.alert.id, 60)}, report {report.id}. Drafted from stored evidence alone; times are UTC."
    return (
        "\n\n".join([head, note, *(f"## {name}\n\n{text}" for name, text in sections.items())])
        + "\n"
    )


def _summary(report: Report, ended: datetime | None) -> str:
    know, start = Lookup(report), began(report)
    last = f"It lasted {span((ended - start).total_seconds())}, until {know.when(ended)} UTC." if ended and ended > start else f"The alert was still open when the report was made, at {know.when(report.made_at)} UTC."  # fmt: skip
    return f"{plain(report.summary, 600)} It began at {know.when(start)} UTC, and the alert came at {know.when(report.alert.created_at)} UTC. {last}"


def _impact(report: Report) -> str:
    lines = [f"{plain(one.text)} {marks(one.citations)}" for one in report.impact]
    return bullets(lines, _MOST) or "None was observed. What users noticed is for people to say."


def _timeline(report: Report) -> str:
    know = Lookup(report)
    rows = [
        (one.at, f"{know.when(one.at)} {one.kind}: {plain(one.text)} {marks(one.citations)}")
        for one in report.timeline
    ]
    rows += [(at, f"{know.when(at)} response: {text}") for at, text in _responses(report)]
    return bullets((text for _, text in sorted(rows)), _MOST) or "Nothing dated was stored."


def _responses(report: Report) -> Iterator[tuple[datetime, str]]:
    for one in report.evidence:
        if one.tool == "pagerduty.list_log_entries":
            for row in listing(one.data, "log_entries"):
                if at := moment(dig(row, "at")):
                    yield at, f"{plain(dig(row, 'summary'))} [{one.id}]"


def _cause(report: Report) -> str:
    found = accused(report)
    if not found:
        return f"Not established ({report.verdict.value}). {plain(report.summary, 600)}"
    lines = []
    for one in found:
        chain = " → ".join(plain(entity) for entity in one.chain)
        tail = f" Chain: {chain}." if chain else ""
        lines.append(
            f"{plain(one.statement)}; confidence {confidence(one.confidence)} {marks(one.citations)}{tail}"
        )
    return bullets(lines, _MOST) + "\n\nA person has to confirm this."


def _ruled_out(report: Report) -> str:
    lines = (
        f"{plain(one.statement, 160)} {marks(one.citations)}: "
        + "; ".join(f"{plain(r.text, 160)} {marks(r.citations)}" for r in one.against[:2])
        for one in report.rivals
    )
    return bullets(lines, 12) or "No other cause came into question."


def _went_well(report: Report) -> Iterator[str]:
    waited = (report.alert.created_at - began(report)).total_seconds()
    if 0 <= waited <= 600:  # noqa: PLR2004 - ten minutes, the usual `for:` of an alert and a little
        yield f"The alert came {span(waited)} after the trouble began."
    if report.verdict in (Verdict.CAUSE_FOUND, Verdict.SEVERAL_CAUSES):
        yield f"The cause was named {span(report.cost.seconds)} after the triage began, from {count(report.cost.calls, 'answer')}."
    if report.runbooks and not report.runbooks[0].outdated:
        first = report.runbooks[0]
        yield f"A runbook applied: {plain(first.title, 80)} > {plain(first.section, 80)} {marks(first.citations)}"
    if not report.blind_spots:
        yield "Everything that was asked was answered."


def _not_seen(report: Report) -> str:
    lines = (
        f"{plain(spot.tool, 80)} ({spot.status.value}): {plain(spot.reason, 160)}; {plain(spot.consequence, 160)}"
        for spot in report.blind_spots
    )
    return bullets(lines, _MOST) or "Nothing: everything that was asked was answered."


def gaps(report: Report) -> Iterator[str]:
    """What the runbooks lack, as far as this incident shows it."""
    if not report.runbooks:
        yield f"No runbook matched the alert {plain(report.alert.title)}."
    for match in report.runbooks[:2]:
        name = f"{plain(match.title, 80)} > {plain(match.section, 80)}"
        if match.outdated:
            yield f"{name} is out of date: {plain(match.outdated)} {marks(match.citations)}"
        for step in match.steps:
            if step.state is StepState.CONTRADICTED:
                yield f"{name}: a step is contradicted: {plain(step.text, 120)} ({plain(step.why, 120)}) {marks(step.citations)}"
        if not match.last_reviewed:
            yield f"{name} does not say when it was last reviewed."


def questions(report: Report) -> Iterator[str]:
    """What only people can answer."""
    found = accused(report)
    for one in found:
        yield f"Is it confirmed that {plain(one.statement, 160)}? Then run `assistant confirm {report.id}`."
    if not found:
        yield f"What was the cause? Then run `assistant confirm {report.id} --cause TEXT`."
    for text in _blamed_changes(report):
        yield f"What would have stopped this change before it did harm: {plain(text, 160)}?"
    waited = (report.alert.created_at - began(report)).total_seconds()
    if waited > 600:  # noqa: PLR2004 - as above
        yield f"Why did the alert come only {span(waited)} after the trouble began?"
    if report.blind_spots:
        yield "Who makes visible what was not seen?"
    if not report.runbooks or any(one.outdated for one in report.runbooks[:1]):
        yield "Who writes, or mends, the runbook for this alert?"
    yield "What did users notice, and who told them?"


def _blamed_changes(report: Report) -> Iterator[str]:
    """The changes on which the cause rests; others only happened at the same time."""
    rests_on = [id for one in accused(report) for id in one.findings]
    blamed = {one.statement[:200] for one in Lookup(report).findings(rests_on)}
    for one in report.timeline:
        if one.kind == "change" and one.text in blamed:
            yield one.text


def confirmed(report: Report, cause: str, on: date) -> str:
    """One Markdown file with front matter, as the ingestion takes a past incident.

    `cause` is what a person says it was; empty takes the report's. Raises ValueError without either.
    """
    told = clean(cause) or "; ".join(one.statement for one in accused(report))
    if not told:
        raise ValueError("the report names no cause")
    services = [report.alert.service, report.alert.labels.get("service", "")]
    services += [one.entity.name for one in accused(report)]
    front = {
        "title": f"Past incident: {clean(report.alert.title)}",
        "services": _each(services),
        "alerts": _each([report.alert.labels.get("alertname", ""), report.alert.title]),
        "last_reviewed": on.isoformat(),
    }
    fixes = [f"{plain(one.title)}: `{one.command}`" for one in report.actions]
    parts = [
        f"---\n{yaml.safe_dump(front, sort_keys=False, allow_unicode=True)}---",
        f"# {plain(front['title'])}",
        f"## Cause\n\n{plain(told, 600)}",
        f"## How it showed\n\n{_impact(report)}",
        f"## What was proposed\n\n{bullets(fixes, _MOST) or 'Nothing.'}",
        f"## What it was not\n\n{_ruled_out(report)}",
    ]
    return "\n\n".join(parts) + "\n"


def _each(names: Iterable[str]) -> list[str]:
    """Each name once, whatever its case."""
    return list({clean(name).lower(): clean(name) for name in names if clean(name)}.values())
