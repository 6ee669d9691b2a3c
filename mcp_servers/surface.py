"""The schemas of a server's tools as they go over the wire: complete, and without noise."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from typing import Any, get_type_hints

from pydantic import TypeAdapter


def output_schema(function: Callable[..., Any]) -> dict[str, Any]:
    """The schema of what an async function's annotation says it returns."""
    returned = get_type_hints(function, include_extras=True).get("return")
    if returned is None:
        raise TypeError(
            f"{function.__qualname__}{signature(function)} does not say what it returns"
        )
    return slim(TypeAdapter(returned).json_schema(mode="serialization"))


def slim(schema: dict[str, Any]) -> dict[str, Any]:
    """A JSON schema without the titles pydantic makes up from names, and without unsaid defaults."""
    cleaned: dict[str, Any] = _slim(schema, names=False)
    return cleaned


def closed(schema: dict[str, Any]) -> dict[str, Any]:
    """An input schema that says what the guard does: unknown arguments are refused."""
    return {**slim(schema), "additionalProperties": False}


def _slim(value: Any, *, names: bool) -> Any:
    """`names`: the keys of this object are names of properties, not words of JSON Schema."""
    if isinstance(value, list):
        return [_slim(item, names=False) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _slim(item, names=not names and key in ("properties", "$defs"))
        for key, item in value.items()
        if names or not (key == "title" and isinstance(item, str))
    }
