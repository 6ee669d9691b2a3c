"""Careful reading of raw objects: any field may be missing, null or of another shape. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from mcp_servers.moments import aware, moment

Object = dict[str, Any]
MESSAGE_CHARACTERS = 600
LONG_AGO = datetime.min.replace(tzinfo=UTC)


def as_object(value: Any) -> Object:
    """The value where it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    """The value where it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def objects(value: Any) -> list[Object]:
    """The objects of a list."""
    return [item for item in as_list(value) if isinstance(item, dict)]


def at(value: Any, *path: str) -> Any:
    """What stands under a path of keys, or None."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def object_at(value: Any, *path: str) -> Object:
    """The object under a path of keys, or an empty one."""
    return as_object(at(value, *path))


def objects_at(value: Any, *path: str) -> list[Object]:
    """The objects of the list under a path of keys."""
    return objects(at(value, *path))


def text_at(value: Any, *path: str) -> str:
    """The text under a path of keys; empty where there is none."""
    found = at(value, *path)
    return "" if found is None else str(found)


def number_at(value: Any, *path: str) -> int:
    """The whole number under a path of keys; 0 where there is none."""
    found = at(value, *path)
    return found if isinstance(found, int) else 0


def metadata(item: Mapping[str, Any]) -> Object:
    """An object's metadata."""
    return as_object(item.get("metadata"))


def name_of(item: Mapping[str, Any]) -> str:
    """An object's name."""
    return text_at(item, "metadata", "name")


def namespace_of(item: Mapping[str, Any]) -> str:
    """An object's namespace; empty where it has none."""
    return text_at(item, "metadata", "namespace")


def words(text: Any) -> str:
    """Somebody else's text on one line, bounded."""
    line = " ".join(("" if text is None else str(text)).split())
    return line if len(line) <= MESSAGE_CHARACTERS else line[:MESSAGE_CHARACTERS] + " […]"


def parsed_time(text: Any) -> datetime | None:
    """An RFC 3339 time, or None where there is none that can be read."""
    try:
        return aware(datetime.fromisoformat(str(text))) if text else None
    except ValueError:
        return None


def asked_time(text: str, argument: str) -> datetime | None:
    """The time in an argument, None where it is empty. Raises a ToolFailure for anything else."""
    return moment(text, LONG_AGO, argument) if text.strip() else None


def conditions(item: Mapping[str, Any]) -> list[dict[str, str]]:
    """An object's conditions: type, status, reason, message, since."""
    return [
        {
            "type": text_at(condition, "type"),
            "status": text_at(condition, "status"),
            "reason": text_at(condition, "reason"),
            "message": words(condition.get("message")),
            "since": text_at(condition, "lastTransitionTime"),
        }
        for condition in objects_at(item, "status", "conditions")
    ]


def condition(item: Mapping[str, Any], kind: str) -> Object:
    """The condition of that type, or an empty object."""
    found = (c for c in objects_at(item, "status", "conditions") if c.get("type") == kind)
    return next(found, {})
