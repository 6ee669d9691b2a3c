"""The event tool: what happened, deduplicated, newest first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import Field

from mcp_servers.answer import Answer
from mcp_servers.kubernetes.arguments import KindName, Namespace, Time
from mcp_servers.kubernetes.fields import (
    LONG_AGO,
    Object,
    asked_time,
    metadata,
    number_at,
    object_at,
    parsed_time,
    text_at,
    words,
)
from mcp_servers.kubernetes.kinds import BY_NAME, builtin
from mcp_servers.kubernetes.models import EventList, EventRow
from mcp_servers.kubernetes.question import segment
from mcp_servers.kubernetes.reader import Reader

EVENT = BY_NAME["Event"]
COMBINED = "(combined from similar events): "


@dataclass(frozen=True, slots=True)
class Span:
    """A span of time, open at either end."""

    since: datetime | None = None
    until: datetime | None = None

    def holds(self, event: EventRow) -> bool:
        """Whether the event was going on at some time of this span; one without time always was."""
        first, last = parsed_time(event.first_seen), parsed_time(event.last_seen)
        too_early = self.since and last and last < self.since
        too_late = self.until and first and first > self.until
        return not (too_early or too_late)


class Events:
    """Tools about events."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def get_recent_events(  # noqa: PLR0913, PLR0917 - each argument is one way to narrow
        self,
        namespace: Namespace = "",
        since: Time = "",
        until: Annotated[str, Field(description="RFC 3339", max_length=40)] = "",
        kind: Annotated[KindName, Field(description="of the object, e.g. Pod")] = "",
        name: Annotated[str, Field(description="of the object", max_length=253)] = "",
        warnings_only: bool = False,  # noqa: FBT001, FBT002 - a tool's arguments are named
        limit: Annotated[int, Field(ge=1, le=1000)] = 200,
    ) -> Answer[EventList]:
        """Events of the cluster, repetitions merged (count, first and last time), newest first.
        Use it to see scheduling, pulls, probes, kills, evictions, quota and volume trouble; kind
        and name narrow to one object. Clusters keep events for about an hour: none does not mean
        that nothing happened.
        """
        span = Span(asked_time(since, "since"), asked_time(until, "until"))
        namespace, query = _narrowed(namespace, kind, name, warnings_only=warnings_only)
        found = await self._reader.all(EVENT, namespace, lambda item: _within(item, span), query)
        rows = merged(found.items)
        return await self._reader.answer(
            EventList(events=rows[:limit]),
            total=len(rows),
            shown=len(rows[:limit]),
            namespace="" if found.read else namespace,
            unseen="there are more events than were read" if found.cursor else "",
        )

    async def of(self, namespace: str, kind: str, name: str) -> list[EventRow]:
        """The events of one object, newest first."""
        namespace, query = _narrowed(namespace, kind, name, warnings_only=False)
        found = await self._reader.all(EVENT, namespace, row, query)
        return merged(found.items)

    async def warnings(self, namespace: str) -> list[EventRow]:
        """All warnings, newest first."""
        found = await self._reader.all(EVENT, namespace, row, {"fieldSelector": "type=Warning"})
        return merged(found.items)


def _narrowed(
    namespace: str, kind: str, name: str, *, warnings_only: bool
) -> tuple[str, dict[str, str]]:
    """Where to ask and with which field selector."""
    known = builtin(kind) if kind else None
    if known and not known.namespaced:
        namespace = ""  # events of nodes and the like stand in whatever namespace their maker chose
    fields = {
        "involvedObject.kind": known.name if known else kind and segment(kind, "kind"),
        "involvedObject.name": segment(name, "name") if name else "",
        "type": "Warning" if warnings_only else "",
    }
    selector = ",".join(f"{field}={value}" for field, value in fields.items() if value)
    return namespace, {"fieldSelector": selector}


def row(event: Object) -> EventRow:
    """One event object on one line, of either events API."""
    about = object_at(event, "involvedObject") or object_at(event, "regarding")
    first = event.get("firstTimestamp") or event.get("eventTime")
    last = event.get("lastTimestamp") or text_at(event, "series", "lastObservedTime")
    made = metadata(event).get("creationTimestamp")
    message = words(event.get("message") or event.get("note"))
    count = event.get("count") or number_at(event, "series", "count")
    return EventRow(
        namespace=text_at(about, "namespace") or text_at(metadata(event), "namespace"),
        kind=text_at(about, "kind"),
        name=text_at(about, "name"),
        type=text_at(event, "type"),
        reason=text_at(event, "reason"),
        message=message.removeprefix(COMBINED),
        count=count if isinstance(count, int) and count > 0 else 1,
        first_seen=str(first or last or made or ""),
        last_seen=str(last or first or made or ""),
        component=text_at(event, "source", "component") or text_at(event, "reportingComponent"),
    )


def _within(event: Object, span: Span) -> EventRow | None:
    found = row(event)
    return found if span.holds(found) else None


def merged(rows: Iterable[EventRow]) -> list[EventRow]:
    """The same thing said of the same object as one row, newest first."""
    together: dict[tuple[str, ...], EventRow] = {}
    for event in rows:
        key = (event.namespace, event.kind, event.name, event.type, event.reason, event.message)
        known = together.get(key)
        together[key] = _joined(known, event) if known else event
    return sorted(together.values(), key=_newest_first)


def _joined(one: EventRow, other: EventRow) -> EventRow:
    return one.model_copy(
        update={
            "count": one.count + other.count,
            "first_seen": min((one.first_seen, other.first_seen), key=_moment),
            "last_seen": max((one.last_seen, other.last_seen), key=_moment),
        }
    )


def _newest_first(event: EventRow) -> tuple[float, str, str, str]:
    since_long_ago = (_moment(event.last_seen) - LONG_AGO).total_seconds()
    return (-since_long_ago, event.namespace, event.name, event.reason)


def _moment(text: str) -> datetime:
    return parsed_time(text) or LONG_AGO
