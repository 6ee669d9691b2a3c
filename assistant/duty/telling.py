"""What people must be told of each incident, in order, until somebody says that it was told."""

from __future__ import annotations

import sqlite3
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from assistant.duty.rows import Incident, State, incident, text
from assistant.duty.terms import Terms
from assistant.report.words import count


@dataclass(frozen=True, slots=True)
class News:
    """An incident with what is new of it. The same `key` is the same telling, should it come twice."""

    incident: Incident
    key: str
    notices: tuple[int, ...]
    alerts: tuple[str, ...]
    telling: int


def news(db: sqlite3.Connection, now: datetime, terms: Terms) -> News | None:
    """The oldest news, for the caller alone for as long as a lease; None where all is told.

    Alerts that join an incident are told together, not more often than a storm may settle.
    """
    rested = text(now - timedelta(seconds=terms.longest_settle_seconds))
    row = db.execute(
        "SELECT i.* FROM incidents i WHERE (telling_until IS NULL OR telling_until <= ?) AND ("
        " EXISTS (SELECT 1 FROM notices n WHERE n.incident = i.id AND n.told = 0) OR"
        " ((told_at IS NULL OR told_at <= ?) AND"
        "  EXISTS (SELECT 1 FROM alerts a WHERE a.incident = i.id AND a.told = 0)))"
        " ORDER BY i.opened_at, i.id LIMIT 1",
        (text(now), rested),
    ).fetchone()
    if row is None:
        return None
    telling = row["tellings"] + 1
    until = text(now + timedelta(seconds=terms.lease_seconds))
    db.execute(
        "UPDATE incidents SET telling_until = ?, tellings = ? WHERE id = ?",
        (until, telling, row["id"]),
    )
    return _news(db, row, telling)


def _news(db: sqlite3.Connection, row: sqlite3.Row, telling: int) -> News:
    query = "SELECT number, text FROM notices WHERE incident = ? AND told = 0 ORDER BY number"
    notices = db.execute(query, (row["id"],)).fetchall()
    query = "SELECT id, why FROM alerts WHERE incident = ? AND told = 0 AND state = ?"
    alerts = db.execute(query, (row["id"], State.GROUPED)).fetchall()
    joined = Counter(one["why"] for one in alerts).most_common()
    lines = [f"{count(times, 'more alert')}: {why}" for why, times in joined]
    lines += [one["text"] for one in notices]
    numbers = tuple(one["number"] for one in notices)
    last = max(numbers, default=0)
    return News(
        incident=incident(db, row, lines),
        key=f"{row['id']}:{last}:{len(alerts)}",
        notices=numbers,
        alerts=tuple(one["id"] for one in alerts),
        telling=telling,
    )


def told(db: sqlite3.Connection, said: News, now: datetime) -> bool:
    """These news were told. False where another had taken them over."""
    if not _ours(db, said):
        return False
    db.executemany("UPDATE notices SET told = 1 WHERE number = ?", [(one,) for one in said.notices])
    db.executemany("UPDATE alerts SET told = 1 WHERE id = ?", [(one,) for one in said.alerts])
    db.execute(
        "UPDATE incidents SET told_at = ?, telling_until = NULL WHERE id = ?",
        (text(now), said.incident.id),
    )
    return True


def untold(db: sqlite3.Connection, said: News, now: datetime, terms: Terms) -> bool:
    """These news could not be told: they are kept, and tried again after a rest."""
    if not _ours(db, said):
        return False
    until = text(now + timedelta(seconds=terms.lease_seconds))
    row = (until, said.incident.id)
    db.execute("UPDATE incidents SET telling_until = ? WHERE id = ?", row)
    return True


def _ours(db: sqlite3.Connection, said: News) -> bool:
    query = "SELECT 1 FROM incidents WHERE id = ? AND tellings = ? AND telling_until IS NOT NULL"
    return db.execute(query, (said.incident.id, said.telling)).fetchone() is not None
