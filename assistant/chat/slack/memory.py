"""What must outlive a lost connection and a restart: what was handled, and which thread is whose."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiosqlite
import anyio

from assistant.store import new_file

MOST_HANDLED = 20_000
"""Slack delivers again for hours at most; this many events are days."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS handled (number INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT UNIQUE);
CREATE TABLE IF NOT EXISTS threads (channel TEXT, incident TEXT, ts TEXT,
                                    PRIMARY KEY (channel, incident));
CREATE TABLE IF NOT EXISTS reports (thread TEXT PRIMARY KEY, report TEXT);
CREATE TABLE IF NOT EXISTS unfinished (channel TEXT, ts TEXT, PRIMARY KEY (channel, ts));
"""


class Memory:
    """One small SQLite file, used by one process."""

    def __init__(self, database: aiosqlite.Connection, most_handled: int) -> None:
        self._database = database
        self._most_handled = most_handled

    @classmethod
    @asynccontextmanager
    async def open(cls, path: Path, most_handled: int = MOST_HANDLED) -> AsyncIterator[Memory]:
        """The memory in this file, which is made where it is missing."""
        new_file(path)
        database = await aiosqlite.connect(path, isolation_level=None)
        try:
            await database.executescript(SCHEMA)
            yield cls(database, most_handled)
        finally:
            # Also where all is cancelled: its thread would outlive the loop that it answers to.
            with anyio.CancelScope(shield=True):
                await database.close()

    async def claim(self, key: str) -> bool:
        """Whether this is the first time that `key` is seen; true exactly once."""
        done = await self._database.execute("INSERT OR IGNORE INTO handled (key) VALUES (?)", [key])
        if not done.rowcount:
            return False
        await self._database.execute(
            "DELETE FROM handled WHERE number <= (SELECT max(number) FROM handled) - ?",
            [self._most_handled],
        )
        return True

    async def release(self, key: str) -> None:
        """Let `key` be claimed again, since nothing came of it."""
        await self._database.execute("DELETE FROM handled WHERE key = ?", [key])

    async def thread_of(self, channel: str, incident: str) -> str:
        """The thread of this incident in this channel, or nothing."""
        return await self._one(
            "SELECT ts FROM threads WHERE channel = ? AND incident = ?", channel, incident
        )

    async def keep_thread(self, channel: str, incident: str, ts: str) -> None:
        """An incident has one thread in a channel: the first one stays."""
        await self._database.execute(
            "INSERT OR IGNORE INTO threads VALUES (?, ?, ?)", [channel, incident, ts]
        )

    async def drop_thread(self, channel: str, ts: str) -> None:
        """The thread is gone: what was said to be in it may open a new one."""
        await self._database.execute(
            "DELETE FROM threads WHERE channel = ? AND ts = ?", [channel, ts]
        )

    async def newest_report(self, thread: str) -> str:
        """The report that this thread spoke of last, or nothing."""
        return await self._one("SELECT report FROM reports WHERE thread = ?", thread)

    async def keep_report(self, thread: str, report: str) -> None:
        """From now on the thread speaks of this report."""
        await self._database.execute(
            "INSERT OR REPLACE INTO reports VALUES (?, ?)", [thread, report]
        )

    async def begin(self, channel: str, ts: str) -> None:
        """Note that this message promises an answer."""
        await self._database.execute(
            "INSERT OR IGNORE INTO unfinished VALUES (?, ?)", [channel, ts]
        )

    async def end(self, channel: str, ts: str) -> None:
        """Note that this message holds its answer."""
        await self._database.execute(
            "DELETE FROM unfinished WHERE channel = ? AND ts = ?", [channel, ts]
        )

    async def unfinished(self) -> list[tuple[str, str]]:
        """The messages whose answer was cut off, as (channel, ts)."""
        rows = await self._database.execute_fetchall("SELECT channel, ts FROM unfinished")
        return [(str(row[0]), str(row[1])) for row in rows]

    async def _one(self, query: str, *values: str) -> str:
        rows = list(await self._database.execute_fetchall(query, values))
        return str(rows[0][0]) if rows else ""
