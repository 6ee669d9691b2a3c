"""Points in time as the tools take and give them: RFC 3339, UTC."""

from __future__ import annotations

from datetime import UTC, datetime

from mcp_servers.answer import Status, ToolFailure


def rfc3339(moment: datetime) -> str:
    """`2026-01-31T12:00:00Z`."""
    return aware(moment).strftime("%Y-%m-%dT%H:%M:%SZ")


def from_unix(seconds: float) -> str:
    """Seconds since 1970, as RFC 3339."""
    return rfc3339(datetime.fromtimestamp(seconds, UTC))


def aware(moment: datetime) -> datetime:
    """The same moment in UTC and whole seconds; one without a zone is taken as UTC."""
    zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return zoned.astimezone(UTC).replace(microsecond=0)


def moment(text: str, default: datetime, name: str = "time") -> datetime:
    """What `text` says, or `default` where it is empty."""
    if not text.strip():
        return aware(default)
    try:
        return aware(datetime.fromisoformat(text.strip()))
    except ValueError as error:
        raise ToolFailure(
            Status.ERROR,
            f"{name} {text!r} is not a point in time: {error}",
            (f"give {name} as RFC 3339, e.g. 2026-01-31T12:00:00Z, or leave it empty",),
        ) from error
