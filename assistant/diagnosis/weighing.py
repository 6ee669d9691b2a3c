"""How far each cause may be believed, and which few causes together account for what was found. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from assistant.faults import Role, fault
from assistant.incident import Entity, Finding, Scope
from assistant.topology import Topology

CLOCK_SLACK = timedelta(minutes=2)
"""Times from different clocks and scrapes differ by this much; order within it says nothing."""

COVERAGE_SHARE = 0.25
"""How much of a cause's belief hangs on accounting for the other findings. What is true now and
specific weighs more than what it explains: a shop always has some unrelated trouble."""

UNREACHED = 0.8
"""What is left of a belief where no way is known from the cause to what the alert names."""

LATE = 0.9
"""What is left where the first symptom was seen before the cause; scrapes and events are late, too."""

TRIGGERED = 0.03
"""What a fitting change just before adds: little, since the last change is usually innocent."""

MOST_SURE = 0.99

SECOND_CAUSE = 0.75
"""A second, unrelated cause is called one from here on: over-grouping hides a fault."""


@dataclass(frozen=True)
class Weighed:
    """A candidate cause with what it accounts for."""

    finding: Finding
    origin: Finding
    """The finding as a check made it: a change that is convicted has another kind."""
    explains: tuple[Finding, ...]
    score: float
    trigger: Finding | None
    reaches_alert: bool


def before(finding: Finding, scope: Scope) -> bool:
    """Whether a finding was there before the incident, or is over and done with."""
    over = not finding.active and fault(finding.kind).role in (Role.CAUSE, Role.SYMPTOM)
    return over or (finding.began is not None and finding.began < scope.window.start)


def candidates(scope: Scope, current: Sequence[Finding], topology: Topology) -> Iterable[Weighed]:
    """Every cause that was found, and every change that may be one, with what it accounts for."""
    changes = [item for item in current if fault(item.kind).role is Role.CHANGE]
    symptoms = [item for item in current if fault(item.kind).role in (Role.CAUSE, Role.SYMPTOM)]
    for finding in current:
        if fault(finding.kind).role is Role.CAUSE:
            yield _weigh(finding, finding, symptoms, changes, scope, topology)
    for change in changes:
        guilty = _as_cause(change, symptoms, topology)
        if guilty:
            yield _weigh(guilty, change, symptoms, [], scope, topology)


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
    origin: Finding,
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
    score *= 1 - COVERAGE_SHARE * (1 - coverage)
    score *= 1.0 if reaches else UNREACHED
    score *= 1.0 if _after(finding.began, _first(symptoms)) or not explained else LATE
    score = min(score + (TRIGGERED if trigger else 0.0), MOST_SURE)
    return Weighed(finding, origin, explained, score, trigger, reaches)


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


def rank(item: Weighed) -> tuple[float, float, str]:
    """Sorts the most believed first; of equals the one that began first."""
    began = item.finding.began.timestamp() if item.finding.began else float("inf")
    return (-round(item.score, 3), began, item.finding.id)


def cover(weighed: Sequence[Weighed]) -> list[Weighed]:
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
