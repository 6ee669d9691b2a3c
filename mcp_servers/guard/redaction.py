"""Redaction: no secret leaves in an answer, an error text or an audit line.

Strings are looked at together: all distinct ones are joined and searched once per kind of secret,
and only for the kinds whose telltale word occurs at all, so that a large answer costs little.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from mcp_servers.guard.neutral import neutralise
from mcp_servers.guard.secret_names import (
    MARKER,
    is_secret_name,
    is_secret_value,
    is_weak_name,
    may_hold_secret_name,
)
from mcp_servers.guard.secret_patterns import SEPARATOR, scan

_HIDDEN = f"{MARKER}]"
_SHORTEST_SECRET = 4
_SHORTEST_OBJECT = 10
_NESTED_JSON = 3
"""How deep JSON inside a string is opened: an annotation may hold an object that holds another."""
_NAMES_OF_THINGS = frozenset({"labels", "metric", "matchlabels", "selector", "nodeselector"})
"""Under these keys, `secret` and `token` are the names of objects, not their contents."""
_SECRET_KINDS = ("Secret", "SecretList")
_ITEMS_OF_SECRETS = "items of secrets"
"""The items of a list carry no kind of their own."""
_SECRET_DATA = ("data", "stringData")
_VALUE_KEYS = frozenset({"value", "before", "after"})
"""What stands beside a `name`: of an environment variable, or of a change to one."""


class Redactor:
    """Cleans values of secrets; `known` are exact values that may never leave."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._known = tuple(
            sorted({one for one in known if len(one) >= _SHORTEST_SECRET}, key=len, reverse=True)
        )

    def text(self, text: str) -> str:
        """One string, cleaned."""
        cleaned: str = self.value(text)
        return cleaned

    def value(self, value: Any) -> Any:
        """A JSON value, cleaned of secrets and of characters nobody can see."""
        return self._value(value, _NESTED_JSON)

    def _value(self, value: Any, depth: int) -> Any:
        strings: dict[str, None] = {"": None}  # never empty: nothing and "" join to the same text
        _collect(value, strings)
        return _rebuild(value, self._table(list(strings), depth), "")

    def _table(self, strings: list[str], depth: int) -> dict[str, str]:
        """Each string that changes, and what it becomes. Invisible characters go first, so that
        they cannot hide a secret from the search.
        """
        seen = [neutralise(text) for text in strings]
        joined = SEPARATOR.join(seen)
        for known in self._known:
            joined = joined.replace(known, _HIDDEN)
        cleaned = scan(joined).split(SEPARATOR)
        if depth and (may_hold_secret_name(joined) or "\\u" in joined):
            cleaned = [self._nested(text, depth - 1) for text in cleaned]
        return {old: new for old, new in zip(strings, cleaned, strict=True) if old != new}

    def _nested(self, text: str, depth: int) -> str:
        """A string that is itself JSON is cleaned as a structure."""
        ends = text.strip()
        looks_like_json = ends[:1] in ("{", "[") and ends[-1:] in ("}", "]")
        if not looks_like_json or len(ends) < _SHORTEST_OBJECT:
            return text
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return text
        cleaned = self._value(value, depth)
        return text if cleaned == value else json.dumps(cleaned, ensure_ascii=False)


def _collect(value: Any, strings: dict[str, None]) -> None:
    if isinstance(value, str):
        strings[value] = None
    elif isinstance(value, dict):
        strings.update(dict.fromkeys(value))
        for inner in value.values():
            _collect(inner, strings)
    elif isinstance(value, list):
        for inner in value:
            _collect(inner, strings)


def _rebuild(value: Any, table: dict[str, str], parent: str) -> Any:
    if isinstance(value, str):
        return table.get(value, value)
    if isinstance(value, dict):
        return _rebuild_object(value, table, parent)
    if isinstance(value, list):
        return _rebuild_list(value, table, parent)
    return value


def _rebuild_object(value: dict[str, Any], table: dict[str, str], parent: str) -> dict[str, Any]:
    hidden = _hidden_keys(value, parent)
    rebuilt: dict[str, Any] = {}
    for key, inner in value.items():
        clean = table.get(key, key)
        if isinstance(inner, str):
            rebuilt[clean] = _HIDDEN if key in hidden else table.get(inner, inner)
        elif key in hidden:
            rebuilt[clean] = {table.get(name, name): _HIDDEN for name in inner}
        else:
            lists_secrets = key == "items" and value.get("kind") in _SECRET_KINDS
            rebuilt[clean] = _rebuild(inner, table, _ITEMS_OF_SECRETS if lists_secrets else key)
    return rebuilt


def _hidden_keys(value: dict[str, Any], parent: str) -> set[str]:
    """The keys whose value is a secret because of a name: their own, or their neighbour's."""
    hidden = {
        key
        for key, inner in value.items()
        if is_secret_name(key) and isinstance(inner, str) and is_secret_value(inner)
    }
    if hidden and parent.lower() in _NAMES_OF_THINGS:
        hidden = {key for key in hidden if not is_weak_name(key)}
    if parent == _ITEMS_OF_SECRETS or value.get("kind") == "Secret":
        hidden |= {key for key in _SECRET_DATA if isinstance(value.get(key), dict)}
    if not _VALUE_KEYS.isdisjoint(value):
        named = value.get("name", value.get("key", value.get("path")))
        if isinstance(named, str) and is_secret_name(named):
            told = {key for key in _VALUE_KEYS if isinstance(value.get(key), str)}
            hidden |= {key for key in told if is_secret_value(value[key])}
    return hidden


def _rebuild_list(value: Sequence[Any], table: dict[str, str], parent: str) -> list[Any]:
    """A flag and its value may stand side by side: ["--password", "…"]."""
    rebuilt = []
    flagged = False
    for inner in value:
        if isinstance(inner, str):
            hides = flagged and is_secret_value(inner)
            rebuilt.append(_HIDDEN if hides else table.get(inner, inner))
            flagged = inner.startswith("-") and is_secret_name(inner)
        else:
            rebuilt.append(_rebuild(inner, table, parent))
            flagged = False
    return rebuilt
