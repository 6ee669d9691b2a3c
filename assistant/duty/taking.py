"""Alerts go into the queue, each once, and are closed when their source says so."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from assistant.duty.received import Received
from assistant.duty.rows import State, moment, notice, text
from assistant.incident import Frozen
from assistant.report.words import span
from assistant.settings import Terms

SIGNS_OF_LIFE = frozenset({"watchdog", "deadmansswitch", "infoinhibitor"})
EVENTS_KEPT = timedelta(days=7)


class Taken(Frozen):
    """What became of the alerts of one delivery."""

    new: int = 0
    repeated: int = 0
    resolved: int = 0
    aside: int = 0


def take(
    db: sqlite3.Connection, alerts: Iterable[Received], now: datetime, terms: Terms, event: str = ""
) -> Taken:
    """Keep each alert once, and close those that are resolved.

    `event` is the id of the delivery, where it has one: the same delivery again changes nothing.
    """
    rows = list(alerts)
    if event and not _first_time(db, event, now):
        return Taken(repeated=len(rows))
    told = [_one(db, row, now, terms) for row in rows]
    touched = {row.id for row, became in zip(rows, told, strict=True) if became == "resolved"}
    close(db, touched, now)
    return Taken(**{name: told.count(name) for name in Taken.model_fields})


def _first_time(db: sqlite3.Connection, event: str, now: datetime) -> bool:
    db.execute("DELETE FROM events WHERE at < ?", (text(now - EVENTS_KEPT),))
    row = (event, text(now))
    return bool(db.execute("INSERT OR IGNORE INTO events VALUES (?, ?)", row).rowcount)


def _one(db: sqlite3.Connection, alert: Received, now: datetime, terms: Terms) -> str:
    known = db.execute("SELECT * FROM alerts WHERE id = ?", (alert.id,)).fetchone()
    if known is None:
        return _insert(db, alert, now, _why_aside(alert, now, terms))
    if alert.resolved_at:
        if known["resolved_at"]:
            return "repeated"
        db.execute(
            "UPDATE alerts SET resolved_at = ? WHERE id = ?", (text(alert.resolved_at), alert.id)
        )
        return "resolved"
    ended = moment(known["resolved_at"])
    if ended is None or alert.starts_at <= ended:
        return "repeated"
    return _reopen(db, alert)


def _insert(db: sqlite3.Connection, alert: Received, now: datetime, aside: str) -> str:
    state = State.ASIDE if aside else State.WAITING
    db.execute(
        "INSERT INTO alerts (id, source, body, received_at, starts_at, resolved_at, state, why)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            alert.id,
            alert.source,
            alert.model_dump_json(),
            text(now),
            text(alert.starts_at),
            text(alert.resolved_at) if alert.resolved_at else None,
            state,
            aside,
        ),
    )
    return "aside" if aside else "new"


def _reopen(db: sqlite3.Connection, alert: Received) -> str:
    """The source itself took the end back: the alert goes where it was."""
    db.execute(
        "UPDATE alerts SET resolved_at = NULL, state = ?, starts_at = ?, body = ? WHERE id = ?",
        (State.WAITING, text(alert.starts_at), alert.model_dump_json(), alert.id),
    )
    return "new"


def _why_aside(alert: Received, now: datetime, terms: Terms) -> str:
    """Why an alert is kept without a triage; empty for nearly all."""
    rule = alert.labels.get("alertname", "").replace(" ", "").lower()
    if alert.resolved_at:
        return "it was resolved when it was first told of"
    if alert.labels.get("severity", "").lower() == "none" or rule in SIGNS_OF_LIFE:
        return "it fires always, to show that alerts arrive"
    age = (now - alert.starts_at).total_seconds()
    if age > terms.oldest_seconds:
        return f"it began {span(age)} before it was first told of"
    return ""


def close(db: sqlite3.Connection, resolved: Iterable[str], now: datetime) -> None:
    """Close the incidents of which now every alert is resolved."""
    names = {
        row["incident"]
        for id in resolved
        for row in db.execute("SELECT incident FROM alerts WHERE id = ?", (id,))
    }
    for name in sorted(one for one in names if one):
        close_if_over(db, name, now)


def close_if_over(db: sqlite3.Connection, name: str, now: datetime) -> None:
    """Close an incident whose alerts are all resolved; a triage not yet begun is spared."""
    firing = "SELECT count(*) FROM alerts WHERE incident = ? AND resolved_at IS NULL"
    if db.execute(firing, (name,)).fetchone()[0]:
        return
    row = db.execute("SELECT * FROM incidents WHERE id = ?", (name,)).fetchone()
    if row["closed_at"]:
        return
    running = row["leased_until"] is not None
    due = row["due_at"] if running else None
    db.execute(
        "UPDATE incidents SET closed_at = ?, due_at = ? WHERE id = ?", (text(now), due, name)
    )
    unseen = row["due_at"] and not running and not row["triaged_at"]
    rest = "; it was over before a triage began, so none was made" if unseen else ""
    notice(db, name, now, f"closed: every alert of it is resolved{rest}")


def resolve_absent(
    db: sqlite3.Connection, source: str, open_keys: Sequence[str], asked: datetime, now: datetime
) -> int:
    """Resolve the alerts of a source that were known before it was asked and are not open there."""
    rows = db.execute(
        "SELECT id, body FROM alerts WHERE source = ? AND resolved_at IS NULL AND received_at < ?",
        (source, text(asked)),
    ).fetchall()
    gone = [
        row["id"] for row in rows
        if Received.model_validate_json(row["body"]).key not in set(open_keys)
    ]  # fmt: skip
    for id in gone:
        db.execute("UPDATE alerts SET resolved_at = ? WHERE id = ?", (text(now), id))
    close(db, gone, now)
    return len(gone)
