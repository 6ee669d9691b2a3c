"""What one triage may still spend: calls and seconds. Nothing that a model says can raise it."""

from __future__ import annotations

from collections.abc import Callable

from assistant.settings import Budget

Timer = Callable[[], float]


class Purse:
    """Counts the calls made and the seconds since it was opened."""

    def __init__(self, budget: Budget, timer: Timer) -> None:
        self._budget = budget
        self._timer = timer
        self._opened = timer()
        self.calls = 0

    @property
    def seconds_left(self) -> float:
        """Seconds until the triage must be done; 0 when they are spent."""
        return max(0.0, self._budget.seconds - (self._timer() - self._opened))

    def spend(self) -> str:
        """Take one call out of the budget. Returns why not, where there is none left."""
        if late := self.late():
            return late
        if self.calls >= self._budget.calls:
            return f"the triage's {self._budget.calls} calls were spent before this was asked"
        self.calls += 1
        return ""

    def late(self) -> str:
        """Why nothing more can be asked for lack of time; empty while there is some."""
        if self.seconds_left:
            return ""
        return f"the triage's {self._budget.seconds:g} seconds were spent before this was asked"
