"""Reads a published catalogue: words, names, addresses. Blocking; changes nothing."""

# ruff: noqa: S608 - the queries are made of this file's own words; values go in as parameters.

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from ingest.addresses import tail
from ingest.schema import FILE
from ingest.stems import Stemmer
from ingest.triples import unpacked
from ingest.words import key

SECTION_WEIGHTS = (1.5, 1.0, 0.5)
TOPIC_WEIGHTS = (4.0, 2.0, 0.5)
"""What a word counts in the title, the headings, the body. That all are halved matters: FTS5 fixes k1
at 1.2, and with half the weight a word said twice counts more than one said once (as k1 = 2.4 would)."""
COMMON, FEW, MANY = 0.3, 50, 1_000
"""A word that a larger part of the topics has, and more than a few, tells nothing and costs the most;
in a large index so does one that very many have."""

CACHE_KILOBYTES = 16_000
"""Of the catalogue's pages. SQLite's own 2 MB are read anew with every query over a large index."""
REMEMBERED = 20_000
"""Rows of a kind that are kept: tens of megabytes at most, however large the index."""


@dataclass(frozen=True, slots=True)
class Runbook:
    """A runbook as it is stored, without its text."""

    number: int
    id: str
    path: str
    title: str
    services: tuple[str, ...]
    alerts: tuple[str, ...]
    environments: tuple[str, ...]
    owner: str
    last_reviewed: str
    severity: str
    url: str
    """Where a person opens it."""
    inferred: tuple[str, ...] = ()
    """Which of the fields above nobody wrote down."""
    converted: bool = False
    """Whether its text is Markdown made from another format: lines are then of that Markdown."""


@dataclass(frozen=True, slots=True)
class Topic:
    """What a runbook speaks of: the page as a whole or, on a page of many alerts, one of them."""

    number: int
    runbook: int
    title: str
    alerts: frozenset[str]
    """lower case"""
    title_words: frozenset[str]
    """stems"""
    length: int
    """words"""


@dataclass(frozen=True, slots=True)
class Place:
    """A section without its text."""

    number: int
    topic: int
    first_line: int
    has_steps: bool


@dataclass(frozen=True, slots=True)
class StoredSection:
    """A section as it is stored, with the number of its runbook."""

    number: int
    id: str
    runbook: int
    topic: int
    heading_path: str
    first_line: int
    last_line: int
    text: str
    has_steps: bool
    warnings: tuple[str, ...]


RUNBOOK = (
    "SELECT number, id, path, title, services, alerts, environments, owner, last_reviewed,"
    " severity, url, inferred, converted FROM runbooks"
)
SECTION = (
    "SELECT number, id, runbook, topic, heading_path, first_line, last_line, has_steps, warnings, text"
    " FROM sections"
)
PLACE = "SELECT number, topic, first_line, has_steps FROM sections"
LEAD = (
    "SELECT number FROM sections WHERE topic = topics.number"
    " ORDER BY has_steps DESC, first_line, number LIMIT 1"
)


class Lookup:
    """One open catalogue. The connection may be used from any thread, one at a time."""

    def __init__(self, folder: Path) -> None:
        # A published file never changes: `immutable` spares locks and works on a read-only disk.
        address = f"{(folder / FILE).resolve().as_uri()}?mode=ro&immutable=1"
        self._connection = sqlite3.connect(address, uri=True, check_same_thread=False)
        self._connection.execute(f"PRAGMA cache_size = -{CACHE_KILOBYTES}")
        self._lock = threading.Lock()
        self._stemmer = Stemmer()
        # What was read once stays: the file never changes, and the same topics come up again.
        self._topics: dict[int, Topic] = {}
        self._places: dict[int, Place] = {}
        self._leads: dict[int, Place] = {}
        self._runbooks: dict[int, Runbook] = {}
        self._holders: dict[str, int] = {}
        self._families: dict[str, frozenset[int]] = {}
        self._topic_count = 0

    def close(self) -> None:
        """Closes the file."""
        self._connection.close()
        self._stemmer.close()

    def _all(self, query: str, values: Sequence[object] = ()) -> list[Any]:
        with self._lock:
            return self._connection.execute(query, values).fetchall()

    def facts(self) -> dict[str, str]:
        """What the catalogue says of itself."""
        return dict(self._all("SELECT key, value FROM facts"))

    def count(self) -> int:
        """How many runbooks there are."""
        return int(self._all("SELECT count(*) FROM runbooks")[0][0])

    def count_topics(self) -> int:
        """How many topics the runbooks have."""
        if not self._topic_count:
            self._topic_count = int(self._all("SELECT count(*) FROM topics")[0][0])
        return self._topic_count

    def runbooks(self) -> list[Runbook]:
        """All runbooks, by path."""
        return [_runbook(row) for row in self._all(f"{RUNBOOK} ORDER BY path")]

    def runbooks_of(self, numbers: Iterable[int]) -> dict[int, Runbook]:
        """Number -> runbook."""

        def load(new: list[int]) -> dict[int, Runbook]:
            rows = self._all(f"{RUNBOOK} WHERE number IN ({_marks(new)})", new)
            return {row[0]: _runbook(row) for row in rows}

        return remembered(self._runbooks, numbers, load)

    def runbook(self, id: str) -> tuple[Runbook, str] | None:
        """The runbook of this id and its whole text."""
        rows = self._all(f"{RUNBOOK} WHERE id = ?", (id,))
        if not rows:
            return None
        runbook = _runbook(rows[0])
        return runbook, self.text(runbook.number)

    def text(self, number: int) -> str:
        """The whole text of a runbook of this catalogue."""
        return str(self._all("SELECT text FROM runbooks WHERE number = ?", (number,))[0][0])

    def triples(self, number: int) -> frozenset[int]:
        """What tells near copies of a runbook's text."""
        rows = self._all("SELECT hashes FROM triples WHERE runbook = ?", (number,))
        return unpacked(rows[0][0])

    def sections_of(self, runbook: int) -> list[StoredSection]:
        """A runbook's sections in order."""
        rows = self._all(f"{SECTION} WHERE runbook = ? ORDER BY position", (runbook,))
        return [_section(row) for row in rows]

    def sections(self, numbers: Iterable[int]) -> list[StoredSection]:
        """These sections, in no particular order."""
        chosen = list(numbers)
        rows = self._all(f"{SECTION} WHERE number IN ({_marks(chosen)})", chosen)
        return [_section(row) for row in rows]

    def numbers_of_sections(self, ids: Sequence[str]) -> dict[str, int]:
        """Section id -> number, for those that this catalogue knows."""
        query = f"SELECT id, number FROM sections WHERE id IN ({_marks(ids)})"
        return dict(self._all(query, list(ids)))

    def topics(self, numbers: Iterable[int]) -> dict[int, Topic]:
        """Number -> topic."""
        return remembered(self._topics, numbers, self._load_topics)

    def _load_topics(self, new: list[int]) -> dict[int, Topic]:
        alerts: dict[int, set[str]] = {number: set() for number in new}
        where = f"({_marks(new)})"
        for number, name in self._all(
            f"SELECT topic, name FROM alerts WHERE topic IN {where}", new
        ):
            alerts[number].add(name)
        columns = "number, runbook, title, title_words, length"
        return {
            number: Topic(
                number, runbook, title, frozenset(alerts[number]), frozenset(words.split()), length
            )
            for number, runbook, title, words, length in self._all(
                f"SELECT {columns} FROM topics WHERE number IN {where}", new
            )
        }

    def topics_of(self, runbook: int) -> set[int]:
        """Numbers of a runbook's topics."""
        return {n for (n,) in self._all("SELECT number FROM topics WHERE runbook = ?", (runbook,))}

    def topics_about(self, alert: str) -> set[int]:
        """Numbers of the topics that are about the alert of exactly this name."""
        rows = self._all("SELECT topic FROM alerts WHERE name = ?", (alert.lower(),))
        return {number for (number,) in rows}

    def families(self, topics: Iterable[int]) -> dict[str, frozenset[int]]:
        """Alert name (lower case) -> all topics about it, for the alerts that these topics are about."""
        names = {name for topic in self.topics(topics).values() for name in topic.alerts}

        def load(new: list[str]) -> dict[str, frozenset[int]]:
            query = f"SELECT name, topic FROM alerts WHERE name IN ({_marks(new)})"
            found: dict[str, set[int]] = {}
            for name, topic in self._all(query, new):
                found.setdefault(name, set()).add(topic)
            return {name: frozenset(of) for name, of in found.items()}

        return remembered(self._families, names, load)

    def places(self, sections: Iterable[int]) -> dict[int, Place]:
        """Section number -> the section without its text."""

        def load(new: list[int]) -> dict[int, Place]:
            rows = self._all(f"{PLACE} WHERE number IN ({_marks(new)})", new)
            return {row[0]: _place(row) for row in rows}

        return remembered(self._places, sections, load)

    def leads(self, topics: Iterable[int]) -> dict[int, Place]:
        """Topic -> its first section with steps, else its first; topics without any are left out."""

        def load(new: list[int]) -> dict[int, Place]:
            wanted = f"SELECT ({LEAD}) FROM topics WHERE number IN ({_marks(new)})"
            places = (_place(row) for row in self._all(f"{PLACE} WHERE number IN ({wanted})", new))
            return {place.topic: place for place in places}

        return remembered(self._leads, topics, load)

    def sections_under(self, heading: str) -> list[StoredSection]:
        """Sections under a heading that reads like this one, anchor or alert name."""
        query = f"{SECTION} WHERE number IN (SELECT section FROM headings WHERE key = ?)"
        return [_section(row) for row in self._all(query, (key(heading),))]

    def addresses(self, section: int) -> frozenset[str]:
        """The headings over a section, as `key` writes them."""
        rows = self._all("SELECT key FROM headings WHERE section = ?", (section,))
        return frozenset(key for (key,) in rows)

    def known_alerts(self, names: Sequence[str]) -> set[str]:
        """Which of these (lower-case) words are names of alerts."""
        query = f"SELECT DISTINCT name FROM alerts WHERE name IN ({_marks(names)})"
        return {name for (name,) in self._all(query, list(names))}

    def ending_like(self, address: str) -> list[Runbook]:
        """Runbooks whose path ends as this URL or path does, or that declare it as their own."""
        rows = self._all(f"{RUNBOOK} WHERE tail = ? OR url = ?", (tail(address), address))
        return [_runbook(row) for row in rows]

    def best_sections(self, words: Sequence[str], limit: int) -> dict[int, float]:
        """Section number -> BM25 score (higher is better) for any of the words."""
        return self._best("section_words", SECTION_WEIGHTS, words, limit)

    def best_topics(self, words: Sequence[str], limit: int) -> dict[int, float]:
        """Topic number -> BM25 score (higher is better) for any of the words."""
        return self._best("topic_words", TOPIC_WEIGHTS, words, limit)

    def topics_with(self, word: str) -> set[int]:
        """Numbers of the topics that hold a word, in any of its forms."""
        query = "SELECT rowid FROM topic_words WHERE topic_words MATCH ?"
        return {number for (number,) in self._all(query, (_quoted(word),))}

    def stems(self, words: Iterable[str]) -> tuple[str, ...]:
        """The words as the catalogue counts them."""
        return self._stemmer.stems(" ".join(words))

    def holders(self, stems: Iterable[str]) -> dict[str, int]:
        """Stem -> how many topics hold it; 0 where none does."""

        def load(new: list[str]) -> dict[str, int]:
            query = f"SELECT stem, topics FROM words WHERE stem IN ({_marks(new)})"
            return {**dict.fromkeys(new, 0), **dict(self._all(query, new))}

        return remembered(self._holders, stems, load)

    def _best(
        self, table: str, weights: Sequence[float], words: Sequence[str], limit: int
    ) -> dict[int, float]:
        if not words:
            return {}
        rank = f"bm25({table}, {', '.join(map(str, weights))})"
        query = f"SELECT rowid, -{rank} FROM {table} WHERE {table} MATCH ? ORDER BY {rank} LIMIT ?"
        return dict(self._all(query, (" OR ".join(map(_quoted, words)), limit)))


Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


def remembered(
    cache: dict[Key, Value], keys: Iterable[Key], load: Callable[[list[Key]], dict[Key, Value]]
) -> dict[Key, Value]:
    """What the cache has of these keys, once what it lacks was loaded into it; a full one begins anew."""
    wanted = list(keys)
    new = [key for key in wanted if key not in cache]
    if len(cache) + len(new) > REMEMBERED:
        cache.clear()
        new = wanted
    if new:
        cache.update(load(new))
    return {key: cache[key] for key in wanted if key in cache}


def most_holders(topics: int) -> float:
    """How many of the topics may hold a word that still tells something."""
    return max(FEW, min(MANY, COMMON * topics))


def _quoted(word: str) -> str:
    """A word as FTS5 takes it literally."""
    return '"' + word.replace('"', '""') + '"'


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _runbook(row: Sequence[Any]) -> Runbook:
    number, id, path, title, *lists, owner, last_reviewed, severity, url, inferred, converted = row
    services, alerts, environments = (tuple(json.loads(text)) for text in lists)
    said = (services, alerts, environments, owner, last_reviewed, severity, url)
    guessed = tuple(json.loads(inferred))
    return Runbook(number, id, path, title, *said, inferred=guessed, converted=bool(converted))


def _place(row: Sequence[Any]) -> Place:
    number, topic, first_line, has_steps = row
    return Place(number, topic, first_line, bool(has_steps))


def _section(row: Sequence[Any]) -> StoredSection:
    number, id, runbook, topic, heading_path, first, last, has_steps, warnings, text = row
    place = (heading_path, first, last)
    return StoredSection(
        number, id, runbook, topic, *place, text, bool(has_steps), tuple(json.loads(warnings))
    )
