"""Prompt templates: how a person or a model goes about an alert or a service. Pure."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

AlertName = Annotated[str, Field(description="name of the alert: KubePodCrashLooping")]
Time = Annotated[str, Field(description="RFC 3339: 2026-01-31T12:00:00Z")]
OptionalTime = Annotated[str, Field(description="RFC 3339: 2026-01-31T12:00:00Z; empty: now")]
Service = Annotated[str, Field(description="as its requests are labelled: checkout")]
Namespace = Annotated[str, Field(description="payments; empty: any")]


async def explain_alert(alert: AlertName, at: OptionalTime = "") -> str:
    """How to find out what a Prometheus alert means and what moved with it."""
    return (
        f"Explain the Prometheus alert {alert!r}{f' as of {at}' if at else ''}. Read its rule with "
        "list_rules and its labels with list_alerts. Ask query_range for the rule's expression "
        "over the hour before it became active, then get_metrics for the service its labels name. "
        "State only what the answers show, with the query for each number, and what is missing."
    )


async def check_service(service: Service, start: Time, end: Time, namespace: Namespace = "") -> str:
    """Whether a service's signals are out of line in a window, since when, and what moved first."""
    where = f"service={service!r}" + (f", namespace={namespace!r}" if namespace else "")
    return (
        f"Ask get_metrics for {where} from {start} to {end}. Say which signals are out of line "
        "against `before`, with both numbers, and which are missing. Then ask find_anomalies over "
        "the same window for what moved first: a cause does not begin after its effect. For a signal "
        "that is missing look at get_targets. Missing is not healthy; say what you could not see."
    )
