"""One alert as a source told it, cut to size and cleaned: it was written by others."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import Field

from assistant.errors import AssistantError
from assistant.incident import Alert, Frozen
from assistant.report.words import clean, clean_block

MOST_LABELS = 64
LONGEST_VALUE = 256
LONGEST_TITLE = 300
LONGEST_DETAILS = 4000
LONGEST_KEY = 128
_GO_HAS_NO_TIME = 1
"""Go writes an absent time as one in the year 1."""


class Malformed(AssistantError):  # noqa: N818 - names what was given
    """What a source sent is not in its form; the text says which field."""


class Received(Frozen):
    """What one source said of one alert."""

    source: Literal["pagerduty", "alertmanager"]
    key: str = Field(description="the source's own dedup key of this occurrence")
    fingerprint: str = Field("", description="the same for all occurrences of one series")
    title: str
    starts_at: datetime
    resolved_at: datetime | None = None
    labels: Mapping[str, str] = Field(default_factory=dict)
    service: str = ""
    url: str = ""
    details: str = ""

    @property
    def id(self) -> str:
        """The dedup key and the fingerprint: the same alert told twice has one id."""
        return ":".join(part for part in (self.source, self.key, self.fingerprint) if part)

    @property
    def alert_id(self) -> str:
        """What a triage is asked for: PagerDuty's own id, or ours where it knows none."""
        return self.key if self.source == "pagerduty" else self.id

    def by_value(self) -> Alert | None:
        """The alert itself where no system can be asked for it by id; None where PagerDuty can."""
        if self.source == "pagerduty":
            return None
        return Alert(
            id=self.alert_id,
            title=self.title,
            created_at=self.starts_at,
            status="resolved" if self.resolved_at else "triggered",
            service=self.service,
            url=self.url,
            resolved_at=self.resolved_at,
            labels=self.labels,
            details=self.details,
        )


def line(value: Any, most: int) -> str:
    """One clean line of at most so many characters; nothing for what is no text or number."""
    return clean(str(value))[:most] if isinstance(value, str | int | float) else ""


def block(value: str) -> str:
    """Clean text of several lines, cut."""
    return clean_block(value)[:LONGEST_DETAILS]


def labels_of(value: Any, longest: int = LONGEST_VALUE) -> dict[str, str]:
    """Names and values, cut and cleaned. Raises Malformed for anything but an object."""
    if not isinstance(value, Mapping):
        raise Malformed(f"labels: expected an object, got {type(value).__name__}")
    pairs = [(line(key, LONGEST_VALUE), line(one, longest)) for key, one in value.items()]
    return dict([(key, one) for key, one in pairs if key and one][:MOST_LABELS])


def instant(value: Any, field: str) -> datetime | None:
    """An RFC 3339 time in UTC; None for an absent one. Raises Malformed for any other text."""
    if value is None or value == "":
        return None
    try:
        parsed = datetime.fromisoformat(value)
        if parsed.year <= _GO_HAS_NO_TIME:
            return None
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (TypeError, ValueError, OverflowError) as error:
        raise Malformed(f"{field}: {line(value, 60)!r} is no RFC 3339 time") from error
