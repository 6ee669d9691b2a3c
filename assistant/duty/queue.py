"""The queue of alerts and incidents, in one SQLite file that any number of replicas may share.

Each method is one transaction: a process that is killed in it has done all of it, or nothing.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from assistant.duty import gathering, leasing, rows, taking, telling
from assistant.duty.leasing import Lease
from assistant.duty.received import Received
from assistant.duty.rows import Grouped, Incident
from assistant.duty.tables import WHAT, opened, transaction
from assistant.duty.taking import Taken
from assistant.duty.telling import News
from assistant.errors import NotFound
from assistant.incident import Alert
from assistant.settings import Terms
from assistant.store import failures

_Result = TypeVar("_Result")


class Queue:
    """The state of duty. Its methods block for milliseconds: call them in a thread."""

    def __init__(self, database: sqlite3.Connection, path: Path, terms: Terms) -> None:
        self._database = database
        self._path = path
        self._terms = terms
        self._turn = threading.Lock()

    @classmethod
    @contextmanager
    def open(cls, path: Path, terms: Terms | None = None) -> Iterator[Queue]:
        """The queue at `path`. Raises AssistantError for a file that is none, or a newer one."""
        with opened(path) as database:
            yield cls(database, path, terms or Terms())

    @property
    def terms(self) -> Terms:
        """What may be spent."""
        return self._terms

    def take(self, alerts: Iterable[Received], now: datetime, event: str = "") -> Taken:
        """Keep each alert once; once this returns, it is on the disk."""
        return self._do(lambda db: taking.take(db, alerts, now, self._terms, event))

    def resolve_absent(
        self, source: str, open_keys: Sequence[str], asked: datetime, now: datetime
    ) -> int:
        """Resolve what a source, asked at `asked`, no longer has open. Returns how many."""
        return self._do(lambda db: taking.resolve_absent(db, source, open_keys, asked, now))

    def learn(self, calls: Iterable[tuple[str, str]]) -> None:
        """Replace what is known of who calls whom."""
        pairs = sorted(set(calls))
        self._do(lambda db: _learn(db, pairs))

    def gather(self, now: datetime) -> list[str]:
        """Group the alerts of a storm that has settled. Returns the incidents that changed."""
        return self._do(lambda db: gathering.gather(db, now, self._terms))

    def lease(self, now: datetime, owner: str) -> Lease | None:
        """The right to triage the incident that waits longest, if one may begin now."""
        return self._do(lambda db: leasing.lease(db, now, self._terms, owner))

    def renew(self, held: Lease, now: datetime) -> bool:
        """Hold a lease for longer. False where it was lost."""
        return self._do(lambda db: leasing.renew(db, held, now, self._terms))

    def finish(self, held: Lease, report: str, now: datetime) -> bool:
        """Keep the report. False where the lease was lost."""
        return self._do(lambda db: leasing.finish(db, held, report, now))

    def fail(self, held: Lease, why: str, now: datetime, *, final: bool = False) -> bool:
        """No report came of it; it is tried again unless this is final."""
        return self._do(lambda db: leasing.fail(db, held, why, now, self._terms, final=final))

    def release(self, held: Lease, now: datetime) -> bool:
        """Give a lease back before its triage ended."""
        return self._do(lambda db: leasing.release(db, held, now))

    def news(self, now: datetime) -> News | None:
        """What is to be told next."""
        return self._do(lambda db: telling.news(db, now, self._terms))

    def told(self, said: News, now: datetime) -> bool:
        """It was told."""
        return self._do(lambda db: telling.told(db, said, now))

    def untold(self, said: News, now: datetime) -> bool:
        """It could not be told, and is kept."""
        return self._do(lambda db: telling.untold(db, said, now, self._terms))

    def split(self, incident: str, alerts: Iterable[str], why: str, now: datetime) -> str:
        """Take alerts out of an incident into one of their own; both threads are told why.

        Raises NotFound where the incident does not hold them, or would be left without any.
        """
        ids = list(alerts)
        made = self._do(lambda db: gathering.split(db, incident, ids, why, now))
        if made is None:
            raise NotFound(
                f"incident {incident!r} cannot be split by {', '.join(ids) or 'no alert'}: give some "
                "of its alerts, not all; `assistant duty show` lists them"
            )
        return made

    def incidents(self, limit: int = 50) -> list[Incident]:
        """The newest incidents."""
        query = "SELECT * FROM incidents ORDER BY opened_at DESC, id LIMIT ?"
        return self._do(lambda db: [rows.incident(db, row) for row in db.execute(query, (limit,))])

    def incident(self, id: str) -> Incident:
        """One incident. Raises NotFound."""
        query = "SELECT * FROM incidents WHERE id = ?"
        row = self._do(lambda db: db.execute(query, (id,)).fetchone())
        if row is None:
            raise NotFound(f"no incident {id!r} on duty: `assistant duty list` shows them")
        return self._do(lambda db: rows.incident(db, row))

    def alerts(self, incident: str) -> list[Grouped]:
        """All alerts of an incident, oldest first, each with why it is in it."""
        return self._do(lambda db: rows.alerts(db, incident))

    def aside(self, limit: int = 50) -> list[Grouped]:
        """The newest alerts that are kept without an incident, each with the reason."""
        query = "SELECT * FROM alerts WHERE state = 'aside' ORDER BY received_at DESC, id LIMIT ?"
        return self._do(lambda db: [rows.grouped(row) for row in db.execute(query, (limit,))])

    def by_value(self, alert_id: str) -> Alert | None:
        """The alert of this id where only its source's own words are known of it."""
        query = "SELECT * FROM alerts WHERE id = ?"
        row = self._do(lambda db: db.execute(query, (alert_id,)).fetchone())
        if row is None:
            return None
        found = rows.grouped(row)
        told = found.alert.model_copy(update={"resolved_at": found.resolved_at})
        return told.by_value()

    def interrupted(self, alert_id: str) -> bool:
        """Whether an earlier triage of this alert was begun on duty and never ended."""
        query = (
            "SELECT count(*) FROM triages WHERE ended_at IS NULL"
            " AND alert IN (?, 'pagerduty:' || ?)"
        )
        row = self._do(lambda db: db.execute(query, (alert_id, alert_id)).fetchone())
        return bool(row[0] > 1)  # the one that runs now is the other

    def counts(self) -> dict[str, int]:
        """How many alerts are in which state, and how many incidents and triages there are."""
        return self._do(_counts)

    def _do(self, work: Callable[[sqlite3.Connection], _Result]) -> _Result:
        with self._turn, failures(WHAT, self._path), transaction(self._database) as database:
            return work(database)


def _learn(db: sqlite3.Connection, pairs: Sequence[tuple[str, str]]) -> None:
    db.execute("DELETE FROM calls")
    db.executemany("INSERT INTO calls VALUES (?, ?)", pairs)


def _counts(db: sqlite3.Connection) -> dict[str, int]:
    query = "SELECT state, count(*) FROM alerts GROUP BY state"
    counted = {state.value: 0 for state in rows.State} | dict(map(tuple, db.execute(query)))
    for name in ("incidents", "triages"):
        counted[name] = db.execute(f"SELECT count(*) FROM {name}").fetchone()[0]  # noqa: S608 - our own words
    return counted
