"""What can be opened and completed: open incidents as live entries, incidents by address, and ids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mcp_servers.answer import Answer
from mcp_servers.pagerduty.client import PAGE, PagerDuty, Record
from mcp_servers.pagerduty.shapes import Incident
from mcp_servers.pagerduty.tools import Tools
from mcp_servers.spec import Entry

MOST_SERVICES = 500


@dataclass(frozen=True, slots=True)
class Browsing:
    """Listings and addresses for people who browse rather than ask."""

    pagerduty: PagerDuty
    tools: Tools

    async def incident(self, id: str) -> str:
        """An incident with its alerts and notes, as JSON, by its id or number."""
        return _json(await self.tools.get_incident(id))

    async def incidents(self) -> str:
        """The incidents that are open now, as JSON."""
        return _json(await self.tools.get_active_incidents(limit=PAGE))

    async def listing(self) -> list[Entry]:
        """The open incidents, newest first; their descriptions say how bad, where and since when."""
        return [_entry(one) for one in await self._open()]

    async def complete(self, argument: str, typed: str) -> list[str]:
        """Ids of open incidents and of services, found by any part of what they are known by."""
        if argument in ("id", "incident_id"):
            return [one.id for one in await self._open() if typed.lower() in _known_by(one)]
        if argument == "service_id":
            return [str(one["id"]) for one in await self._services(typed)]
        return []

    async def _open(self) -> list[Incident]:
        data = (await self.tools.get_active_incidents(limit=PAGE)).data
        return data.incidents if data else []

    async def _services(self, typed: str) -> list[Record]:
        """Services with a name or an id like this."""
        tool, wanted = "complete", typed.lower()
        listing = await self.pagerduty.listing("/services", "services", tool, MOST_SERVICES)
        return [
            one for one in listing.records if wanted in f"{one.get('name')} {one['id']}".lower()
        ]


def _entry(incident: Incident) -> Entry:
    return Entry(
        uri=f"pagerduty://incidents/{incident.id}",
        name=incident.title or incident.id,
        description=(
            f"{incident.status}, {incident.urgency} urgency, {incident.service}, "
            f"since {incident.created_at}"
        ),
    )


def _known_by(incident: Incident) -> str:
    return f"{incident.id} {incident.number} {incident.title} {incident.service}".lower()


def _json(answer: Answer[Any]) -> str:
    """What was found, and what of it could not be read."""
    return answer.model_dump_json(exclude_defaults=True)
