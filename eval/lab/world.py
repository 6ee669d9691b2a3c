"""A world: everything an incident's systems would answer at one moment, read from a folder or made in memory.

Owns the reading of the folder and says which file and key is broken. Serves nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, NamedTuple

from assistant.errors import AssistantError, NotFound

Json = dict[str, Any]

Backend = Literal["kubernetes", "prometheus", "pagerduty"]
BACKENDS: tuple[Backend, ...] = ("kubernetes", "prometheus", "pagerduty")
WORLD_KEYS = frozenset(
    ("id", "as_of", "cluster", "namespace", "alert_id", "told", "answer_in", "denied", "down")
)
PAGER_KEYS: Mapping[str, type] = {
    "incidents": list,
    "alerts": dict,
    "log_entries": dict,
    "notes": dict,
    "change_events": list,
    "services": list,
    "oncalls": list,
    "past_incidents": dict,
    "users": list,
    "escalation_policies": list,
    "schedules": list,
}
_AGO = "$ago"
_RELATIVE_STAMP = re.compile(rb"\s(-\d+(?:\.\d+)?)[ \t]*(?=(?:# \{.*)?$)", re.MULTILINE)
_RELATIVE_LOG_STAMP = re.compile(rb"^-(\d+(?:\.\d+)?)(?= )", re.MULTILINE)


class BrokenWorld(AssistantError):  # noqa: N818 - names what was given
    """A world folder that cannot be served; the text names the file and the key."""


class LogName(NamedTuple):
    """Which log: of a container's present run or of the one before."""

    namespace: str
    pod: str
    container: str
    previous: bool = False


@dataclass(frozen=True, slots=True)
class Denial:
    """What the lab's user may not do; `*` stands for anything."""

    verb: str = "*"
    resource: str = "*"
    namespace: str = "*"

    def covers(self, verb: str, resource: str, namespace: str) -> bool:
        """Whether the request is refused. A list over all namespaces has the namespace `""`."""
        pairs = ((self.verb, verb), (self.resource, resource), (self.namespace, namespace))
        return all(rule in ("*", asked) for rule, asked in pairs)


@dataclass(frozen=True, slots=True)
class World:
    """One incident's systems. A log and the metrics are bytes, or the file that holds them."""

    id: str
    as_of: datetime
    cluster: str = "lab"
    namespace: str = ""
    alert_id: str = ""
    told: str = ""
    objects: Sequence[Json] = ()
    logs: Mapping[LogName, bytes | Path] = field(default_factory=dict)
    metrics: bytes | Path | None = None
    pager: Json = field(default_factory=dict)
    runbooks: Path | None = None
    denied: tuple[Denial, ...] = ()
    down: tuple[Backend, ...] = ()
    """Systems that refuse every connection from the start."""
    reactions: Any = None


def load_world(folder: Path, now: datetime | None = None) -> World:
    """The world in `folder`. `now` stands in for the present in a world whose `as_of` is "now".

    Raises NotFound where there is no world, BrokenWorld where it cannot be served.
    """
    path = folder / "world.json"
    if not path.is_file():
        raise NotFound(f"no world at {str(folder)!r}: it has no world.json")
    head = _head(path)
    relative = head["as_of"] == "now"
    as_of = (now or datetime.now(UTC)).replace(microsecond=0) if relative else head["as_of"]
    named = {key: head[key] for key in ("cluster", "namespace", "alert_id", "told") if key in head}
    return World(
        id=head["id"],
        as_of=as_of,
        objects=_objects(folder / "kubernetes" / "objects.json", as_of),
        logs=_logs(folder / "kubernetes" / "logs", as_of if relative else None),
        metrics=_metrics(folder / "prometheus" / "metrics.om", as_of if relative else None),
        pager=_pager(folder / "pagerduty" / "incidents.json", as_of),
        runbooks=runbooks if (runbooks := folder / "runbooks").is_dir() else None,
        denied=_denied(path, head.get("denied", [])),
        down=_down(path, head.get("down", [])),
        reactions=_read_json(folder / "reactions.json", as_of, absent=None),
        **named,
    )


def _head(path: Path) -> Json:
    head = _read_json(path, None)
    if not isinstance(head, dict):
        raise BrokenWorld(f"{path}: holds {type(head).__name__}, an object is needed")
    if unknown := sorted(set(head) - WORLD_KEYS):
        raise BrokenWorld(
            f"{path}: unknown key {unknown[0]!r}; known: {', '.join(sorted(WORLD_KEYS))}"
        )
    for key in ("id", "as_of"):
        if not isinstance(head.get(key), str) or not head[key]:
            raise BrokenWorld(f"{path}: key {key!r} is {head.get(key)!r}, a text is needed")
    if head["as_of"] != "now":
        head["as_of"] = _moment(path, head["as_of"])
    return head


def _moment(path: Path, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BrokenWorld(
            f"{path}: key 'as_of' is {text!r}; an RFC 3339 time or \"now\" is needed"
        ) from None
    if moment.tzinfo is None:
        raise BrokenWorld(f"{path}: key 'as_of' is {text!r}, which names no zone; add Z")
    return moment.astimezone(UTC)


def _denied(path: Path, rules: Any) -> tuple[Denial, ...]:
    try:
        return tuple(Denial(**rule) for rule in rules)
    except TypeError as error:
        raise BrokenWorld(
            f"{path}: key 'denied' is {rules!r}; a list of "
            '{"verb", "resource", "namespace"} is needed'
        ) from error


def _down(path: Path, names: Any) -> tuple[Backend, ...]:
    known = [name for name in BACKENDS if isinstance(names, list) and name in names]
    if not isinstance(names, list) or len(known) != len(names):
        raise BrokenWorld(
            f"{path}: key 'down' is {names!r}; a list of {', '.join(BACKENDS)} is needed"
        )
    return tuple(known)


def _read_json(path: Path, as_of: datetime | None, absent: Any = ...) -> Any:
    """The JSON of a file with its `$ago` times filled in; `absent` where there is no such file."""
    if absent is not ... and not path.exists():
        return absent
    try:
        text = path.read_text("utf-8")
        value = json.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        raise BrokenWorld(f"{path}: cannot be read: {error}") from error
    except json.JSONDecodeError as error:
        raise BrokenWorld(
            f"{path}: not JSON at line {error.lineno} column {error.colno}: {error.msg}"
        ) from error
    return _filled(path, value, as_of) if as_of and f'"{_AGO}"' in text else value


def _filled(path: Path, value: Any, as_of: datetime) -> Any:
    if isinstance(value, list):
        return [_filled(path, inner, as_of) for inner in value]
    if not isinstance(value, dict):
        return value
    if set(value) != {_AGO}:
        return {key: _filled(path, inner, as_of) for key, inner in value.items()}
    seconds = value[_AGO]
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise BrokenWorld(f"{path}: {_AGO!r} is {seconds!r}, a number of seconds is needed")
    return rfc3339(as_of - timedelta(seconds=seconds))


def rfc3339(moment: datetime) -> str:
    """`2025-11-10T13:02:15Z`, with fractions only where there are some."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _objects(path: Path, as_of: datetime) -> tuple[Json, ...]:
    document = _read_json(path, as_of, absent={"items": []})
    items = document.get("items") if isinstance(document, dict) else None
    if not isinstance(items, list):
        raise BrokenWorld(f"{path}: key 'items' is missing or no list")
    for number, item in enumerate(items):
        if fault := _object_fault(item):
            raise BrokenWorld(f"{path}: items[{number}]: {fault}")
    return tuple(items)


def _object_fault(item: Any) -> str:
    """What keeps an object from being served, in words; empty where nothing does."""
    if not isinstance(item, dict):
        return f"{type(item).__name__} is no object"
    for key in ("apiVersion", "kind"):
        if not isinstance(item.get(key), str) or not item[key]:
            return f"key {key!r} is missing"
    metadata = item.get("metadata")
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str):
        return f"key 'metadata.name' of this {item['kind']} is missing"
    return ""


def _logs(folder: Path, as_of: datetime | None) -> dict[LogName, bytes | Path]:
    return {name: _log(path, as_of) for name, path in _log_files(folder)}


def _log_files(folder: Path) -> Iterator[tuple[LogName, Path]]:
    for path in sorted(folder.glob("*/*/*.log")):
        namespace, pod, file = path.relative_to(folder).parts
        stem = file.removesuffix(".log")
        previous = stem.endswith(".previous")
        yield LogName(namespace, pod, stem.removesuffix(".previous"), previous), path


def _log(path: Path, as_of: datetime | None) -> bytes | Path:
    if as_of is None:
        return path

    def stamp(match: re.Match[bytes]) -> bytes:
        return rfc3339(as_of - timedelta(seconds=float(match[1]))).encode()

    return _RELATIVE_LOG_STAMP.sub(stamp, path.read_bytes())


def _metrics(path: Path, as_of: datetime | None) -> bytes | Path | None:
    if not path.is_file():
        return None
    if as_of is None:
        return path
    now = as_of.timestamp()
    return _RELATIVE_STAMP.sub(lambda match: b" %.15g" % (now + float(match[1])), path.read_bytes())


def _pager(path: Path, as_of: datetime) -> Json:
    document = _read_json(path, as_of, absent={})
    if not isinstance(document, dict):
        raise BrokenWorld(f"{path}: holds {type(document).__name__}, an object is needed")
    for key, value in document.items():
        if key not in PAGER_KEYS:
            raise BrokenWorld(f"{path}: unknown key {key!r}; known: {', '.join(PAGER_KEYS)}")
        if not isinstance(value, PAGER_KEYS[key]):
            raise BrokenWorld(f"{path}: key {key!r} is no {PAGER_KEYS[key].__name__}")
        _check_ids(path, key, value)
    return document


def _check_ids(path: Path, key: str, value: Any) -> None:
    """Every listed thing is an object, and those that are asked for by id have one."""
    groups = value.values() if isinstance(value, dict) else [value]
    for number, item in enumerate(thing for group in groups for thing in group):
        if not isinstance(item, dict):
            raise BrokenWorld(f"{path}: {key}[{number}] is no object")
        if key not in ("oncalls", "past_incidents") and not isinstance(item.get("id"), str):
            raise BrokenWorld(f"{path}: {key}[{number}]: key 'id' is missing")
