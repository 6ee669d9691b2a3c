"""Reads a published catalogue: words, names, addresses. Blocking; changes nothing."""

# ruff: noqa: S608 - the queries are made of this file's own words; values go in as parameters.

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest.catalogue import FILE, tail
from ingest.words import key

SECTION_WEIGHTS = (3.0, 2.0, 1.0)
TOPIC_WEIGHTS = (4.0, 1.0, 1.0)
"""What a word counts in the title, the headings, the body. Chosen by judgement, not tuned."""


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


@dataclass(frozen=True, slots=True)
class Topic:
    """What a runbook speaks of: the page as a whole or, on a page of many alerts, one of them."""

    number: int
    runbook: int
    title: str
    alerts: frozenset[str]
    """lower case"""


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
    " severity, url FROM runbooks"
)
SECTION = (
    "SELECT number, id, runbook, topic, heading_path, first_line, last_line, text, has_steps, warnings"
    " FROM sections"
)


class Lookup:
    """One open catalogue. The connection may be used from any thread, one at a time."""

    def __init__(self, folder: Path) -> None:
        # A published file never changes: `immutable` spares locks and works on a read-only disk.
        address = f"{(folder / FILE).resolve().as_uri()}?mode=ro&immutable=1"
        self._connection = sqlite3.connect(address, uri=True, check_same_thread=False)
        self._lock = threading.Lock()

    def close(self) -> None:
        """Closes the file."""
        self._connection.close()

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
        return int(self._all("SELECT count(*) FROM topics")[0][0])

    def runbooks(self, numbers: Iterable[int] | None = None) -> list[Runbook]:
        """These runbooks, or all of them, by path."""
        chosen = None if numbers is None else list(numbers)
        where = "" if chosen is None else f" WHERE number IN ({_marks(chosen)})"
        return [_runbook(row) for row in self._all(f"{RUNBOOK}{where} ORDER BY path", chosen or [])]

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

    def topics(self, numbers: Iterable[int]) -> list[Topic]:
        """These topics, in no particular order."""
        chosen = list(numbers)
        alerts: dict[int, set[str]] = {number: set() for number in chosen}
        where = f"({_marks(chosen)})"
        for number, name in self._all(
            f"SELECT topic, name FROM alerts WHERE topic IN {where}", chosen
        ):
            alerts[number].add(name)
        rows = self._all(
            f"SELECT number, runbook, title FROM topics WHERE number IN {where}", chosen
        )
        return [
            Topic(number, runbook, title, frozenset(alerts[number]))
            for number, runbook, title in rows
        ]

    def topics_of(self, runbook: int) -> set[int]:
        """Numbers of a runbook's topics."""
        return {n for (n,) in self._all("SELECT number FROM topics WHERE runbook = ?", (runbook,))}

    def topics_about(self, alert: str) -> set[int]:
        """Numbers of the topics that are about the alert of exactly this name."""
        rows = self._all("SELECT topic FROM alerts WHERE name = ?", (alert.lower(),))
        return {number for (number,) in rows}

    def sections_of_topic(self, topic: int) -> list[StoredSection]:
        """A topic's sections in order."""
        rows = self._all(f"{SECTION} WHERE topic = ? ORDER BY position", (topic,))
        return [_section(row) for row in rows]

    def sections_under(self, heading: str) -> list[StoredSection]:
        """Sections under a heading that reads like this one, anchor or alert name."""
        query = f"{SECTION} WHERE number IN (SELECT section FROM headings WHERE key = ?)"
        return [_section(row) for row in self._all(query, (key(heading),))]

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

    def _best(
        self, table: str, weights: Sequence[float], words: Sequence[str], limit: int
    ) -> dict[int, float]:
        if not words:
            return {}
        rank = f"bm25({table}, {', '.join(map(str, weights))})"
        query = f"SELECT rowid, -{rank} FROM {table} WHERE {table} MATCH ? ORDER BY {rank} LIMIT ?"
        return dict(self._all(query, (" OR ".join(map(_quoted, words)), limit)))


def _quoted(word: str) -> str:
    """A word as FTS5 takes it literally."""
    return '"' + word.replace('"', '""') + '"'


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _runbook(row: Sequence[Any]) -> Runbook:
    number, id, path, title, *lists, owner, last_reviewed, severity, url = row
    services, alerts, environments = (tuple(json.loads(text)) for text in lists)
    return Runbook(
        number, id, path, title, services, alerts, environments, owner, last_reviewed, severity, url
    )


def _section(row: Sequence[Any]) -> StoredSection:
    number, id, runbook, topic, heading_path, first, last, text, has_steps, warnings = row
    place = (heading_path, first, last)
    return StoredSection(
        number, id, runbook, topic, *place, text, bool(has_steps), tuple(json.loads(warnings))
    )
