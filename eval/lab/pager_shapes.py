"""PagerDuty's shapes: what its contract demands and a world did not record, in values that say nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Json = dict[str, Any]

_NULLABLE = frozenset(("summary", "self", "html_url"))
_TYPES = {
    "incidents": "incident",
    "alerts": "alert",
    "change_events": "change_event",
    "services": "service",
    "users": "user",
    "escalation_policies": "escalation_policy",
    "schedules": "schedule",
}
NO_EMAIL = "not-recorded@example.invalid"


def shaped(key: str, item: Json) -> Json:
    """The item as PagerDuty's contract wants it: a type, and no null where none may stand."""
    whole = {name: value for name, value in item.items() if value is not None or name in _NULLABLE}
    if key in _TYPES:
        whole.setdefault("type", _TYPES[key])
    if key == "oncalls":
        return {name: _referred(name, value) for name, value in whole.items()}
    return whole


def _referred(name: str, value: Any) -> Any:
    """A reference of an on-call entry, with the type that says that it is one."""
    if name in ("user", "schedule", "escalation_policy") and isinstance(value, dict):
        return {"type": f"{name}_reference", **value}
    return value


def references(value: Any, kind: str) -> dict[str, Json]:
    """All references of a kind (`user`) anywhere in a world's data, by id."""
    found: dict[str, Json] = {}
    for item in _objects(value):
        if item.get("type") in (kind, f"{kind}_reference") and item.get("id"):
            found.setdefault(item["id"], item)
    return found


def _objects(value: Any) -> Iterable[Json]:
    if isinstance(value, dict):
        yield value
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _objects(inner)


def users(pager: Mapping[str, Any]) -> list[Json]:
    """The recorded users, and those that are only referred to."""
    recorded = {user["id"]: user for user in pager.get("users", [])}
    named = references(dict(pager), "user") | recorded
    return [_user(item) for item in named.values()]


def _user(item: Json) -> Json:
    name = item.get("name") or item.get("summary") or item["id"]
    return {"summary": name, "email": NO_EMAIL, **item, "name": name, "type": "user"}


def escalation_policies(pager: Mapping[str, Any]) -> list[Json]:
    """The recorded policies, and those that are only referred to, with the levels that on-calls tell."""
    recorded = {policy["id"]: policy for policy in pager.get("escalation_policies", [])}
    named = references(dict(pager), "escalation_policy") | recorded
    return [_policy(item, pager.get("oncalls", [])) for item in named.values()]


def _policy(item: Json, oncalls: list[Json]) -> Json:
    name = item.get("name") or item.get("summary") or item["id"]
    rules = item.get("escalation_rules") or _rules(item["id"], oncalls)
    return {
        "summary": name,
        **item,
        "name": name,
        "type": "escalation_policy",
        "escalation_rules": rules,
    }


def _rules(policy: str, oncalls: list[Json]) -> list[Json]:
    levels: dict[int, list[Json]] = {}
    for oncall in oncalls:
        if (oncall.get("escalation_policy") or {}).get("id") == policy:
            entry = shaped("oncalls", oncall)
            target = entry.get("schedule") or entry.get("user")
            if target:
                levels.setdefault(entry.get("escalation_level", 1), []).append(target)
    return [
        {"id": f"{policy}-{level}", "escalation_delay_in_minutes": 30, "targets": targets}
        for level, targets in sorted(levels.items())
    ]
