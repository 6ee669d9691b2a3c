"""The search: what an incident knows goes in, the sections that apply come out, or none.

First where the alert itself points (its runbook_url, its exact name), then words and meaning
together. Where nothing is close enough it says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import anyio

from ingest.candidates import Candidate, Query, Wanted, rank, read, worded
from ingest.confidence import THRESHOLD, THRESHOLD_BY_WORDS, confidence, signs
from ingest.errors import IngestError
from ingest.folding import Fold, folded
from ingest.lookup import Lookup, Runbook, StoredSection
from ingest.ranking import explain
from ingest.reader import Generation, Reader

NEIGHBOURS = 100
"""How many the vectors give to the fusion."""
LEXICAL, HYBRID, ROUTED = "lexical", "lexical and dense", "routed"
NEAREST = 3
SHOWN = 0.4
"""What scores less than this part of the best match only takes up room."""


@dataclass(frozen=True, slots=True)
class Match:
    """A runbook, the section of it that fits best, and why. `score` lies between 0 and 1."""

    runbook: Runbook
    section: StoredSection
    score: float
    why: str
    copies: tuple[Runbook, ...] = ()
    """Runbooks elsewhere with nearly the same text."""
    likewise: tuple[Runbook, ...] = ()
    """Other runbooks about the same alert."""


@dataclass(frozen=True, slots=True)
class Found:
    """The answer to a query.

    `missing` says which side of the search could not be used; `nearest` names the runbooks that
    came closest where the search abstained. `confidence`: how sure it is that there is an answer.
    """

    matches: tuple[Match, ...]
    mode: str
    missing: str = ""
    nearest: tuple[str, ...] = ()
    confidence: float = 0.0

    @property
    def abstained(self) -> bool:
        """Whether nothing was close enough."""
        return not self.matches


class RunbookSearch:
    """The search over one index. Opens nothing until it is first asked."""

    def __init__(self, index: Path, chroma_url: str = "") -> None:
        self._reader = Reader(index, chroma_url)

    async def search(self, query: Query) -> Found:
        """The best section of each of the best runbooks, or an abstention. Raises `IngestError`."""
        return await anyio.to_thread.run_sync(self._search, query)

    async def runbook(self, id: str) -> tuple[Runbook, str, list[StoredSection]] | None:
        """The runbook of this id (or of a section's id), its text and its sections."""
        return await anyio.to_thread.run_sync(self._runbook, id)

    async def runbooks(self) -> list[Runbook]:
        """All runbooks, by path."""
        return await anyio.to_thread.run_sync(self._runbooks)

    async def facts(self) -> dict[str, str]:
        """What the index says of itself, and how many runbooks it holds."""
        return await anyio.to_thread.run_sync(self._facts)

    async def close(self) -> None:
        """Closes what is open."""
        await anyio.to_thread.run_sync(self._reader.close)

    def _runbooks(self) -> list[Runbook]:
        return self._reader.current().lookup.runbooks()

    def _facts(self) -> dict[str, str]:
        lookup = self._reader.current().lookup
        return {**lookup.facts(), "runbooks": str(lookup.count())}

    def _runbook(self, id: str) -> tuple[Runbook, str, list[StoredSection]] | None:
        lookup = self._reader.current().lookup
        found = lookup.runbook(id.split("#", 1)[0])
        return (*found, lookup.sections_of(found[0].number)) if found else None

    def _search(self, query: Query) -> Found:
        generation = self._reader.current()
        lookup = generation.lookup
        wanted = read(query, lookup)
        # Words and meaning are looked for at once; neither holds Python up while it works.
        with ThreadPoolExecutor(1) as beside:
            words = beside.submit(worded, lookup, wanted)
            meaning = meant(generation, wanted)
        ranked = rank(lookup, wanted, meaning.cosines, words=words.result())
        return _answer(lookup, wanted, ranked, meaning)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What the vectors gave: section number -> cosine; and, where they were missing, why."""

    mode: str
    cosines: Mapping[int, float] = field(default_factory=dict)
    missing: str = ""


def meant(generation: Generation, wanted: Wanted) -> Meaning:
    """What the vectors say. An alert that points to its runbook does not wait for their imports."""
    if wanted.routes.topics:
        return Meaning(ROUTED)
    if not generation.has_vectors:
        return Meaning(LEXICAL)
    try:
        return Meaning(HYBRID, generation.nearest(wanted.to_embed, NEIGHBOURS))
    except IngestError as error:
        return Meaning(LEXICAL, missing=f"searched by words only: {error}")


def _answer(lookup: Lookup, wanted: Wanted, ranked: Sequence[Candidate], meaning: Meaning) -> Found:
    """The matches with their reasons, or an abstention where the best is not close enough."""
    sure = confidence(signs(wanted, ranked, meaning.cosines))
    if sure < (THRESHOLD if meaning.mode == HYBRID else THRESHOLD_BY_WORDS):
        nearest = tuple(dict.fromkeys(candidate.topic.title for candidate in ranked[:NEAREST]))
        return Found((), meaning.mode, meaning.missing, nearest, sure)
    least = SHOWN * ranked[0].score
    found = folded(ranked, lookup.triples, wanted.query.limit)
    folds = [fold for fold in found if fold.best.score >= least]
    numbers = [fold.best.place.number for fold in folds]
    sections = {section.number: section for section in lookup.sections(numbers)}
    matches = tuple(_match(fold, sections[fold.best.place.number], wanted) for fold in folds)
    return Found(matches, meaning.mode, meaning.missing, confidence=sure)


def _match(fold: Fold, section: StoredSection, wanted: Wanted) -> Match:
    """A fold as it is shown."""
    best = fold.best
    number = best.topic.number
    why = explain(
        wanted.routes.topics.get(number, ""),
        best.context,
        best.cosine,
        wanted.vocabulary.shared_with(number),
        best.runbook,
        wanted.query.today,
    )
    copies, likewise = _elsewhere(fold, fold.copies), _elsewhere(fold, fold.likewise)
    also = _named("also about this alert", likewise) + _named("the same text is in", copies)
    score = 1.0 if best.context.routed else max(0.0, min(1.0, best.score))
    return Match(best.runbook, section, round(score, 3), why + also, copies, likewise)


def _elsewhere(fold: Fold, candidates: Iterable[Candidate]) -> tuple[Runbook, ...]:
    """The runbooks of these candidates but for the one that is shown."""
    runbooks = dict.fromkeys(one.runbook for one in candidates)
    return tuple(one for one in runbooks if one.number != fold.best.runbook.number)


def _named(what: str, runbooks: Sequence[Runbook]) -> str:
    return f"; {what}: {', '.join(one.path for one in runbooks)}" if runbooks else ""
