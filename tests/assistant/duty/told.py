"""Alerts as the tests of duty speak of them, and as their sources send them."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

from assistant.duty.received import Received

NOW = datetime(2026, 11, 3, 2, 10, tzinfo=UTC)
SECRET = "first-secret-of-the-subscription"


def at(seconds: float = 0.0) -> datetime:
    """So many seconds after the tests begin."""
    return NOW + timedelta(seconds=seconds)


def alert(
    name: str, seconds: float = 0.0, resolved: float | None = None, **labels: str
) -> Received:
    """An alert of Alertmanager. `name` is its fingerprint; `kind` its rule."""
    rule = labels.pop("kind", name)
    return Received(
        source="alertmanager",
        key=f"{at(seconds):%Y%m%dT%H%M%S.%fZ}",
        fingerprint=name,
        title=rule,
        starts_at=at(seconds),
        resolved_at=None if resolved is None else at(resolved),
        labels={"alertname": rule, **labels},
    )


def incident(id: str, seconds: float = 0.0, resolved: float | None = None, **fields) -> Received:
    """An incident of PagerDuty."""
    return Received(
        source="pagerduty",
        key=id,
        title=fields.pop("title", f"trouble {id}"),
        starts_at=at(seconds),
        resolved_at=None if resolved is None else at(resolved),
        **fields,
    )


def notification(*rows: dict, **fields) -> dict:
    """What Alertmanager posts."""
    body = {"version": "4", "status": "firing", "receiver": "duty", "groupKey": "{}:{}",
            "truncatedAlerts": 0, "externalURL": "http://alerts.example", "alerts": list(rows)}  # fmt: skip
    return body | fields


def row(name: str, seconds: float = 0.0, status: str = "firing", **labels: str) -> dict:
    """One alert of a notification."""
    ended = at(seconds + 60).isoformat() if status == "resolved" else "0001-01-01T00:00:00Z"
    return {
        "status": status,
        "labels": {"alertname": name, **labels},
        "annotations": {"summary": f"{name} is up"},
        "startsAt": at(seconds).isoformat(),
        "endsAt": ended,
        "generatorURL": "http://prometheus.example/graph?g0.expr=up",
        "fingerprint": hashlib.sha256(json.dumps([name, labels]).encode()).hexdigest()[:16],
    }


def event(
    kind: str = "incident.triggered", id: str = "PT4KHLK", seconds: float = 0.0, **data
) -> dict:
    """What PagerDuty posts."""
    said = {"id": id, "type": "incident", "title": "Portal: checkout answers 503",
            "status": "triggered", "number": 7, "incident_key": "k", "created_at": at().isoformat(),
            "html_url": f"https://example.pagerduty.com/incidents/{id}",
            "service": {"id": "PIJ90N7", "summary": "Portal", "type": "service_reference"}}  # fmt: skip
    return {"event": {
        "id": f"{kind}-{id}-{seconds:g}", "event_type": kind, "resource_type": "incident",
        "occurred_at": at(seconds).isoformat(), "data": said | data,
    }}  # fmt: skip


def signature(body: bytes, secret: str = SECRET) -> str:
    """The signature of a body."""
    return "v1=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
