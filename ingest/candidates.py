"""What a query asks for, and the sections that might answer it, ranked. Reads the catalogue only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date

from ingest.lookup import Lookup, Runbook, StoredSection, Topic
from ingest.ranking import Signals, normalised, shared
from ingest.routing import URL, Routes, routes
from ingest.words import alert_and_words, terms

SECTIONS, TOPICS = 100, 50
"""How many each side gives to the fusion: well over what is ever shown."""
WORDS = 48
"""A description of an alert can be long; what it is about comes early."""


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


@dataclass(frozen=True, slots=True)
class Wanted:
    """A query, read: its words, its alert, its service, and where the alert itself points."""

    query: Query
    alert: str
    service: str
    text: str
    words: tuple[str, ...]
    routes: Routes

    @property
    def to_embed(self) -> str:
        """The query as the model reads it: an alert's name also in its words."""
        split = " ".join(terms(self.alert)) if self.alert else ""
        return f"{split} {self.text}".strip()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A section that might be the answer, and how strongly its topic answers."""

    runbook: Runbook
    topic: Topic
    section: StoredSection
    signals: Signals
    strength: float = 0.0

    @property
    def order(self) -> tuple[float, str]:
        """Best first; equal ones by id, so that the same question gets the same answer."""
        return -self.strength, self.section.id


def read(query: Query, lookup: Lookup) -> Wanted:
    """The query's words and names; a pager line is taken apart."""
    named, text, labels = alert_and_words(query.text)
    alert = query.alert_name or named
    service = query.service or labels.get("service", "")
    if query.alert_name and query.alert_name not in text:
        text = f"{query.alert_name} {text}"
    url = query.runbook_url or labels.get("runbook_url", "")
    words = tuple(terms(f"{text} {service}")[:WORDS])
    return Wanted(query, alert, service, text, words, routes(lookup, alert, url))


def rank(lookup: Lookup, wanted: Wanted, meaning: Mapping[int, float]) -> list[Candidate]:
    """The best section of each topic that came up, best topic first.

    `meaning`: section number -> cosine. A topic is as strong as its strongest section; the one to
    be shown is the one to act on.
    """
    found: dict[int, list[Candidate]] = {}
    for candidate in _Scorer(lookup, wanted, meaning).candidates():
        found.setdefault(candidate.topic.number, []).append(candidate)
    best = []
    for candidates in found.values():
        shown = max(candidates, key=lambda one: (one.signals.use, -one.section.first_line))
        best.append(replace(shown, strength=max(one.signals.score for one in candidates)))
    return sorted(best, key=lambda candidate: candidate.order)


class _Scorer:
    """Brings the signals of one query together."""

    def __init__(self, lookup: Lookup, wanted: Wanted, meaning: Mapping[int, float]) -> None:
        self._lookup = lookup
        self._wanted = wanted
        self._meaning = meaning
        self._dense = normalised(meaning, floor=min(meaning.values(), default=0.0))
        self._lexical = normalised(lookup.best_sections(wanted.words, SECTIONS))
        self._topics = normalised(lookup.best_topics(wanted.words, TOPICS))
        self._alerts = lookup.known_alerts(wanted.words) | {wanted.alert.lower()} - {""}

    def candidates(self) -> Iterator[Candidate]:
        """Every section that some side brought up."""
        found = self._lookup.sections({*self._lexical, *self._dense})
        routed = [s for t in self._wanted.routes.topics for s in self._lookup.sections_of_topic(t)]
        sections = {section.number: section for section in (*found, *routed)}.values()
        topics = {t.number: t for t in self._lookup.topics({s.topic for s in sections})}
        runbooks = {r.number: r for r in self._lookup.runbooks({s.runbook for s in sections})}
        contexts = {t.number: self._context(t, runbooks[t.runbook]) for t in topics.values()}
        for section in sections:
            signals = self._signals(section, contexts[section.topic])
            yield Candidate(runbooks[section.runbook], topics[section.topic], section, signals)

    def _signals(self, section: StoredSection, context: Signals) -> Signals:
        """The topic's signals and the section's own."""
        return context.of_section(
            lexical=self._lexical.get(section.number, 0.0),
            dense=self._dense.get(section.number, 0.0),
            cosine=self._meaning.get(section.number, 0.0),
            has_steps=section.has_steps,
            pointed=section.number in self._wanted.routes.sections,
        )

    def _context(self, topic: Topic, runbook: Runbook) -> Signals:
        """What speaks for the topic as a whole."""
        wanted, query = self._wanted, self._wanted.query
        environments = {name.lower() for name in runbook.environments}
        services = {name.lower() for name in runbook.services}
        return Signals(
            topic=self._topics.get(topic.number, 0.0),
            title=shared(wanted.words, frozenset(terms(topic.title))),
            addressed=wanted.routes.topics.get(topic.number) == URL,
            routed=topic.number in wanted.routes.topics,
            named=not self._alerts.isdisjoint(topic.alerts),
            same_service=wanted.service.lower() in services,
            other_environment=bool(query.environment and environments)
            and query.environment.lower() not in environments,
        )
