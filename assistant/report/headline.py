"""The ten lines for a tired reader. Says only what the report holds, and never hides a blind spot."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from assistant.incident import Alert, BlindSpot, Hypothesis, Report, Verdict
from assistant.report.document import Fields, Line, Lookup, Tone, cited
from assistant.report.words import ago, confidence, count, cut, listed

LONG = 220

TONES = {
    Verdict.CAUSE_FOUND: Tone.BAD,
    Verdict.SEVERAL_CAUSES: Tone.BAD,
    Verdict.INCONCLUSIVE: Tone.WARN,
    Verdict.HEALTHY: Tone.GOOD,
    Verdict.RECOVERED: Tone.GOOD,
}


def headline(report: Report) -> Fields:
    """What, where, since, cause, confidence, impact, next, on call, blind spots, runbook."""
    know = Lookup(report)
    makers: dict[str, Callable[[Lookup], Line]] = {
        "What": _what,
        "Where": _where,
        "Since": _since,
        "Cause": _cause,
        "Confidence": _confidence,
        "Impact": _impact,
        "Do next": _next,
        "On call": _on_call,
        "Not seen": _blind,
        "Runbook": _runbook,
    }
    lines = ((label, make(know)) for label, make in makers.items())
    return Fields(tuple(Line(**(vars(line) | {"label": label})) for label, line in lines))


def accused(report: Report) -> tuple[Hypothesis, ...]:
    """The hypotheses that the verdict stands by: none, unless a cause was found."""
    if report.verdict is Verdict.CAUSE_FOUND:
        return report.hypotheses[:1]
    return report.hypotheses if report.verdict is Verdict.SEVERAL_CAUSES else ()


def unseen(spots: tuple[BlindSpot, ...]) -> str:
    """`prometheus.query_range (timeout), kubernetes.get_pod_logs (denied) and 2 more`."""
    return listed(dict.fromkeys(f"{spot.tool} ({spot.status.value})" for spot in spots))


def began(report: Report) -> datetime:
    """When the trouble began: the earliest cause that was found, else what the alert says."""
    dates = [cause.began for cause in accused(report) if cause.began]
    return min(dates) if dates else report.scope.began


def _what(know: Lookup) -> Line:
    report = know.report
    return Line(
        cut(report.alert.title, LONG), after=about(report.alert), tone=TONES[report.verdict]
    )


def about(alert: Alert) -> str:
    """`(triggered, high urgency, service checkout)`."""
    facts = [alert.status]
    facts += [f"{alert.urgency} urgency"] if alert.urgency else []
    facts += [f"service {alert.service}"] if alert.service else []
    return f"({cut(', '.join(facts), 120)})"


def _where(know: Lookup) -> Line:
    report = know.report
    named = [str(cause.entity) for cause in accused(report)] or [
        str(entity) for entity in report.scope.entities
    ]
    places = listed(dict.fromkeys(named)) or listed(report.scope.namespaces) or "not known"
    cluster = report.scope.cluster
    return Line(cut(places, LONG), after=f"in cluster {cut(cluster, 80)}" if cluster else "")


def _since(know: Lookup) -> Line:
    report = know.report
    ended = report.alert.resolved_at
    if report.verdict is Verdict.RECOVERED and ended:
        start, end = know.when(began(report)), know.when(ended)
        return Line(f"{start} to {end} UTC; recovered {ago(ended, report.made_at)}")
    alerted = know.when(report.alert.created_at)
    return Line(f"{know.since(began(report))} (alert at {alerted})")


def _cause(know: Lookup) -> Line:
    report = know.report
    causes = accused(report)
    if causes:
        cites = cited(citation for cause in causes for citation in cause.citations)
        text = "; and ".join(cut(cause.statement, LONG) for cause in causes)
        return Line(text, cites=cites, tone=Tone.BAD)
    return _no_cause(report)


def _no_cause(report: Report) -> Line:
    if report.verdict is Verdict.RECOVERED:
        return Line("none now: the alert has recovered, and nothing is blamed", tone=Tone.GOOD)
    if report.verdict is Verdict.HEALTHY:
        text = "none: nothing wrong was found"
        limits = " in what could be seen" if report.blind_spots else ""
        return Line(text + limits, tone=Tone.WARN if limits else Tone.GOOD)
    if not report.hypotheses:
        return Line(f"not known: {_unexplained(report)}", tone=Tone.WARN)
    best = report.hypotheses[0]
    text = f"not decided; nearest guess: {cut(best.statement, LONG)}"
    return Line(text, cites=cited(best.citations), tone=Tone.WARN)


def _unexplained(report: Report) -> str:
    asked, answered = len(report.evidence), sum(one.status.seen for one in report.evidence)
    if not answered:
        return f"none of {count(asked, 'question')} was answered" if asked else "nothing was asked"
    return f"nothing in {count(answered, 'answer')} (of {asked} asked for) explains the alert"


def _confidence(know: Lookup) -> Line:
    report = know.report
    rivals = (
        count(len(report.rivals), "rival") + " ruled out" if report.rivals else "no rival came up"
    )
    causes = accused(report)
    if causes:
        values = " and ".join(confidence(cause.confidence) for cause in causes)
        against = sum(len(cause.against) for cause in causes)
        doubts = f"{count(against, 'fact')} against it" if against else "nothing seen against it"
        return Line(f"{values}; {doubts}, {rivals}")
    if report.verdict is Verdict.INCONCLUSIVE and report.hypotheses:
        best = confidence(report.hypotheses[0].confidence)
        guesses = count(len(report.hypotheses), "guess", "guesses")
        return Line(f"{best} for the nearest of {guesses}; {rivals}")
    return Line(f"verdict: {report.verdict.value}; {rivals}")


def _impact(know: Lookup) -> Line:
    reasons = know.report.impact
    if not reasons:
        blind = " (not everything could be seen)" if know.report.blind_spots else ""
        return Line(f"none was observed{blind}", tone=Tone.QUIET)
    text = "; ".join(cut(reason.text, LONG) for reason in reasons[:2])
    more = f"; and {len(reasons) - 2} more" if len(reasons) > 2 else ""  # noqa: PLR2004 - two fit
    return Line(text + more, cites=cited(c for reason in reasons[:2] for c in reason.citations))


def _next(know: Lookup) -> Line:
    report = know.report
    question = _question(report)
    if not report.actions:
        return Line(question or _look_further(report) or "nothing to run")
    first = report.actions[0]
    undecided = question and report.verdict is Verdict.INCONCLUSIVE
    title = f"{question} Meanwhile, {cut(first.title, LONG)}" if undecided else first.title
    return Line(f"{cut(title, 2 * LONG)}:", code=first.command, after=f"(risk {first.risk.value})")


def _question(report: Report) -> str:
    asked = next((h.next_check for h in report.hypotheses if h.next_check), "")
    return f"find out: {cut(asked, LONG)}" if asked else ""


def _look_further(report: Report) -> str:
    if report.verdict is not Verdict.INCONCLUSIVE:
        return ""
    hints = (hint for spot in report.blind_spots for hint in spot.suggestions)
    hint = next(hints, "")
    return f"make visible what was not: {cut(hint, LONG)}" if hint else ""


def _on_call(know: Lookup) -> Line:
    names = know.report.on_call
    if names:
        return Line(cut(listed(names), LONG))
    return Line("not known: no source named anyone", tone=Tone.WARN)


def _blind(know: Lookup) -> Line:
    spots = know.report.blind_spots
    if not spots:
        return Line("nothing: everything asked was answered", tone=Tone.GOOD)
    return Line(f"{count(len(spots), 'blind spot')}: {cut(unseen(spots), LONG)}", tone=Tone.WARN)


def _runbook(know: Lookup) -> Line:
    if not know.report.runbooks:
        if any(spot.tool.startswith("runbooks") for spot in know.report.blind_spots):
            return Line("not known: the runbooks could not be searched", tone=Tone.WARN)
        return Line("none matched", tone=Tone.QUIET)
    best = know.report.runbooks[0]
    marks = [("OUT OF DATE", best.outdated), ("SUSPICIOUS", best.warnings)]
    caution = "".join(f"{words}: " for words, is_so in marks if is_so)
    place = f"{best.path}:{best.first_line}-{best.last_line}"
    text = f"{caution}{cut(best.title, 80)} > {cut(best.section, 80)}"
    tone = Tone.WARN if caution else Tone.PLAIN
    return Line(text, after=f"({cut(place, 120)})", cites=cited(best.citations), tone=tone)
