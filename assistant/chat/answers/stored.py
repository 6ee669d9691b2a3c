"""What a stored report says: its ten lines, its cause, why, what was ruled out, its diagrams."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from assistant.chat.answers.asked import Asked, Said
from assistant.chat.answers.words import bullets, harmless, marks, plain
from assistant.chat.contract import Attachment, Choice
from assistant.chat.postmortem import draft
from assistant.incident import Citation, Finding, Hypothesis, Report, TimelineEntry, Verdict
from assistant.report import mermaid
from assistant.report.charts import svg
from assistant.report.document import Lookup
from assistant.report.drawing import topology_svg
from assistant.report.headline import accused, headline
from assistant.report.markdown import inline, markdown
from assistant.report.words import confidence, count

NEXT = (
    Choice(label="Full report", text="full report"),
    Choice(label="Why", text="why?"),
    Choice(label="Timeline", text="timeline"),
    Choice(label="Runbook", text="what does the runbook say?"),
    Choice(label="Ruled out", text="what did you rule out?"),
    Choice(label="Postmortem", text="postmortem"),
)
"""What may be said next of any report; front ends show these as buttons."""

_DIAGRAMS: dict[str, tuple[str, Callable[[Report], str]]] = {
    "cause": ("cause_chain.mmd", mermaid.cause_chain),
    "timeline": ("timeline.mmd", mermaid.timeline),
    "topology": ("topology.mmd", mermaid.topology),
}
_MERMAID = "text/vnd.mermaid"


def summary(report: Report) -> Said:
    """The ten lines of a report."""
    lines = "\n".join(f"- {inline(line)}" for line in headline(report).lines)
    text = f"**{plain(report.alert.title)}**: {report.verdict.value}\n{harmless(lines)}"
    return Said(text, citations=_of_headline(report), choices=NEXT, report=report)


def _of_headline(report: Report) -> tuple[Citation, ...]:
    causes = accused(report) or report.hypotheses[:1]
    cited = [*(c for cause in causes for c in cause.citations)]
    cited += [c for reason in report.impact[:2] for c in reason.citations]
    cited += [c for match in report.runbooks[:1] for c in match.citations]
    return tuple(cited) or _first_seen(report)


def _first_seen(report: Report) -> tuple[Citation, ...]:
    return tuple(one.cite_absence() for one in report.evidence[:1])


def full(asked: Asked, report: Report) -> Said:
    """The ten lines, with the whole report as files."""
    from assistant.report.html import html  # noqa: PLC0415 - only a page needs the template engine

    said = summary(report)
    said.attachments = (
        Attachment(name=f"{report.id}.md", media_type="text/markdown", text=markdown(report)),
        Attachment(name=f"{report.id}.html", media_type="text/html", text=html(report)),
    )
    if asked.meaning.topic == "timeline":
        return timeline(report)
    return said


def cause(asked: Asked, report: Report) -> Said:
    """The cause that was found, or how far the triage came."""
    if (far := _not_about(asked, report)) is not None:
        return far
    best = accused(report) or report.hypotheses[:1]
    know = Lookup(report)
    if not best:
        text = f"**No cause is claimed** ({report.verdict.value}). {plain(report.summary)}"
        return Said(text, citations=_first_seen(report), choices=NEXT, report=report)
    found = accused(report)
    head = "**Cause**" if found else "**Not decided**; the nearest guess"
    lines = [f"{head}: {_guess(one, know)}" for one in best]
    chain = " → ".join(plain(entity) for entity in best[0].chain)
    lines += [f"Chain: {chain}"] if chain else []
    if best[0].next_check and not found:
        lines.append(f"Would decide: {plain(best[0].next_check)}")
    lines += [f"Do next: {inline_action(report)}"] if report.actions else []
    cited = tuple(c for one in best for c in one.citations)
    return Said("\n".join(lines), citations=cited, choices=NEXT, report=report)


def _guess(one: Hypothesis, know: Lookup) -> str:
    since = f", since {know.when(one.began)} UTC" if one.began else ""
    return f"{plain(one.statement)}; confidence {confidence(one.confidence)}{since} {marks(one.citations)}"


def inline_action(report: Report) -> str:
    """The safest next step and its command."""
    first = report.actions[0]
    return f"{plain(first.title)}: `{first.command}` (risk {first.risk.value})"


def _not_about(asked: Asked, report: Report) -> Said | None:
    """Where something is asked about that this incident does not touch, that is said first."""
    subject = asked.subject if asked.meaning.subject or asked.meaning.namespace else None
    place = subject.namespace if subject else asked.meaning.namespace
    if not place or place in report.scope.namespaces:
        return None
    text = (
        f"This incident, {plain(report.alert.title)}, is about {', '.join(map(plain, report.scope.namespaces))}; "
        f"{plain(place, 63)} was not looked at. I can look at it now."
    )
    choice = Choice(label=f"What fails in {place}", text=f"what is failing in {place} right now?")
    return Said(text, citations=_first_seen(report), choices=(choice,), report=report, sure=False)


def why(_: Asked, report: Report) -> Said:
    """What speaks for and against the best hypothesis, and what would decide."""
    best = next(iter(accused(report) or report.hypotheses), None)
    if best is None:
        text = f"Nothing is believed yet: {plain(report.summary)}"
        return Said(text, citations=_first_seen(report), choices=NEXT, report=report)
    know = Lookup(report)
    explained = [id for id in best.explains if id not in best.findings]
    parts = [
        f"**{plain(best.statement)}**: {confidence(best.confidence)}",
        "For it:\n" + bullets(map(_fact, know.findings(best.findings))),
        "It explains:\n" + bullets(map(_fact, know.findings(explained)), 5) if explained else "",
        _against(best),
        f"{count(len(report.rivals), 'rival')} ruled out." if report.rivals else "",
        f"Would decide: {plain(best.next_check)}" if best.next_check else "",
    ]
    found = know.findings((*best.findings, *explained[:5]))
    cited = (*best.citations, *(c for one in found for c in one.citations))
    cited += tuple(c for reason in best.against for c in reason.citations)
    text = "\n".join(filter(None, parts))
    return Said(text, citations=tuple(dict.fromkeys(cited)), choices=NEXT, report=report)


def _fact(found: Finding) -> str:
    return f"{plain(found.statement)} {marks(found.citations)}"


def _against(best: Hypothesis) -> str:
    if not best.against:
        return "Against it: nothing that was seen."
    return "Against it:\n" + bullets(f"{plain(r.text)} {marks(r.citations)}" for r in best.against)


def ruled_out(asked: Asked, report: Report) -> Said:
    """What else was considered, and what ruled it out."""
    rivals = list(_asked_for(asked, report.rivals))
    about = f" about {plain(asked.meaning.subject, 63)}" if asked.meaning.subject else ""
    if not rivals:
        text = f"**Nothing{about} was ruled out**: it did not come into question as a cause here."
        return Said(text, citations=_first_seen(report), choices=NEXT, report=report)
    lines = [_rival(one) for one in rivals]
    head = f"**Ruled out{about}** ({count(len(rivals), 'rival')}):"
    cited = [c for one in rivals for c in one.citations]
    cited += [c for one in rivals for reason in one.against for c in reason.citations]
    text = f"{head}\n{bullets(lines, 6)}"
    return Said(text, citations=tuple(dict.fromkeys(cited)), choices=NEXT, report=report)


def _asked_for(asked: Asked, rivals: Iterable[Hypothesis]) -> Iterator[Hypothesis]:
    for one in rivals:
        things = (one.entity, *one.chain)
        if not asked.meaning.subject or any(asked.meaning.subject in e.name for e in things):
            yield one


def _rival(one: Hypothesis) -> str:
    reasons = "; ".join(f"{plain(r.text, 160)} {marks(r.citations)}" for r in one.against[:2])
    return (
        f"{plain(one.statement, 160)} {marks(one.citations)} — {reasons or 'nothing spoke for it'}"
    )


def diagram(asked: Asked, report: Report) -> Said:
    """The diagrams: the one that was named, else all three."""
    if asked.meaning.topic == "timeline":
        return timeline(report)
    wanted = {k: v for k, v in _DIAGRAMS.items() if k == asked.meaning.topic} or _DIAGRAMS
    files = tuple(
        Attachment(name=name, media_type=_MERMAID, text=draw(report))
        for name, draw in wanted.values()
    )
    pictures = tuple(_pictures(report)) if "topology" in wanted else ()
    text = f"**Diagrams of {plain(report.alert.title)}**: {', '.join(wanted)}."
    return Said(
        text,
        citations=_of_headline(report),
        choices=NEXT,
        attachments=(*files, *pictures),
        report=report,
    )


def _pictures(report: Report) -> Iterator[Attachment]:
    """What can be drawn without a browser: the topology, and the first signal's course."""
    drawn = {
        "topology.svg": topology_svg(report),
        "signal.svg": "".join(map(svg, report.series[:1])),
    }
    for name, text in drawn.items():
        if text:
            yield Attachment(name=name, media_type="image/svg+xml", text=text)


def timeline(report: Report) -> Said:
    """What happened when, in words and as a diagram."""
    know = Lookup(report)
    lines = [f"{know.when(one.at)} UTC {one.kind}: {_said(one)}" for one in report.timeline]
    text = f"**Timeline of {plain(report.alert.title)}**\n{bullets(lines, 14)}"
    name, draw = _DIAGRAMS["timeline"]
    file = Attachment(name=name, media_type=_MERMAID, text=draw(report))
    cited = tuple(c for one in report.timeline[:14] for c in one.citations) or _first_seen(report)
    return Said(text, citations=cited, choices=NEXT, attachments=(file,), report=report)


def _said(entry: TimelineEntry) -> str:
    return f"{plain(entry.text, 160)} {marks(entry.citations)}"


def postmortem(report: Report, ended: datetime | None) -> Said:
    """A draft of the postmortem as a file. `ended` is when the alert was resolved, if after its report."""
    name, file_text = f"postmortem-{report.id}.md", draft(report, ended)
    file = Attachment(name=name, media_type="text/markdown", text=file_text)
    text = (
        f"**Postmortem draft** of {plain(report.alert.title)}, from what was stored."
        f" When a person has confirmed the cause: `assistant confirm {report.id}`,"
        " and later triages find it as a past incident."
    )
    cited = summary(report).citations
    return Said(text, citations=cited, attachments=(file,), choices=NEXT[:3], report=report)


def verdict_words(report: Report) -> str:
    """`cause found (94 %)`, for a list of incidents."""
    found = accused(report)
    sure = f" ({confidence(found[0].confidence)})" if found else ""
    return f"{Verdict(report.verdict).value}{sure}"
