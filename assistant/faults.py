"""The fault catalogue: every kind of trouble this project can name. The table is `faults.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib import resources

from pydantic import Field

from assistant.incident import Frozen


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
    """All fault kinds by name, read once from the packaged table."""
    text = resources.files("assistant").joinpath("faults.toml").read_text(encoding="utf-8")
    rows = tomllib.loads(text)
    return {kind: Fault(kind=kind, **row) for kind, row in rows.items()}


def fault(kind: str) -> Fault:
    """The entry of a kind; KeyError for a name that is not in the catalogue."""
    return catalogue()[kind]
