"""Resolved PagerDuty incidents that somebody wrote notes in, as documents: what people did last time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from typing import Any

import anyio
import yaml

from ingest.errors import IngestError
from ingest.sources.base import Item, Listing
from ingest.sources.site import Params, Site, understood
from ingest.words import alert_and_words, alert_in

AT_ONCE = 100
LONGEST_WINDOW_DAYS = 180
"""PagerDuty refuses to list more than six months."""
MOST_INCIDENTS = 1_000
"""The newest: what came before them leaves the index."""
ASKERS = 4
"""Questions at a time: each incident's notes are a question of their own."""

Record = Mapping[str, Any]
Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class PagerDuty:
    """The incidents of the last `days`, of `services` (ids) where any are named."""

    name: str
    site: Site
    clock: Clock
    days: int = LONGEST_WINDOW_DAYS
    services: tuple[str, ...] = ()

    async def list(self, since: datetime | None = None) -> Listing:
        """Each resolved incident with notes, newest first. Notes may come late: they are always read."""
        with understood(self.site):
            return await self._listing(since)

    async def close(self) -> None:
        """Gives the connections back."""
        await self.site.close()

    async def _listing(self, since: datetime | None) -> Listing:
        found = [one async for one in self._incidents()]
        if since is not None:
            found = [one for one in found if (_resolved(one) or since) >= since]
        notes = await self._notes(str(one["id"]) for one in found)
        told = ((one, notes[str(one["id"])]) for one in found)
        items = tuple(self._item(one, its) for one, its in told if its)
        return Listing(items, whole=since is None)

    async def _notes(self, ids: Iterable[str]) -> Mapping[str, Sequence[Record]]:
        """The notes of these incidents, several asked for at a time; the first failure ends it."""
        notes: dict[str, Sequence[Record]] = {}
        failures: list[IngestError] = []
        askers = anyio.CapacityLimiter(ASKERS)

        async def ask(id: str) -> None:
            async with askers:
                try:
                    path = f"/incidents/{id}/notes"
                    notes[id] = [] if failures else await self._all(path, "notes")
                except IngestError as error:
                    failures.append(error)

        async with anyio.create_task_group() as tasks:
            for id in ids:
                tasks.start_soon(ask, id)
        if failures:
            raise failures[0]
        return notes

    async def _incidents(self) -> AsyncIterator[Record]:
        now = self.clock()
        asked: dict[str, str | int | list[str]] = {
            "statuses[]": "resolved",
            "since": (now - timedelta(days=self.days)).isoformat(),
            "until": now.isoformat(),
            "sort_by": "created_at:desc",
            "limit": AT_ONCE,
        }
        if self.services:
            asked["service_ids[]"] = [*self.services]
        for offset in range(0, MOST_INCIDENTS, AT_ONCE):
            answer = await self.site.json("/incidents", {**asked, "offset": offset})
            for one in _records(answer, "incidents"):
                yield one
            if not answer.get("more"):
                return

    async def _all(self, path: str, key: str, params: Params | None = None) -> Sequence[Record]:
        return _records(await self.site.json(path, params), key)

    def _item(self, incident: Record, notes: Sequence[Record]) -> Item:
        resolved = _resolved(incident)
        title = incident.get("title") or incident.get("summary") or ""
        told = [f"{note.get('id')} {note.get('content')}" for note in notes]
        words = "\0".join([str(title), str(resolved), *told])
        return Item(
            path=f"{incident['id']}.md",
            fingerprint=sha256(words.encode()).hexdigest(),
            media_type="text/markdown",
            read=partial(self._read, incident, notes),
            url=str(incident.get("html_url") or ""),
            modified=resolved,
        )

    async def _read(self, incident: Record, notes: Sequence[Record]) -> bytes:
        path = f"/incidents/{incident['id']}/alerts"
        with understood(self.site):
            alerts = await self._all(path, "alerts", {"limit": AT_ONCE})
            return document(incident, alerts, notes).encode()


def document(incident: Record, alerts: Sequence[Record], notes: Sequence[Record]) -> str:
    """The incident as Markdown: what fired and where as metadata, then the notes, oldest first."""
    title = _line(incident.get("title") or incident.get("summary") or incident["id"])
    resolved = _resolved(incident)
    summaries = dict.fromkeys(_line(alert.get("summary")) for alert in alerts)
    named = dict.fromkeys(filter(None, map(_alert, [title, *summaries])))
    said = {
        "title": title,
        "services": [_line((incident.get("service") or {}).get("summary"))],
        "alerts": [*named],
        "severity": _line((incident.get("priority") or {}).get("summary")),
        "last_reviewed": resolved.date().isoformat() if resolved else "",
    }
    front = yaml.safe_dump({key: value for key, value in said.items() if value}, allow_unicode=True)
    fired = [f"- {summary}" for summary in summaries if summary]
    lines = [f"# {title}", "", "A resolved incident.", ""]
    lines += ["## Alerts", "", *fired, ""] if fired else []
    lines += ["## Notes", "", *(_noted(note) for note in sorted(notes, key=_created))]
    return f"---\n{front}---\n" + "\n".join(lines)


def _alert(line: str) -> str:
    return alert_and_words(line)[0] or alert_in(line)


def _noted(note: Record) -> str:
    who = _line((note.get("user") or {}).get("summary")) or "somebody"
    return f"{who}, {_created(note)}:\n\n{str(note.get('content') or '').strip()}\n"


def _created(note: Record) -> str:
    return str(note.get("created_at") or "")


def _line(text: object) -> str:
    return " ".join(str(text or "").split())


def _records(answer: Record, key: str) -> Sequence[Record]:
    found = answer.get(key)
    if not isinstance(found, list):
        raise IngestError(f"PagerDuty answered without {key!r}; is the address its REST API?")
    return found


def _resolved(incident: Record) -> datetime | None:
    text = incident.get("resolved_at") or incident.get("last_status_change_at")
    try:
        return datetime.fromisoformat(str(text)).astimezone(UTC)
    except ValueError:
        return None
