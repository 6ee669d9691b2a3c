"""The tables of the queue, and how its file is opened. Several processes may share it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from assistant.errors import AssistantError
from assistant.store import failures, new_file

_BUSY_SECONDS = 20.0
WHAT = "the alert queue"

_FIRST = (
    "CREATE TABLE incidents (id TEXT PRIMARY KEY, title TEXT NOT NULL, lead TEXT NOT NULL,"
    " opened_at TEXT NOT NULL, closed_at TEXT, due_at TEXT, triaged_at TEXT,"
    " report TEXT NOT NULL DEFAULT '', attempt INTEGER NOT NULL DEFAULT 0,"
    " failures INTEGER NOT NULL DEFAULT 0, leased_until TEXT, owner TEXT NOT NULL DEFAULT '',"
    " held INTEGER NOT NULL DEFAULT 0, told_at TEXT, telling_until TEXT,"
    " tellings INTEGER NOT NULL DEFAULT 0)",
    "CREATE TABLE alerts (id TEXT PRIMARY KEY, source TEXT NOT NULL, body TEXT NOT NULL,"
    " received_at TEXT NOT NULL, starts_at TEXT NOT NULL, resolved_at TEXT,"
    " state TEXT NOT NULL, incident TEXT REFERENCES incidents (id), why TEXT NOT NULL DEFAULT '',"
    " told INTEGER NOT NULL DEFAULT 0)",
    "CREATE INDEX alerts_by_state ON alerts (state, received_at)",
    "CREATE INDEX alerts_by_incident ON alerts (incident, told)",
    "CREATE INDEX incidents_by_due ON incidents (due_at)",
    "CREATE TABLE triages (incident TEXT NOT NULL REFERENCES incidents (id),"
    " attempt INTEGER NOT NULL, alert TEXT NOT NULL, owner TEXT NOT NULL, started_at TEXT NOT NULL,"
    " ended_at TEXT, report TEXT NOT NULL DEFAULT '', failure TEXT NOT NULL DEFAULT '',"
    " PRIMARY KEY (incident, attempt))",
    "CREATE INDEX triages_by_time ON triages (started_at)",
    "CREATE TABLE notices (number INTEGER PRIMARY KEY, incident TEXT NOT NULL REFERENCES"
    " incidents (id), at TEXT NOT NULL, text TEXT NOT NULL, told INTEGER NOT NULL DEFAULT 0)",
    "CREATE INDEX notices_by_told ON notices (told, incident)",
    "CREATE TABLE calls (client TEXT NOT NULL, server TEXT NOT NULL, PRIMARY KEY (client, server))",
    "CREATE TABLE events (id TEXT PRIMARY KEY, at TEXT NOT NULL)",
)
MIGRATIONS: tuple[tuple[str, ...], ...] = (_FIRST,)
"""In order, each run once; a released one is never changed."""


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """The database at `path`, made or brought up to date where needed.

    What is committed is on the disk: an alert that was acknowledged outlives a lost power supply.
    Raises AssistantError for a file that is none of ours, or a newer version's.
    """
    with failures(WHAT, path):
        new_file(path)
        database = sqlite3.connect(
            path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
    try:
        with failures(WHAT, path):
            _prepare(database, path)
        yield database
    finally:
        database.close()


def _prepare(database: sqlite3.Connection, path: Path) -> None:
    database.row_factory = sqlite3.Row
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("PRAGMA foreign_keys = ON")
    with transaction(database):
        (done,) = database.execute("PRAGMA user_version").fetchone()
        if done > len(MIGRATIONS):
            raise AssistantError(f"{path} was made by a newer version of the assistant: upgrade it")
        for statements in MIGRATIONS[done:]:
            for statement in statements:
                database.execute(statement)
        database.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


@contextmanager
def transaction(database: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All or nothing, and nobody else writes in between."""
    database.execute("BEGIN IMMEDIATE")
    try:
        yield database
    except BaseException:
        database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")
