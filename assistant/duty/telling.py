"""What people must be told of each incident, in order, until somebody says that it was told."""

from __future__ import annotations

import hashlib
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from assistant.duty.received import Received
from assistant.duty.rows import Incident, State, incident, text
from assistant.report.words import count, cut
from assistant.settings import Terms

MOST_NAMED = 3
LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class News:
    """An incident with what is new of it."""

    incident: Incident
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
    query = "SELECT id, why, body FROM alerts WHERE incident = ? AND told = 0 AND state = ?"
    alerts = db.execute(query, (row["id"], State.GROUPED)).fetchall()
    lines = [*_joined(alerts), *(one["text"] for one in notices)]
    numbers = tuple(one["number"] for one in notices)
    ids = tuple(sorted(one["id"] for one in alerts))
    return News(
        incident=incident(db, row, lines, _key(row["id"], numbers, ids)),
        notices=numbers,
        alerts=ids,
        telling=telling,
    )


def _joined(alerts: Iterable[sqlite3.Row]) -> Iterator[str]:
    """`2 more alerts: same service checkout (LatencyHigh, ErrorRatioHigh)`."""
    titles: dict[str, list[str]] = defaultdict(list)
    for one in alerts:
        titles[one["why"]].append(Received.model_validate_json(one["body"]).title)
    for why, every in sorted(titles.items(), key=lambda row: (-len(row[1]), row[0])):
        kinds = list(dict.fromkeys(every))
        more = [f"{len(kinds) - MOST_NAMED} other kinds"] if len(kinds) > MOST_NAMED else []
        named = ", ".join([*(cut(kind, LONGEST_NAME) for kind in kinds[:MOST_NAMED]), *more])
        yield f"{count(len(every), 'more alert')}: {why} ({named})"


def _key(name: str, notices: Iterable[int], alerts: Iterable[str]) -> str:
    """The same for the same news, and for no others."""
    every = " ".join([*map(str, notices), *alerts])
    return f"{name}:{hashlib.sha256(every.encode()).hexdigest()[:16]}"


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
