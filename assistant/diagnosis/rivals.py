"""What might be suspected and why it is not the cause: every rival by name, with a reason. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.diagnosis.weighing import CLOCK_SLACK, Weighed, before
from assistant.diagnosis.words import span
from assistant.faults import Role, fault
from assistant.incident import Finding, Hypothesis, Reason, Scope

ACQUITTED = 0.05
"""What is left of a suspicion once there is a reason against it and none for it."""


def ruled_out(
    weighed: Sequence[Weighed],
    chosen: Sequence[Weighed],
    current: Sequence[Finding],
    noise: Sequence[Finding],
    scope: Scope,
) -> tuple[Hypothesis, ...]:
    """Everything that might be suspected and why not; one row for each thing, the likeliest first."""
    best = chosen[0] if chosen else None
    used = {item.origin.id for item in chosen} | {i.trigger.id for i in chosen if i.trigger}
    rows = [
        _rival(item.finding, item.origin, item.score, _why_not(item, best))
        for item in weighed
        if item.origin.id not in used
    ]
    others = [item for item in (*current, *noise) if item.id not in used]
    rows += [
        _rival(item, item, ACQUITTED, why)
        for item in others
        if (why := _innocence(item, best, current, scope))
    ]
    guilty = {item.finding.entity for item in chosen}
    rows.sort(key=lambda row: -row.confidence)
    first = {
        row.entity: row
        for row in reversed(rows)
        if row.entity not in guilty or row.confidence > ACQUITTED
    }
    return tuple(
        sorted(first.values(), key=lambda row: (-row.confidence, _suspicion(row), str(row.entity)))
    )


def _suspicion(row: Hypothesis) -> int:
    """What a reader would suspect first: a change, then something looked at, then old noise."""
    return {Role.CHANGE: 0, Role.CAUSE: 1, Role.SYMPTOM: 2, Role.CLEAR: 3}[fault(row.kind).role]


def _innocence(
    finding: Finding, best: Weighed | None, current: Sequence[Finding], scope: Scope
) -> str:
    """Why a finding that is no candidate does not explain the alert."""
    role = fault(finding.kind).role
    if role is Role.CHANGE:
        return _acquittal(finding, current)
    if role is Role.CLEAR:
        return f"it was looked at: {finding.statement}"
    if before(finding, scope):
        return _stale(finding, scope)
    if best and finding in best.explains:
        return f"it follows from {best.finding.entity}: {fault(best.finding.kind).title.lower()}"
    return "no way is known from it to what the alert speaks of"


def _why_not(item: Weighed, best: Weighed | None) -> str:
    if best is None:
        return "the alert's condition is gone, and nothing of this is needed to explain it"
    if item.finding in best.explains:
        return f"it follows from {best.finding.entity}: {fault(best.finding.kind).title.lower()}"
    first, mine = best.finding.began, item.finding.began
    if first and mine and mine > first + CLOCK_SLACK:
        return f"it began {span(mine - first)} after {best.finding.entity}'s trouble"
    if len(item.explains) < len(best.explains):
        return (
            f"it accounts for {len(item.explains)} of the other findings, "
            f"{best.finding.entity} for {len(best.explains)}"
        )
    return "it is less specific, or seen less clearly"


def _acquittal(change: Finding, current: Sequence[Finding]) -> str:
    ill = [
        f for f in current if f.entity == change.entity and fault(f.kind).role is not Role.CHANGE
    ]
    if not ill:
        return f"nothing that was seen is wrong with {change.entity} since"
    return f"what is wrong with {change.entity} is explained by something more specific"


def _stale(old: Finding, scope: Scope) -> str:
    if old.began and old.began < scope.window.start:
        return f"it was there {span(scope.began - old.began)} before the alert began"
    return "it was over before the alert's window ended"


def _rival(finding: Finding, origin: Finding, score: float, why: str) -> Hypothesis:
    return Hypothesis(
        kind=finding.kind,
        entity=finding.entity,
        statement=finding.statement,
        confidence=round(min(score, 0.5), 2),
        findings=(origin.id,),
        citations=finding.citations,
        began=finding.began,
        against=(Reason(text=why, citations=finding.citations),),
        ruled_out=True,
    )
