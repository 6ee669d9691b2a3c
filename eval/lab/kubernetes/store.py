"""A world's objects, indexed once and written as JSON once, so that a page costs a join of bytes."""

from __future__ import annotations

import base64
import binascii
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from eval.lab.kubernetes.kinds import Kind, kinds_of
from eval.lab.kubernetes.selectors import Object, Test
from eval.lab.kubernetes.status import bad_request, expired


def _encoder() -> Callable[[Any], bytes]:
    """The quickest JSON writer at hand; orjson is not among the lab's own requirements."""
    try:
        import orjson  # noqa: PLC0415
    except ImportError:
        return lambda value: json.dumps(value, separators=(",", ":")).encode()
    return orjson.dumps


encode = _encoder()


class Item:
    """One object, and its JSON from the first time that somebody asks for it."""

    def __init__(self, content: Object) -> None:
        self.content = content

    @cached_property
    def encoded(self) -> bytes:
        """The object as it goes over the wire."""
        return encode(self.content)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list."""

    items: Sequence[Item]
    resource_version: str
    next_token: str = ""
    remaining: int | None = None


class Store:
    """All objects of a world, by kind and namespace. Nothing in it is changed while it is served."""

    def __init__(self, objects: Sequence[Object]) -> None:
        self.kinds = {(kind.api_version, kind.plural): kind for kind in kinds_of(objects)}
        self._revision = _highest_version(objects)
        by_name = {(kind.api_version, kind.kind): kind for kind in self.kinds.values()}
        self._all: dict[Kind, list[Item]] = defaultdict(list)
        self._in_namespace: dict[tuple[Kind, str], list[Item]] = defaultdict(list)
        self._named: dict[tuple[Kind, str, str], Item] = {}
        for content in [*objects, *_missing_namespaces(objects)]:
            self._add(by_name[content["apiVersion"], content["kind"]], content)

    def _add(self, kind: Kind, content: Object) -> None:
        item, namespace = Item(content), content["metadata"].get("namespace", "")
        self._all[kind].append(item)
        self._in_namespace[kind, namespace].append(item)
        self._named[kind, namespace, content["metadata"]["name"]] = item

    def get(self, kind: Kind, namespace: str, name: str) -> Item | None:
        """The object of that name, if there is one."""
        return self._named.get((kind, namespace, name))

    def select(self, kind: Kind, namespace: str, tests: Iterable[Test] = ()) -> Sequence[Item]:
        """The objects of a kind in a namespace (`""`: in all) that pass the tests."""
        found = self._in_namespace.get((kind, namespace), []) if namespace else self._all[kind]
        for test in tests:
            found = [item for item in found if test(item.content)]
        return found

    def page(self, found: Sequence[Item], limit: int, token: str, *, selected: bool) -> Page:
        """`limit` of what was found (0: all), from where the token left off.

        As a real server does, it tells how many remain only where no selector was given.
        """
        start = self._start(token)
        end = start + limit if limit else len(found)
        remaining = max(len(found) - end, 0)
        if not remaining:
            return Page(found[start:], self.resource_version)
        token = _token(self.resource_version, end)
        return Page(found[start:end], self.resource_version, token, None if selected else remaining)

    def _start(self, token: str) -> int:
        if not token:
            return 0
        try:
            version, start = json.loads(base64.urlsafe_b64decode(token))
        except (binascii.Error, ValueError, TypeError) as error:
            raise bad_request(f"continue key is not valid: {error}") from error
        if version != self.resource_version:
            raise expired()
        return int(start)

    @property
    def resource_version(self) -> str:
        """The version that lists carry."""
        return str(self._revision)

    def compact(self) -> None:
        """Forget old versions, as etcd does every few minutes: continue tokens become too old."""
        self._revision += 1


def _token(version: str, start: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([version, start]).encode()).decode()


def _highest_version(objects: Iterable[Object]) -> int:
    versions = (str(item["metadata"].get("resourceVersion", "")) for item in objects)
    return max((int(version) for version in versions if version.isdecimal()), default=1000)


def _missing_namespaces(objects: Iterable[Object]) -> list[Object]:
    """Namespace objects for those that only other objects name: they exist, no more is known."""
    used, there = set(), set()
    for item in objects:
        if item["kind"] == "Namespace":
            there.add(item["metadata"]["name"])
        elif namespace := item["metadata"].get("namespace"):
            used.add(namespace)
    return [
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}},
        }
        for name in sorted(used - there)
    ]
