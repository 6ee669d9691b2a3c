"""Asks PagerDuty for alerts where no webhook can reach, through the same tools as a triage."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import anyio
import anyio.to_thread

from assistant.duty.pagerduty import received
from assistant.duty.queue import Queue
from assistant.duty.received import Malformed, Received, labels_of
from assistant.duty.taking import Taken
from assistant.errors import AssistantError
from assistant.incident import Evidence, Status
from assistant.snapshot import listing, mapping, moment
from assistant.toolbox import Call

_LOG = logging.getLogger(__name__)
MOST_INCIDENTS = 500
LOOKBACK = timedelta(hours=1)
"""Whose labels are read: alerts that began before bring the name of their service alone."""

Asking = Callable[[Iterable[Call]], Awaitable[list[Evidence]]]
"""Asks anew each time: a toolbox of its own, since one toolbox asks nothing twice."""


@dataclass(frozen=True, slots=True)
class Polled:
    """What one look at PagerDuty brought. `blind` says what could not be seen; empty if all was."""

    taken: Taken = field(default_factory=Taken)
    gone: int = 0
    blind: str = ""


@dataclass(frozen=True, slots=True)
class Poll:
    """One look at PagerDuty after the other."""

    queue: Queue
    ask: Asking
    clock: Callable[[], datetime]
    wake: Callable[[], None] = lambda: None
    """Called after each look: there may be something to do."""

    async def run(self, seconds: float) -> None:
        """Look again and again, until cancelled. What could not be seen is logged when it changes."""
        blind = ""
        while True:
            try:
                polled = await self.once()
            except AssistantError as error:
                polled = Polled(blind=str(error))
            if polled.blind and polled.blind != blind:
                _LOG.warning("%s", polled.blind)
            blind = polled.blind
            self.wake()
            await anyio.sleep(seconds)

    async def once(self) -> Polled:
        """Take what is open, and resolve what is no longer.

        An answer that is missing or cut closes nothing: not seen is not resolved.
        """
        asked = self.clock()
        incidents, alerts = await self.ask(_calls(asked))
        if not incidents.status.seen or incidents.status is Status.STALE:
            return Polled(blind=f"PagerDuty was not seen ({incidents.status}): {incidents.reason}")
        rows = [mapping(row) for row in listing(incidents.data, "incidents")]
        found = list(_received(rows, _labels(alerts), asked))
        whole = not incidents.truncated and len(found) == len(rows)
        queue, now = self.queue, self.clock()
        taken = await anyio.to_thread.run_sync(lambda: queue.take(found, now))
        keys, gone = [one.key for one in found], 0
        if whole:
            gone = await anyio.to_thread.run_sync(
                lambda: queue.resolve_absent("pagerduty", keys, asked, now)
            )
        return Polled(taken, gone, "" if whole else _cut(incidents, len(rows), len(found)))


def _calls(now: datetime) -> tuple[Call, Call]:
    span = {"since": (now - LOOKBACK).isoformat(), "until": now.isoformat()}
    return (
        Call("pagerduty.get_active_incidents", {"limit": MOST_INCIDENTS}, "what is open now"),
        Call("pagerduty.get_recent_alerts", {**span, "limit": MOST_INCIDENTS}, "the labels of it"),
    )


def _received(
    rows: Iterable[Mapping[str, Any]], labels: Mapping[str, Mapping[str, str]], now: datetime
) -> Iterator[Received]:
    for row in rows:
        try:
            yield received(
                row.get("id"),
                row.get("title"),
                starts_at=moment(row.get("created_at")) or now,
                service=row.get("service"),
                url=row.get("url"),
                labels=labels.get(str(row.get("id")), {}),
            )
        except Malformed:
            continue  # `once` sees that one is missing, and says so


def _labels(alerts: Evidence) -> dict[str, dict[str, str]]:
    """The labels of each incident: those of its first alert win."""
    found: dict[str, dict[str, str]] = {}
    for row in map(mapping, listing(alerts.data, "alerts")):
        said = labels_of(mapping(row, "labels"))
        known = found.setdefault(str(row.get("incident_id")), {})
        known.update({key: value for key, value in said.items() if key not in known})
    return found


def _cut(incidents: Evidence, rows: int, read: int) -> str:
    if rows != read:
        return f"{rows - read} of {rows} incidents of PagerDuty could not be read"
    return f"PagerDuty has {incidents.total} open incidents, {rows} of them were read"
