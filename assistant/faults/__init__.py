"""The fault catalogue: every kind of trouble this project can name, one TOML table for each group.

In a table: `role` says what a finding of the kind can be in an explanation; `weight`, for a cause, how
far the kind alone, seen clearly, may be trusted (0 to 1).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib import resources

from pydantic import Field

from assistant.incident import Entity, Frozen

SPOKEN = re.compile(r"(?P<kind>[a-z]+)(?P<between>\s+|-name=)NAME\b")
"""Where a table's text names a thing of a kind: `service NAME`, `service-name=NAME`."""
PLAIN = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
"""A name as Kubernetes allows it: what a metric or a log calls a thing may be anybody's text."""


class Role(StrEnum):
    """What a finding of a kind can be in an explanation."""

    CAUSE = "cause"
    SYMPTOM = "symptom"
    CHANGE = "change"
    CLEAR = "clear"
    """Looked at and found innocent."""


class Fault(Frozen):
    """One kind of trouble."""

    kind: str
    group: str
    role: Role
    weight: float = Field(
        ge=0, le=1, description="how far the kind alone, seen clearly, is trusted"
    )
    title: str
    shows: str
    causes: str = Field(description="what follows downstream")
    fix: str
    verify: str


@cache
def catalogue() -> Mapping[str, Fault]:
    """All fault kinds by name, read once from the packaged tables."""
    found: dict[str, Fault] = {}
    for table in sorted(resources.files("assistant.faults").iterdir(), key=lambda file: file.name):
        group, _, ending = table.name.rpartition(".")
        if ending == "toml":
            rows = tomllib.loads(table.read_text(encoding="utf-8"))
            found |= {kind: Fault(kind=kind, group=group, **row) for kind, row in rows.items()}
    return found


def fault(kind: str) -> Fault:
    """The entry of a kind; KeyError for a name that is not in the catalogue."""
    return catalogue()[kind]


def spelled(text: str, entity: Entity) -> str:
    """A table's text with the names of this thing; a name of anything else stays a placeholder."""
    if not PLAIN.fullmatch(entity.name):
        return text
    own = entity.kind.lower()
    text = SPOKEN.sub(
        lambda m: f"{m['kind']}{m['between']}{entity.name}" if m["kind"] == own else m[0], text
    )
    if entity.kind == "Node":
        text = re.sub(r"\bNODE\b", lambda _: entity.name, text)
    named = entity.namespace or (entity.name if own == "namespace" else "")
    return re.sub(r"\bNAMESPACE\b", lambda m: named or m[0], text)
