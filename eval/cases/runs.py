"""A container's life: every state it took, from which its restarts and its last state follow."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Turn:
    """The state a container took at a moment, in the words of `containerStatuses[].state`."""

    at: datetime
    state: Json
    ready: bool = False


@dataclass
class Run:
    """A container's life: every turn it took, oldest first. Restarts and last state follow from it."""

    turns: list[Turn] = field(default_factory=list)
    restarts_before: int = 0
    last_before: Json = field(default_factory=dict)

    def turn(self, at: datetime) -> Turn | None:
        """The latest turn at a moment; none before the first."""
        return next((turn for turn in reversed(self.turns) if turn.at <= at), None)

    def restarts(self, at: datetime) -> int:
        """How often it has been started again by then."""
        starts = [turn for turn in self.turns if "running" in turn.state and turn.at <= at]
        distinct = {turn.state["running"]["startedAt"] for turn in starts}
        return self.restarts_before + max(len(distinct) - 1, 0)

    def last_state(self, at: datetime) -> Json:
        """How its previous run ended, as `lastState` says it."""
        ended = [turn for turn in self.turns if "terminated" in turn.state and turn.at <= at]
        current = self.turn(at)
        if ended and current is ended[-1]:
            ended = ended[:-1]
        return ended[-1].state if ended else self.last_before
