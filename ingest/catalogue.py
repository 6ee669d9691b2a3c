"""The written side of an index: runbooks, sections and their words in one SQLite file (FTS5).

This file makes and changes a catalogue; `ingest.lookup` reads one. A published catalogue is never
changed again.
"""

# ruff: noqa: S608 - the queries are made of this file's own words; values go in as parameters.

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ingest.addresses import tail
from ingest.document import Document
from ingest.schema import FILE, SCHEMA, SCHEMA_VERSION
from ingest.sections import Outline, Section
from ingest.stems import Stemmer
from ingest.suspicion import suspicions
from ingest.triples import packed, triples
from ingest.words import TOKEN, alert_in, key, with_parts

COUNT_WORDS = """
CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab(main, topic_words, row);
DELETE FROM words;
INSERT INTO words SELECT term, doc FROM temp.vocabulary;
DROP TABLE temp.vocabulary;
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """A document ready to be written: its id, its outline, and the alerts it is about."""

    id: str
    document: Document
    outline: Outline

    @property
    def topics(self) -> dict[str, list[Section]]:
        """Subject -> its sections. A page of many alerts has a topic for each; most have only ""."""
        found: dict[str, list[Section]] = {"": []}
        for section in self.outline.sections:
            found.setdefault(section.subject, []).append(section)
        return found

    @property
    def own_alerts(self) -> tuple[str, ...]:
        """The alerts the page as a whole is about: declared, or else in its name or title."""
        named = (self.document.name, self.outline.title)
        inferred = tuple(dict.fromkeys(filter(None, map(alert_in, named))))
        return self.document.metadata.alerts or inferred

    @property
    def alerts(self) -> tuple[str, ...]:
        """All alerts it is about, those of its headings included."""
        return tuple(dict.fromkeys([*self.own_alerts, *filter(None, self.topics)]))

    def text_to_embed(self, section: Section) -> str:
        """A section as the model reads it: a section alone does not say what it is about."""
        return "\n".join(filter(None, [self.outline.title, section.heading_path, section.text]))


def create(folder: Path) -> None:
    """An empty catalogue in `folder`."""
    with closing(sqlite3.connect(folder / FILE)) as connection:
        connection.executescript(SCHEMA)


def ledger(folder: Path) -> dict[str, tuple[str, str]]:
    """What is in the catalogue: path -> (runbook id, content hash)."""
    with closing(sqlite3.connect(folder / FILE)) as connection:
        rows = connection.execute("SELECT path, id, sha256 FROM runbooks").fetchall()
    return {path: (id, sha256) for path, id, sha256 in rows}


def section_ids(folder: Path) -> set[str]:
    """The ids of all sections."""
    with closing(sqlite3.connect(folder / FILE)) as connection:
        return {id for (id,) in connection.execute("SELECT id FROM sections")}


def facts(folder: Path) -> dict[str, str]:
    """What the catalogue says of itself: schema version, model, collection, when it was made."""
    with closing(sqlite3.connect(folder / FILE)) as connection:
        return dict(connection.execute("SELECT key, value FROM facts").fetchall())


def write(
    folder: Path, gone: Iterable[str], entries: Iterable[Entry], told: Mapping[str, str]
) -> None:
    """Removes the runbooks of these paths, writes these entries and facts: all or nothing."""
    with (
        closing(sqlite3.connect(folder / FILE)) as connection,
        closing(Stemmer()) as stemmer,
        connection,
    ):
        for path in gone:
            _remove(connection, path)
        for entry in entries:
            _remove(connection, entry.document.path)
            _add(connection, entry, stemmer)
        for statement in filter(None, map(str.strip, COUNT_WORDS.split(";"))):
            connection.execute(statement)
        rows = {"schema": SCHEMA_VERSION, **told}.items()
        connection.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", rows)


def _remove(connection: sqlite3.Connection, path: str) -> None:
    """Removes a runbook with its topics, sections and words, if it is there."""
    row = connection.execute("SELECT number FROM runbooks WHERE path = ?", (path,)).fetchone()
    if row is None:
        return
    for table, column, owner in (
        ("section_words", "rowid", "sections"),
        ("headings", "section", "sections"),
        ("topic_words", "rowid", "topics"),
        ("alerts", "topic", "topics"),
    ):
        of_runbook = f"SELECT number FROM {owner} WHERE runbook = ?"
        connection.execute(f"DELETE FROM {table} WHERE {column} IN ({of_runbook})", row)
    for table in ("sections", "topics", "triples"):
        connection.execute(f"DELETE FROM {table} WHERE runbook = ?", row)
    connection.execute("DELETE FROM runbooks WHERE number = ?", row)


def _add(connection: sqlite3.Connection, entry: Entry, stemmer: Stemmer) -> None:
    """Writes a runbook with its topics and sections."""
    number = _add_runbook(connection, entry)
    for subject, sections in entry.topics.items():
        place = _Place(entry, number, subject, stemmer)
        topic = _add_topic(connection, place, sections)
        for section in sections:
            _add_section(connection, place, topic, section)


@dataclass(frozen=True, slots=True)
class _Place:
    """A topic of a runbook that is being written."""

    entry: Entry
    runbook: int
    subject: str
    stemmer: Stemmer

    @property
    def title(self) -> str:
        """What the topic is called, with the names it is known by."""
        said = self.entry.document.metadata
        page = [self.entry.outline.title, self.entry.document.name, *said.services]
        return " ".join([self.subject, *page] if self.subject else [*page, *said.alerts])

    @property
    def alerts(self) -> tuple[str, ...]:
        return (self.subject,) if self.subject else self.entry.own_alerts


def _add_runbook(connection: sqlite3.Connection, entry: Entry) -> int:
    outline, document, said = entry.outline, entry.document, entry.document.metadata
    values = {
        "id": entry.id,
        "path": document.path,
        "tail": tail(document.path),
        "sha256": document.sha256,
        "title": outline.title,
        "services": json.dumps(said.services),
        "alerts": json.dumps(entry.alerts),
        "environments": json.dumps(said.environments),
        "owner": said.owner,
        "last_reviewed": said.last_reviewed,
        "severity": said.severity,
        "url": said.runbook_url,
        "inferred": json.dumps(said.inferred),
        "converted": document.converted,
        "text": document.text,
    }
    number = _insert(connection, "runbooks", values)
    _insert(connection, "triples", {"runbook": number, "hashes": packed(triples(document.text))})
    return number


def _add_topic(connection: sqlite3.Connection, place: _Place, sections: Iterable[Section]) -> int:
    """Writes a topic: its alerts, and its words over all its sections."""
    whole = list(sections)
    body = with_parts("\n".join(section.text for section in whole))
    row = {
        "runbook": place.runbook,
        "title": place.subject or place.entry.outline.title,
        "title_words": " ".join(place.stemmer.stems(with_parts(place.title))),
        "length": len(TOKEN.findall(body)),
    }
    number = _insert(connection, "topics", row)
    names = [(name.lower(), number) for name in place.alerts]
    connection.executemany("INSERT INTO alerts VALUES (?, ?)", names)
    headings = dict.fromkeys(heading for section in whole for heading in section.headings)
    words = {
        "rowid": number,
        "title": with_parts(place.title),
        "headings": with_parts(" ".join(headings)),
        "body": body,
    }
    _insert(connection, "topic_words", words)
    return number


def _add_section(
    connection: sqlite3.Connection, place: _Place, topic: int, section: Section
) -> None:
    """Writes one section: its headings as addresses, and its words."""
    values = {
        "id": section.id,
        "runbook": place.runbook,
        "topic": topic,
        "position": section.position,
        "heading_path": section.heading_path,
        "first_line": section.first_line,
        "last_line": section.last_line,
        "text": section.text,
        "has_steps": section.has_steps,
        "warnings": json.dumps(suspicions(section.text)),
    }
    number = _insert(connection, "sections", values)
    keys = {(key(heading), number) for heading in section.headings}
    connection.executemany("INSERT INTO headings VALUES (?, ?)", sorted(keys))
    words = {
        "rowid": number,
        "title": with_parts(place.title),
        "headings": with_parts(section.heading_path),
        "body": with_parts(section.text),
    }
    _insert(connection, "section_words", words)


def _insert(connection: sqlite3.Connection, table: str, values: Mapping[str, object]) -> int:
    """Inserts one row; gives back its number. Table and column names are this file's own."""
    marks = ", ".join(f":{column}" for column in values)
    query = f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})"
    return int(connection.execute(query, dict(values)).lastrowid or 0)
