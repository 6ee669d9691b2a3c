"""What live state says of one line of a runbook, and what it is held against."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from assistant.incident import Citation, Entity, StepState
from assistant.snapshot import Snapshot

RANK = (StepState.CONTRADICTED, StepState.APPLIES, StepState.ALREADY_TRUE, StepState.UNKNOWN)
"""Of several lines in one step the first of these is what the reader must know."""


@dataclass(frozen=True)
class Judgement:
    """A state, its reason, and the evidence for it.

    `outdates`: what the line names is not there, so that its page is out of date. A condition that
    does not hold just now contradicts a step and outdates nothing.
    """

    state: StepState
    why: str
    said: tuple[Citation, ...] = ()
    outdates: bool = False


PERSONAL = Judgement(StepState.UNKNOWN, "for a person to judge")


@dataclass(frozen=True)
class Live:
    """What is known of the cluster, and which things were found to be wrong in this incident."""

    snapshot: Snapshot
    wrong: frozenset[Entity] = frozenset()


def unknown(why: str, said: tuple[Citation, ...] = ()) -> Judgement:
    """Nothing that was seen tells."""
    return Judgement(StepState.UNKNOWN, why, said)


def worst(judgements: Iterable[Judgement]) -> Judgement:
    """The one that the reader must know; left to the reader where there is none."""
    return min(
        judgements, key=lambda one: (RANK.index(one.state), not one.outdates), default=PERSONAL
    )
