"""What a case is: a world to be built, and the answer that is kept apart from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from assistant.incident import Entity, Verdict
from eval.cases.system import System


@dataclass(frozen=True)
class Rival:
    """Something in the world that looks guilty and is not: it is never to be believed."""

    entity: Entity
    why: str


@dataclass(frozen=True)
class Answer:
    """A kind of fault, and the thing at fault."""

    kind: str
    entity: Entity


@dataclass(frozen=True)
class Expected:
    """The right answer. It never stands in the world folder.

    Without a cause to name `kind` is empty and `entity` is what the alert speaks of.
    """

    verdict: Verdict
    kind: str
    entity: Entity
    rivals: tuple[Rival, ...] = ()
    further: tuple[Answer, ...] = ()
    """The other causes, where there are several: all of them are to be named."""
    as_right: tuple[Answer, ...] = ()
    """Other names for the same cause: whoever gives one of these is right as well."""
    or_else: tuple[Verdict, ...] = ()
    """Verdicts that name no cause and are as honest as the one expected."""


@dataclass(frozen=True)
class Case:
    """One incident: `build` makes its system anew each time, always the same."""

    name: str
    told: str
    build: Callable[[], System]
    expected: Expected
