"""How times, amounts and other systems' text are put into words; every renderer uses these.

Text that came from a tool is data: `clean` takes out whatever could act on a terminal or hide.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import UTC, date, datetime

MINUTE, HOUR, DAY = 60, 3600, 86400


def utc(moment: datetime) -> datetime:
    """The same moment in UTC; one without a zone is taken for UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def clock(moment: datetime, today: date) -> str:
    """`02:41`, or `20 Nov 23:50` when that was not `today`."""
    at = utc(moment)
    return f"{at:%H:%M}" if at.date() == today else f"{day(at.date(), today)} {at:%H:%M}"


def day(when: date, today: date) -> str:
    """`20 Nov`, with the year when it is another one."""
    return f"{when.day} {when:%b}" + (f" {when.year}" if when.year != today.year else "")


def span(seconds: float) -> str:
    """A length of time as people say it: `45 s`, `19 min`, `2 h 5 min`, `3 days`."""
    whole = round(abs(seconds))
    if whole < 90:  # noqa: PLR2004 - "75 s" reads better than "1 min"
        return f"{whole} s"
    if whole < 90 * MINUTE:
        return f"{round(whole / MINUTE)} min"
    if whole < 2 * DAY:
        minutes = round(whole % HOUR / MINUTE)
        return f"{whole // HOUR} h" + (f" {minutes} min" if minutes else "")
    return f"{round(whole / DAY)} days"


def ago(moment: datetime, made_at: datetime) -> str:
    """`19 min before this report`."""
    seconds = (utc(made_at) - utc(moment)).total_seconds()
    return f"{span(seconds)} {'before' if seconds >= 0 else 'after'} this report"


def clean(text: str) -> str:
    """One line of `text`: no control, bidirectional or invisible characters, spaces folded."""
    return " ".join(_visible(text).split())


def clean_block(text: str) -> str:
    """`text` with its line breaks, and otherwise as `clean` leaves it."""
    return "\n".join(_visible(line).rstrip() for line in text.splitlines())


def _visible(text: str) -> str:
    # Nearly all text is plain; only the rest is looked at character by character.
    return text if text.isascii() and text.isprintable() else "".join(map(_shown, text))


def _shown(character: str) -> str:
    category = unicodedata.category(character)
    if category in ("Cc", "Zl", "Zp"):
        return " "
    if category == "Cs":
        return "\ufffd"
    return "" if category == "Cf" else character


def cut(text: str, limit: int) -> str:
    """`text` on one line, at most `limit` characters, with an ellipsis where it was cut."""
    line = clean(text)
    return line if len(line) <= limit else line[: max(limit - 1, 0)].rstrip() + "…"


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 finding`, `3 findings`."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def listed(items: Iterable[str], most: int = 3) -> str:
    """`a, b, c and 4 more`."""
    every = list(items)
    rest = len(every) - most
    return ", ".join(every[:most]) + (f" and {rest} more" if rest > 0 else "")


def confidence(value: float) -> str:
    """`92 % (high)`."""
    word = "high" if value >= 0.8 else "fair" if value >= 0.5 else "low"  # noqa: PLR2004
    return f"{value * 100:.0f} % ({word})"


def amount(value: float, unit: str) -> str:
    """A measured number with its unit, short enough for an axis: `12 %`, `480 MiB`, `1.2k req/s`."""
    unit = cut(unit, 12)
    if unit in ("ratio", "%", "percent"):
        return f"{_short(value * 100 if unit == 'ratio' else value)} %"
    if unit in ("bytes", "B"):
        return _stepped(value, 1024, ("B", "KiB", "MiB", "GiB", "TiB"))
    if unit in ("seconds", "s"):
        return f"{_short(value)} s" if abs(value) >= 1 or not value else f"{_short(value * 1e3)} ms"
    return f"{_stepped(value, 1000, ('', 'k', 'M', 'G', 'T')).replace(' ', '')} {unit}".strip()


def _stepped(value: float, base: int, names: tuple[str, ...]) -> str:
    step = 0
    while abs(value) >= base and step < len(names) - 1:
        value, step = value / base, step + 1
    return f"{_short(value)} {names[step]}"


def _short(value: float) -> str:
    if value and abs(value) < 0.01:  # noqa: PLR2004 - below this, digits after the point say nothing
        return f"{value:.1g}"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2  # noqa: PLR2004
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
