"""What was said on the page, so that threads outlive a restart: one small SQLite file, one process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiosqlite
from pydantic import TypeAdapter

from assistant.chat.contract import Reply, Step
from assistant.incident import Frozen
from assistant.store import connected, failures

WHAT = "the memory of the page"
SCHEMA = """
CREATE TABLE IF NOT EXISTS threads (id TEXT PRIMARY KEY, title TEXT NOT NULL,
                                    incident TEXT NOT NULL, at TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS turns (thread TEXT NOT NULL, number INTEGER NOT NULL, key TEXT NOT NULL,
                                  text TEXT NOT NULL, person TEXT NOT NULL, at TEXT NOT NULL,
                                  reply TEXT, steps TEXT NOT NULL DEFAULT '[]',
                                  PRIMARY KEY (thread, number), UNIQUE (thread, key)) WITHOUT ROWID;
"""
STEPS: TypeAdapter[tuple[Step, ...]] = TypeAdapter(tuple[Step, ...])


class Talk(Frozen):
    """A thread, as a list names it. A free one has no incident."""

    id: str
    title: str = ""
    incident: str = ""
    at: datetime | None = None
    working: bool = False


class Turn(Frozen):
    """What one person said, and what was answered; no reply while that is being worked out."""

    thread: str
    number: int
    text: str
    by: str
    at: datetime
    reply: Reply | None = None
    steps: tuple[Step, ...] = ()


class Said(Frozen):
    """What is to be put into a thread. The same key is taken once in a thread."""

    key: str
    text: str
    by: str
    at: datetime


class Memory:
    """The threads of the page."""

    def __init__(self, database: aiosqlite.Connection, path: Path) -> None:
        self._database = database
        self._path = path

    @classmethod
    @asynccontextmanager
    async def open(cls, path: Path) -> AsyncIterator[Memory]:
        """The memory in this file, which is made where it is missing. Raises AssistantError."""
        async with connected(WHAT, path) as database:
            with failures(WHAT, path):
                await database.executescript(SCHEMA)
            yield cls(database, path)

    async def begin(self, talk: Talk, said: Said) -> tuple[int, bool]:
        """The number of this turn, and whether it is new: a key that is known has its turn already."""
        await self._write(
            "INSERT OR IGNORE INTO threads VALUES (?, ?, ?, ?)",
            talk.id, talk.title or said.text[:120], talk.incident, _text(said.at),
        )  # fmt: skip
        new = await self._write(
            "INSERT OR IGNORE INTO turns (thread, number, key, text, person, at)"
            " SELECT ?, coalesce(max(number), 0) + 1, ?, ?, ?, ? FROM turns WHERE thread = ?",
            talk.id, said.key, said.text, said.by, _text(said.at), talk.id,
        )  # fmt: skip
        rows = await self._rows(
            "SELECT number FROM turns WHERE thread = ? AND key = ?", talk.id, said.key
        )
        return int(rows[0][0]), bool(new)

    async def finish(
        self, thread: str, number: int, reply: Reply, steps: tuple[Step, ...] = ()
    ) -> None:
        """Keep the answer to a turn, and what was looked at for it."""
        await self._write(
            "UPDATE turns SET reply = ?, steps = ? WHERE thread = ? AND number = ?",
            reply.model_dump_json(), STEPS.dump_json(steps).decode(), thread, number,
        )  # fmt: skip

    async def cut_off(self, reply: Reply) -> None:
        """Answer so each turn that the last process left unanswered."""
        await self._write("UPDATE turns SET reply = ? WHERE reply IS NULL", reply.model_dump_json())

    async def talk(self, id: str) -> Talk | None:
        """The thread of this id, if anything was said in it."""
        return next(iter(await self._talks("WHERE threads.id = ?", id)), None)

    async def talks(self, limit: int) -> list[Talk]:
        """The threads, those first in which something was said last."""
        return await self._talks("ORDER BY last DESC, threads.id LIMIT ?", limit)

    async def turns(self, thread: str, after: int = 0) -> list[Turn]:
        """What was said in a thread after this turn, in order."""
        return await self._turns("thread = ? AND number > ? ORDER BY number", thread, after)

    async def turn(self, thread: str, number: int) -> Turn | None:
        """One turn."""
        return next(iter(await self._turns("thread = ? AND number = ?", thread, number)), None)

    async def _talks(self, rest: str, value: object) -> list[Talk]:
        rows = await self._rows(
            "SELECT threads.id, title, incident, (SELECT max(at) FROM turns WHERE thread = threads.id)"  # noqa: S608 - our own words; every value is bound
            " AS last, EXISTS (SELECT 1 FROM turns WHERE thread = threads.id AND reply IS NULL)"
            f" FROM threads {rest}",
            value,
        )
        return [
            Talk(id=id, title=title, incident=incident, at=last, working=bool(working))
            for id, title, incident, last, working in rows
        ]

    async def _turns(self, where: str, *values: object) -> list[Turn]:
        columns = "thread, number, text, person, at, reply, steps"
        rows = await self._rows(f"SELECT {columns} FROM turns WHERE {where}", *values)  # noqa: S608 - our own words; every value is bound
        return [
            Turn(
                thread=thread, number=number, text=text, by=by, at=at,
                reply=Reply.model_validate_json(reply) if reply else None,
                steps=STEPS.validate_json(steps),
            )
            for thread, number, text, by, at, reply, steps in rows
        ]  # fmt: skip

    async def _rows(self, query: str, *values: Any) -> list[Any]:
        with failures(WHAT, self._path):
            return list(await self._database.execute_fetchall(query, values))

    async def _write(self, statement: str, *values: Any) -> int:
        with failures(WHAT, self._path):
            async with self._database.execute(statement, values) as cursor:
                return cursor.rowcount


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")
