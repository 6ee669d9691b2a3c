"""Reads one incident and what surrounds it from PagerDuty, in PagerDuty's own shapes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import httpx2

from eval.lab.world import Json, rfc3339

_PAGE = 100
_MOST_PAGES = 20
_CHANGES_BEFORE = timedelta(days=1)


class Pager:
    """A reader that notes in `missed` what it could not get and goes on."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self._client = client
        self.missed: list[str] = []

    async def read(self, incident_id: str, start: datetime, end: datetime) -> Json:
        """The `pagerduty/incidents.json` of a world; empty where the incident cannot be read."""
        path = f"/incidents/{incident_id}"
        incident = (await self._get(path, {})).get("incident")
        if not incident:
            return {}
        window = {"since": rfc3339(start - _CHANGES_BEFORE), "until": rfc3339(end)}
        service = (incident.get("service") or {}).get("id", "")
        policy = (incident.get("escalation_policy") or {}).get("id", "")
        past = await self._get(f"{path}/past_incidents", {"limit": 20})
        return {
            "incidents": [incident],
            "alerts": {incident_id: await self._all(f"{path}/alerts", "alerts")},
            "log_entries": {incident_id: await self._all(f"{path}/log_entries", "log_entries")},
            "notes": {incident_id: (await self._get(f"{path}/notes", {})).get("notes", [])},
            "past_incidents": {incident_id: past.get("past_incidents", [])},
            "change_events": await self._all("/change_events", "change_events", window),
            "services": await self._one("services", "service", service),
            "escalation_policies": await self._one(
                "escalation_policies", "escalation_policy", policy
            ),
            "oncalls": await self._all(
                "/oncalls",
                "oncalls",
                {"escalation_policy_ids[]": policy, "since": rfc3339(end), "until": rfc3339(end)},
            ),
        }

    async def _one(self, key: str, name: str, id: str) -> list[Json]:
        item = (await self._get(f"/{key}/{id}", {})).get(name) if id else None
        return [item] if item else []

    async def _all(self, path: str, key: str, query: Json | None = None) -> list[Json]:
        found: list[Json] = []
        for _ in range(_MOST_PAGES):
            page = await self._get(path, {**(query or {}), "limit": _PAGE, "offset": len(found)})
            found += page.get(key, [])
            if not page.get("more"):
                return found
        self.missed.append(f"{path}: more than {len(found)}; the rest was not read")
        return found

    async def _get(self, path: str, query: dict[str, Any]) -> Json:
        try:
            response = await self._client.get(path, params=query)
            response.raise_for_status()
            body: Json = response.json()
        except (httpx2.HTTPError, ValueError) as error:
            self.missed.append(f"pagerduty {path}: {error}")
            return {}
        return body
