"""From whatever the on-call has in hand (id, number, alert, web address) to the incident.

PagerDuty's REST API reads an incident by id or number, and finds it by an alert's key; for an
alert's id it has no address, so recent incidents are searched, within a bound.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import unquote, urlsplit

from mcp_servers.answer import Status, ToolFailure
from mcp_servers.moments import rfc3339
from mcp_servers.pagerduty.client import PagerDuty, Record, segment
from mcp_servers.together import outcomes

TOOL = "get_incident"
SEARCHED_INCIDENTS = 40
SEARCHED_DAYS = 7


async def find_incident(pagerduty: PagerDuty, given: str, now: datetime) -> Record:
    """The incident that `given` means. Raises a `ToolFailure` of `empty` that says what was tried."""
    kind, id = meant(given)
    if kind != "alert" and (direct := await _by_id(pagerduty, id)):
        return direct
    if id.isdigit():
        raise _unknown(given, "as an incident number", pagerduty.source)
    if keyed := await _by_key(pagerduty, id):
        return keyed
    return await _by_alert(pagerduty, id, given, now)


def meant(given: str) -> tuple[str, str]:
    """(`incident`, `alert` or ``, the id): web addresses taken apart, `#12` and `Q…` understood."""
    text = given.strip()
    path = urlsplit(text).path if "://" in text else text
    for kind in ("alert", "incident"):
        if match := re.search(rf"/{kind}s/([^/?#]+)", path):
            return kind, unquote(match[1])
    return "", text.lstrip("#")


async def _by_id(pagerduty: PagerDuty, id: str) -> Record | None:
    """Accepts an incident's id or its number."""
    said = await _or_none(pagerduty, f"/incidents/{segment(id)}", "incident", {})
    return said if isinstance(said, dict) and "id" in said else None


async def _by_key(pagerduty: PagerDuty, key: str) -> Record | None:
    """The newest incident of an alert key (the deduplication key that the sender chose)."""
    params = {"incident_key": key, "date_range": "all", "limit": 1, "sort_by": "created_at:desc"}
    incidents = await _or_none(pagerduty, "/incidents", "incidents", params) or []
    # An incident whose alerts carry the key has none of its own.
    fitting = [one for one in incidents if one.get("incident_key") in (None, "", key)]
    return fitting[0] if fitting else None


async def _by_alert(pagerduty: PagerDuty, id: str, given: str, now: datetime) -> Record:
    """The recent incident that holds the alert `id`."""
    params = {
        "since": rfc3339(now - timedelta(days=SEARCHED_DAYS)),
        "until": rfc3339(now + timedelta(minutes=5)),
        "sort_by": "created_at:desc",
    }
    recent = await pagerduty.listing("/incidents", "incidents", TOOL, SEARCHED_INCIDENTS, params)
    held = [
        partial(_or_none, pagerduty, f"/incidents/{one['id']}/alerts/{segment(id)}", "alert", {})
        for one in recent.records
    ]
    met = await outcomes(held)
    for one, alert in zip(recent.records, met, strict=True):
        if isinstance(alert, dict) and alert.get("id") == id:
            return one
    failures = [one for one in met if isinstance(one, ToolFailure)]
    if failures:
        raise failures[0]
    scope = f"the {len(recent.records)} newest incidents of the last {SEARCHED_DAYS} days"
    raise _unknown(
        given, f"as an incident id, as an alert key, and as an alert of {scope}", pagerduty.source
    )


async def _or_none(pagerduty: PagerDuty, path: str, key: str, params: dict[str, Any]) -> Any:
    """What stands there, or None where PagerDuty knows nothing of it."""
    try:
        return await pagerduty.get(path, key, TOOL, params)
    except ToolFailure as failure:
        if failure.status is Status.EMPTY:
            return None
        raise


def _unknown(given: str, tried: str, source: str) -> ToolFailure:
    return ToolFailure(
        Status.EMPTY,
        f"pagerduty.get_incident found nothing for {given!r}: tried {tried}",
        ("check the id in PagerDuty's web page", "see get_active_incidents for what is open"),
        source,
    )
