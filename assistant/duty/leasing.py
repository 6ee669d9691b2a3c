"""Who triages which incident: a lease that ends by itself where its holder dies, within the budget."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta

from assistant.duty.received import Received
from assistant.duty.rows import NO_REPORT, TRIAGED, notice, text
from assistant.report.words import cut
from assistant.settings import Terms

HOUR = timedelta(hours=1)
LONGEST_FAILURE = 300


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to triage one incident. `attempt` tells it from every other lease of it."""

    incident: str
    attempt: int
    alert: Received


def lease(db: sqlite3.Connection, now: datetime, terms: Terms, owner: str) -> Lease | None:
    """The incident that has been due for longest, for this owner alone; None where none may begin."""
    row = _due(db, now)
    while row is not None and row["failures"] >= terms.tries:
        _give_up(db, row["id"], now, terms)
        row = _due(db, now)
    if row is None or _held(db, row, now, terms):
        return None
    attempt, until = row["attempt"] + 1, text(now + timedelta(seconds=terms.lease_seconds))
    # Counted as failed until it is finished: whoever dies in it cannot say so.
    db.execute(
        "UPDATE incidents SET attempt = ?, failures = failures + 1, leased_until = ?, owner = ?,"
        " held = 0 WHERE id = ?",
        (attempt, until, owner, row["id"]),
    )
    db.execute(
        "INSERT INTO triages (incident, attempt, alert, owner, started_at) VALUES (?, ?, ?, ?, ?)",
        (row["id"], attempt, row["lead"], owner, text(now)),
    )
    body = db.execute("SELECT body FROM alerts WHERE id = ?", (row["lead"],)).fetchone()["body"]
    return Lease(row["id"], attempt, Received.model_validate_json(body))


def _due(db: sqlite3.Connection, now: datetime) -> sqlite3.Row | None:
    query = (
        "SELECT * FROM incidents WHERE due_at <= ? AND (leased_until IS NULL OR leased_until <= ?)"
        " ORDER BY due_at, id LIMIT 1"
    )
    row: sqlite3.Row | None = db.execute(query, (text(now), text(now))).fetchone()
    return row


def _held(db: sqlite3.Connection, row: sqlite3.Row, now: datetime, terms: Terms) -> bool:
    """Whether the budget of this hour is used up; told once of each incident that has to wait."""
    query = "SELECT count(*), min(started_at) FROM triages WHERE started_at > ?"
    used, first = db.execute(query, (text(now - HOUR),)).fetchone()
    if used < terms.triages_per_hour:
        return False
    if not row["held"]:
        again = datetime.fromisoformat(first) + HOUR
        db.execute("UPDATE incidents SET held = 1 WHERE id = ?", (row["id"],))
        notice(db, row["id"], now, f"waits: {used} of {terms.triages_per_hour} triages of this hour"
               f" are used; the next may begin at {again:%H:%M} UTC")  # fmt: skip
    return True


def _give_up(db: sqlite3.Connection, name: str, now: datetime, terms: Terms) -> None:
    _rest(db, name, "")
    notice(db, name, now, f"{NO_REPORT}{terms.tries} triages of it ended without one")


def renew(db: sqlite3.Connection, held: Lease, now: datetime, terms: Terms) -> bool:
    """Hold the lease for longer. False where another has it by now, or it is done."""
    until = text(now + timedelta(seconds=terms.lease_seconds))
    row = (until, held.incident, held.attempt)
    statement = (
        "UPDATE incidents SET leased_until = ?"
        " WHERE id = ? AND attempt = ? AND leased_until IS NOT NULL"
    )
    return bool(db.execute(statement, row).rowcount)


def finish(db: sqlite3.Connection, held: Lease, report: str, now: datetime) -> bool:
    """Keep the report, once. False where the lease was lost: then another one's report counts."""
    if not _holds(db, held):
        return False
    _rest(db, held.incident, report, now)
    _end(db, held, now, report=report)
    notice(db, held.incident, now, f"{TRIAGED}report {report}")
    return True


def fail(
    db: sqlite3.Connection, held: Lease, why: str, now: datetime, terms: Terms, *, final: bool
) -> bool:
    """The triage ended without a report: it is tried again a little later, or given up."""
    if not _holds(db, held):
        return False
    failures = db.execute(
        "SELECT failures FROM incidents WHERE id = ?", (held.incident,)
    ).fetchone()["failures"]
    _end(db, held, now, failure=why)
    if final or failures >= terms.tries:
        _rest(db, held.incident, "")
        notice(db, held.incident, now, f"{NO_REPORT}{cut(why, LONGEST_FAILURE)}")
        return True
    later = text(now + timedelta(seconds=terms.lease_seconds * failures))
    db.execute(
        "UPDATE incidents SET leased_until = NULL, due_at = ? WHERE id = ?", (later, held.incident)
    )
    return True


def release(db: sqlite3.Connection, held: Lease, now: datetime) -> bool:
    """Give the lease back unused: its holder is told to stop, and another may begin at once."""
    if not _holds(db, held):
        return False
    _end(db, held, now, failure="stopped")
    db.execute(
        "UPDATE incidents SET leased_until = NULL, failures = failures - 1 WHERE id = ?",
        (held.incident,),
    )
    return True


def _holds(db: sqlite3.Connection, held: Lease) -> bool:
    """Whether nobody else has taken it over."""
    query = "SELECT 1 FROM incidents WHERE id = ? AND attempt = ? AND leased_until IS NOT NULL"
    return db.execute(query, (held.incident, held.attempt)).fetchone() is not None


def _rest(db: sqlite3.Connection, name: str, report: str, triaged: datetime | None = None) -> None:
    """Nothing is due any more, until more alerts come after the cooldown."""
    db.execute(
        "UPDATE incidents SET due_at = NULL, leased_until = NULL, failures = 0, held = 0,"
        " report = CASE WHEN ? = '' THEN report ELSE ? END,"
        " triaged_at = coalesce(?, triaged_at) WHERE id = ?",
        (report, report, text(triaged) if triaged else None, name),
    )


def _end(
    db: sqlite3.Connection, held: Lease, now: datetime, report: str = "", failure: str = ""
) -> None:
    db.execute(
        "UPDATE triages SET ended_at = ?, report = ?, failure = ? WHERE incident = ? AND attempt = ?",
        (text(now), report, cut(failure, LONGEST_FAILURE), held.incident, held.attempt),
    )
