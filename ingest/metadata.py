"""What a document says of itself, from any spelling of it: front matter, header, first table. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from ingest.words import alert_in

KEYS = {
    "title": ("title",),
    "services": ("services", "service", "affected_services", "affected_service"),
    "alerts": ("alerts", "alert", "alertname", "alert_name", "alert_names"),
    "environments": ("environments", "environment", "env"),
    "owner": ("owner", "owners", "owned_by", "owner_slack", "team", "owning_team"),
    "last_reviewed": (
        "last_reviewed",
        "last_reviewed_on",
        "last_review",
        "reviewed",
        "review_date",
    ),
    "severity": ("severity",),
    "runbook_url": ("runbook_url", "url"),
}
"""Field -> what documents call it; the first that is there counts."""
KNOWN = frozenset(name for names in KEYS.values() for name in names)
LISTS = frozenset({"services", "alerts", "environments"})
DATE_FORMATS = ("%Y-%m-%d", "%Y/%m/%d", "%d %B %Y", "%d %b %Y", "%B %d %Y", "%b %d %Y")
ISO_START = re.compile(r"\d{4}-\d\d-\d\d(?=[T ])")
SEPARATOR = re.compile(r"[,;\n]|<br\s*/?>", re.IGNORECASE)
MAX_CHARACTERS = 2_000
"""Nobody's title or list of services is longer; what is over it is not read."""
MAX_BITS = 64


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a document says of itself. Empty where it says nothing."""

    title: str = ""
    services: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    owner: str = ""
    last_reviewed: str = ""
    """`2026-10-01` where it is a date that can be read in one way; else as it was written."""
    severity: str = ""
    runbook_url: str = ""
    inferred: tuple[str, ...] = ()
    """Names of the fields above that nobody wrote down: they were read off names and headings."""


def said(fields: Mapping[Any, Any]) -> Metadata:
    """The metadata in `key: value` pairs, leniently: an unknown key is nobody's mistake."""
    known = {normal(key): value for key, value in fields.items()}
    found: dict[str, Any] = {}
    for field, names in KEYS.items():
        value = next((known[name] for name in names if known.get(name)), None)
        found[field] = _texts(value) if field in LISTS else _text(value)
    found["last_reviewed"] = iso_date(found["last_reviewed"]) or found["last_reviewed"]
    return Metadata(**found)


def normal(key: Any) -> str:
    """`Last-Reviewed`, `last reviewed` and `last_reviewed` as one."""
    return "_".join(re.split(r"[\s_-]+", str(key).strip().lower())) if _is_plain(key) else ""


def merged(first: Metadata, *others: Metadata) -> Metadata:
    """Each field from the first that has it."""
    for other in others:
        missing = {
            field: getattr(other, field)
            for field in KEYS
            if not getattr(first, field) and getattr(other, field)
        }
        inferred = (*first.inferred, *(field for field in other.inferred if field in missing))
        first = replace(first, **missing, inferred=inferred)
    return first


def inferred(names: Iterable[str]) -> Metadata:
    """The alerts that a document's names (its file's, its title) are; all of it marked inferred."""
    alerts = tuple(dict.fromkeys(filter(None, map(alert_in, names))))
    return Metadata(alerts=alerts, inferred=("alerts",) if alerts else ())


def iso_date(text: str) -> str:
    """`1 Oct 2026` as `2026-10-01`; "" where it is no date, or could be read in two ways."""
    start = ISO_START.match(text)
    plain = " ".join((start.group() if start else text).replace(",", " ").split())
    for pattern in DATE_FORMATS:
        try:
            return datetime.strptime(plain, pattern).date().isoformat()  # noqa: DTZ007 - a day
        except ValueError:
            continue
    return ""


def _is_plain(value: Any) -> bool:
    """One value, not a structure: what YAML repeats by reference must never be written out."""
    if isinstance(value, int):
        return value.bit_length() <= MAX_BITS
    return isinstance(value, float) or (isinstance(value, str) and len(value) <= MAX_CHARACTERS)


def _text(value: Any) -> str:
    """One line of text; dates as ISO, the first of a list."""
    if isinstance(value, datetime | date):
        return value.isoformat()[:10]
    if isinstance(value, list):
        return ", ".join(text for item in value[:10] if (text := _text_of_one(item)))
    return _text_of_one(value)


def _text_of_one(value: Any) -> str:
    return " ".join(str(value).split()) if _is_plain(value) else ""


def _texts(value: Any) -> tuple[str, ...]:
    """A list, or one text with commas, as texts; each once."""
    items = value if isinstance(value, list) else SEPARATOR.split(str(value)) if value else []
    return tuple(dict.fromkeys(text for item in items if (text := _text(item))))
