"""How far each cause may be believed, and which few causes together account for what was found. Pure.

A raw score is the product of the factors named here. Those without a source of their own are
judgements, and are what `calibration` corrects.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from assistant.diagnosis.calibration import confidence
from assistant.diagnosis.changes import OUTSIDE, Charge, charged, follows, trigger
from assistant.diagnosis.outside import blames, told_inside
from assistant.diagnosis.seen import CONTAINERS, Seen, told_ill
from assistant.faults import Role, fault
from assistant.incident import Entity, Finding
from assistant.topology import Topology

COVERAGE_SHARE = 0.25
"""How much of a cause's belief hangs on accounting for the other findings. What is true now and
specific weighs more than what it explains: a shop always has some unrelated trouble."""

UNREACHED = 0.8
"""What is left of a belief where no way is known from the cause to what the alert names, and it is
not known either whom that calls: addresses that stand in code are seen by nobody."""

APART = 0.55
"""What is left where it is known whom that calls, and the cause is not on the way: it is likelier
some other trouble of the cluster. No weight is so high that it would still be believed."""

LATE = 0.9
"""What is left where a symptom within its reach began before it; scrapes and events are late, too."""

TRIGGERED = 0.03
"""What a fitting change just before adds: little, since the last change is usually innocent (in
RootCauseBench "the latest deploy" is right in 1 of 24). Nothing to a cause that says only where it
begins: there the change itself is weighed as the cause."""

TOLD_INSIDE = 0.6
"""What is left of a cause seen from outside alone where a specific one inside explains it."""

MOST_SURE = 0.99

SECOND_CAUSE = 0.75
"""From this confidence on a second, unrelated cause is called one: over-grouping hides a fault."""

TIE = 0.03
"""Confidences that differ by less are equal."""

LIMITS = frozenset({"hpa_at_max"})
"""Causes that more load than they allow makes felt."""

SERVING = frozenset({"Deployment", "StatefulSet", "DaemonSet", "Service"})
"""Kinds that are called: what a finding of theirs names besides may be a caller."""


@dataclass(frozen=True)
class Weighed:
    """A candidate cause with what it accounts for."""

    finding: Finding
    origin: Finding
    """The finding as a check made it: a change that is convicted has another kind."""
    explains: tuple[Finding, ...]
    factors: Mapping[str, float]
    """The raw score is their product, and `TRIGGERED` where there is a trigger."""
    trigger: Finding | None
    reaches_alert: bool
    proof: tuple[str, ...] = ()
    """For a change: the signs that speak for it."""
    load: Finding | None = None
    """For a limit that was reached: the rise in load that reached it."""

    @property
    def charged(self) -> bool:
        """Whether it is a change that is held to be the cause."""
        return self.origin is not self.finding

    @cached_property
    def score(self) -> float:
        """How much speaks for it, by itself not yet a probability."""
        product = 1.0
        for factor in self.factors.values():
            product *= factor
        helped = self.trigger and self.finding.kind not in OUTSIDE
        return min(product + (TRIGGERED if helped else 0.0), MOST_SURE)

    @cached_property
    def confidence(self) -> float:
        """How far it may be believed."""
        return confidence(self.score)


def candidates(seen: Seen) -> Iterator[Weighed]:
    """Every cause that was found, and every change that may be one, with what it accounts for."""
    for finding in seen.current:
        if fault(finding.kind).role is Role.CAUSE:
            yield _weigh(seen, finding)
    for change in seen.changes:
        charge = charged(change, seen)
        if charge:
            yield _weigh(seen, charge.finding, charge)


def _weigh(seen: Seen, finding: Finding, charge: Charge | None = None) -> Weighed:
    reach = _reach(finding, seen.topology)
    origin = charge.change if charge else finding
    near = [
        item
        for item in seen.ill
        if item is not finding and (_within(item, reach) or blames(finding, item, seen))
    ]
    explained = tuple(item for item in near if follows(item, finding))
    late = [
        item for item in near if item not in explained and fault(item.kind).role is Role.SYMPTOM
    ]
    reaches = not seen.scope.entities or any(entity in reach for entity in seen.scope.entities)
    factors = {
        "specific": charge.belief if charge else fault(finding.kind).weight * finding.strength,
        "coverage": 1 - COVERAGE_SHARE * (1 - _coverage(seen, explained)),
        "reach": 1.0 if reaches else _unreached(seen),
        "onset": LATE if late else 1.0,
        "outside": TOLD_INSIDE if told_inside(finding, seen) else 1.0,
    }
    # A change is not set off by another change: of two, the one that fits better is the cause.
    started_by = None if charge else trigger(finding, explained, seen)
    proof = charge.proof if charge else ()
    load = _load(finding, seen)
    return Weighed(finding, origin, explained, factors, started_by, reaches, proof, load)


def _load(finding: Finding, seen: Seen) -> Finding | None:
    """The load under which a limit was reached: it says why now, the limit why it is felt."""
    if finding.kind not in LIMITS:
        return None
    rows = (item for item in seen.ill if item.kind == "load_spike")
    return next((item for item in rows if item.entity in told_ill(finding)), None)


def _unreached(seen: Seen) -> float:
    known = any(
        edge.relation == "called by"
        for entity in seen.scope.entities
        for edge in seen.topology.depends_on(entity)
    )
    return APART if known else UNREACHED


def _reach(finding: Finding, topology: Topology) -> Mapping[Entity, int]:
    reach: Mapping[Entity, int] = topology.reach(finding.entity)
    for other in finding.about:
        if _holds(finding, other, topology):
            reach = {**topology.reach(other), **reach}
    return reach


def _holds(finding: Finding, other: Entity, topology: Topology) -> bool:
    """Whether what a finding names lies downstream of it (a workload that needs a missing Secret)."""
    return finding.entity.kind in CONTAINERS or any(
        edge.target == other for edge in topology.affects(finding.entity)
    )


def _within(effect: Finding, reach: Mapping[Entity, int]) -> bool:
    touched = (effect.entity, *effect.about) if effect.kind == "evicted" else (effect.entity,)
    return any(entity in reach for entity in touched)


def _coverage(seen: Seen, explained: Sequence[Finding]) -> float:
    """The share of the symptoms that a cause accounts for, lesser causes that follow from it included.

    A cause that it does not explain is no lack: two faults at once are two causes.
    """
    followed = [item for item in explained if fault(item.kind).role is Role.CAUSE]
    every = [item for item in seen.ill if fault(item.kind).role is Role.SYMPTOM]
    total = sum(map(_mass, every)) + sum(map(_mass, followed))
    return sum(map(_mass, explained)) / total if total else 1.0


def _mass(finding: Finding) -> float:
    return finding.strength * (1.0 if fault(finding.kind).role is Role.SYMPTOM else 0.8)


def rank(item: Weighed) -> tuple[float, float, str]:
    """Sorts the most believed first; of equals the one that began first."""
    began = item.finding.began.timestamp() if item.finding.began else float("inf")
    return (-round(item.score, 3), began, item.finding.id)


def cover(weighed: Sequence[Weighed]) -> list[Weighed]:
    """The fewest causes that together account for what was found: the best, then the unrelated."""
    chosen: list[Weighed] = []
    for item in weighed:
        believed = item.confidence >= SECOND_CAUSE and item.reaches_alert
        if not chosen or (believed and all(_unrelated(item, other) for other in chosen)):
            chosen.append(item)
    return chosen


def _unrelated(one: Weighed, other: Weighed) -> bool:
    """Whether neither accounts for the other, and they are not two views of one trouble."""
    mine, yours = one.finding, other.finding
    apart = mine not in other.explains and yours not in one.explains
    return apart and mine.entity != yours.entity and not _same_place(mine, yours)


def _same_place(one: Finding, other: Finding) -> bool:
    """Whether one speaks of the other's thing, or both of one thing that is no mere caller of theirs.

    A workload is named as what needs a Secret, and again as what cannot start; a common caller
    of two broken services makes them no single fault.
    """
    if one.entity in other.about or other.entity in one.about:
        return True
    common = set(one.about) & set(other.about)
    callers = one.entity.kind in SERVING and other.entity.kind in SERVING
    return bool(common) and (one.kind == other.kind or not callers)


def undecided(weighed: Sequence[Weighed]) -> bool:
    """Whether the best is a change that nothing tells apart from another, made at the same place.

    Two things were changed together and either may be it: to name one would be a guess.
    """
    best = weighed[0] if weighed else None
    return (
        best is not None
        and best.charged
        and any(
            other.charged
            and other.finding.entity != best.finding.entity
            and best.confidence - other.confidence < TIE
            and any(item in other.explains for item in best.explains)
            for other in weighed[1:]
        )
    )
