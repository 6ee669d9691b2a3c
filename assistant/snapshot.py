"""The Kubernetes objects and events that evidence holds, each with the evidence it came from.

Pure: it is built from evidence and asks nobody.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from assistant.incident import Citation, Entity, Evidence

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "ReplicaSet")
"""Kinds that own pods. A ReplicaSet stands for itself only where nothing owns it."""


_MAPPINGS = (dict, Mapping)
"""A plain dict is known at a glance, and asked of a hundred thousand times a triage."""


def moment(text: object) -> datetime | None:
    """The time that an RFC 3339 text names; None for anything else."""
    if not isinstance(text, str) or not text:
        return None
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    return parsed if parsed.tzinfo else None


def dig(value: Any, *path: str) -> Any:
    """The value under nested keys, or None where any of them is absent."""
    for key in path:
        if not isinstance(value, _MAPPINGS):
            return None
        value = value.get(key)
    return value


def mapping(value: Any, *path: str) -> Mapping[str, Any]:
    """Like `dig`, but an empty mapping where there is none."""
    found = dig(value, *path)
    return found if isinstance(found, _MAPPINGS) else {}


def listing(value: Any, *path: str) -> list[Any]:
    """Like `dig`, but an empty list where there is none."""
    found = dig(value, *path)
    return found if isinstance(found, list) else []


def word(value: Any) -> str:
    """The text that a value is; empty for what is none."""
    return value if isinstance(value, str) else ""


def whole(value: Any) -> int:
    """The whole number that a value is; 0 for what is none, so that a broken field breaks no check."""
    if isinstance(value, str):
        return int(value) if value.isascii() and value.isdecimal() else 0
    return int(value) if isinstance(value, int | float) and math.isfinite(value) else 0


@dataclass(frozen=True)
class Object:
    """One raw Kubernetes object and the evidence that showed it."""

    raw: Mapping[str, Any]
    evidence: Evidence
    kind: str

    @cached_property
    def name(self) -> str:
        """Its name."""
        return word(dig(self.raw, "metadata", "name"))

    @cached_property
    def namespace(self) -> str:
        """Its namespace, empty for a cluster-wide kind."""
        return word(dig(self.raw, "metadata", "namespace"))

    @cached_property
    def entity(self) -> Entity:
        """What it is called in findings."""
        return Entity(kind=self.kind, name=self.name, namespace=self.namespace)

    @cached_property
    def labels(self) -> Mapping[str, str]:
        """Its labels."""
        return mapping(self.raw, "metadata", "labels")

    @cached_property
    def spec(self) -> Mapping[str, Any]:
        """Its spec."""
        return mapping(self.raw, "spec")

    @cached_property
    def status(self) -> Mapping[str, Any]:
        """Its status; empty for an object without one."""
        return mapping(self.raw, "status")

    @cached_property
    def created(self) -> datetime | None:
        """When it was created."""
        return moment(dig(self.raw, "metadata", "creationTimestamp"))

    @cached_property
    def template(self) -> Mapping[str, Any]:
        """The pod spec: its own for a Pod, the template's for a workload."""
        if self.kind == "Pod":
            return self.spec
        if self.kind == "CronJob":
            return mapping(self.spec, "jobTemplate", "spec", "template", "spec")
        return mapping(self.spec, "template", "spec")

    def containers(self, *, init: bool = False) -> list[Mapping[str, Any]]:
        """The containers that the pod spec asks for."""
        return listing(self.template, "initContainers" if init else "containers")

    def condition(self, type_: str) -> Mapping[str, Any]:
        """The condition of that type; empty where it is not reported."""
        for condition in listing(self.status, "conditions"):
            if dig(condition, "type") == type_:
                return mapping(condition)
        return {}

    def cite(self, *quotes: object) -> tuple[Citation, ...]:
        """Citations of words in the evidence that showed this object; its name where there are none.

        What a field holds that should be a word and is none (a list, say) cannot be quoted.
        """
        words = [quote for quote in quotes or (self.name,) if self.evidence.holds(str(quote))]
        return tuple(self.evidence.cite(quote) for quote in words or (self.name,))


@dataclass(frozen=True)
class Event:
    """One deduplicated Kubernetes event."""

    namespace: str
    kind: str
    name: str
    type: str
    reason: str
    message: str
    count: int
    first: datetime | None
    last: datetime | None
    evidence: Evidence

    def cite(self) -> Citation:
        """Its message (or reason) as a citation."""
        return self.evidence.cite(self.message or self.reason)


@dataclass(frozen=True)
class Snapshot:
    """All objects and events that were seen."""

    objects: Mapping[str, Mapping[tuple[str, str], Object]]
    events: tuple[Event, ...]
    asked: Mapping[tuple[str, str], Evidence]
    """(kind, namespace) pairs that were listed whole: only there does absence say anything."""

    @cached_property
    def _in_order(self) -> Mapping[str, list[Object]]:
        """The objects of each kind in the order of their names, sorted once: every check asks."""
        return {kind: [rows[key] for key in sorted(rows)] for kind, rows in self.objects.items()}

    def of(self, kind: str, namespace: str | None = None) -> list[Object]:
        """The objects of a kind, in the order of their names."""
        rows = self._in_order.get(kind, [])
        return [row for row in rows if namespace is None or row.namespace == namespace]

    @cached_property
    def workloads(self) -> tuple[Object, ...]:
        """Everything that owns pods and is owned by nobody that was seen, and pods without an owner."""
        rows = [item for kind in (*WORKLOADS, "Pod") for item in self.of(kind)]
        return tuple(item for item in rows if self.owner(item) is item)

    def get(self, kind: str, namespace: str, name: str) -> Object | None:
        """One object, or None."""
        return self.objects.get(kind, {}).get((namespace, name))

    def find(self, entity: Entity) -> Object | None:
        """The object that an entity names, or None."""
        return self.get(entity.kind, entity.namespace, entity.name)

    def listed(self, kind: str, namespace: str = "") -> bool:
        """Whether all objects of this kind there were seen, so that a missing one is missing."""
        return (kind, namespace) in self.asked or (kind, "") in self.asked

    def listing_of(self, kind: str, namespace: str = "") -> Evidence | None:
        """The evidence that lists a kind whole, to cite what is not in it; None without one."""
        return self.asked.get((kind, namespace)) or self.asked.get((kind, ""))

    @cached_property
    def _by_object(self) -> Mapping[tuple[str, str, str], list[Event]]:
        index: dict[tuple[str, str, str], list[Event]] = defaultdict(list)
        for event in self.events:
            index[event.kind, event.namespace, event.name].append(event)
        return index

    def events_of(self, item: Object, *reasons: str) -> list[Event]:
        """The events about an object, newest first, of these reasons if any are given."""
        rows = self._by_object.get((item.kind, item.namespace, item.name), [])
        return [event for event in rows if not reasons or event.reason in reasons]

    def owner(self, item: Object) -> Object:
        """The workload at the top of the ownership chain; the object itself if nobody owns it."""
        known = self._owners.get(id(item))
        if known is None:
            known = self._owners[id(item)] = (item, self._above(item))
        return known[1]

    @cached_property
    def _owners(self) -> dict[int, tuple[Object, Object]]:
        """What `owner` has answered, by identity, for each check asks it of every pod. The object is
        kept beside the answer, so that no other can take its identity.
        """
        return {}

    def _above(self, item: Object) -> Object:
        seen = item
        for _ in range(4):
            references = map(mapping, listing(seen.raw, "metadata", "ownerReferences"))
            reference = next((row for row in references if row.get("controller")), None)
            above = reference and self.get(
                str(reference.get("kind")), seen.namespace, str(reference.get("name"))
            )
            if not above:
                break
            seen = above
        return seen

    @cached_property
    def _pods_by_owner(self) -> Mapping[Entity, list[Object]]:
        index: dict[Entity, list[Object]] = defaultdict(list)
        for pod in self.of("Pod"):
            index[self.owner(pod).entity].append(pod)
        return index

    def pods_of(self, workload: Object) -> list[Object]:
        """The pods that belong to a workload, through its ReplicaSets or Jobs."""
        return self._pods_by_owner.get(workload.entity, [])

    @classmethod
    def made_of(cls, evidence: Iterable[Evidence]) -> Snapshot:
        """Everything of Kubernetes that these answers hold."""
        objects: dict[str, dict[tuple[str, str], Object]] = defaultdict(dict)
        events: list[Event] = []
        asked: dict[tuple[str, str], Evidence] = {}
        for item in evidence:
            if item.tool == "kubernetes.list_resources" and item.status.seen:
                _add_objects(item, objects, asked)
            if item.tool == "kubernetes.get_recent_events" and item.status.seen:
                events.extend(_events(item))
        return cls(objects=objects, events=tuple(events), asked=asked)


def _add_objects(
    item: Evidence,
    objects: dict[str, dict[tuple[str, str], Object]],
    asked: dict[tuple[str, str], Evidence],
) -> None:
    asked_kind = str(item.arguments.get("kind", ""))
    kind = str(dig(item.data, "kind") or asked_kind).removesuffix("List")
    for raw in map(mapping, listing(item.data, "items")):
        seen = Object(raw=raw, evidence=item, kind=str(dig(raw, "kind") or kind))
        objects[seen.kind][seen.namespace, seen.name] = seen
    narrowed = any(item.arguments.get(key) for key in ("name", "label_selector", "field_selector"))
    if not narrowed and not item.truncated and not dig(item.data, "next_cursor"):
        asked[kind, str(item.arguments.get("namespace", ""))] = item


def _events(item: Evidence) -> Iterator[Event]:
    for row in map(mapping, listing(item.data, "events")):
        yield Event(
            namespace=str(row.get("namespace") or ""),
            kind=str(row.get("kind") or ""),
            name=str(row.get("name") or ""),
            type=str(row.get("type") or ""),
            reason=str(row.get("reason") or ""),
            message=str(row.get("message") or ""),
            count=whole(row.get("count")) or 1,
            first=moment(row.get("first_seen")),
            last=moment(row.get("last_seen")),
            evidence=item,
        )
