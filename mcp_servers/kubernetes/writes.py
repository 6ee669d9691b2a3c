"""Who wrote an object's content after it was made, when, and which fields: from its managed fields. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from mcp_servers.kubernetes.fields import Object, as_object, metadata, objects_at, text_at

MOST_WRITES = 3
MOST_FIELDS = 8
LONGEST_FIELD = 120


def last_writes(item: Object) -> list[dict[str, Any]]:
    """The last writes to an object after its creation, newest first: {at, by, operation, fields}.

    What controllers report (the status) is left out. A writer that owns nothing any more is not
    known to the API server: a key that was removed leaves no trace here.
    """
    created = text_at(metadata(item), "creationTimestamp")
    rows = [
        {
            "at": text_at(entry, "time"),
            "by": text_at(entry, "manager"),
            "operation": text_at(entry, "operation"),
            "fields": _fields(entry),
        }
        for entry in objects_at(item, "metadata", "managedFields")
        if text_at(entry, "subresource") != "status" and text_at(entry, "time") > created
    ]
    written = [row for row in rows if row["fields"]]
    written.sort(key=lambda row: (str(row["at"]), str(row["by"])), reverse=True)
    return written[:MOST_WRITES]


def _fields(entry: Object) -> list[str]:
    """The paths that a writer owns, without status and without what every writer owns."""
    owned = as_object(entry.get("fieldsV1"))
    paths = [path[:LONGEST_FIELD] for path in _paths("", owned) if _tells(path)]
    return list(dict.fromkeys(paths))[:MOST_FIELDS]


def _tells(path: str) -> bool:
    return path != "" and not path.startswith(("status", "metadata.managedFields"))


def _paths(here: str, owned: Object) -> Iterator[str]:
    """Leaves of `{"f:data": {"f:KEY": {}}}` as `data.KEY`; `k:` entries of lists in brackets."""
    inner = {key: value for key, value in owned.items() if key != "."}
    if not inner:
        yield here
    for key, value in inner.items():
        sort, _, name = key.partition(":")
        place = f"{here}[{_entry(name)}]" if sort in ("k", "v") else f"{here}.{name}"
        yield from _paths(place.lstrip("."), as_object(value))


def _entry(name: str) -> str:
    """The words by which a list entry is known: `web` for {"name":"web"}."""
    try:
        key = json.loads(name)
    except ValueError:
        return name
    return "/".join(str(part) for part in key.values()) if isinstance(key, dict) else str(key)
