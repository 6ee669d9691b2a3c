"""Prompt templates: how a person or a model goes about an incident or a service. Pure."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

Id = Annotated[str, Field(description="incident id, number, alert id or web address: PT4KHLK")]
ServiceId = Annotated[str, Field(description="id of a PagerDuty service: PIJ90N7")]
Time = Annotated[str, Field(description="RFC 3339: 2026-01-31T12:00:00Z")]


async def summarize_incident(id: Id) -> str:
    """A short account of an incident for somebody who just woke up."""
    return (
        f"Summarize PagerDuty incident {id!r} in five lines: what fired, where (from the alerts' "
        "labels), since when, what changed in the two hours before (list_change_events), and who is "
        "on call (get_oncall). Use get_incident first. State only what the answers show, and say "
        "which of them were empty or could not be read."
    )


async def review_service(service_id: ServiceId, since: Time, until: Time) -> str:
    """What was changed on a service in a window, and what fired after each change."""
    window = f"service_id={service_id!r}, since={since!r}, until={until!r}"
    return (
        f"Ask list_change_events and get_recent_alerts with {window}. Put both into one timeline, "
        "oldest first, and mark each alert that began within thirty minutes after a change. Nearness "
        "is no proof: for each such pair say what would confirm or rule out the change as its cause. "
        "No change event does not mean that nothing changed."
    )
