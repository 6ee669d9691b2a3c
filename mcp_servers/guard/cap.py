"""The cap: an answer never grows beyond its bytes, and says so when it was cut."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from mcp_servers.guard.call import Envelope, Target

_ROUNDS = 32
_SHORTEST = 200
_NARROWING = (
    "namespace", "name", "label_selector", "field_selector", "container", "tail_lines", "grep",
    "match", "limit", "cursor", "since", "until", "start", "end", "max_series", "max_points",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Part:
    """A list or a string inside the answer, and where it hangs."""

    parent: Any
    key: Any
    value: Any
    size: int


def encode(value: Any) -> str:
    """A value as compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


def cap(answer: Envelope, target: Target) -> str:
    """Cut `answer` in place to the target's bytes and return it as JSON text.

    The longest list is cut from its end; a single enormous string keeps its beginning.
    """
    text = encode(answer)
    size = _size(text)
    if size <= target.cap_bytes:
        return text
    before = size
    _announce(answer, target, before)
    for _ in range(_ROUNDS):
        text = encode(answer)
        excess = _size(text) - target.cap_bytes
        if excess <= 0:
            return text
        if not _cut(answer, excess):
            break
    answer["data"] = None
    return encode(answer)


def _announce(answer: Envelope, target: Target, size: int) -> None:
    reason = f"Cut to {target.cap_bytes} bytes; the whole answer has {size}."
    answer["truncated"] = True
    answer["reason"] = f"{answer['reason'][:_SHORTEST]} {reason}".strip()
    narrowing = [name for name in _NARROWING if name in target.parameters]
    if narrowing:
        answer["suggestions"] = [*answer["suggestions"][:4], f"Narrow by: {', '.join(narrowing)}."]


def _cut(answer: Envelope, excess: int) -> bool:
    """Cut the largest part that can be cut; False when nothing is left to cut."""
    parts: list[_Part] = []
    whole = _measure(answer, "data", parts)
    parts.sort(key=lambda part: part.size, reverse=True)
    lists = [part for part in parts if isinstance(part.value, list) and len(part.value) > 1]
    strings = [part for part in parts if isinstance(part.value, str) and part.size > _SHORTEST]
    if strings and (not lists or strings[0].size > whole / 2):
        _cut_string(strings[0], excess)
    elif lists:
        _cut_list(answer, lists[0], excess)
    return bool(strings or lists)


def _cut_list(answer: Envelope, part: _Part, excess: int) -> None:
    items = part.value
    if answer["total"] is None:
        answer["total"] = len(items)
    while len(items) > 1 and excess > 0:
        excess -= _size(encode(items.pop())) + 1


def _cut_string(part: _Part, excess: int) -> None:
    """Every character is at least one byte of JSON, so cutting `excess` of them is enough."""
    note = f" [cut: {len(part.value)} characters in all]"
    keep = max(_SHORTEST // 2, len(part.value) - excess - len(note))
    part.parent[part.key] = part.value[:keep] + note


def _measure(parent: Any, key: Any, parts: list[_Part]) -> int:
    """Bytes of `parent[key]` as JSON; every list and string under it is put into `parts`."""
    value = parent[key]
    if isinstance(value, dict):
        return 2 + sum(_size(str(name)) + 4 + _measure(value, name, parts) for name in value)
    if isinstance(value, list):
        size = 2 + sum(1 + _measure(value, index, parts) for index in range(len(value)))
        parts.append(_Part(parent, key, value, size))
        return size
    size = _size(encode(value))
    if isinstance(value, str):
        parts.append(_Part(parent, key, value, size))
    return size


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
