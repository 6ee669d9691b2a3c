"""Findings + topology -> ranked hypotheses with their rivals. Pure.

Abduction: a cause is believed as far as it is specific, seen clearly, began no later than what it is
to explain, and accounts for the alert and for most of the other findings along the edges on which
trouble travels. What was there before the incident is set apart; what changed without anything being
ill there is acquitted by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from assistant.faults import Role, fault
from assistant.incident import (
    Alert,
    Entity,
    Finding,
    Frozen,
    Hypothesis,
    Reason,
    Scope,
    Verdict,
)
from assistant.topology import Topology

CLOCK_SLACK = timedelta(minutes=2)
"""Times from different clocks and scrapes differ by this much; order within it says nothing."""

BELIEVED = 0.55
"""From this confidence on a cause is called found."""

SECOND_CAUSE = 0.75
"""A second, unrelated cause is called one from here on: over-grouping hides a fault."""

MOST_RIVALS = 12

ACQUITTED = 0.05


class Diagnosis(Frozen):
    """What may be concluded."""

    verdict: Verdict
    hypotheses: tuple[Hypothesis, ...]
    rivals: tuple[Hypothesis, ...]
    noise: tuple[Finding, ...]


@dataclass(frozen=True)
class Weighed:
    """A candidate cause with what it accounts for."""

    finding: Finding
    explains: tuple[Finding, ...]
    score: float
    trigger: Finding | None
    reaches_alert: bool


def diagnose(
    alert: Alert, scope: Scope, findings: Sequence[Finding], topology: Topology, *, quiet: bool
) -> Diagnosis:
    """The causes that best account for the findings, best first, and the rivals they leave behind.

    `quiet` says that the alert's own condition was seen to be gone at the end of the window.
    """
    ordered = sorted(findings, key=lambda item: item.id)
    current = [item for item in ordered if not _before(item, scope)]
    noise = tuple(item for item in ordered if _before(item, scope))
    weighed = sorted(_candidates(scope, current, topology), key=_rank)
    chosen = _cover(weighed)
    verdict = _verdict(alert, scope, chosen, current, quiet=quiet)
    if verdict in (Verdict.RECOVERED, Verdict.HEALTHY):
        chosen = []
    rivals = _rivals(weighed, chosen, current, noise, scope)
    best = tuple(_hypothesis(item, topology, scope, weighed) for item in chosen)
    return Diagnosis(verdict=verdict, hypotheses=best, rivals=rivals[:MOST_RIVALS], noise=noise)


def _before(finding: Finding, scope: Scope) -> bool:
    """Whether a finding was there before the incident, or is over and done with."""
    over = not finding.active and fault(finding.kind).role in (Role.CAUSE, Role.SYMPTOM)
    return over or (finding.began is not None and finding.began < scope.window.start)


def _candidates(scope: Scope, current: Sequence[Finding], topology: Topology) -> Iterable[Weighed]:
    changes = [item for item in current if fault(item.kind).role is Role.CHANGE]
    symptoms = [item for item in current if fault(item.kind).role in (Role.CAUSE, Role.SYMPTOM)]
    for finding in current:
        if fault(finding.kind).role is Role.CAUSE:
            yield _weigh(finding, symptoms, changes, scope, topology)
    for change in changes:
        guilty = _as_cause(change, symptoms, topology)
        if guilty:
            yield _weigh(guilty, symptoms, [], scope, topology)


def _as_cause(change: Finding, symptoms: Sequence[Finding], topology: Topology) -> Finding | None:
    """A change as a cause of its own: only where the thing changed is ill, after it, unexplained."""
    ill = [
        item
        for item in symptoms
        if item.entity in _touched(change, topology) and _after(change.began, item.began)
    ]
    if not ill or any(fault(item.kind).role is Role.CAUSE for item in ill):
        return None
    kind = "bad_release" if change.kind == "recent_rollout" else "config_changed"
    return change.model_copy(update={"kind": kind})


def _touched(change: Finding, topology: Topology) -> set[Entity]:
    """The thing changed, and what needs it directly."""
    direct = {
        edge.target for edge in topology.affects(change.entity) if edge.relation == "needed by"
    }
    return {change.entity, *change.about} | direct


def _after(cause: datetime | None, effect: datetime | None) -> bool:
    """Whether an effect may follow a cause; unknown times do not speak against it."""
    return cause is None or effect is None or effect >= cause - CLOCK_SLACK


def _weigh(
    finding: Finding,
    symptoms: Sequence[Finding],
    changes: Sequence[Finding],
    scope: Scope,
    topology: Topology,
) -> Weighed:
    reach = topology.reach(finding.entity)
    for other in finding.about:
        reach = {**topology.reach(other), **reach} if _below(finding, other, topology) else reach
    explained = tuple(
        item for item in symptoms if item is not finding and _explains(finding, item, reach)
    )
    total = sum(_mass(item) for item in symptoms if item is not finding)
    coverage = sum(_mass(item) for item in explained) / total if total else 1.0
    reaches = not scope.entities or any(entity in reach for entity in scope.entities)
    trigger = _trigger(finding, changes, topology)
    score = fault(finding.kind).weight * finding.strength
    score *= 0.75 + 0.25 * coverage
    score *= 1.0 if reaches else 0.8
    score *= 1.0 if _after(finding.began, _first(symptoms)) or not explained else 0.9
    score = min(score + (0.03 if trigger else 0.0), 0.99)
    return Weighed(finding, explained, score, trigger, reaches)


def _below(finding: Finding, other: Entity, topology: Topology) -> bool:
    """Whether what a finding names lies downstream of it (a workload that needs a missing Secret)."""
    return finding.entity.kind in ("Node", "Component", "ResourceQuota") or any(
        edge.target == other for edge in topology.affects(finding.entity)
    )


def _explains(cause: Finding, effect: Finding, reach: dict[Entity, int]) -> bool:
    touched = (effect.entity, *effect.about) if effect.kind == "evicted" else (effect.entity,)
    return any(entity in reach for entity in touched) and _after(cause.began, effect.began)


def _mass(finding: Finding) -> float:
    return finding.strength * (1.0 if fault(finding.kind).role is Role.SYMPTOM else 0.8)


def _first(findings: Sequence[Finding]) -> datetime | None:
    return min((item.began for item in findings if item.began), default=None)


def _trigger(finding: Finding, changes: Sequence[Finding], topology: Topology) -> Finding | None:
    """The last change of the same thing, or of what it needs, before the trouble began."""
    near = [
        change
        for change in changes
        if finding.entity in _touched(change, topology)
        and change.began is not None
        and (finding.began is None or change.began <= finding.began + CLOCK_SLACK)
    ]
    return max(near, key=lambda c: (_tells(c), str(c.began)), default=None)


def _tells(change: Finding) -> int:
    """A rollout whose content is known tells most, one that only restarted tells least."""
    if change.kind == "recent_rollout":
        return 2 if change.details else 0
    return 1


def _rank(item: Weighed) -> tuple[float, float, str]:
    began = item.finding.began.timestamp() if item.finding.began else float("inf")
    return (-round(item.score, 3), began, item.finding.id)


def _cover(weighed: Sequence[Weighed]) -> list[Weighed]:
    """The fewest causes that together account for what was found: the best, then the unrelated."""
    chosen: list[Weighed] = []
    for item in weighed:
        believed = item.score >= SECOND_CAUSE and item.reaches_alert
        if not chosen or (believed and _unrelated(item, chosen)):
            chosen.append(item)
    return chosen


def _unrelated(item: Weighed, chosen: Sequence[Weighed]) -> bool:
    """Whether no chosen cause accounts for this one, nor this one for it, nor both for one thing."""
    return all(
        item.finding not in other.explains
        and other.finding not in item.explains
        and item.finding.entity != other.finding.entity
        and not _same_trouble(item, other)
        for other in chosen
    )


def _same_trouble(one: Weighed, other: Weighed) -> bool:
    mine = {one.finding.entity, *one.finding.about}
    return bool(mine & {other.finding.entity, *other.finding.about})


def _verdict(
    alert: Alert,
    scope: Scope,
    chosen: Sequence[Weighed],
    current: Sequence[Finding],
    *,
    quiet: bool,
) -> Verdict:
    ill = [f for f in current if fault(f.kind).role in (Role.CAUSE, Role.SYMPTOM)]
    sure = [item for item in chosen if item.score >= BELIEVED]
    if quiet:  # what is still wrong matters only if it is what the alert spoke of
        sure = [item for item in sure if scope.entities and item.reaches_alert]
    if sure:
        return Verdict.SEVERAL_CAUSES if len(sure) > 1 else Verdict.CAUSE_FOUND
    if quiet or alert.resolved_at is not None:
        return Verdict.RECOVERED
    return Verdict.INCONCLUSIVE if ill or chosen else Verdict.HEALTHY


def _hypothesis(
    item: Weighed, topology: Topology, scope: Scope, weighed: Sequence[Weighed]
) -> Hypothesis:
    finding, trigger = item.finding, item.trigger
    statement = finding.statement
    if trigger:
        statement += f". Just before: {trigger.statement}"
    cited = (*finding.citations, *(trigger.citations if trigger else ()))
    return Hypothesis(
        kind=finding.kind,
        entity=finding.entity,
        statement=statement,
        confidence=round(item.score, 2),
        findings=(finding.id, *((trigger.id,) if trigger else ())),
        citations=tuple(dict.fromkeys(cited)),
        explains=tuple(other.id for other in item.explains),
        chain=_chain(item, topology, scope),
        began=finding.began,
        against=_doubts(item, scope),
        next_check=_next_check(item, weighed),
    )


def _chain(item: Weighed, topology: Topology, scope: Scope) -> tuple[Entity, ...]:
    """The way from the cause to the alert's own thing, else to the farthest symptom explained."""
    targets = [entity for entity in scope.entities if entity != item.finding.entity]
    targets += [other.entity for other in item.explains]
    ways = [topology.path(item.finding.entity, target) for target in targets]
    named = [way for way in ways[: len(scope.entities)] if way]
    way = next(iter(named), ()) or max(ways, key=len, default=())
    return way or (item.finding.entity, *item.finding.about[:1])


def _doubts(item: Weighed, scope: Scope) -> tuple[Reason, ...]:
    finding, doubts = item.finding, []
    if not item.reaches_alert:
        named = ", ".join(map(str, scope.entities))
        doubts.append(f"no way is known from {finding.entity} to what the alert names ({named})")
    if finding.began and finding.began > scope.began + CLOCK_SLACK:
        late = finding.began - scope.began
        doubts.append(f"it was first seen {_minutes(late)} after the alert began")
    return tuple(Reason(text=text, citations=finding.citations) for text in doubts)


def _minutes(span: timedelta) -> str:
    return f"{max(round(span.total_seconds() / 60), 1)} min"


def _next_check(item: Weighed, weighed: Sequence[Weighed]) -> str:
    """What would decide between the best and the next unrelated candidate."""
    others = [o for o in weighed if o.finding.entity != item.finding.entity and o is not item]
    if item.score >= BELIEVED or not others:
        return f"after the fix: {fault(item.finding.kind).verify}"
    rival = others[0].finding
    return (
        f"whether {item.finding.entity} ({fault(item.finding.kind).title.lower()}) began before "
        f"{rival.entity} ({fault(rival.kind).title.lower()})"
    )


def _rivals(
    weighed: Sequence[Weighed],
    chosen: Sequence[Weighed],
    current: Sequence[Finding],
    noise: Sequence[Finding],
    scope: Scope,
) -> tuple[Hypothesis, ...]:
    """Everything that might be suspected and why not; one row for each thing, the likeliest first."""
    best = chosen[0] if chosen else None
    used = {item.finding.id for item in chosen} | {i.trigger.id for i in chosen if i.trigger}
    rows = [
        _rival(item.finding, item.score, _why_not(item, best))
        for item in weighed
        if item.finding.id not in used and not _as_change(item, used)
    ]
    others = [item for item in (*current, *noise) if item.id not in used]
    rows += [
        _rival(item, ACQUITTED, why)
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
    if _before(finding, scope):
        return _stale(finding, scope)
    if best and finding in best.explains:
        return f"it follows from {best.finding.entity}: {fault(best.finding.kind).title.lower()}"
    return "no way is known from it to what the alert speaks of"


def _as_change(item: Weighed, used: set[str]) -> bool:
    """Whether a convicted change is the trigger of a cause that was chosen."""
    kinds = ("recent_rollout", "recent_change")
    return bool({item.finding.model_copy(update={"kind": kind}).id for kind in kinds} & used)


def _why_not(item: Weighed, best: Weighed | None) -> str:
    if best is None:
        return "the alert's condition is gone, and nothing of this is needed to explain it"
    if item.finding in best.explains:
        return f"it follows from {best.finding.entity}: {fault(best.finding.kind).title.lower()}"
    first, mine = best.finding.began, item.finding.began
    if first and mine and mine > first + CLOCK_SLACK:
        return f"it began {_minutes(mine - first)} after {best.finding.entity}'s trouble"
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
        return f"it was there {_minutes(scope.began - old.began)} before the alert began"
    return "it was over before the alert's window ended"


def _rival(finding: Finding, score: float, why: str) -> Hypothesis:
    return Hypothesis(
        kind=finding.kind,
        entity=finding.entity,
        statement=finding.statement,
        confidence=round(min(score, 0.5), 2),
        findings=(finding.id,),
        citations=finding.citations,
        began=finding.began,
        against=(Reason(text=why, citations=finding.citations),),
        ruled_out=True,
    )
