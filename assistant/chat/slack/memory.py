"""What must outlive a lost connection and a restart: what was handled, and which thread is whose."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiosqlite
from pydantic import Field

from assistant.incident import Frozen
from assistant.store import connected, failures

WHAT = "the memory of the Slack front end"
MOST_HANDLED = 20_000
"""Slack delivers again for hours at most; this many events are days."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS handled (number INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT UNIQUE);
CREATE TABLE IF NOT EXISTS threads (channel TEXT, incident TEXT, ts TEXT,
                                    PRIMARY KEY (channel, incident));
CREATE TABLE IF NOT EXISTS reports (thread TEXT PRIMARY KEY, report TEXT);
CREATE TABLE IF NOT EXISTS promised (channel TEXT, ts TEXT, key TEXT, PRIMARY KEY (channel, ts));
CREATE TABLE IF NOT EXISTS told (channel TEXT, incident TEXT, alert TEXT, body TEXT,
                                 PRIMARY KEY (channel, incident));
CREATE INDEX IF NOT EXISTS told_by_alert ON told (alert);
"""


class Promise(Frozen):
    """A message that promises an answer, and what was claimed for it."""

    channel: str
    ts: str
    key: str = ""


class Told(Frozen):
    """What a channel was told of an incident of duty."""

    alert: str = Field(description="the one that is triaged for all of it")
    thread: str = ""
    first: str = Field("", description="the message that becomes the report")
    report: str = Field("", description="the one that was shown last")
    title: str = ""
    why: str = ""


class Memory:
    """One small SQLite file, used by one process. Each method may raise AssistantError."""

    def __init__(self, database: aiosqlite.Connection, path: Path, most_handled: int) -> None:
        self._database = database
        self._path = path
        self._most_handled = most_handled

    @classmethod
    @asynccontextmanager
    async def open(cls, path: Path, most_handled: int = MOST_HANDLED) -> AsyncIterator[Memory]:
        """The memory in this file, which is made where it is missing. Raises AssistantError."""
        async with connected(WHAT, path) as database:
            with failures(WHAT, path):
                await database.executescript(SCHEMA)
            yield cls(database, path, most_handled)

    async def claim(self, key: str) -> bool:
        """Whether this is the first time that `key` is seen; true exactly once."""
        if not await self._do("INSERT OR IGNORE INTO handled (key) VALUES (?)", key):
            return False
        await self._do(
            "DELETE FROM handled WHERE number <= (SELECT max(number) FROM handled) - ?",
            self._most_handled,
        )
        return True

    async def handled(self, key: str) -> bool:
        """Whether `key` was claimed."""
        return bool(await self._one("SELECT key FROM handled WHERE key = ?", key))

    async def release(self, key: str) -> None:
        """Let `key` be claimed again, since nothing came of it."""
        await self._do("DELETE FROM handled WHERE key = ?", key)

    async def thread_of(self, channel: str, incident: str) -> str:
        """The thread of this incident in this channel, or nothing."""
        return await self._one(
            "SELECT ts FROM threads WHERE channel = ? AND incident = ?", channel, incident
        )

    async def keep_thread(self, channel: str, incident: str, ts: str) -> None:
        """An incident has one thread in a channel: the first one stays."""
        await self._do("INSERT OR IGNORE INTO threads VALUES (?, ?, ?)", channel, incident, ts)

    async def drop_thread(self, channel: str, ts: str) -> None:
        """The thread is gone: what was said to be in it may open a new one."""
        await self._do("DELETE FROM threads WHERE channel = ? AND ts = ?", channel, ts)

    async def newest_report(self, thread: str) -> str:
        """The report that this thread spoke of last, or nothing."""
        return await self._one("SELECT report FROM reports WHERE thread = ?", thread)

    async def keep_report(self, thread: str, report: str) -> None:
        """From now on the thread speaks of this report."""
        await self._do("INSERT OR REPLACE INTO reports VALUES (?, ?)", thread, report)

    async def promise(self, promise: Promise) -> None:
        """Note that this message promises an answer."""
        await self._do(
            "INSERT OR REPLACE INTO promised VALUES (?, ?, ?)",
            promise.channel,
            promise.ts,
            promise.key,
        )

    async def settle(self, promise: Promise, *, kept: bool) -> None:
        """The message says its answer, or that there is none: then its key can be claimed again."""
        if promise.key and not kept:
            await self.release(promise.key)
        await self._do(
            "DELETE FROM promised WHERE channel = ? AND ts = ?", promise.channel, promise.ts
        )

    async def promises(self) -> list[Promise]:
        """The messages whose answer was cut off."""
        with failures(WHAT, self._path):
            rows = await self._database.execute_fetchall("SELECT channel, ts, key FROM promised")
        return [Promise(channel=channel, ts=ts, key=key) for channel, ts, key in rows]

    async def told(self, channel: str, incident: str) -> Told | None:
        """What this channel was told of an incident, if anything."""
        body = await self._one(
            "SELECT body FROM told WHERE channel = ? AND incident = ?", channel, incident
        )
        return Told.model_validate_json(body) if body else None

    async def awaited(self, channel: str, alert: str) -> Told | None:
        """What was told of the incident of this alert, as long as its report is awaited."""
        body = await self._one(
            "SELECT body FROM told WHERE channel = ? AND alert = ? ORDER BY rowid DESC LIMIT 1",
            channel,
            alert,
        )
        told = Told.model_validate_json(body) if body else None
        return told if told and not told.report else None

    async def keep_told(self, channel: str, incident: str, told: Told) -> None:
        """From now on the channel was told this."""
        await self._do(
            "INSERT OR REPLACE INTO told VALUES (?, ?, ?, ?)",
            channel,
            incident,
            told.alert,
            told.model_dump_json(),
        )

    async def forget_told(self, channel: str, incident: str) -> None:
        """The channel is told of it anew."""
        await self._do("DELETE FROM told WHERE channel = ? AND incident = ?", channel, incident)

    async def _one(self, query: str, *values: str) -> str:
        with failures(WHAT, self._path):
            rows = list(await self._database.execute_fetchall(query, values))
        return str(rows[0][0]) if rows else ""

    async def _do(self, statement: str, *values: str | int) -> int:
        """How many rows it changed."""
        with failures(WHAT, self._path):
            return (await self._database.execute(statement, values)).rowcount
