"""What might be suspected and why it is not the cause: every rival by name, with a reason. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from assistant.diagnosis.acquittal import acquitted
from assistant.diagnosis.changes import CLOCK_SLACK
from assistant.diagnosis.seen import Seen, before
from assistant.diagnosis.weighing import Weighed
from assistant.diagnosis.words import span
from assistant.faults import Role, fault
from assistant.incident import Citation, Entity, Finding, Hypothesis, Reason, Scope, Verdict

ACQUITTED = 0.05
"""What is left of a suspicion once there is a reason against it and none for it."""

MOST_LEFT = 0.5
"""No rival is shown with more, whatever its score: the best cause has outweighed it."""


def ruled_out(
    seen: Seen, weighed: Sequence[Weighed], chosen: Sequence[Weighed], verdict: Verdict
) -> tuple[Hypothesis, ...]:
    """Everything that might be suspected and why not; one row for each thing, the likeliest first.

    A thing that is held guilty, or whose change set the cause off, has no row: to be told that it is
    innocent of something else would only confuse.
    """
    best = chosen[0] if chosen else None
    named = _named(chosen)
    told = {item.load.id for item in chosen if item.load}
    rows = [
        _rival(item.finding, item.origin, item.confidence, *_why_not(item, best, seen, verdict))
        for item in weighed
        if item.finding.entity not in named and item.origin.id not in told
    ]
    rows += [
        _rival(item, item, ACQUITTED, why, more)
        for item in (*seen.current, *seen.noise)
        if item.entity not in named
        for why, more in _innocence(item, best, seen)
    ]
    old = {item.id for item in seen.noise}
    rows.sort(key=lambda row: (-row.confidence, _suspicion(row, old), str(row.entity)))
    first: dict[Entity, Hypothesis] = {}
    for row in rows:
        first.setdefault(row.entity, row)
    return tuple(first.values())


def _named(chosen: Sequence[Weighed]) -> set[Entity]:
    """The things that the hypotheses hold guilty, and those whose change set a cause off."""
    guilty = {item.finding.entity for item in chosen}
    return guilty | {item.trigger.entity for item in chosen if item.trigger}


SUSPICION: Mapping[Role, int] = {Role.CHANGE: 0, Role.CAUSE: 2, Role.SYMPTOM: 3, Role.CLEAR: 4}
OLD_NEWS = 5


def _suspicion(row: Hypothesis, old: AbstractSet[str]) -> int:
    """What a reader would suspect first: a change, then what is ill, then what was looked at.

    Of one change that was told twice, what the cluster shows comes before what was announced.
    """
    if old & set(row.findings):
        return OLD_NEWS
    return 1 if row.kind == "recent_change" else SUSPICION[fault(row.kind).role]


Innocence = list[tuple[str, tuple[Citation, ...]]]


def _innocence(finding: Finding, best: Weighed | None, seen: Seen) -> Innocence:
    """Why a finding that is no candidate does not explain the alert, and what says so; or nothing."""
    role = fault(finding.kind).role
    if before(finding, seen.scope):
        return [(_stale(finding, seen.scope), ())]
    if role is Role.CAUSE:
        return []  # weighed, and told with the reason that outweighs it
    if role is Role.CHANGE:
        return [acquitted(finding, best, seen)]
    if role is Role.CLEAR:
        return [(f"it was looked at: {finding.statement}", ())]
    return [_unproven(finding, best, seen)]


def _unproven(
    finding: Finding, best: Weighed | None, seen: Seen
) -> tuple[str, tuple[Citation, ...]]:
    """What is said of a symptom, which explains nothing by itself."""
    if best and finding in best.explains:
        return _follows(best), best.finding.citations
    if best is None or finding.entity in seen.scope.entities:
        return "it shows that something is wrong, not why", ()
    return "no way is known from it to what the alert speaks of", ()


def _follows(best: Weighed) -> str:
    return f"it follows from {best.finding.entity}: {fault(best.finding.kind).title.lower()}"


def _why_not(
    item: Weighed, best: Weighed | None, seen: Seen, verdict: Verdict
) -> tuple[str, tuple[Citation, ...]]:
    if verdict in (Verdict.RECOVERED, Verdict.HEALTHY):
        return "the alert's condition is gone, and nothing of this is needed to explain it", ()
    if best is None:
        return "too little speaks for it to be put forward", ()
    if item.charged:
        return acquitted(item.origin, best, seen)
    return (_follows(best) if item.finding in best.explains else _outweighed(item, best)), ()


def _outweighed(item: Weighed, best: Weighed) -> str:
    first, mine = best.finding.began, item.finding.began
    if first and mine and mine > first + CLOCK_SLACK:
        return f"it began {span(mine - first)} after {best.finding.entity}'s trouble"
    if len(item.explains) < len(best.explains):
        return (
            f"it accounts for {len(item.explains)} of the other findings, "
            f"{best.finding.entity} for {len(best.explains)}"
        )
    if best.reaches_alert and not item.reaches_alert:
        return "no way is known from it to what the alert names"
    return "it is less specific, or seen less clearly"


def _stale(old: Finding, scope: Scope) -> str:
    if old.began and old.began < scope.window.start:
        return f"it was there {span(scope.began - old.began)} before the alert began"
    return "it was over before the alert's window ended"


def _rival(
    finding: Finding, origin: Finding, score: float, why: str, more: tuple[Citation, ...] = ()
) -> Hypothesis:
    cited = tuple(dict.fromkeys((*finding.citations, *more)))
    return Hypothesis(
        kind=finding.kind,
        entity=finding.entity,
        statement=finding.statement,
        confidence=round(min(score, MOST_LEFT), 2),
        findings=(origin.id,),
        citations=finding.citations,
        began=finding.began,
        against=(Reason(text=why, citations=cited),),
        ruled_out=True,
    )
