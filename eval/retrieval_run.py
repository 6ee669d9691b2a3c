"""Asks the runbook search every question, each side of it alone as well. Builds the index once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import anyio
from rich.console import Console

from assistant.errors import AssistantError
from eval.retrieval_figures import Slot
from eval.retrieval_questions import Question
from ingest.candidates import Candidate, Query, Wanted, rank, read
from ingest.confidence import Signs, confidence, signs
from ingest.errors import IngestError
from ingest.folding import folded
from ingest.job import IngestSettings, ingest
from ingest.lookup import Lookup
from ingest.reader import Generation, Reader
from ingest.search import meant
from ingest.words import key

DEPTH = 20
LEARNED = 60
LEXICAL, DENSE, STRICT, FUSED = "lexical", "dense", "fused, copies apart", "fused"
WAYS = (LEXICAL, DENSE, STRICT, FUSED)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, the ranking that each way gives, and how sure the search was."""

    question: Question
    slots: Mapping[str, Sequence[Slot]]
    found: Signs
    wanted: Wanted
    ranked: Sequence[Candidate]
    """Enough of it to learn from."""

    @property
    def sure(self) -> float:
        """The search's confidence."""
        return confidence(self.found)

    @property
    def right(self) -> bool:
        """Whether the first match is an answer."""
        return bool(self.slots[FUSED] and self.slots[FUSED][0])


def indexed(corpora: Path, index: Path, console: Console, embedding: str = "") -> None:
    """Brings the index up to date with the corpora: all sources together, one folder each."""
    settings = IngestSettings(corpora, index, embedding=embedding)
    shown: set[str] = set()

    def progress(doing: str, _done: int, total: int) -> None:
        if doing not in shown:
            shown.add(doing)
            console.print(f"{doing} ({total})", highlight=False)

    try:
        report = anyio.run(ingest, settings, progress)
    except IngestError as error:
        raise AssistantError(f"{corpora} cannot be ingested: {error}") from error
    console.print(report.line, highlight=False)


def ask(index: Path, questions: Iterable[Question], today: date | None = None) -> Iterator[Asked]:
    """Each question with its rankings. Raises `AssistantError` where there is no index."""
    try:
        with closing(Reader(index)) as reader:
            generation = reader.current()
            judge = Judge(generation.lookup)
            for question in questions:
                yield _asked(generation, judge, question, today)
    except IngestError as error:
        raise AssistantError(str(error)) from error


def _asked(generation: Generation, judge: Judge, question: Question, today: date | None) -> Asked:
    query = Query(question.text, limit=DEPTH, today=today, without=question.without)
    lookup = generation.lookup
    wanted = read(query, lookup)
    cosines = meant(generation, wanted).cosines
    ranked = rank(lookup, wanted, cosines)
    words = sorted(rank(lookup, wanted, {}), key=lambda one: -one.text_score)
    near = ranked if cosines else rank(lookup, wanted, nearest(generation, wanted))
    near = sorted(near, key=_by_meaning)
    folds = folded(ranked, lookup.triples, DEPTH)
    answers = question.relevant
    slots = {
        LEXICAL: [judge.slot(answers, [one]) for one in words[:DEPTH]],
        DENSE: [judge.slot(answers, [one]) for one in near[:DEPTH]],
        STRICT: [judge.slot(answers, [one]) for one in ranked[:DEPTH]],
        FUSED: [judge.slot(answers, [fold.best, *fold.likewise, *fold.copies]) for fold in folds],
    }
    return Asked(question, slots, signs(wanted, ranked, cosines), wanted, ranked[:LEARNED])


def nearest(generation: Generation, wanted: Wanted) -> Mapping[int, float]:
    """What the vectors say, even where the search would not ask them."""
    return generation.nearest(wanted.to_embed, 100) if generation.has_vectors else {}


def _by_meaning(one: Candidate) -> float:
    return -one.evidence.meaning


class Judge:
    """Tells which of a question's answers a candidate is."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._addresses: dict[int, frozenset[str]] = {}

    def slot(self, answers: Sequence[str], candidates: Iterable[Candidate]) -> Slot:
        """The places of the answers that these candidates are; `#anchor` must be the topic's."""
        shown = list(candidates)
        return frozenset(
            place
            for place, answer in enumerate(answers)
            if any(self._is(answer, one) for one in shown)
        )

    def _is(self, answer: str, candidate: Candidate) -> bool:
        path, _, anchor = answer.partition("#")
        if candidate.runbook.path != path:
            return False
        return not anchor or key(anchor) in self._of(candidate)

    def _of(self, candidate: Candidate) -> frozenset[str]:
        """The addresses of the section shown, and its topic's title."""
        number = candidate.place.number
        if number not in self._addresses:
            self._addresses[number] = self._lookup.addresses(number)
        return self._addresses[number] | {key(candidate.topic.title)}
