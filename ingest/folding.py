"""Near copies of one runbook in several places: one match that names them all. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from ingest.candidates import Candidate

SAME, SAME_ALERT = 0.8, 0.3
"""Runbooks that share this part of their word triples are one text in two places; less is enough
where both are about the same alert, for such copies were edited to suit their place."""


@dataclass(slots=True)
class Fold:
    """A candidate, and those below it whose runbooks have nearly the same text."""

    best: Candidate
    copies: list[Candidate] = field(default_factory=list)


def folded(
    ranked: Iterable[Candidate], text_of: Callable[[int], str], limit: int
) -> Iterator[Fold]:
    """The first `limit` candidates with their near copies, best first.

    `text_of` gives a runbook's text by its number. Copies are looked for among twice as many.
    """
    folds: list[Fold] = []
    triples = _Triples(text_of)
    for candidate in ranked:
        fold = next((one for one in folds if _copied(one.best, candidate, triples)), None)
        if fold is not None:
            fold.copies.append(candidate)
        elif len(folds) == 2 * limit:
            break
        else:
            folds.append(Fold(candidate))
    yield from folds[:limit]


class _Triples(dict[int, frozenset[tuple[str, ...]]]):
    """Runbook number -> its word triples, made when first needed: most pairs never need them."""

    def __init__(self, text_of: Callable[[int], str]) -> None:
        super().__init__()
        self._text_of = text_of

    def __missing__(self, number: int) -> frozenset[tuple[str, ...]]:
        self[number] = word_triples(self._text_of(number))
        return self[number]


def _copied(one: Candidate, other: Candidate, triples: _Triples) -> bool:
    """Whether two candidates are one text in two places. Pages about different alerts never are."""
    first, second = one.topic, other.topic
    if first.runbook == second.runbook:
        return False
    if first.alerts and second.alerts and first.alerts.isdisjoint(second.alerts):
        return False
    needed = SAME_ALERT if first.alerts & second.alerts else SAME
    if min(first.length, second.length) < needed * max(first.length, second.length) / 2:
        return False
    if first.title_words.isdisjoint(second.title_words):
        return False
    return likeness(triples[first.runbook], triples[second.runbook]) >= needed


def word_triples(text: str) -> frozenset[tuple[str, ...]]:
    """Every three words that follow one another: what tells near copies from like subjects."""
    words = text.lower().split()
    return frozenset(zip(words, words[1:], words[2:], strict=False)) or frozenset({tuple(words)})


def likeness(one: frozenset[tuple[str, ...]], other: frozenset[tuple[str, ...]]) -> float:
    """Which part of all their triples two texts share (Jaccard)."""
    return len(one & other) / len(one | other)
