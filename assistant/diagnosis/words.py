"""Words that the conclusions share."""

from __future__ import annotations

from datetime import timedelta


def span(length: timedelta) -> str:
    """`7 min`, `3 h`, `2 days`: a span in the unit that a person would use."""
    minutes = max(round(length.total_seconds() / 60), 1)
    if minutes < 120:  # noqa: PLR2004 - two hours
        return f"{minutes} min"
    hours = round(minutes / 60)
    return f"{hours} h" if hours < 48 else f"{round(hours / 24)} days"  # noqa: PLR2004 - two days
