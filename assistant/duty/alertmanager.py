"""Alertmanager's webhook, version 4 of its JSON, into the alerts that it tells of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from assistant.duty.received import (
    LONGEST_KEY,
    LONGEST_TITLE,
    LONGEST_VALUE,
    Malformed,
    Received,
    block,
    instant,
    labels_of,
    line,
)

VERSION = "4"
MOST_ALERTS = 10_000
LONGEST_ANNOTATION = 1000
_TOLD_FIRST = ("summary", "message", "description")


@dataclass(frozen=True, slots=True)
class Told:
    """The alerts of one notification, what could not be read of it, and how many it left out."""

    alerts: tuple[Received, ...]
    malformed: tuple[str, ...] = ()
    left_out: int = 0


def alerts_of(body: Any) -> Told:
    """Each alert of a notification. One that cannot be read does not keep the others out.

    Raises Malformed where the notification is not of version 4, or none of its alerts can be read.
    """
    if not isinstance(body, Mapping) or str(body.get("version")) != VERSION:
        raise Malformed(f'expected Alertmanager\'s webhook JSON with "version": "{VERSION}"')
    rows = body.get("alerts")
    if not isinstance(rows, list) or not rows or len(rows) > MOST_ALERTS:
        raise Malformed(f"alerts: expected a list of 1 to {MOST_ALERTS} alerts")
    alerts: list[Received] = []
    malformed: list[str] = []
    for place, row in enumerate(rows):
        try:
            alerts.append(_alert(row))
        except Malformed as error:
            malformed.append(f"alerts[{place}].{error}")
    if not alerts:
        raise Malformed("; ".join(malformed[:3]))
    cut = body.get("truncatedAlerts")
    return Told(tuple(alerts), tuple(malformed), cut if isinstance(cut, int) else 0)


def _alert(row: Any) -> Received:
    if not isinstance(row, Mapping):
        raise Malformed(f"expected an object, got {type(row).__name__}")
    labels = labels_of(row.get("labels"))
    fingerprint = line(row.get("fingerprint"), LONGEST_KEY)
    starts_at = instant(row.get("startsAt"), "startsAt")
    if not fingerprint or starts_at is None:
        raise Malformed("fingerprint and startsAt: both are needed to know the alert again")
    resolved = row.get("status") == "resolved"
    ends_at = instant(row.get("endsAt"), "endsAt")
    annotations = labels_of(row.get("annotations") or {}, LONGEST_ANNOTATION)
    return Received(
        source="alertmanager",
        key=f"{starts_at:%Y%m%dT%H%M%S.%fZ}",
        fingerprint=fingerprint,
        title=_title(labels, annotations),
        starts_at=starts_at,
        resolved_at=(ends_at or starts_at) if resolved else None,
        labels=labels,
        url=_web_address(row.get("generatorURL")),
        details=block("\n".join(f"{name}: {text}" for name, text in annotations.items())),
    )


def _title(labels: Mapping[str, str], annotations: Mapping[str, str]) -> str:
    """The rule's name and what it says of this alert."""
    name = labels.get("alertname", "")
    said = next((annotations[key] for key in _TOLD_FIRST if annotations.get(key)), "")
    return (
        ": ".join(part for part in (name, said) if part)[:LONGEST_TITLE] or "alert without a name"
    )


def _web_address(value: Any) -> str:
    text = line(value, 4 * LONGEST_VALUE)
    try:
        return text if urlsplit(text).scheme in ("http", "https") else ""
    except ValueError:
        return ""
