"""Words: those that the conclusions share, and those that a change and a trouble have in common. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

from assistant.changed import SUMMARY, content
from assistant.incident import Finding

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_OTHER = re.compile(r"[^a-z0-9]+")
_JOINTED = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[_.-][A-Za-z0-9]+)+|[a-z]+[A-Z][A-Za-z0-9]+")
_SETTING = re.compile(
    r"\[(?P<name>[^\]]+)\]$|^(?:data|binaryData|stringData)\.(?P<key>.+)$|^(?P<told>[A-Z][A-Z0-9_]+)$"
)
_SINGLE = re.compile(r"[A-Za-z][\w-]{3,}")
SHORTEST = 6
"""Letters in a name that is looked for: `ttl` and `db` stand in many lines that mean something else."""


def span(length: timedelta) -> str:
    """`7 min`, `3 h`, `2 days`: a span in the unit that a person would use."""
    minutes = max(round(length.total_seconds() / 60), 1)
    if minutes < 120:  # noqa: PLR2004 - two hours
        return f"{minutes} min"
    hours = round(minutes / 60)
    return f"{hours} h" if hours < 48 else f"{round(hours / 24)} days"  # noqa: PLR2004 - two days


def shared_words(change: Finding, effect: Finding) -> frozenset[str]:
    """Settings, hosts and flags that a change names and of which a trouble speaks.

    The names of the two things themselves are no sign: both are about them anyhow.
    """
    own = {
        _plain(part) for entity in (change.entity, effect.entity) for part in _parts(str(entity))
    }
    spoken = f"_{_plain(' '.join([effect.statement, *effect.details.values()]))}_"
    named = {name for name in _names(change) if len(name) >= SHORTEST and name not in own}
    return frozenset(name for name in named if f"_{name}_" in spoken)


def _names(change: Finding) -> Iterator[str]:
    for key, value in content(change).items():
        yield from _of_setting(key)
        after = value.rpartition(" -> ")[2]
        yield from map(_plain, _JOINTED.findall(after))
        if _SINGLE.fullmatch(after) and " -> " in value:
            yield _plain(after)
    yield from map(_plain, _JOINTED.findall(change.details.get(SUMMARY, "")))


def _of_setting(key: str) -> Iterator[str]:
    """`PLAN_CACHE_MB` of `data.PLAN_CACHE_MB`, and any two of its parts that follow each other.

    The fields of Kubernetes itself (`serviceAccountName`) are nobody's setting.
    """
    match = _SETTING.search(key)
    name = next(filter(None, match.groups()), "") if match else ""
    parts = _plain(name).split("_")
    if len(parts) > 1:
        yield "_".join(parts)
        yield from ("_".join(pair) for pair in pairwise(parts))


def _parts(text: str) -> Iterator[str]:
    yield from re.split(r"[ /]", text)


def _plain(text: str) -> str:
    """Small letters and digits, joined by one underscore: `planCache-MB` is `plan_cache_mb`."""
    return _OTHER.sub("_", _CAMEL.sub("_", text).lower()).strip("_")
