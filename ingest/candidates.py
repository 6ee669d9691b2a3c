"""What a query asks for, and the topics that might answer it, ranked. Reads the catalogue only."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from ingest.lookup import Lookup, Place, Runbook, Topic
from ingest.ranking import (
    NAMED,
    POINTED,
    PROSE,
    STALE_DAYS,
    STEPS,
    Context,
    Evidence,
    age,
    nearness,
    normalised,
    saturated,
)
from ingest.routing import URL, Routes, routes
from ingest.vocabulary import Vocabulary, vocabulary
from ingest.words import alert_and_words, identifier_parts, identifiers, pairs, terms

SECTIONS, TOPICS = 150, 75
"""How many each side gives to the fusion: well over what is ever shown."""
WORDS = 48
"""A description of an alert can be long; what it is about comes early."""
RAREST = 16
"""So many of them find what all of them find, in less time."""
EMBEDDED = 40
"""Words that the model reads: a longer text costs it more and tells it no more."""
FAMILY = 8
"""A name that more topics than this share is no alert's name."""
STUB_WORDS, FULLER = 100, 3
"""A shorter topic is a stub where another one about the same alert is this many times as long."""


@dataclass(frozen=True, slots=True)
class Query:
    """What is known of an incident. `text` may be a pager line, a summary, or a person's words."""

    text: str
    alert_name: str = ""
    service: str = ""
    environment: str = ""
    runbook_url: str = ""
    limit: int = 5
    today: date | None = None
    strict: bool = False
    """Leave out runbooks that name another service or environment, instead of putting them lower."""
    max_age_days: int = 0
    """Leave out runbooks whose last review is longer ago; 0 for none. Undated ones stay."""
    without: tuple[str, ...] = ()
    """Sources to leave out."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A query, read: its words, its alert, its service, and where the alert itself points."""

    query: Query
    alert: str
    service: str
    text: str
    vocabulary: Vocabulary
    routes: Routes

    @property
    def words(self) -> tuple[str, ...]:
        """The words to search for."""
        return self.vocabulary.words

    @property
    def to_embed(self) -> str:
        """The query as the model reads it: its beginning, and an alert's name in its words, which
        identifiers hide from it.
        """
        text = self.text
        if self.alert:
            words = " ".join(identifier_parts(self.alert)).lower() or self.alert
            text = f"{words} {text.replace(self.alert, '')}"
        return " ".join(text.split()[:EMBEDDED])

    @property
    def weights(self) -> Evidence:
        """How to weigh the text of topics."""
        return NAMED if self.alert else PROSE


@dataclass(frozen=True, slots=True)
class Candidate:
    """A topic that might be the answer, its section to act on, and what speaks for it."""

    runbook: Runbook
    topic: Topic
    place: Place
    evidence: Evidence
    context: Context
    cosine: float
    """Of the section shown; 0 where vectors had no say."""
    text_score: float
    """What its text says, from 0 to 1."""
    stub: bool = False
    """Whether another topic says much more about the same alert."""

    @property
    def score(self) -> float:
        """Text and context together."""
        return self.text_score + self.context.score

    @property
    def order(self) -> tuple[float, str, int]:
        """Best first; equal ones by path, so that the same question gets the same answer."""
        return -self.score, self.runbook.path, self.place.number


def read(query: Query, lookup: Lookup) -> Wanted:
    """The query's words and names; a pager line is taken apart."""
    named, text, labels = alert_and_words(query.text)
    alert = query.alert_name or named
    service = query.service or labels.get("service", "")
    if query.alert_name and query.alert_name not in text:
        text = f"{query.alert_name} {text}"
    url = query.runbook_url or labels.get("runbook_url", "")
    words = vocabulary(lookup, terms(f"{text} {service}")[:WORDS])
    return Wanted(query, alert, service, text, words, routes(lookup, alert, url))


@dataclass(frozen=True, slots=True)
class Worded:
    """What the words brought up: number -> BM25."""

    sections: Mapping[int, float]
    topics: Mapping[int, float]
    pairs: Mapping[int, float]
    """Of the sections, by the pairs of words that follow each other."""


def worded(lookup: Lookup, wanted: Wanted) -> Worded:
    """The sections and topics that have the query's words."""
    words = wanted.vocabulary.rarest(RAREST)
    return Worded(
        sections=lookup.best_sections(words, SECTIONS),
        topics=lookup.best_topics(words, TOPICS),
        pairs=lookup.best_sections(pairs(wanted.text)[:WORDS], SECTIONS),
    )


def rank(
    lookup: Lookup,
    wanted: Wanted,
    meaning: Mapping[int, float],
    weights: Evidence | None = None,
    words: Worded | None = None,
) -> list[Candidate]:
    """The topics that came up, best first, each with its section to act on.

    `meaning`: section number -> cosine, empty where vectors have no say. `weights`: other ones than
    the query's own, to measure with. `words`: what they brought up, where that is known already.
    """
    words = words or worded(lookup, wanted)
    found = _Gathering(lookup, wanted, meaning, weights or wanted.weights, words).candidates()
    return sorted(found, key=lambda candidate: candidate.order)


class _Gathering:
    """Brings together what each side says of the topics, for one query."""

    def __init__(
        self,
        lookup: Lookup,
        wanted: Wanted,
        meaning: Mapping[int, float],
        weights: Evidence,
        words: Worded,
    ) -> None:
        self._lookup = lookup
        self._wanted = wanted
        self._meaning = meaning
        self._weights = weights
        self._farthest = min(meaning.values(), default=0.0)
        self._alerts = lookup.known_alerts(identifiers(wanted.text)) | {wanted.alert.lower()} - {""}
        self._scores = words.sections
        self._best = max(self._scores.values(), default=0.0) or 1.0
        self._pairs = words.pairs
        self._wholes = words.topics

    def candidates(self) -> Iterator[Candidate]:
        """Every topic that some side brought up, of the runbooks that may be shown."""
        sections, topics, runbooks = self._found()
        lexical, meaning = self._of_sections(sections)
        wholes = normalised({n: s for n, s in self._wholes.items() if n in topics})
        near = self._near(topics)
        stems = {stem for topic in topics.values() for stem in topic.title_words}
        titles = self._wanted.vocabulary.weighed(self._lookup.holders(stems))
        for number, topic in topics.items():
            evidence = Evidence(
                lexical=lexical[number],
                meaning=meaning[number],
                sibling=max((lexical[n] + meaning[n]) / 2 for n in near[number]),
                whole=wholes.get(number, 0.0),
                pairs=saturated(max(self._pairs.get(p.number, 0.0) for p in sections[number])),
                **self._of_title(topic, titles),
            )
            stub = _is_stub(topic, [topics[n] for n in near[number]])
            shown = self._shown(sections[number])
            yield self._candidate(topic, runbooks[topic.runbook], shown, evidence, stub=stub)

    def _near(self, topics: Mapping[int, Topic]) -> dict[int, set[int]]:
        """Topic -> itself and those about the same alert, of these topics."""
        near = {number: {number} for number in topics}
        for family in self._lookup.families(topics).values():
            here = family & topics.keys()
            for number in here if len(here) <= FAMILY else ():
                near[number] |= here
        return near

    def _found(
        self,
    ) -> tuple[dict[int, list[Place]], dict[int, Topic], dict[int, Runbook]]:
        """Topic -> sections that may be shown; the topics; their runbooks: all that came up and may be."""
        hits = self._lookup.places(
            {*self._scores, *self._pairs, *self._meaning, *self._wanted.routes.sections}
        )
        named = {place.topic for place in hits.values()}
        numbers = {*named, *self._wholes, *self._wanted.routes.topics}
        likewise = self._lookup.families(numbers).values()
        numbers = numbers.union(*(family for family in likewise if len(family) <= FAMILY))
        leads = self._lookup.leads(numbers)
        # Of the sections that did not come up themselves, only the lead can be shown.
        sections = {topic: [lead] for topic, lead in leads.items()}
        for place in hits.values():
            sections[place.topic].append(place)
        topics = self._lookup.topics(sections)
        runbooks = self._lookup.runbooks_of({topic.runbook for topic in topics.values()})
        shown = {number for number, runbook in runbooks.items() if self._may_show(runbook)}
        topics = {number: topic for number, topic in topics.items() if topic.runbook in shown}
        return sections, topics, runbooks

    def _may_show(self, runbook: Runbook) -> bool:
        """Whether the query's hard filters let it pass."""
        query = self._wanted.query
        if runbook.path.split("/", 1)[0] in query.without:
            return False
        days = age(runbook.last_reviewed, query.today)
        if query.max_age_days and days is not None and days > query.max_age_days:
            return False
        if not query.strict:
            return True
        context = self._context_of(runbook)
        return not (context.other_service or context.other_environment)

    def _of_sections(
        self, sections: Mapping[int, Iterable[Place]]
    ) -> tuple[dict[int, float], dict[int, float]]:
        """Topic -> the BM25 of its best section as a part of the best; and the nearness of its nearest."""
        lexical: dict[int, float] = {}
        meaning: dict[int, float] = {}
        for topic, own in sections.items():
            lexical[topic] = max(self._scores.get(one.number, 0.0) for one in own)
            cosine = max(self._meaning.get(one.number, self._farthest) for one in own)
            meaning[topic] = nearness(cosine)
        return normalised(lexical), meaning

    def _of_title(self, topic: Topic, titles: Mapping[str, float]) -> dict[str, float]:
        """How well the topic's title and its words fit the query's."""
        words = self._wanted.vocabulary
        kind = "alert_title" if topic.alerts else "page_title"
        share = words.share(topic.title_words, titles)
        fit = math.sqrt(share * words.named_by(topic.title_words))
        entitled = float(not topic.alerts and words.has_all(topic.title_words))
        coverage = words.coverage(topic.number)
        return {kind: share, "fit": fit, "entitled": entitled, "coverage": coverage}

    def _shown(self, places: Iterable[Place]) -> Place:
        """Of a topic's sections the one to act on."""

        def use(place: Place) -> tuple[float, int]:
            text = self._scores.get(place.number, 0.0) / self._best
            text += nearness(self._meaning.get(place.number, 0.0))
            pointed = POINTED * (place.number in self._wanted.routes.sections)
            return text / 4 + STEPS * place.has_steps + pointed, -place.first_line

        return max(places, key=use)

    def _candidate(
        self, topic: Topic, runbook: Runbook, shown: Place, evidence: Evidence, *, stub: bool
    ) -> Candidate:
        """The topic with the section to act on."""
        context = self._context(topic, runbook)
        cosine = self._meaning.get(shown.number, 0.0)
        score = evidence.weighed(self._weights)
        return Candidate(runbook, topic, shown, evidence, context, cosine, score, stub)

    def _context(self, topic: Topic, runbook: Runbook) -> Context:
        """What speaks for the topic beside its text."""
        route = self._wanted.routes.topics.get(topic.number)
        return self._context_of(
            runbook,
            addressed=route == URL,
            routed=route is not None,
            named=not self._alerts.isdisjoint(topic.alerts),
        )

    def _context_of(self, runbook: Runbook, **route: bool) -> Context:
        """What is known of the runbook beside its text."""
        query, service = self._wanted.query, self._wanted.service.lower()
        services = {name.lower() for name in runbook.services}
        environments = {name.lower() for name in runbook.environments}
        days = age(runbook.last_reviewed, query.today)
        return Context(
            same_service=service in services,
            other_service=bool(service and services) and service not in services,
            other_environment=bool(query.environment and environments)
            and query.environment.lower() not in environments,
            stale=days is not None and days > STALE_DAYS,
            **route,
        )


def _is_stub(topic: Topic, family: Iterable[Topic]) -> bool:
    """Whether another topic about the same alert says much more."""
    longest = max(one.length for one in family)
    return topic.length < STUB_WORDS and longest >= FULLER * topic.length
