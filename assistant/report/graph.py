"""What the pictures show: the chains of causes, the facts in time, the topology around the fault.

Chooses and bounds; draws nothing, so that Mermaid and the page show the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from assistant.incident import Edge, Entity, Finding, Hypothesis, Report, TimelineEntry
from assistant.report.document import Lookup, cited
from assistant.report.headline import accused, began
from assistant.report.words import clean, utc

MOST_NODES = 24
MOST_ENTRIES = 24
MOST_CHAINS = 6
MOST_STEPS = 8


@dataclass(frozen=True)
class Step:
    """One thing on the way from the cause to the alert, and what was found of it."""

    entity: Entity
    says: str = ""
    cites: tuple[str, ...] = ()


@dataclass(frozen=True)
class Chain:
    """A hypothesis as steps, cause first. `claimed` is false for a guess, `ruled_out` for a rival."""

    guess: Hypothesis
    steps: tuple[Step, ...]
    claimed: bool
    ruled_out: bool = False
    why_not: str = ""


@dataclass(frozen=True)
class Neighbourhood:
    """The part of the topology near the fault, and how many things were left out."""

    entities: tuple[Entity, ...]
    edges: tuple[Edge, ...]
    left_out: int


def chains(report: Report) -> tuple[tuple[Chain, ...], int]:
    """The chains of the hypotheses and of the rivals ruled out, and how many were left out."""
    know, claimed = Lookup(report), accused(report)
    every = [
        Chain(guess, _steps(know, guess), claimed=guess in claimed) for guess in report.hypotheses
    ]
    every += [_ruled_out(guess) for guess in report.rivals]
    return tuple(every[:MOST_CHAINS]), max(len(every) - MOST_CHAINS, 0)


def _steps(know: Lookup, guess: Hypothesis) -> tuple[Step, ...]:
    way = guess.chain if guess.entity in guess.chain else (guess.entity, *guess.chain)
    way = tuple(dict.fromkeys(way))
    if len(way) > MOST_STEPS:
        # The cause and the symptom say most: what is cut is cut from the middle.
        way = (*way[: MOST_STEPS - 2], *way[-2:])
    known = know.findings(dict.fromkeys((*guess.findings, *guess.explains)))
    return tuple(_step(entity, known, guess) for entity in way)


def _step(entity: Entity, known: Iterable[Finding], guess: Hypothesis) -> Step:
    found = next((one for one in known if one.entity == entity), None)
    if found:
        return Step(entity, _unnamed(entity, found.statement), cited(found.citations))
    if entity == guess.entity:
        return Step(entity, _unnamed(entity, guess.statement), cited(guess.citations))
    return Step(entity)


def _unnamed(entity: Entity, statement: str) -> str:
    """A statement without the name that it begins with: the drawing has it already."""
    return clean(statement.removeprefix(str(entity)).lstrip(": "))


def _ruled_out(guess: Hypothesis) -> Chain:
    reason = guess.against[0] if guess.against else None
    cites = cited(reason.citations) if reason else cited(guess.citations)
    step = Step(guess.entity, _unnamed(guess.entity, guess.statement), cites)
    why_not = clean(reason.text) if reason else ""
    return Chain(guess, (step,), claimed=False, ruled_out=True, why_not=why_not)


def entries(report: Report, most: int = MOST_ENTRIES) -> tuple[tuple[TimelineEntry, ...], int]:
    """The dated facts nearest to the onset, in the order of time, and how many were left out."""
    start = utc(began(report))
    near = sorted(report.timeline, key=lambda one: abs((utc(one.at) - start).total_seconds()))
    kept = sorted(near[:most], key=lambda one: utc(one.at))
    return tuple(kept), len(near) - len(kept)


def blamed(report: Report) -> frozenset[Entity]:
    """The entities that the verdict stands by as causes."""
    return frozenset(guess.entity for guess in accused(report))


def unhealthy(report: Report) -> frozenset[Entity]:
    """The entities with a finding that still holds."""
    return frozenset(found.entity for found in report.findings if found.active)


def around(report: Report, most: int = MOST_NODES) -> Neighbourhood:
    """The topology by distance from the fault; from what the alert names where nothing is blamed."""
    ordered = _by_distance(report.topology, _centre(report))
    kept = tuple(ordered[:most])
    inside = set(kept)
    edges = tuple(
        dict.fromkeys(e for e in report.topology if e.source in inside and e.target in inside)
    )
    return Neighbourhood(kept, edges, len(ordered) - len(kept))


def _centre(report: Report) -> list[Entity]:
    named = sorted(blamed(report), key=str) or [guess.entity for guess in report.hypotheses]
    return list(dict.fromkeys(named or report.scope.entities))


def _by_distance(edges: tuple[Edge, ...], centre: list[Entity]) -> list[Entity]:
    near: dict[Entity, list[Entity]] = {}
    for edge in edges:
        near.setdefault(edge.source, []).append(edge.target)
        near.setdefault(edge.target, []).append(edge.source)
    reached = dict.fromkeys(centre)
    queue = list(reached)
    for entity in queue:
        fresh = [other for other in near.get(entity, ()) if other not in reached]
        reached.update(dict.fromkeys(fresh))
        queue.extend(dict.fromkeys(fresh))
    return list(reached | dict.fromkeys(near))
