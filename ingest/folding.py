"""Runbooks about one thing in several places: one match that names them all. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ingest.candidates import FAMILY, Candidate
from ingest.triples import likeness
from ingest.words import key

SAME = 0.8
"""Runbooks that share this part of their word triples are one text in two places."""


@dataclass(slots=True)
class Fold:
    """A candidate, the others about its alert, and those whose runbooks have nearly its text."""

    best: Candidate
    likewise: list[Candidate] = field(default_factory=list)
    copies: list[Candidate] = field(default_factory=list)


def folded(
    ranked: Sequence[Candidate], triples_of: Callable[[int], frozenset[int]], limit: int
) -> Iterator[Fold]:
    """The first `limit` candidates, best first, each with those that are about the same.

    `triples_of` gives a runbook's by its number. Copies are looked for among twice as many.
    """
    folds: list[Fold] = []
    named: dict[str, list[Fold]] = {}
    triples = _Triples(triples_of)
    shared = _alerts(ranked)
    for candidate in ranked:
        alerts = candidate.topic.alerts & shared
        alike = (one for name in alerts for one in named.get(name, ()))
        if fold := next((one for one in alike if _likewise(one.best, candidate)), None):
            fold.likewise.append(candidate)
        elif len(folds) == 2 * limit:
            continue  # what is about one of these alerts is still to be named
        elif fold := next((one for one in folds if _copied(one.best, candidate, triples)), None):
            fold.copies.append(candidate)
        else:
            folds.append(fold := Fold(candidate))
            for name in alerts:
                named.setdefault(name, []).append(fold)
    yield from map(_fullest, folds[:limit])


def _fullest(fold: Fold) -> Fold:
    """The fold with a page that says something in front, where the best is but a stub."""
    full = next((one for one in [fold.best, *fold.likewise] if not one.stub), fold.best)
    others = [one for one in [fold.best, *fold.likewise] if one is not full]
    return Fold(full, others, fold.copies)


def _alerts(ranked: Iterable[Candidate]) -> frozenset[str]:
    """The names that few enough topics share to be those of one alert each."""
    counted = Counter(name for one in ranked for name in one.topic.alerts)
    return frozenset(name for name, count in counted.items() if count <= FAMILY)


def _likewise(one: Candidate, other: Candidate) -> bool:
    """Whether two about the same alert are called the same. What is for different services stays apart,
    and so do pages that only have an alert in common: of two ways out, one may be out of date.
    """
    services, others = one.runbook.services, other.runbook.services
    if services and others and not set(services) & set(others):
        return False
    return key(one.topic.title) == key(other.topic.title)


class _Triples(dict[int, frozenset[int]]):
    """Runbook number -> its word triples, got when first needed: most pairs never need them."""

    def __init__(self, triples_of: Callable[[int], frozenset[int]]) -> None:
        super().__init__()
        self._triples_of = triples_of

    def __missing__(self, number: int) -> frozenset[int]:
        self[number] = self._triples_of(number)
        return self[number]


def _copied(one: Candidate, other: Candidate, triples: _Triples) -> bool:
    """Whether two candidates are one text in two places. Pages about different alerts never are."""
    first, second = one.topic, other.topic
    if first.runbook == second.runbook:
        return False
    if first.alerts and second.alerts:
        return False
    if min(first.length, second.length) < SAME * max(first.length, second.length) / 2:
        return False
    if first.title_words.isdisjoint(second.title_words):
        return False
    return likeness(triples[first.runbook], triples[second.runbook]) >= SAME
