"""Keeps what each thread is about, and the answers of tools that its replies cite, in SQLite.

A restart loses nothing; several processes may use one file, and threads never share a row.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiosqlite

from assistant.chat.understanding import Intent
from assistant.incident import Entity, Evidence, Frozen, Window
from assistant.store import connected, failures

_WHAT = "the memory of the chat"
_KEPT = 200
"""So many answers of tools are kept for a thread; the oldest go first."""

_TABLES = (
    "CREATE TABLE IF NOT EXISTS threads (id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS heard (place INTEGER PRIMARY KEY, thread TEXT NOT NULL,"
    " id TEXT NOT NULL, body TEXT NOT NULL, UNIQUE (thread, id))",
)


class Thread(Frozen):
    """What a thread is about, and what was last spoken of in it."""

    id: str
    alert: str = ""
    report: str = ""
    subject: Entity | None = None
    namespace: str = ""
    window: Window | None = None
    intent: Intent | None = None


class Memory:
    """The threads, and what was heard in them."""

    def __init__(self, database: aiosqlite.Connection, path: Path) -> None:
        self._database = database
        self._path = path

    @classmethod
    @asynccontextmanager
    async def open(cls, path: Path) -> AsyncIterator[Memory]:
        """The memory at `path`, made where it is missing. Raises AssistantError."""
        async with connected(_WHAT, path) as database:
            with failures(_WHAT, path):
                await database.execute("PRAGMA journal_mode = WAL")
                await database.execute("PRAGMA synchronous = NORMAL")
                for table in _TABLES:
                    await database.execute(table)
            yield cls(database, path)

    async def thread(self, id: str) -> Thread:
        """The thread of this id; a new one where it was never heard of."""
        with failures(_WHAT, self._path):
            rows = list(
                await self._database.execute_fetchall(
                    "SELECT body FROM threads WHERE id = ?", (id,)
                )
            )
        return Thread.model_validate_json(rows[0][0]) if rows else Thread(id=id)

    async def save(self, thread: Thread) -> None:
        """Keep the thread as it is now."""
        with failures(_WHAT, self._path):
            await self._database.execute(
                "INSERT INTO threads (id, body) VALUES (?, ?)"
                " ON CONFLICT (id) DO UPDATE SET body = excluded.body",
                (thread.id, thread.model_dump_json()),
            )

    async def keep(self, thread: str, evidence: Evidence) -> None:
        """Keep an answer that a reply may cite; a later answer to the same question replaces it."""
        with failures(_WHAT, self._path):
            await self._database.execute(
                "INSERT OR REPLACE INTO heard (thread, id, body) VALUES (?, ?, ?)",
                (thread, evidence.id, evidence.model_dump_json()),
            )
            await self._database.execute(
                "DELETE FROM heard WHERE thread = ? AND place NOT IN"
                " (SELECT place FROM heard WHERE thread = ? ORDER BY place DESC LIMIT ?)",
                (thread, thread, _KEPT),
            )

    async def evidence(self, thread: str, id: str) -> Evidence | None:
        """The answer of that id that was heard in this thread, if it is still kept."""
        with failures(_WHAT, self._path):
            rows = list(
                await self._database.execute_fetchall(
                    "SELECT body FROM heard WHERE thread = ? AND id = ?", (thread, id)
                )
            )
        return Evidence.model_validate_json(rows[0][0]) if rows else None
