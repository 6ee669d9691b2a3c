"""Findings + topology -> ranked hypotheses with their rivals. Pure.

Abduction: a cause is believed as far as it is specific, seen clearly, began no later than what it is
to explain, and accounts for the alert and for most of the other findings along the edges on which
trouble travels. What was there before the incident is set apart; what changed without anything being
ill there is acquitted by name.
"""

from __future__ import annotations

from collections.abc import Sequence

from assistant.diagnosis.rivals import ruled_out
from assistant.diagnosis.weighing import CLOCK_SLACK, Weighed, before, candidates, cover, rank
from assistant.diagnosis.words import span
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

BELIEVED = 0.55
"""From this confidence on a cause is called found."""

MOST_RIVALS = 12


class Diagnosis(Frozen):
    """What may be concluded."""

    verdict: Verdict
    hypotheses: tuple[Hypothesis, ...]
    rivals: tuple[Hypothesis, ...]
    noise: tuple[Finding, ...]


def diagnose(
    alert: Alert,
    scope: Scope,
    findings: Sequence[Finding],
    topology: Topology,
    *,
    quiet: bool,
    blind: bool = False,
) -> Diagnosis:
    """The causes that best account for the findings, best first, and the rivals they leave behind.

    `quiet` says that the alert's own condition was seen to be gone at the end of the window, `blind`
    that so much stayed unseen that to find nothing wrong says nothing.
    """
    ordered = sorted(findings, key=lambda item: item.id)
    current = [item for item in ordered if not before(item, scope)]
    noise = tuple(item for item in ordered if before(item, scope))
    weighed = sorted(candidates(scope, current, topology), key=rank)
    chosen = cover(weighed)
    believed = [
        item for item in chosen if item.score >= BELIEVED and not (blind and _outside(item))
    ]
    verdict = _verdict(alert, scope, believed, current, quiet=quiet)
    if verdict is Verdict.HEALTHY and (blind or chosen):
        verdict = Verdict.INCONCLUSIVE
    if verdict in (Verdict.RECOVERED, Verdict.HEALTHY):
        chosen = []
    rivals = ruled_out(weighed, chosen, current, noise, scope)
    best = tuple(_hypothesis(item, topology, scope, weighed) for item in chosen)
    return Diagnosis(verdict=verdict, hypotheses=best, rivals=rivals[:MOST_RIVALS], noise=noise)


def _outside(item: Weighed) -> bool:
    """Whether a cause is known by its effects on callers alone: what is wrong inside was not seen."""
    return fault(item.finding.kind).group == "performance"


def _verdict(
    alert: Alert,
    scope: Scope,
    sure: Sequence[Weighed],
    current: Sequence[Finding],
    *,
    quiet: bool,
) -> Verdict:
    ill = [f for f in current if fault(f.kind).role in (Role.CAUSE, Role.SYMPTOM)]
    if quiet:  # what is still wrong matters only if it is what the alert spoke of
        sure = [item for item in sure if scope.entities and item.reaches_alert]
    if sure:
        return Verdict.SEVERAL_CAUSES if len(sure) > 1 else Verdict.CAUSE_FOUND
    if quiet or alert.resolved_at is not None:
        return Verdict.RECOVERED
    return Verdict.INCONCLUSIVE if ill else Verdict.HEALTHY


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
        findings=(item.origin.id, *((trigger.id,) if trigger else ())),
        citations=tuple(dict.fromkeys(cited)),
        explains=tuple(other.id for other in item.explains),
        chain=_chain(item, topology, scope),
        began=finding.began,
        against=_doubts(item, scope),
        next_check=_next_check(item, weighed),
    )


def _chain(item: Weighed, topology: Topology, scope: Scope) -> tuple[Entity, ...]:
    """The way from the cause to the alert's own thing, else to the farthest symptom explained."""
    cause = item.finding.entity
    to_alert = [topology.path(cause, entity) for entity in scope.entities if entity != cause]
    onward = [topology.path(cause, other.entity) for other in item.explains]
    way = next((way for way in to_alert if way), ()) or max(onward, key=len, default=())
    return way or (cause, *item.finding.about[:1])


def _doubts(item: Weighed, scope: Scope) -> tuple[Reason, ...]:
    finding, doubts = item.finding, []
    if not item.reaches_alert:
        named = ", ".join(map(str, scope.entities))
        doubts.append(f"no way is known from {finding.entity} to what the alert names ({named})")
    if finding.began and finding.began > scope.began + CLOCK_SLACK:
        late = finding.began - scope.began
        doubts.append(f"it was first seen {span(late)} after the alert began")
    return tuple(Reason(text=text, citations=finding.citations) for text in doubts)


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
