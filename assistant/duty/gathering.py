"""A storm that has settled becomes incidents, in one transaction."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable
from datetime import datetime, timedelta

from assistant.duty.grouping import Group, Member, explained, group
from assistant.duty.links import Placed
from assistant.duty.received import Received
from assistant.duty.rows import OPENED, State, calls, grouped, moment, notice, text
from assistant.duty.taking import close_if_over
from assistant.report.words import count
from assistant.settings import Terms

_SEVERITIES = ("critical", "page", "error", "high", "warning")


def settled(db: sqlite3.Connection, now: datetime, terms: Terms) -> bool:
    """Whether alerts wait, and either no more arrive or the first has waited long enough."""
    query = "SELECT min(received_at), max(received_at) FROM alerts WHERE state = ?"
    first, last = map(moment, db.execute(query, (State.WAITING,)).fetchone())
    if first is None or last is None:
        return False
    quiet = now - last >= timedelta(seconds=terms.settle_seconds)
    return quiet or now - first >= timedelta(seconds=terms.longest_settle_seconds)


def gather(db: sqlite3.Connection, now: datetime, terms: Terms) -> list[str]:
    """Put each waiting alert into its incident, new or known. Returns the incidents that changed."""
    if not settled(db, now, terms):
        return []
    query = "SELECT * FROM alerts WHERE state = ? ORDER BY starts_at, id"
    waiting = [grouped(row) for row in db.execute(query, (State.WAITING,))]
    back = [one for one in waiting if one.incident]
    fresh = [one.alert for one in waiting if not one.incident]
    groups = [Group(one.incident, (Member(one.alert, one.why),)) for one in back]
    groups += group(fresh, _placed(db, now, terms), calls(db), terms)
    return [_keep(db, one, now, terms) for one in groups]


def _placed(db: sqlite3.Connection, now: datetime, terms: Terms) -> list[Placed]:
    """The alerts of incidents that may still take some in."""
    reach = text(now - max(terms.cooldown, terms.window))
    rows = db.execute(
        "SELECT a.* FROM alerts a JOIN incidents i ON a.incident = i.id WHERE a.state = ?"
        " AND (i.closed_at IS NULL OR i.closed_at >= ?)",
        (State.GROUPED, reach),
    )
    return [Placed(one.alert, one.incident) for one in map(grouped, rows)]


def _keep(db: sqlite3.Connection, group: Group, now: datetime, terms: Terms) -> str:
    name = group.incident or open_incident(db, group.members, now)
    for member in group.members:
        db.execute(
            "UPDATE alerts SET state = ?, incident = ?, why = ? WHERE id = ?",
            (State.GROUPED, name, member.why, member.alert.id),
        )
    if group.incident:
        _add(db, name, now, terms)
    for why in group.beside:
        notice(db, name, now, f"kept apart from another incident, although {why}")
    close_if_over(db, name, now)
    return name


def open_incident(db: sqlite3.Connection, members: Iterable[Member], now: datetime) -> str:
    """A new incident, due for its triage now."""
    rows = list(members)
    lead = leading(member.alert for member in rows)
    ids = " ".join(sorted(member.alert.id for member in rows))
    name = "i" + hashlib.sha256(f"{ids} {text(now)}".encode()).hexdigest()[:10]
    db.execute(
        "INSERT INTO incidents (id, title, lead, opened_at, due_at) VALUES (?, ?, ?, ?, ?)",
        (name, lead.title, lead.id, text(now), text(now)),
    )
    times = [member.alert.starts_at for member in rows]
    why = explained((member.why for member in rows), max(times) - min(times))
    notice(db, name, now, f"{OPENED}{why}")
    db.execute("UPDATE alerts SET told = 1 WHERE id IN (SELECT value FROM json_each(?))",
               (_json(member.alert.id for member in rows),))  # fmt: skip
    return name


def leading(alerts: Iterable[Received]) -> Received:
    """The alert that is triaged for all: the first of the gravest, and of these one with a place."""
    return min(alerts, key=lambda one: (not one.labels.get("namespace"), _gravity(one),
                                        one.starts_at, one.id))  # fmt: skip


def _gravity(alert: Received) -> int:
    said = alert.labels.get("severity", "").lower()
    return _SEVERITIES.index(said) if said in _SEVERITIES else len(_SEVERITIES)


def _add(db: sqlite3.Connection, name: str, now: datetime, terms: Terms) -> None:
    """More alerts of a known incident: it is open again, and due again once it has rested."""
    row = db.execute("SELECT * FROM incidents WHERE id = ?", (name,)).fetchone()
    if row["closed_at"]:
        notice(db, name, now, "open again: it fired again")
    triaged = moment(row["triaged_at"])
    rested = triaged is None or now - triaged >= terms.cooldown
    due = row["due_at"] or (text(now) if rested else None)
    db.execute("UPDATE incidents SET closed_at = NULL, due_at = ? WHERE id = ?", (due, name))


def split(
    db: sqlite3.Connection, name: str, ids: Iterable[str], why: str, now: datetime
) -> str | None:
    """Take alerts out of an incident into one of their own, and tell both. Returns its id.

    None where the incident does not hold them all, or would be left empty.
    """
    query = "SELECT * FROM alerts WHERE incident = ? ORDER BY starts_at, id"
    held = {row["id"]: grouped(row).alert for row in db.execute(query, (name,))}
    chosen = list(dict.fromkeys(ids))
    if not chosen or not held.keys() > set(chosen):
        return None
    members = [Member(held[id], f"taken out of {name}") for id in chosen]
    made = open_incident(db, members, now)
    db.execute(
        "UPDATE alerts SET incident = ?, why = ? WHERE id IN (SELECT value FROM json_each(?))",
        (made, f"taken out of {name}", _json(chosen)),
    )
    lead = leading(alert for id, alert in held.items() if id not in chosen)
    db.execute("UPDATE incidents SET lead = ?, title = ? WHERE id = ?", (lead.id, lead.title, name))
    moved = count(len(chosen), "alert")
    notice(db, name, now, f"{moved} taken out, now incident {made}: {why}")
    notice(db, made, now, f"{moved} taken out of incident {name}: {why}")
    for one in (name, made):
        close_if_over(db, one, now)
    return made


def _json(ids: Iterable[str]) -> str:
    return json.dumps(list(ids))
