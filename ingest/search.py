"""The search: what an incident knows goes in, the sections that apply come out, or none.

First where the alert itself points (its runbook_url, its exact name), then words and meaning
together. Where nothing is close enough it says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import anyio

from ingest.candidates import Candidate, Query, Wanted, rank, read
from ingest.confidence import Vocabulary, confidence, enough, vocabulary
from ingest.errors import IngestError
from ingest.lookup import Lookup, Runbook, StoredSection
from ingest.ranking import explain, share, twins, word_triples
from ingest.reader import Generation, Reader

NEIGHBOURS = 100
"""How many the vectors give to the fusion."""
LEXICAL, HYBRID, ROUTED = "lexical", "lexical and dense", "routed"
NEAREST = 3
SHOWN = 0.25
"""What scores less than this beside a better match only takes up room."""


@dataclass(frozen=True, slots=True)
class Match:
    """A runbook, the section of it that fits best, and why. `score` lies between 0 and 1."""

    runbook: Runbook
    section: StoredSection
    score: float
    why: str


@dataclass(frozen=True, slots=True)
class Found:
    """The answer to a query.

    `missing` says which side of the search could not be used; `nearest` names the runbooks that
    came closest where the search abstained.
    """

    matches: tuple[Match, ...]
    mode: str
    missing: str = ""
    nearest: tuple[str, ...] = ()

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
        wanted = read(query, generation.lookup)
        meaning = _meaning(generation, wanted)
        ranked = rank(generation.lookup, wanted, meaning.cosines)
        return _answer(generation.lookup, wanted, ranked, meaning)


@dataclass(frozen=True, slots=True)
class _Meaning:
    """What the vectors gave: section number -> cosine; and, where they were missing, why."""

    mode: str
    cosines: Mapping[int, float] = field(default_factory=dict)
    missing: str = ""

    @property
    def closest(self) -> float | None:
        """The best cosine; None where vectors had no say."""
        return max(self.cosines.values(), default=0.0) if self.mode == HYBRID else None


def _meaning(generation: Generation, wanted: Wanted) -> _Meaning:
    """An alert that points to its runbook needs no vectors, and need not wait for their imports."""
    if wanted.routes.topics:
        return _Meaning(ROUTED)
    if not generation.has_vectors:
        return _Meaning(LEXICAL)
    try:
        return _Meaning(HYBRID, generation.nearest(wanted.to_embed, NEIGHBOURS))
    except IngestError as error:
        return _Meaning(LEXICAL, missing=f"searched by words only: {error}")


def _answer(
    lookup: Lookup, wanted: Wanted, ranked: Sequence[Candidate], meaning: _Meaning
) -> Found:
    """The matches with their reasons, or an abstention where the best is not close enough."""
    words = vocabulary(lookup, wanted.words)
    if not _is_enough(ranked, words, meaning.closest):
        nearest = tuple(dict.fromkeys(candidate.topic.title for candidate in ranked[:NEAREST]))
        return Found((), meaning.mode, meaning.missing, nearest)
    matches = tuple(_matches(lookup, ranked, wanted, words))
    return Found(matches, meaning.mode, meaning.missing)


def _is_enough(ranked: Sequence[Candidate], words: Vocabulary, closest: float | None) -> bool:
    """Whether the best candidate may be shown."""
    if not ranked:
        return False
    coverage = words.coverage(ranked[0].topic.number)
    return enough(confidence(ranked[0].signals, coverage, closest), closest)


def _matches(
    lookup: Lookup, ranked: Sequence[Candidate], wanted: Wanted, words: Vocabulary
) -> Iterator[Match]:
    """The first `limit` candidates as matches."""
    for candidate, copies in _folded(lookup, ranked, wanted.query.limit):
        number = candidate.topic.number
        why = explain(
            wanted.routes.topics.get(number, ""),
            candidate.signals,
            words.shared_with(number),
            candidate.runbook,
            wanted.query.today,
        )
        also = f"; the same text is in {', '.join(copies)}" if copies else ""
        score = round(share(candidate.signals, candidate.strength), 3)
        yield Match(candidate.runbook, candidate.section, score, why + also)


def _folded(
    lookup: Lookup, ranked: Sequence[Candidate], limit: int
) -> list[tuple[Candidate, list[str]]]:
    """The first candidates worth showing, each with the paths of its near copies."""
    folded: list[tuple[Candidate, list[str]]] = []
    texts: dict[int, frozenset[tuple[str, ...]]] = {}
    for candidate in ranked:
        if folded and share(candidate.signals, candidate.strength) < SHOWN:
            break
        runbook = candidate.runbook
        text = texts.get(runbook.number) or word_triples(lookup.text(runbook.number))
        copied = _copied(folded, texts, candidate, text)
        if copied is not None:
            copied.append(runbook.path)
        elif len(folded) == limit:
            break
        else:
            folded.append((candidate, []))
            texts[runbook.number] = text
    return folded


def _copied(
    folded: Sequence[tuple[Candidate, list[str]]],
    texts: Mapping[int, frozenset[tuple[str, ...]]],
    candidate: Candidate,
    text: frozenset[tuple[str, ...]],
) -> list[str] | None:
    """The list of copies of the better match whose runbook has nearly the same text, if any has."""
    for better, copies in folded:
        number = better.runbook.number
        if number != candidate.runbook.number and twins(texts[number], text):
            return copies
    return None
