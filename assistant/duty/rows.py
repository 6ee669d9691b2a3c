"""What the tables hold, as values, and the few statements that several steps share."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum

from pydantic import Field

from assistant.duty.grouping import explained
from assistant.duty.links import Calls
from assistant.duty.received import Received
from assistant.incident import Frozen
from assistant.report.words import cut

LONGEST_NOTICE = 500
OPENED, TRIAGED, NO_REPORT = "opened: ", "triaged: ", "no report: "
"""How three notices begin, which whoever announces may show in another way."""


class State(StrEnum):
    """Where an alert is."""

    WAITING = "waiting"
    GROUPED = "grouped"
    ASIDE = "aside"
    """Kept and not triaged; `why` says why."""


class Incident(Frozen):
    """Alerts that are one trouble: one triage, one thread."""

    id: str
    title: str
    alert_id: str = Field(description="of the alert that is triaged for all of them")
    opened_at: datetime
    closed_at: datetime | None = None
    triaged_at: datetime | None = None
    report: str = Field("", description="id of the latest triage")
    why: str = Field(description="why these alerts are one incident, in words")
    alerts: int
    firing: int
    news: tuple[str, ...] = Field((), description="what was not announced yet, oldest first")
    news_key: str = Field("", description="the same where the same news come again")


class Grouped(Frozen):
    """One alert, and what became of it."""

    alert: Received
    state: State
    incident: str = ""
    why: str = ""
    resolved_at: datetime | None = None


def text(at: datetime) -> str:
    """UTC, always of the same length, so that the order of texts is the order of time."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def moment(said: str | None) -> datetime | None:
    """The time of a text, if there is one."""
    return datetime.fromisoformat(said) if said else None


def notice(db: sqlite3.Connection, incident: str, at: datetime, said: str) -> None:
    """Something that people must be told of this incident."""
    row = (incident, text(at), cut(said, LONGEST_NOTICE))
    db.execute("INSERT INTO notices (incident, at, text) VALUES (?, ?, ?)", row)


def calls(db: sqlite3.Connection) -> Calls:
    """Who calls whom, as far as it was learnt."""
    return Calls.of([tuple(row) for row in db.execute("SELECT client, server FROM calls")])


def alerts(db: sqlite3.Connection, incident: str) -> list[Grouped]:
    """All alerts of an incident, oldest first."""
    rows = db.execute("SELECT * FROM alerts WHERE incident = ? ORDER BY starts_at, id", (incident,))
    return [grouped(row) for row in rows]


def grouped(row: sqlite3.Row) -> Grouped:
    """The alert of a row."""
    return Grouped(
        alert=Received.model_validate_json(row["body"]),
        state=State(row["state"]),
        incident=row["incident"] or "",
        why=row["why"],
        resolved_at=moment(row["resolved_at"]),
    )


def incident(
    db: sqlite3.Connection, row: sqlite3.Row, news: Iterable[str] = (), news_key: str = ""
) -> Incident:
    """The incident of a row, with why it is one."""
    query = "SELECT starts_at, resolved_at, why FROM alerts WHERE incident = ? ORDER BY starts_at"
    members = db.execute(query, (row["id"],)).fetchall()
    times = [datetime.fromisoformat(one["starts_at"]) for one in members]
    lead = db.execute("SELECT body FROM alerts WHERE id = ?", (row["lead"],)).fetchone()
    return Incident(
        id=row["id"],
        title=row["title"],
        alert_id=Received.model_validate_json(lead["body"]).alert_id,
        opened_at=datetime.fromisoformat(row["opened_at"]),
        closed_at=moment(row["closed_at"]),
        triaged_at=moment(row["triaged_at"]),
        report=row["report"],
        why=explained((one["why"] for one in members), times[-1] - times[0]),
        alerts=len(members),
        firing=sum(not one["resolved_at"] for one in members),
        news=tuple(news),
        news_key=news_key,
    )
