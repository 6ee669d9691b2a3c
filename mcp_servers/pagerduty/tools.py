"""The tools of the PagerDuty server: incidents, alerts, changes, history and who is on call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Any, TypeVar

from pydantic import Field

from mcp_servers.answer import Answer, Status, ToolFailure, found
from mcp_servers.moments import aware, moment, rfc3339
from mcp_servers.pagerduty import shapes
from mcp_servers.pagerduty.client import PAGE, Listing, PagerDuty, Record, many, segment
from mcp_servers.pagerduty.lookup import find_incident
from mcp_servers.pagerduty.shapes import (
    Alert,
    ChangeEvent,
    Flat,
    Incident,
    LogEntry,
    Note,
    OnCall,
    PastIncident,
)
from mcp_servers.spec import Clock
from mcp_servers.together import outcomes

OPEN = ("triggered", "acknowledged")
MOST_INCIDENTS = 50
"""How many incidents are opened to read their alerts."""
LONGEST_WINDOW = timedelta(days=180)

AnyId = Annotated[str, Field(min_length=1, max_length=300, description="e.g. PT4KHLK or 1234")]
IncidentId = Annotated[str, Field(min_length=1, max_length=100, description="e.g. PT4KHLK")]
ServiceId = Annotated[
    str, Field(max_length=100, description="service_id of an incident, e.g. PIJ90N7; empty: all")
]
PolicyId = Annotated[
    str, Field(max_length=100, description="escalation_policy_id of an incident; empty: all")
]
When = Annotated[datetime, Field(description="RFC 3339, e.g. 2026-01-31T12:00:00Z")]
_Limit = Annotated[int, Field(ge=1, le=500)]
_Data = TypeVar("_Data")
_Value = TypeVar("_Value")


class IncidentDetail(Flat):
    """One incident with its alerts and notes."""

    incident: Incident
    alerts: list[Alert]
    notes: list[Note]


class Incidents(Flat):
    """Incidents, newest first."""

    incidents: list[Incident]


class Alerts(Flat):
    """Alerts, newest first."""

    alerts: list[Alert]


class ChangeEvents(Flat):
    """Change events, newest first."""

    change_events: list[ChangeEvent]


class LogEntries(Flat):
    """History, newest first."""

    log_entries: list[LogEntry]


class OnCalls(Flat):
    """Who is on call, by escalation level."""

    on_call: list[OnCall]


class PastIncidents(Flat):
    """Similar incidents, most similar first."""

    past_incidents: list[PastIncident]


@dataclass(frozen=True, slots=True)
class Tools:
    """Reads of one PagerDuty account."""

    pagerduty: PagerDuty
    clock: Clock

    async def get_incident(self, id: AnyId) -> Answer[IncidentDetail]:
        """One incident with its service and escalation policy (names and ids), its alerts with
        their labels, and its notes. Begin here.

        `id` may be an incident id (PT4KHLK), an incident number (1234), an alert's id or key, or
        the web address of an incident or alert. Alert ids are searched in incidents of the last
        week only. It cannot acknowledge, resolve or change anything.
        """
        said = await find_incident(self.pagerduty, id, self.clock())
        alerts, notes = await outcomes(
            [
                partial(self._alerts_of, said["id"], "get_incident"),
                partial(self._notes, said["id"], "get_incident"),
            ]
        )
        missing = [one.reason for one in (alerts, notes) if isinstance(one, ToolFailure)]
        read = alerts if isinstance(alerts, Listing) else Listing([], 0, cut=True)
        told = notes.records if isinstance(notes, Listing) else []
        data = IncidentDetail(
            incident=shapes.incident(said),
            alerts=self._each("get_incident", shapes.alert, read.records),
            notes=self._each("get_incident", shapes.note, told),
        )
        cut = f"the first {len(read.records)} of {read.total} alerts" if read.cut else ""
        reason = "; ".join(missing) or cut
        answer = found(data, total=1, source=self.pagerduty.source, truncated=bool(reason))
        answer.reason = reason
        return answer

    async def get_active_incidents(
        self, service_id: ServiceId = "", limit: _Limit = 25
    ) -> Answer[Incidents]:
        """Incidents that are triggered or acknowledged now, newest first, without their alerts:
        status, urgency, service, since when, who has it.

        Use it to see what else is going on, or to find the id of what is burning. What was
        resolved meanwhile is not in it: see get_recent_alerts.
        """
        params = {"date_range": "all", **many("statuses", OPEN)}
        listing = await self._incidents("get_active_incidents", limit, service_id, params)
        data = Incidents(
            incidents=self._each("get_active_incidents", shapes.incident, listing.records)
        )
        return self._found(data, listing)

    async def get_recent_alerts(
        self, since: When, until: When, service_id: ServiceId = "", limit: _Limit = 100
    ) -> Answer[Alerts]:
        """Alerts created in a window, newest first, with their labels and incident; resolved ones
        too.

        Use it to see what fired together. They are read from the incidents of that window and
        those still open, at most 50 of each; what PagerDuty suppressed is not in it.
        """
        tool = "get_recent_alerts"
        listings = await self._around(tool, since, until, service_id)
        ids = dict.fromkeys(one["id"] for listing in listings for one in listing.records)
        read = await outcomes([partial(self._alerts_of, id, tool) for id in ids])
        failures = [one for one in read if isinstance(one, ToolFailure)]
        if failures and len(failures) == len(read):
            raise failures[0]
        records = [record for one in read if isinstance(one, Listing) for record in one.records]
        every = self._each(tool, shapes.alert, records)
        alerts = [one for one in every if _within(one, since, until)]
        alerts.sort(key=lambda one: one.created_at, reverse=True)
        cut = bool(failures) or any(one.cut for one in listings) or len(alerts) > limit
        data, source = Alerts(alerts=alerts[:limit]), self.pagerduty.source
        answer = found(data, total=len(alerts), source=source, truncated=cut)
        answer.reason = "; ".join(failure.reason for failure in failures[:3])
        return answer

    async def list_change_events(
        self, since: When, until: When, service_id: ServiceId = "", limit: _Limit = 100
    ) -> Answer[ChangeEvents]:
        """Deployments and other changes announced to PagerDuty in a window, newest first.

        Use it to see what changed before an incident. It knows only what was sent to it: no change
        event does not mean that nothing changed.
        """
        tool = "list_change_events"
        path = f"/services/{segment(service_id)}/change_events" if service_id else "/change_events"
        window = self._window(tool, since, until)
        listing = await self.pagerduty.listing(path, "change_events", tool, limit, window)
        events = self._each(tool, shapes.change_event, listing.records)
        events.sort(key=lambda one: one.at, reverse=True)
        return self._found(ChangeEvents(change_events=events), listing)

    async def list_log_entries(
        self, incident_id: IncidentId, limit: _Limit = 100
    ) -> Answer[LogEntries]:
        """The history of one incident, newest first: triggered, notified, acknowledged, escalated.

        Use it to see who did what, when. It cannot show what people did outside PagerDuty.
        """
        tool = "list_log_entries"
        path = f"/incidents/{segment(incident_id)}/log_entries"
        listing = await self.pagerduty.listing(path, "log_entries", tool, limit)
        entries = self._each(tool, shapes.log_entry, listing.records)
        return self._found(LogEntries(log_entries=entries), listing)

    async def get_oncall(
        self,
        escalation_policy_id: PolicyId = "",
        at: Annotated[
            str, Field(max_length=40, description="RFC 3339, as 2026-01-31T12:00:00Z; empty: now")
        ] = "",
    ) -> Answer[OnCalls]:
        """Who is on call at a moment, first level first; of one escalation policy, or of all.

        Use it to say whom to call. Names only; it cannot page anybody.
        """
        when = moment(at, self.clock(), "at")
        params = {
            "since": rfc3339(when),
            "until": rfc3339(when + timedelta(seconds=1)),
            **many(
                "escalation_policy_ids", (escalation_policy_id,) if escalation_policy_id else ()
            ),
        }
        listing = await self.pagerduty.listing("/oncalls", "oncalls", "get_oncall", PAGE, params)
        people = self._each("get_oncall", shapes.on_call, listing.records)
        people.sort(key=lambda one: (one.escalation_policy, one.level, one.name))
        return self._found(OnCalls(on_call=people), listing)

    async def get_past_incidents(
        self, incident_id: IncidentId, limit: Annotated[int, Field(ge=1, le=50)] = 5
    ) -> Answer[PastIncidents]:
        """Earlier incidents of the same service that PagerDuty finds similar, with its score.

        Use it to look for what helped before. Similar titles need not mean the same cause.
        """
        tool = "get_past_incidents"
        path = f"/incidents/{segment(incident_id)}/past_incidents"
        said = await self.pagerduty.get(
            path, "past_incidents", tool, {"limit": limit, "total": "true"}
        )
        past = self._each(tool, shapes.past_incident, said)
        past.sort(key=lambda one: -one.score)
        return found(
            PastIncidents(past_incidents=past), total=len(past), source=self.pagerduty.source
        )

    async def _incidents(
        self, tool: str, limit: int, service_id: str, params: dict[str, Any]
    ) -> Listing:
        asked = {
            "sort_by": "created_at:desc",
            **params,
            **many("service_ids", (service_id,) if service_id else ()),
        }
        return await self.pagerduty.listing("/incidents", "incidents", tool, limit, asked)

    async def _around(
        self, tool: str, since: datetime, until: datetime, service_id: str
    ) -> list[Listing]:
        """The incidents that began in a window, and those open now."""
        window = self._window(tool, since, until)
        opened = partial(self._incidents, tool, MOST_INCIDENTS, service_id, window)
        active = {"date_range": "all", **many("statuses", OPEN)}
        going = partial(self._incidents, tool, MOST_INCIDENTS, service_id, active)
        return self._all(await outcomes([opened, going]))

    async def _notes(self, incident_id: str, tool: str) -> Listing:
        """Notes are not paged."""
        path = f"/incidents/{segment(incident_id)}/notes"
        notes = await self.pagerduty.get(path, "notes", tool)
        return Listing(list(notes), len(notes), cut=False)

    async def _alerts_of(self, incident_id: str, tool: str) -> Listing:
        path = f"/incidents/{segment(incident_id)}/alerts"
        return await self.pagerduty.listing(path, "alerts", tool, PAGE)

    def _window(self, tool: str, since: datetime, until: datetime) -> dict[str, Any]:
        """Both ends as PagerDuty wants them, or a failure where they make no window."""
        asked = f"since {rfc3339(since)} until {rfc3339(until)}"
        if aware(until) <= aware(since) or aware(until) - aware(since) > LONGEST_WINDOW:
            raise ToolFailure(
                Status.ERROR,
                f"pagerduty.{tool} failed for {asked}: the window must run forward, at most 180 days",
                ("give since before until",),
                self.pagerduty.source,
            )
        return {"since": rfc3339(since), "until": rfc3339(until)}

    def _all(self, met: list[_Value | ToolFailure]) -> list[_Value]:
        """The values; where nothing could be had, the first failure."""
        values = [one for one in met if not isinstance(one, ToolFailure)]
        failures = [one for one in met if isinstance(one, ToolFailure)]
        if failures:
            raise failures[0]
        return values

    def _each(
        self, tool: str, shape: Callable[[Record], _Value], records: list[Record]
    ) -> list[_Value]:
        """Each record in our shape; a record that is not PagerDuty's is a failure, not a crash."""
        try:
            return [shape(record) for record in records]
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ToolFailure(
                Status.ERROR,
                f"pagerduty.{tool} failed: a record is not in PagerDuty's form "
                f"({type(error).__name__}: {error})",
                ("check PAGERDUTY_API_URL, and whether a proxy answers in its place",),
                self.pagerduty.source,
            ) from error

    def _found(self, data: _Data, listing: Listing) -> Answer[_Data]:
        return found(data, total=listing.total, source=self.pagerduty.source, truncated=listing.cut)


def _within(alert: Alert, since: datetime, until: datetime) -> bool:
    """Whether an alert was created in the window; one without a time is kept."""
    if not alert.created_at:
        return True
    created = aware(datetime.fromisoformat(alert.created_at))
    return aware(since) <= created <= aware(until)
