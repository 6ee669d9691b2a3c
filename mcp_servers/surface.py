"""The schemas of a server's tools as they go over the wire: complete, portable, and without noise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from inspect import signature
from typing import Any, get_type_hints

from pydantic import TypeAdapter

Schema = dict[str, Any]


def output_schema(function: Callable[..., Any]) -> Schema:
    """The schema of what an async function's annotation says it returns."""
    returned = get_type_hints(function, include_extras=True).get("return")
    if returned is None:
        raise TypeError(
            f"{function.__qualname__}{signature(function)} does not say what it returns"
        )
    return inlined(slim(TypeAdapter(returned).json_schema(mode="serialization")))


def slim(schema: Schema) -> Schema:
    """A JSON schema without the titles pydantic makes up from names."""
    cleaned: Schema = _slim(schema, names=False)
    return cleaned


def closed(schema: Schema) -> Schema:
    """An input schema that says what the guard does: unknown arguments are refused."""
    return {**slim(schema), "additionalProperties": False}


def inlined(schema: Schema) -> Schema:
    """A JSON schema with each definition that is used once put where it is used: smaller, and
    nothing for a host to look up.
    """
    definitions = schema.get("$defs", {})
    once = {name for name, times in Counter(_references(schema)).items() if times == 1}
    rest = {key: item for key, item in schema.items() if key != "$defs"}
    shared = {name: item for name, item in definitions.items() if name not in once}
    whole: Schema = _inlined({**rest, "$defs": shared} if shared else rest, definitions, once)
    return whole


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


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _references(item)
    elif isinstance(value, dict):
        if isinstance(reference := value.get("$ref"), str):
            yield reference.removeprefix("#/$defs/")
        for item in value.values():
            yield from _references(item)


def _inlined(value: Any, definitions: Schema, once: set[str]) -> Any:
    if isinstance(value, list):
        return [_inlined(item, definitions, once) for item in value]
    if not isinstance(value, dict):
        return value
    reference = value.get("$ref")
    if isinstance(reference, str) and (name := reference.removeprefix("#/$defs/")) in once:
        beside = {key: item for key, item in value.items() if key != "$ref"}
        return _inlined({**definitions[name], **beside}, definitions, once)
    return {key: _inlined(item, definitions, once) for key, item in value.items()}
