"""The tables of the incident database: how they are made, brought up to date, and kept private."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import aiosqlite

from assistant.errors import AssistantError


async def _first_tables(database: aiosqlite.Connection) -> None:
    await database.execute(
        "CREATE TABLE triages (id TEXT PRIMARY KEY, alert_id TEXT NOT NULL,"
        " progress TEXT NOT NULL, started_at TEXT NOT NULL, finished_at TEXT, scope TEXT,"
        " title TEXT NOT NULL DEFAULT '', service TEXT NOT NULL DEFAULT '',"
        " verdict TEXT NOT NULL DEFAULT '', summary TEXT NOT NULL DEFAULT '', report TEXT)"
    )
    await database.execute("CREATE INDEX triages_by_alert ON triages (alert_id, started_at)")
    await database.execute("CREATE INDEX triages_by_time ON triages (started_at)")
    await database.execute(
        "CREATE TABLE evidence (triage_id TEXT NOT NULL REFERENCES triages (id) ON DELETE CASCADE,"
        " id TEXT NOT NULL, tool TEXT NOT NULL, status TEXT NOT NULL, taken_at TEXT NOT NULL,"
        " body TEXT NOT NULL, PRIMARY KEY (triage_id, id)) WITHOUT ROWID"
    )


async def _gaps_of_runbooks(database: aiosqlite.Connection) -> None:
    await database.execute(
        "CREATE TABLE runbook_gaps (triage_id TEXT NOT NULL REFERENCES triages (id) ON DELETE CASCADE,"
        " kind TEXT NOT NULL, subject TEXT NOT NULL, title TEXT NOT NULL, detail TEXT NOT NULL,"
        " at TEXT NOT NULL, PRIMARY KEY (triage_id, kind, subject)) WITHOUT ROWID"
    )


MIGRATIONS: tuple[Callable[[aiosqlite.Connection], Awaitable[None]], ...] = (
    _first_tables,
    _gaps_of_runbooks,
)
"""In order, each run once; a released one is never changed. The database knows how many it had."""


async def prepare(database: aiosqlite.Connection, path: Path) -> None:
    """Bring the tables up to date. Raises AssistantError for a database of a newer version."""
    await database.execute("PRAGMA journal_mode = WAL")
    await database.execute("PRAGMA synchronous = NORMAL")
    await database.execute("PRAGMA foreign_keys = ON")
    if await _version(database) == len(MIGRATIONS):
        return
    await database.execute("BEGIN IMMEDIATE")
    done = await _version(database)  # another process may have been faster
    if done > len(MIGRATIONS):
        raise AssistantError(f"{path} was made by a newer version of the assistant: upgrade it")
    for migrate in MIGRATIONS[done:]:
        await migrate(database)
    await database.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    await database.execute("COMMIT")


async def _version(database: aiosqlite.Connection) -> int:
    rows = list(await database.execute_fetchall("PRAGMA user_version"))
    return int(rows[0][0])


def text_of(at: datetime) -> str:
    """UTC, always of the same length, so that the order of texts is the order of time."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
