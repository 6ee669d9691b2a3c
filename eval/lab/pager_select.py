"""How PagerDuty reads the parameters of a list: times, filters, order and pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from starlette.datastructures import QueryParams

Json = dict[str, Any]

_MOST = 100
_DEFAULT = 25
_LAST_OFFSET = 10_000


class Refused(Exception):  # noqa: N818 - it is an answer, never a failure of the lab
    """A request that is answered by an error."""

    def __init__(self, status: int, code: int, message: str, *errors: str) -> None:
        super().__init__(message)
        self.status = status
        error: Json = {"message": message, "code": code}
        if errors:
            error["errors"] = list(errors)
        self.body = {"error": error}


def invalid(fault: str) -> Refused:
    """400: a parameter makes no sense."""
    return Refused(400, 2001, "Invalid Input Provided", fault)


def moment(query: QueryParams, name: str) -> datetime | None:
    """A time parameter, or None where it is absent."""
    text = query.get(name)
    if not text:
        return None
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise invalid(f"{name.capitalize()} is not a valid date: {text}") from None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def at(item: Json, key: str) -> datetime | None:
    """The time that an item carries under a key."""
    text = item.get(key)
    if not text:
        return None
    parsed = datetime.fromisoformat(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def within(item: Json, key: str, since: datetime | None, until: datetime | None) -> bool:
    """Whether an item's time lies in a window; either end may be open."""
    when = at(item, key)
    if when is None:
        return True
    return (since is None or when >= since) and (until is None or when < until)


def wanted(query: QueryParams, name: str, value: str | None) -> bool:
    """Whether a value is among those asked for by `name[]`, or nothing was asked."""
    asked = query.getlist(f"{name}[]") or query.getlist(name)
    return not asked or value in asked


def reference_id(item: Json, name: str) -> str | None:
    """The id of what an item refers to under a name."""
    return (item.get(name) or {}).get("id")


def ordered(items: list[Json], sort_by: str, allowed: Sequence[str]) -> list[Json]:
    """By up to two `field:direction`, the first counting most."""
    for part in reversed([part for part in sort_by.split(",") if part]):
        field, _, direction = part.partition(":")
        if field not in allowed or direction not in ("", "asc", "desc"):
            raise invalid(f"Sort by is invalid: {part}")
        items = sorted(items, key=lambda item: _sortable(item, field), reverse=direction == "desc")
    return items


def _sortable(item: Json, field: str) -> tuple[bool, Any]:
    value = item.get(field)
    return (value is not None, value if value is not None else 0)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Which part of a list is asked for."""

    limit: int
    offset: int
    total: bool

    def page(self, key: str, items: Sequence[Json]) -> Json:
        """The part, in PagerDuty's envelope; the total is told only where it was asked for."""
        end = self.offset + self.limit
        return {
            key: list(items[self.offset : end]),
            "limit": self.limit,
            "offset": self.offset,
            "total": len(items) if self.total else None,
            "more": end < len(items),
        }


def bounds(query: QueryParams) -> Bounds:
    """The part that a request asks for. Refuses what PagerDuty refuses."""
    limit, offset = _number(query, "limit", _DEFAULT), _number(query, "offset", 0)
    if limit < 1:
        raise invalid("Limit must be greater than 0.")
    if offset + limit > _LAST_OFFSET:
        raise invalid(f"Offset plus limit must not exceed {_LAST_OFFSET}.")
    return Bounds(min(limit, _MOST), offset, query.get("total") == "true")


def _number(query: QueryParams, name: str, default: int) -> int:
    text = query.get(name, "")
    if not text:
        return default
    if not text.isdecimal():
        raise invalid(f"{name.capitalize()} must be a non-negative number.")
    return int(text)
