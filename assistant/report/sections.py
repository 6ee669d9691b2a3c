"""The sections under the ten lines: causes, rivals, facts, runbook, blind spots, evidence, cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from assistant.incident import (
    Action,
    BlindSpot,
    Finding,
    Hypothesis,
    Report,
    RunbookMatch,
    RunbookStep,
    StepState,
    Verdict,
)
from assistant.report.document import (
    Block,
    Bullets,
    Fields,
    Line,
    Lookup,
    Paragraph,
    Section,
    Tone,
    cited,
)
from assistant.report.headline import accused
from assistant.report.words import clean, confidence, count, cut

MOST_ITEMS = 40

GUESSES = {
    Verdict.CAUSE_FOUND: "Cause",
    Verdict.SEVERAL_CAUSES: "Causes",
    Verdict.INCONCLUSIVE: "Possible causes, none decided",
    Verdict.RECOVERED: "What may have happened",
    Verdict.HEALTHY: "Considered, and not confirmed",
}

STEP_TONES = {
    StepState.APPLIES: Tone.BAD,
    StepState.ALREADY_TRUE: Tone.GOOD,
    StepState.CONTRADICTED: Tone.WARN,
    StepState.UNKNOWN: Tone.QUIET,
}


def summary(know: Lookup) -> Section:
    """The one or two plain sentences, and the observed impact in full."""
    report = know.report
    blocks: list[Block] = [Paragraph(Line(clean(report.summary)))]
    if report.impact:
        reasons = (Line(clean(r.text), cites=cited(r.citations)) for r in report.impact)
        blocks.append(Bullets(_bounded(list(reasons))))
    return Section("summary", "Summary", tuple(blocks))


def actions(know: Lookup) -> Section:
    """What to do, safest first; nothing of it was done."""
    proposed = know.report.actions
    if not proposed:
        return Section("actions", "Next steps", (Paragraph(Line("No step is proposed.")),))
    note = Paragraph(Line("Proposed, safest first. Nothing was changed by this triage."))
    lines = Bullets(tuple(map(_action, proposed)), numbered=True)
    return Section("actions", "Next steps", (note, lines))


def _action(action: Action) -> Line:
    under = [Line(code=action.command, label="run"), Line(action.risk.value, label="risk")]
    under += [_maybe_command("undo", action.rollback)] if action.rollback else []
    under += [_maybe_command("check", action.verify)] if action.verify else []
    return Line(clean(action.title), under=tuple(under))


def _maybe_command(label: str, text: str) -> Line:
    return Line(label=label, code=text) if _is_command(text) else Line(clean(text), label=label)


def _is_command(text: str) -> bool:
    return text.startswith(("kubectl ", "helm ", "curl ", "assistant "))


def hypotheses(know: Lookup) -> Section:
    """The guesses, best first, each with what speaks for and against it."""
    report = know.report
    title = GUESSES[report.verdict]
    if not report.hypotheses:
        text = "No cause is claimed. " + _why_no_cause(report)
        return Section("causes", title, (Paragraph(Line(text)),))
    named = len(accused(report)) or len(report.hypotheses)
    first, rest = report.hypotheses[:named], report.hypotheses[named:]
    blocks: list[Block] = []
    if not accused(report):
        blocks.append(Paragraph(Line("These are guesses; nothing is blamed.")))
    blocks.append(Bullets(tuple(_hypothesis(know, guess) for guess in first), numbered=True))
    if rest:
        blocks.append(Paragraph(Line("Also possible, and less likely:")))
        blocks.append(Bullets(_bounded([_hypothesis(know, guess) for guess in rest])))
    return Section("causes", title, tuple(blocks))


def _why_no_cause(report: Report) -> str:
    if report.verdict is Verdict.RECOVERED:
        return "The alert has recovered, and nothing wrong is left to explain."
    if report.blind_spots:
        return "What could not be seen is listed below, and may hold it."
    if report.verdict is Verdict.HEALTHY:
        return "Everything asked was answered, and nothing wrong was in it."
    return "Nothing that was seen explains the alert."


def _hypothesis(know: Lookup, guess: Hypothesis) -> Line:
    under = [Line(confidence(guess.confidence), label="confidence")]
    under += [Line(know.since(guess.began), label="since")] if guess.began else []
    under += [_fact("for", found) for found in know.findings(guess.findings)]
    under += _explained(know, guess)
    if guess.chain:
        chain = " → ".join(clean(str(entity)) for entity in guess.chain)
        under.append(Line(chain, label="chain"))
    under += _against(guess)
    if guess.next_check:
        under.append(Line(clean(guess.next_check), label="would decide"))
    return Line(clean(guess.statement), cites=cited(guess.citations), under=tuple(under))


def _fact(label: str, found: Finding) -> Line:
    return Line(clean(found.statement), label=label, cites=cited(found.citations))


def _explained(know: Lookup, guess: Hypothesis) -> list[Line]:
    further = [id for id in guess.explains if id not in guess.findings]
    return [_fact("explains", found) for found in know.findings(further)]


def _against(guess: Hypothesis) -> list[Line]:
    if not guess.against:
        return [Line("nothing that was seen", label="against", tone=Tone.QUIET)]
    return [Line(clean(r.text), label="against", cites=cited(r.citations)) for r in guess.against]


def rivals(know: Lookup) -> Section:
    """What else was considered, with the evidence that ruled it out."""
    ruled_out = know.report.rivals
    if not ruled_out:
        text = "No other cause came into question."
        return Section("rivals", "Rivals ruled out", (Paragraph(Line(text)),))
    lines = [_rival(know, guess) for guess in ruled_out]
    return Section("rivals", "Rivals ruled out", (Bullets(_bounded(lines)),))


def _rival(know: Lookup, guess: Hypothesis) -> Line:
    spoke = [one for one in know.findings(guess.findings) if one.statement != guess.statement]
    under = [_fact("spoke for it", found) for found in spoke]
    under += [
        Line(clean(r.text), label="ruled out by", cites=cited(r.citations)) for r in guess.against
    ]
    return Line(clean(guess.statement), cites=cited(guess.citations), under=tuple(under))


def findings(know: Lookup) -> Section:
    """The facts, with those older than the incident set apart."""
    report = know.report
    blocks: list[Block] = []
    if report.findings:
        blocks.append(Bullets(_bounded([_finding(know, found) for found in report.findings])))
    else:
        blocks.append(Paragraph(Line(_nothing_found(report))))
    if report.noise:
        blocks.append(Paragraph(Line("There before the incident, and not held to be its cause:")))
        blocks.append(Bullets(_bounded([_finding(know, found) for found in report.noise])))
    return Section("findings", "Findings", tuple(blocks))


def _nothing_found(report: Report) -> str:
    if not any(one.status.seen for one in report.evidence):
        return "No source answered, so no check could look at anything."
    return "No check found anything out of order in what was seen."


def _finding(know: Lookup, found: Finding) -> Line:
    notes = [f"since {know.when(found.began)}"] if found.began else []
    notes += [] if found.active else ["over by the end of the window"]
    after = f"({', '.join(notes)})" if notes else ""
    return Line(clean(found.statement), after=after, cites=cited(found.citations))


def runbooks(know: Lookup) -> Section:
    """The runbook section that applies, its steps held against live state, its age said first."""
    matches = know.report.runbooks
    if not matches:
        text = "No runbook section matched well enough to be shown."
        return Section("runbook", "Runbook", (Paragraph(Line(text)),))
    blocks = [block for match in matches for block in _runbook(match)]
    return Section("runbook", "Runbook", tuple(blocks))


def _runbook(match: RunbookMatch) -> list[Block]:
    lines: list[Line] = []
    if match.outdated:
        lines.append(Line(clean(match.outdated), label="OUT OF DATE", tone=Tone.WARN))
    if match.warnings:
        text = f"{'; '.join(match.warnings)}. Read it twice before following it"
        lines.append(Line(clean(text), label="SUSPICIOUS", tone=Tone.WARN))
    place = f"{match.path}, lines {match.first_line} to {match.last_line}"
    name = f"{match.title} > {match.section}"
    lines.append(Line(clean(name), label="section", cites=cited(match.citations)))
    lines.append(Line(clean(place), label="where"))
    lines += [Line(clean(match.url), label="open")] if match.url else []
    lines += [Line(clean(match.why), label="why this one")] if match.why else []
    lines.append(Line(clean(match.last_reviewed) or "never, or not said", label="last reviewed"))
    return [Fields(tuple(lines)), *_steps(match)]


def _steps(match: RunbookMatch) -> Iterator[Block]:
    """The steps of the section, then those that stand elsewhere on its page."""
    here = tuple(_step(step) for step in match.steps if step.in_section)
    elsewhere = tuple(_step(step) for step in match.steps if not step.in_section)
    if here:
        yield Bullets(here, numbered=True)
    if elsewhere:
        yield Paragraph(Line("Elsewhere on the same page:"))
        yield Bullets(elsewhere, numbered=True)


def _step(step: RunbookStep) -> Line:
    why = f": {clean(step.why)}" if step.why else ""
    where = f"(line {step.line})" if step.line else ""
    verdict = Line(
        f"{step.state.value}{why}",
        after=where,
        cites=cited(step.citations),
        tone=STEP_TONES[step.state],
    )
    words, *rest = [part for part in step.text.splitlines() if part.strip()] or [""]
    if _is_command(words):
        words, rest = "", [words, *rest]
    commands = [Line(code=part, label="run") for part in rest]
    if step.changes:
        commands.append(Line("only judged, never carried out", label="changes something"))
    return Line(clean(words) or "Run:", under=(*commands, verdict))


def blind_spots(know: Lookup) -> Section:
    """What could not be seen; says so outright when there was nothing of the kind."""
    spots = know.report.blind_spots
    if not spots:
        text = Line("Everything asked was answered.", tone=Tone.GOOD)
        return Section("unseen", "What we could not see", (Paragraph(text),))
    note = Line("None of this may be read as “nothing wrong”.", tone=Tone.WARN)
    lines = _bounded([_blind_spot(spot) for spot in spots])
    return Section("unseen", "What we could not see", (Paragraph(note), Bullets(lines)))


def _blind_spot(spot: BlindSpot) -> Line:
    under = [Line(clean(spot.consequence), label="so")] if spot.consequence else []
    under += [Line(clean(text), label="try") for text in spot.suggestions]
    text = f"{spot.tool}: {spot.status.value}. {cut(spot.reason, 400)}"
    cites = (spot.evidence,) if spot.evidence else ()
    return Line(clean(text), cites=cites, tone=Tone.WARN, under=tuple(under))


def cost(know: Lookup) -> Section:
    """What the triage took."""
    spent = know.report.cost
    upstream = spent.upstream_requests
    lines = [
        Line(f"{spent.seconds:.1f} s", label="time"),
        Line(count(spent.calls, "call"), label="tools"),
        Line("not counted" if upstream is None else str(upstream), label="upstream requests"),
        Line(count(spent.model_calls, "call") if spent.model_calls else "none", label="model"),
    ]
    return Section("cost", "What it cost", (Fields(tuple(lines)),))


def _bounded(lines: Sequence[Line]) -> tuple[Line, ...]:
    rest = len(lines) - MOST_ITEMS
    if rest <= 0:
        return tuple(lines)
    more = Line(f"and {rest} more, in the JSON report", tone=Tone.QUIET)
    return (*lines[:MOST_ITEMS], more)
