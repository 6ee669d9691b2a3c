"""Findings + topology -> ranked hypotheses with their rivals. Pure.

Abduction: a cause is believed as far as it is specific, seen clearly, began no later than what it is
to explain, and accounts for the alert and for most of the other findings along the edges on which
trouble travels. What was there before the incident is set apart; what changed without anything being
ill there is acquitted by name.
"""

from __future__ import annotations

from collections.abc import Sequence

from assistant.diagnosis.changes import CLOCK_SLACK, OUTSIDE
from assistant.diagnosis.deciding import WORKLOADS, next_check
from assistant.diagnosis.rivals import ruled_out
from assistant.diagnosis.seen import Seen
from assistant.diagnosis.weighing import TIE, Weighed, candidates, cover, rank, undecided
from assistant.diagnosis.words import span
from assistant.faults import fault
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

SUSPECTED = 0.25
"""Below this confidence nothing is put forward, not even as a guess."""

NUISANCE = 0.2
"""Symptoms below this weight are in every cluster: a log that grumbles, another team's broken pod."""

MOST_RIVALS, MOST_GUESSES = 16, 3


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
    seen, weighed = _weighed(scope, findings, topology, quiet=quiet)
    chosen = cover(weighed)
    believed = [
        item for item in chosen if item.confidence >= BELIEVED and not (blind and _outside(item))
    ]
    sure = [] if undecided(weighed) or _where_alone(chosen) else believed
    verdict = _verdict(alert, seen, sure, quiet=quiet)
    if verdict is Verdict.HEALTHY and (blind or chosen):
        verdict = Verdict.INCONCLUSIVE
    if verdict is Verdict.INCONCLUSIVE:
        chosen = _guesses(weighed)
    if verdict in (Verdict.RECOVERED, Verdict.HEALTHY):
        chosen = []
    decided = verdict is not Verdict.INCONCLUSIVE
    # Of guesses that exclude each other no two can be likelier than not.
    most = 1.0 if decided else 1 / max(len(chosen), 1)
    return Diagnosis(
        verdict=verdict,
        hypotheses=tuple(
            _hypothesis(item, seen, weighed, most=most, decided=decided) for item in chosen
        ),
        rivals=ruled_out(seen, weighed, chosen, verdict)[:MOST_RIVALS],
        noise=tuple(seen.noise),
    )


def _weighed(
    scope: Scope, findings: Sequence[Finding], topology: Topology, *, quiet: bool
) -> tuple[Seen, list[Weighed]]:
    """The causes, the likeliest first.

    An alert may be asked about long after its trouble began, or fire again: where nothing that began
    in the window explains it, what has been wrong with the alert's own thing for longer does.
    """
    seen = Seen.of(scope, findings, topology)
    weighed = sorted(candidates(seen), key=rank)
    if quiet or not scope.entities or any(item.confidence >= BELIEVED for item in weighed):
        return seen, weighed
    standing = Seen.of(scope, findings, topology, standing=True)
    if standing.current == seen.current:
        return seen, weighed
    longer = sorted((w for w in candidates(standing) if w.reaches_alert), key=rank)
    own = any(item.entity in scope.entities and _counts(item) for item in standing.ill)
    return (standing, longer) if longer or own else (seen, weighed)


def _outside(item: Weighed) -> bool:
    """Whether a cause is known by its effects on callers alone: what is wrong inside was not seen."""
    return fault(item.finding.kind).group == "performance"


def _where_alone(chosen: Sequence[Weighed]) -> bool:
    """Whether the best names a place and no cause: metrics tell at which workload trouble begins, its
    inside was open to view, and nothing there says why. Of what is not ours nothing more can be known.
    """
    best = chosen[0].finding if chosen else None
    return best is not None and best.kind in OUTSIDE and best.entity.kind in WORKLOADS


def _guesses(weighed: Sequence[Weighed]) -> list[Weighed]:
    """What is put forward where nothing is believed: the best, and what is as good as the best."""
    best = weighed[0].confidence if weighed else 0.0
    equal = [item for item in weighed if item.confidence >= max(best - TIE, SUSPECTED)]
    places = {item.finding.entity: item for item in reversed(equal)}
    return [item for item in equal if places[item.finding.entity] is item][:MOST_GUESSES]


def _verdict(alert: Alert, seen: Seen, sure: Sequence[Weighed], *, quiet: bool) -> Verdict:
    if quiet:  # what is still wrong matters only if it is what the alert spoke of
        sure = [item for item in sure if seen.scope.entities and item.reaches_alert]
    if sure:
        return Verdict.SEVERAL_CAUSES if len(sure) > 1 else Verdict.CAUSE_FOUND
    if quiet or alert.resolved_at is not None:
        return Verdict.RECOVERED
    return Verdict.INCONCLUSIVE if any(map(_counts, seen.ill)) else Verdict.HEALTHY


def _counts(item: Finding) -> bool:
    """Whether a finding forbids to call all well: a nuisance in a log does not."""
    return fault(item.kind).weight >= NUISANCE


def _hypothesis(
    item: Weighed, seen: Seen, weighed: Sequence[Weighed], *, most: float, decided: bool
) -> Hypothesis:
    finding, trigger = item.finding, item.trigger
    statement = finding.statement
    if trigger:
        statement += f". Just before: {trigger.statement}"
    elif item.proof:
        statement += f". {_sentence(item.proof)}"
    if item.load:
        statement += f". Under more load: {item.load.statement}"
    beside = [fact for fact in (trigger, item.load) if fact]
    cited = (*finding.citations, *(said for fact in beside for said in fact.citations))
    return Hypothesis(
        kind=finding.kind,
        entity=finding.entity,
        statement=statement,
        confidence=round(min(item.confidence, most), 2),
        findings=(item.origin.id, *(fact.id for fact in beside)),
        citations=tuple(dict.fromkeys(cited)),
        explains=tuple(other.id for other in item.explains),
        chain=_chain(item, seen),
        began=finding.began,
        against=_doubts(item, seen.scope),
        next_check=next_check(item, weighed, seen.scope, decided=decided),
    )


def _sentence(proof: Sequence[str]) -> str:
    text = "; ".join(proof)
    return f"What speaks for it: {text}"


def _chain(item: Weighed, seen: Seen) -> tuple[Entity, ...]:
    """The way from the cause to the alert's own thing, else to the farthest symptom explained."""
    cause = item.finding.entity
    to_alert = [
        seen.topology.path(cause, entity) for entity in seen.scope.entities if entity != cause
    ]
    onward = [seen.topology.path(cause, other.entity) for other in item.explains]
    way = next((way for way in to_alert if way), ()) or max(onward, key=len, default=())
    others = [entity for entity in item.finding.about if entity != cause]
    return way or (cause, *others[:1])


def _doubts(item: Weighed, scope: Scope) -> tuple[Reason, ...]:
    finding, doubts = item.finding, []
    if not item.reaches_alert:
        named = ", ".join(map(str, scope.entities))
        doubts.append(f"no way is known from {finding.entity} to what the alert names ({named})")
    if finding.began and finding.began > scope.began + CLOCK_SLACK:
        late = finding.began - scope.began
        doubts.append(f"it was first seen {span(late)} after the alert began")
    return tuple(Reason(text=text, citations=finding.citations) for text in doubts)
