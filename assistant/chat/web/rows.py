"""The list at the left, and what stands above a thread: made of what is open, triaged and said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from assistant.chat.web.alerts import Open, OpenNow
from assistant.chat.web.memory import Talk
from assistant.chat.web.places import incident_at, place_of
from assistant.chat.web.search import Search, open_matches
from assistant.report.words import clean, clock, utc
from assistant.store import Progress, Triage

MOST_PAST = 60
TONES = {
    "cause found": "bad",
    "several causes": "bad",
    "inconclusive": "warn",
    "healthy": "good",
    "recovered": "good",
}


@dataclass(frozen=True)
class Row:
    """One line of the list at the left."""

    key: str
    title: str
    path: str = ""
    start: bool = False
    """Whether nothing was said yet: then the line begins a triage."""
    state: str = ""
    tone: str = ""
    note: str = ""
    working: bool = False


@dataclass(frozen=True)
class Lists:
    """The list at the left."""

    open: tuple[Row, ...]
    past: tuple[Row, ...]
    questions: tuple[Row, ...]
    unseen: str = ""
    asking: bool = False
    as_of: str = ""
    query: str = ""
    unclear: tuple[str, ...] = ()


@dataclass(frozen=True)
class Known:
    """What the list is made of."""

    open_now: OpenNow
    newest: Mapping[str, Triage]
    """The last triage of each alert, as far as a list looks back."""
    found: tuple[Triage, ...]
    """Those that are searched for."""
    talks: tuple[Talk, ...]
    search: Search


def lists(known: Known, now: datetime) -> Lists:
    """What is open, what was, and what was asked; an incident stands in one of them."""
    said = {one.incident: one for one in known.talks if one.incident}
    opened = [
        _open(one, known.newest.get(one.id), said.get(one.id), now)
        for one in known.open_now.rows
        if open_matches(one, _state(known.newest.get(one.id)), known.search)
    ]
    shown_already = {one.key for one in opened}
    past = [_past(one, said.get(one.alert_id), now) for one in known.found[:MOST_PAST]]
    asked_at = known.open_now.asked_at
    return Lists(
        open=tuple(opened),
        past=tuple(one for one in past if one.path and one.key not in shown_already),
        questions=tuple(_talks(known, {one.alert_id for one in known.found} | shown_already, now)),
        unseen=known.open_now.unseen,
        asking=known.open_now.asking,
        as_of=f"{utc(asked_at):%H:%M:%S}" if asked_at else "",
        query=known.search.text,
        unclear=known.search.unclear,
    )


def _open(one: Open, triage: Triage | None, talk: Talk | None, now: datetime) -> Row:
    place = incident_at(one.id)
    since = f"since {clock(one.since, utc(now).date())}" if one.since else ""
    number = f"#{one.number}" if one.number else ""
    note = " · ".join(filter(None, (since, number, one.service)))
    working = bool(talk and talk.working) or bool(triage and triage.progress is Progress.RUNNING)
    known = talk is not None or triage is not None
    return Row(
        key=one.id, title=clean(one.title), path=place.path if place else "", note=clean(note),
        start=not known, working=working,
        state=_state(triage) or ("" if known else "not triaged"),
        tone=_tone(triage) or ("bad" if one.urgency == "high" else "warn"),
    )  # fmt: skip


def _past(one: Triage, talk: Talk | None, now: datetime) -> Row:
    place = incident_at(one.alert_id)
    note = " · ".join(filter(None, (clean(one.service), clock(one.started_at, utc(now).date()))))
    return Row(
        key=one.alert_id, title=clean(one.title or one.alert_id), path=place.path if place else "",
        state=_state(one), tone=_tone(one), note=note,
        working=bool(talk and talk.working) or one.progress is Progress.RUNNING,
    )  # fmt: skip


def _talks(known: Known, shown: Iterable[str], now: datetime) -> Iterable[Row]:
    already = set(shown)
    for one in known.talks:
        place = place_of(one)
        wanted = all(word in one.title.lower() for word in known.search.words)
        if place and wanted and not (one.incident and one.incident in already):
            at = clock(one.at, utc(now).date()) if one.at else ""
            title = clean(one.title)
            yield Row(key=one.id, title=title, path=place.path, note=at, working=one.working)


def _state(triage: Triage | None) -> str:
    if triage is None:
        return ""
    return triage.verdict if triage.progress is Progress.DONE else str(triage.progress)


def _tone(triage: Triage | None) -> str:
    return TONES.get(triage.verdict, "") if triage else ""


@dataclass(frozen=True)
class Head:
    """What stands above a thread."""

    title: str
    note: str = ""
    state: str = ""
    tone: str = ""
    summary: str = ""
    report: str = ""
    known: bool = False
    """Whether something was found, or asked, before."""


def head(alert_id: str, triage: Triage | None, open_now: OpenNow, now: datetime) -> Head:
    """An incident's own line: the alert while it is open, and what the newest triage found."""
    alert = next((one for one in open_now.rows if one.id == alert_id), None)
    title = (alert.title if alert else "") or (triage.title if triage else "") or alert_id
    number = f"#{alert.number}" if alert and alert.number else ""
    since = f"since {clock(alert.since, utc(now).date())} UTC" if alert and alert.since else ""
    found = f"triaged {clock(triage.started_at, utc(now).date())} UTC" if triage else ""
    absent = (
        "not known whether it is open" if open_now.unseen or open_now.asking else "not open now"
    )
    status = alert.status if alert else absent
    return Head(
        title=clean(title),
        note=clean(" · ".join(filter(None, (alert_id, number, status, since, found)))),
        state=_state(triage),
        tone=_tone(triage),
        summary=clean(triage.summary) if triage else "",
        report=triage.id if triage else "",
        known=triage is not None,
    )
