"""What a case is: a world to be built, and the answer that is kept apart from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from assistant.incident import Entity, Verdict
from eval.cases.system import System


@dataclass(frozen=True)
class Rival:
    """Something in the world that looks guilty and is not: a good report says why not."""

    entity: Entity
    why: str


@dataclass(frozen=True)
class Expected:
    """The right answer. It never stands in the world folder."""

    verdict: Verdict
    kind: str
    entity: Entity
    rivals: tuple[Rival, ...] = ()


@dataclass(frozen=True)
class Case:
    """One incident: `build` makes its system anew each time, always the same."""

    name: str
    told: str
    build: Callable[[], System]
    expected: Expected
