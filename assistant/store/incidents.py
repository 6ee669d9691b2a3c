"""Keeps triages, their evidence, their reports, and the gaps in the runbooks that they showed."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import count
from pathlib import Path
from typing import Any

import aiosqlite

from assistant.errors import NotFound
from assistant.incident import Evidence, Report, Scope
from assistant.store.files import connected, failures
from assistant.store.gaps import COUNTED, Gap, GapKind, gaps_in
from assistant.store.tables import prepare, text_of

_WHAT = "the incident database"


class Progress(StrEnum):
    """How far a triage is. A killed one stays `running` until it is resumed or overtaken."""

    RUNNING = "running"
    DONE = "done"
    OVERTAKEN = "overtaken"


@dataclass(frozen=True, slots=True)
class Triage:
    """One triage of one alert, without its evidence and report."""

    id: str
    alert_id: str
    progress: Progress
    started_at: datetime
    finished_at: datetime | None = None
    scope: Scope | None = None
    title: str = ""
    service: str = ""
    verdict: str = ""
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which triages to list; an empty field does not filter."""

    alert_id: str = ""
    service: str = ""
    verdict: str = ""
    progress: Progress | None = None
    since: datetime | None = None
    until: datetime | None = None
    limit: int = 50


_COLUMNS = (
    "id, alert_id, progress, started_at, finished_at, scope, title, service, verdict, summary"
)


class Store:
    """The state of the assistant that outlives a process."""

    def __init__(self, database: aiosqlite.Connection, path: Path) -> None:
        self._database = database
        self._path = path

    @classmethod
    @asynccontextmanager
    async def open(cls, path: Path) -> AsyncIterator[Store]:
        """The store at `path`, made or brought up to date where needed.

        Raises AssistantError for a file that is no database of ours or of a newer version.
        """
        async with connected(_WHAT, path) as database:
            with failures(_WHAT, path):
                await prepare(database, path)
            yield cls(database, path)

    async def start(self, alert_id: str, at: datetime) -> Triage:
        """A new triage of this alert; one that was left unfinished is overtaken by it."""
        with failures(_WHAT, self._path):
            await self._write(
                "UPDATE triages SET progress = ? WHERE alert_id = ? AND progress = ?",
                (Progress.OVERTAKEN, alert_id, Progress.RUNNING),
            )
            rows = await self._rows("SELECT count(*) FROM triages WHERE alert_id = ?", alert_id)
            for number in count(rows[0][0]):
                id = _triage_id(alert_id, at, number)
                if await self._write(
                    "INSERT OR IGNORE INTO triages (id, alert_id, progress, started_at)"
                    " VALUES (?, ?, ?, ?)",
                    (id, alert_id, Progress.RUNNING, text_of(at)),
                ):  # otherwise another process, or another alert, has this id
                    return Triage(id, alert_id, Progress.RUNNING, at)
        raise AssertionError("unreachable")

    async def drop(self, triage_id: str) -> None:
        """Forget a triage that turned out to be of nothing: there is no such alert."""
        with failures(_WHAT, self._path):
            await self._write("DELETE FROM triages WHERE id = ?", (triage_id,))

    async def unfinished(self, alert_id: str) -> Triage | None:
        """The triage of this alert that can be resumed, if there is one."""
        found = await self.search(Filter(alert_id=alert_id, progress=Progress.RUNNING, limit=1))
        return found[0] if found else None

    async def keep(self, triage_id: str, evidence: Evidence) -> None:
        """Keep one piece of evidence; the same again changes nothing."""
        row = (
            triage_id,
            evidence.id,
            evidence.tool,
            evidence.status,
            text_of(evidence.taken_at),
            evidence.model_dump_json(),
        )
        with failures(_WHAT, self._path):
            await self._write(
                "INSERT OR IGNORE INTO evidence (triage_id, id, tool, status, taken_at, body)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                row,
            )

    async def evidence(self, triage_id: str) -> tuple[Evidence, ...]:
        """All that was kept for a triage, oldest first."""
        with failures(_WHAT, self._path):
            rows = await self._rows(
                "SELECT body FROM evidence WHERE triage_id = ? ORDER BY taken_at, tool, id",
                triage_id,
            )
        return tuple(Evidence.model_validate_json(body) for (body,) in rows)

    async def finish(self, triage_id: str, report: Report) -> None:
        """Save the report, and with it the triage as done. What was not saved yet, a resumed one saves."""
        row = (
            Progress.DONE,
            text_of(report.made_at),
            report.scope.model_dump_json(),
            report.alert.title,
            report.alert.service,
            report.verdict,
            report.summary,
            report.model_dump_json(),
            triage_id,
        )
        with failures(_WHAT, self._path):
            await self._keep_gaps(triage_id, report)
            await self._write(
                "UPDATE triages SET progress = ?, finished_at = ?, scope = ?, title = ?,"
                " service = ?, verdict = ?, summary = ?, report = ? WHERE id = ?",
                row,
            )

    async def _keep_gaps(self, triage_id: str, report: Report) -> None:
        await self._write("DELETE FROM runbook_gaps WHERE triage_id = ?", (triage_id,))
        for gap in gaps_in(report):
            await self._write(
                "INSERT OR IGNORE INTO runbook_gaps (triage_id, kind, subject, title, detail, at)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (triage_id, gap.kind, gap.subject, gap.title, gap.detail, text_of(gap.last)),
            )

    async def gaps(self, limit: int = 200) -> list[Gap]:
        """Alerts without a runbook, and runbooks that are out of date: the commonest first."""
        with failures(_WHAT, self._path):
            rows = await self._rows(COUNTED, limit)
        return [
            Gap(GapKind(kind), subject, title, detail, count, datetime.fromisoformat(at))
            for kind, subject, title, detail, count, at in rows
        ]

    async def search(self, wanted: Filter | None = None) -> list[Triage]:
        """The triages that pass the filter, newest first."""
        wanted = wanted or Filter()
        conditions, values = _conditions(wanted)
        query = f"SELECT {_COLUMNS} FROM triages {conditions} ORDER BY started_at DESC, id LIMIT ?"  # noqa: S608 - our own words; every value is bound
        with failures(_WHAT, self._path):
            return [_triage(row) for row in await self._rows(query, *values, wanted.limit)]

    async def find(self, id_or_prefix: str) -> Triage:
        """The one triage whose id begins so. Raises NotFound for none, or for several."""
        query = f"SELECT {_COLUMNS} FROM triages WHERE substr(id, 1, ?) = ? ORDER BY id LIMIT 5"  # noqa: S608 - our own words; every value is bound
        with failures(_WHAT, self._path):
            rows = await self._rows(query, len(id_or_prefix), id_or_prefix)
        found = [_triage(row) for row in rows]
        if len(found) == 1 and id_or_prefix:
            return found[0]
        if found and id_or_prefix:
            several = ", ".join(one.id for one in found)
            raise NotFound(f"several incidents begin with {id_or_prefix!r}: {several}")
        raise NotFound(f"no incident {id_or_prefix!r}: `assistant incidents` lists them")

    async def report(self, id_or_prefix: str) -> Report:
        """The report of a finished triage. Raises NotFound."""
        triage = await self.find(id_or_prefix)
        with failures(_WHAT, self._path):
            rows = await self._rows("SELECT report FROM triages WHERE id = ?", triage.id)
        if rows[0][0] is None:
            raise NotFound(
                f"incident {triage.id} has no report, it is {triage.progress}: "
                f"`assistant triage {triage.alert_id} --resume`"
            )
        return Report.model_validate_json(rows[0][0])

    async def _rows(self, query: str, *values: Any) -> list[Any]:
        return list(await self._database.execute_fetchall(query, values))

    async def _write(self, statement: str, values: tuple[Any, ...]) -> int:
        """Carry out one statement, a transaction of its own. Returns how many rows it changed."""
        async with self._database.execute(statement, values) as cursor:
            return cursor.rowcount


def _conditions(wanted: Filter) -> tuple[str, list[Any]]:
    tests = {
        "alert_id = ?": wanted.alert_id,
        "service = ?": wanted.service,
        "verdict = ?": wanted.verdict,
        "progress = ?": wanted.progress,
        "started_at >= ?": text_of(wanted.since) if wanted.since else None,
        "started_at <= ?": text_of(wanted.until) if wanted.until else None,
    }
    given = {test: value for test, value in tests.items() if value}
    return (f"WHERE {' AND '.join(given)}" if given else "", list(given.values()))


def _triage(row: Any) -> Triage:
    id, alert_id, progress, started_at, finished_at, scope, *words = row
    return Triage(
        id,
        alert_id,
        Progress(progress),
        datetime.fromisoformat(started_at),
        datetime.fromisoformat(finished_at) if finished_at else None,
        Scope.model_validate_json(scope) if scope else None,
        *words,
    )


def _triage_id(alert_id: str, at: datetime, earlier: int) -> str:
    text = f"{alert_id} {text_of(at)} {earlier}"
    return "t" + hashlib.sha256(text.encode()).hexdigest()[:8]
