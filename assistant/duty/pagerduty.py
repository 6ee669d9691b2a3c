"""PagerDuty's v3 webhook: whether it comes from PagerDuty, and what it tells of which incident."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from assistant.duty.received import (
    LONGEST_KEY,
    LONGEST_TITLE,
    LONGEST_VALUE,
    Malformed,
    Received,
    instant,
    line,
)

FIRING = ("incident.triggered", "incident.reopened")
RESOLVED = "incident.resolved"
_VERSION = "v1="
_MOST_SIGNATURES = 10
_RULE = re.compile(r"^\[FIRING:\d+\]\s+([A-Z]\w+)")
"""How Alertmanager titles what it sends on to PagerDuty: the rule's name stands first."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event; `alert` is None where it changes nothing for duty (an acknowledgement, a ping)."""

    id: str
    kind: str
    at: datetime
    alert: Received | None


def signed(body: bytes, header: str, secrets: Iterable[str]) -> bool:
    """Whether one of the header's `v1` signatures was made of this body with one of the secrets.

    Every pair is compared, in constant time each: how long it takes tells nothing.
    """
    given = [part.strip()[len(_VERSION) :] for part in header.split(",")[:_MOST_SIGNATURES]
             if part.strip().startswith(_VERSION)]  # fmt: skip
    right = False
    for secret in secrets:
        made = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().encode()
        for one in given:
            right |= hmac.compare_digest(made, one.encode())
    return right


def event_of(body: Any) -> Event:
    """The event of a delivery. Raises Malformed, naming the field."""
    event = _object(_object(body, "the body").get("event"), "event")
    id, kind = line(event.get("id"), LONGEST_KEY), line(event.get("event_type"), LONGEST_KEY)
    at = instant(event.get("occurred_at"), "event.occurred_at")
    if not id or not kind or at is None:
        raise Malformed("event: id, event_type and occurred_at are needed")
    if kind not in (*FIRING, RESOLVED):
        return Event(id, kind, at, None)
    return Event(id, kind, at, _alert(_object(event.get("data"), "event.data"), kind, at))


def _alert(incident: Mapping[str, Any], kind: str, at: datetime) -> Received:
    created = instant(incident.get("created_at"), "event.data.created_at") or at
    service = incident.get("service")
    return received(
        incident.get("id"),
        incident.get("title"),
        starts_at=at if kind == "incident.reopened" else created,
        resolved_at=at if kind == RESOLVED else None,
        service=service.get("summary") if isinstance(service, Mapping) else "",
        url=incident.get("html_url"),
    )


def received(  # noqa: PLR0913 - the fields of an incident, in two forms of which this is the common one
    id: Any,
    title: Any,
    *,
    starts_at: datetime,
    resolved_at: datetime | None = None,
    service: Any = "",
    url: Any = "",
    labels: Mapping[str, str] | None = None,
) -> Received:
    """An incident of PagerDuty, told by its webhook or found by asking. Raises Malformed."""
    key = line(id, LONGEST_KEY)
    if not key:
        raise Malformed("event.data.id: an incident without an id")
    said = line(title, LONGEST_TITLE)
    rule = _RULE.match(said)
    named = {"alertname": rule[1]} if rule else {}
    return Received(
        source="pagerduty",
        key=key,
        title=said or f"PagerDuty incident {key}",
        starts_at=starts_at,
        resolved_at=resolved_at,
        labels=named | dict(labels or {}),
        service=line(service, LONGEST_VALUE),
        url=line(url, 4 * LONGEST_VALUE),
    )


def _object(value: Any, field: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise Malformed(f"{field}: expected an object, got {type(value).__name__}")
    return value
