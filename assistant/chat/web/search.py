"""The search over past incidents: words, and `service:`, `verdict:`, `alert:`, `since:`, `until:`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from assistant.chat.web.alerts import Open
from assistant.incident import Frozen
from assistant.store import Filter, Store, Triage

MOST_READ, MOST_SEARCHED = 200, 5_000
"""Triages that a list without a search looks at, and one with."""
LONGEST = 200


class Search(Frozen):
    """What is looked for."""

    words: tuple[str, ...] = ()
    service: str = ""
    verdict: str = ""
    alert: str = ""
    since: datetime | None = None
    until: datetime | None = None
    text: str = ""
    """What was typed."""
    unclear: tuple[str, ...] = ()
    """Parts that say when, and do not."""


def search_for(text: str) -> Search:
    """What a person typed, understood: `bookings verdict:inconclusive since:2026-03-01`."""
    found: dict[str, object] = {}
    words: list[str] = []
    unclear: list[str] = []
    for part in text[:LONGEST].split():
        name, _, value = part.partition(":")
        if name in ("service", "verdict", "alert") and value:
            found[name] = value.replace("_", " ").lower()
        elif name in ("since", "until") and value:
            moment = _moment(value, whole_day=name == "until")
            unclear += [] if moment else [part]
            found[name] = moment
        else:
            words.append(part.lower())
    return Search.model_validate(found | {"text": text, "words": words, "unclear": unclear})


async def past(store: Store, search: Search) -> list[Triage]:
    """The triages that match, newest first, one for each alert."""
    most = MOST_SEARCHED if search.text else MOST_READ
    wanted = Filter(since=search.since, until=search.until, limit=most)
    newest: dict[str, Triage] = {}
    for row in await store.search(wanted):
        if _matches(row, search):
            newest.setdefault(row.alert_id, row)
    return list(newest.values())


def open_matches(one: Open, verdict: str, search: Search) -> bool:
    """Whether an open incident is looked for; `verdict` is what its newest triage found."""
    text = f"{one.id} #{one.number} {one.title} {one.service} {verdict}"
    late = search.since and one.since and one.since < search.since
    early = search.until and one.since and one.since > search.until
    narrow = ((search.service, one.service), (search.verdict, verdict), (search.alert, one.id))
    return not (late or early) and _holds(text, narrow, search)


def _matches(row: Triage, search: Search) -> bool:
    text = f"{row.id} {row.alert_id} {row.title} {row.service} {row.verdict} {row.summary}"
    narrow = (
        (search.service, row.service),
        (search.verdict, row.verdict),
        (search.alert, row.alert_id),
    )
    return _holds(text, narrow, search)


def _holds(text: str, narrow: Iterable[tuple[str, str]], search: Search) -> bool:
    named = all(want in have.lower() for want, have in narrow)
    return named and all(word in text.lower() for word in search.words)


def _moment(text: str, *, whole_day: bool) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    day = len(text) <= len("2026-03-14")
    return moment + timedelta(days=1) if whole_day and day else moment
