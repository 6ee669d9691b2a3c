"""The span of time that a sentence speaks of. Pure: the moment is given."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from assistant.incident import Window

NUMBERS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
)  # fmt: skip
_NUMBERS = {word: number for number, word in enumerate(NUMBERS)} | {"a": 1, "an": 1, "couple": 2, "few": 3, "fifteen": 15, "twenty": 20, "thirty": 30,
     "forty": 40, "sixty": 60, "ninety": 90}  # fmt: skip
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_LONGEST = timedelta(days=30)
_AROUND = timedelta(minutes=15)

_NUMBER = (
    rf"(?P<n>\d{{1,4}}|half an?|(?:an?|one) (?:couple|few)(?: of)?|{'|'.join(_NUMBERS)})(?: of)?"
)
_UNIT = r"(?P<u>s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?)\b"
_LEAD = r"(?:\b(?:in|over|within|during|for|from|of)\s+)?(?:\b(?:the|these)\s+)?"
_CLOCK = r"(?P<{0}>[012]?\d(?:[:.][0-5]\d)?)\s?(?P<{0}m>am|pm)?(?: utc)?"
_FULL_CLOCK = r"(?P<{0}>[012]?\d[:.][0-5]\d|[012]?\d(?=\s?[ap]m))\s?(?P<{0}m>am|pm)?(?: utc)?"

_LAST = re.compile(rf"{_LEAD}\b(?:last|past|previous|recent)\s+(?:{_NUMBER}\s*)?{_UNIT}")
_AGO = re.compile(rf"(?:\b(?:since|from|about|around|until)\s+)?\b{_NUMBER}\s*{_UNIT} ago\b")
_SPAN = re.compile(
    rf"(?<![\w.:-])(?:(?:of|in|at|for|during)\s+)?{_FULL_CLOCK.format('a')}\s*(?:-|\u2013|to|until|till|and)\s*{_FULL_CLOCK.format('b')}(?![\w.-])"
)
_SINCE = re.compile(rf"\b(?:since|after|from)\s+{_CLOCK.format('a')}(?![\w.-])")
_BETWEEN = re.compile(
    rf"\b(?:between|from)\s+{_CLOCK.format('a')}\s+(?:and|to|until|till)\s+{_CLOCK.format('b')}(?![\w.-])"
)
_AT = re.compile(r"\b(?:at|around|about|near)\s+(?P<a>[012]?\d[:.][0-5]\d|[012]?\d(?=\s?[ap]m))\s?(?P<am>am|pm)?(?: utc)?(?![\w.-])")  # fmt: skip
_BARE = re.compile(rf"\b(?:since|for)\s+(?:the\s+)?{_NUMBER}\s*{_UNIT}(?! ago)")
_NOW = re.compile(
    r"\b(?:right now|just now|now|currently|at the moment|at present|presently|as we speak)\b"
)
_NAMED = re.compile(
    r"(?:\b(?:since|from|in|over|during|until)\s+)?(?:\bthe\s+)?(?<!typical )(?<!normal )(?<!usual )(?<!average )\b(?P<name>this morning|morning|"
    r"this afternoon|this evening|this night|tonight|this weekend|weekend|last weekend|last night|overnight|over night|night|midnight|noon|lunch|"
    r"today|yesterday|this week|last week|(?:mon|tues|wednes|thurs|fri|satur|sun)day)\b"
)


@dataclass(frozen=True)
class Spoken:
    """What was found: the window, whether it was "now", and the sentence without those words."""

    rest: str
    window: Window | None = None
    now: bool = False


def spoken(sentence: str, now: datetime) -> Spoken:
    """The window that the sentence names; nothing where it names none."""
    for pattern, made in _READERS:
        if (found := pattern.search(sentence)) and (window := made(found, now)):
            rest = f"{sentence[: found.start()]} {sentence[found.end() :]}"
            return Spoken(" ".join(rest.split()), window)
    rest, told = _NOW.subn(" ", sentence)
    return Spoken(" ".join(rest.split()), now=bool(told))


def _length(found: re.Match[str]) -> timedelta:
    said = (found["n"] or "1").removesuffix(" of")
    unit = timedelta(seconds=_UNITS[found["u"][0]])
    if said.startswith("half"):
        return unit / 2
    number = int(said) if said.isdigit() else _NUMBERS[said.split()[-1]]
    return min(number * unit, _LONGEST)


def _back(found: re.Match[str], now: datetime) -> Window | None:
    length = _length(found)
    return Window(start=now - length, end=now) if length else None


def _since(found: re.Match[str], now: datetime) -> Window | None:
    start = _clock(found, "a", now)
    return Window(start=start, end=now) if start else None


def _between(found: re.Match[str], now: datetime) -> Window | None:
    start, end = _clock(found, "a", now), _clock(found, "b", now)
    if start is None or end is None:
        return None
    return Window(start=start if start < end else start - timedelta(days=1), end=end)


def _around(found: re.Match[str], now: datetime) -> Window | None:
    at = _clock(found, "a", now)
    return Window(start=at - _AROUND, end=min(at + _AROUND, now)) if at else None


def _clock(found: re.Match[str], name: str, now: datetime) -> datetime | None:
    """The latest moment at which the clock showed this."""
    hour, _, minute = found[name].replace(".", ":").partition(":")
    half = found[f"{name}m"]
    hours = int(hour) % 12 + (12 if half == "pm" else 0) if half else int(hour)
    if hours > 23:  # noqa: PLR2004 - hours of a day
        return None
    at = now.replace(hour=hours, minute=int(minute or 0), second=0, microsecond=0)
    return at if at <= now else at - timedelta(days=1)


def _named(found: re.Match[str], now: datetime) -> Window | None:
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    name = found["name"]
    if name == "night" and not found.group().startswith(("over", "in", "during", "since", "the")):
        return None
    start, end = _DAYS[name](day, now) if name in _DAYS else _weekday(name, day, now)
    onward = found.group().startswith(("since", "from"))
    end = now if onward else min(now, end)
    # "This afternoon", said in the morning, can only mean the one before.
    shift = timedelta(0) if start < now else timedelta(days=1)
    return Window(start=start - shift, end=end if not shift else start)


def _weekday(name: str, day: datetime, now: datetime) -> tuple[datetime, datetime]:
    index = ("mon", "tue", "wed", "thu", "fri", "sat", "sun").index(name[:3])
    return day - timedelta(days=(day.weekday() - index) % 7), now


def _hours(first: float, last: float | None = None) -> Callable[..., tuple[datetime, datetime]]:
    def made(day: datetime, now: datetime) -> tuple[datetime, datetime]:
        return day + timedelta(hours=first), now if last is None else day + timedelta(hours=last)

    return made


def _tonight(day: datetime, now: datetime) -> tuple[datetime, datetime]:
    return day + timedelta(hours=18 if now.hour >= 18 else -6), now  # noqa: PLR2004 - evening


def _week(day: datetime, now: datetime) -> tuple[datetime, datetime]:
    return day - timedelta(days=day.weekday()), now


def _weekend(day: datetime, now: datetime) -> tuple[datetime, datetime]:
    """The weekend that is, or else the last one: what is to come holds no evidence."""
    saturday = day - timedelta(days=(day.weekday() - 5) % 7)
    return saturday, min(now, saturday + timedelta(days=2))


def _last_week(day: datetime, _: datetime) -> tuple[datetime, datetime]:
    monday = day - timedelta(days=day.weekday())
    return monday - timedelta(days=7), monday


_DAYS: dict[str, Callable[[datetime, datetime], tuple[datetime, datetime]]] = {
    "this morning": _hours(0, 12), "morning": _hours(0, 12), "this afternoon": _hours(12, 18),
    "this evening": _hours(18), "tonight": _tonight, "this night": _tonight, "this weekend": _weekend,
    "weekend": _weekend, "last weekend": _weekend, "last night": _hours(-6, 6),
    "overnight": _hours(-6, 6), "over night": _hours(-6, 6), "night": _hours(-6, 6),
    "midnight": _hours(0), "noon": _hours(12), "lunch": _hours(12), "today": _hours(0),
    "yesterday": _hours(-24, 0), "this week": _week, "last week": _last_week,
}  # fmt: skip

_READERS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], datetime], Window | None]], ...] = (
    (_BETWEEN, _between),
    (_SPAN, _between),
    (_LAST, _back),
    (_AGO, _back),
    (_BARE, _back),
    (_SINCE, _since),
    (_AT, _around),
    (_NAMED, _named),
)
