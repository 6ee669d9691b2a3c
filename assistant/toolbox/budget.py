"""What one triage may still spend: calls and seconds, in all and on one server. No model can raise it."""

from __future__ import annotations

from collections.abc import Callable

from assistant.settings import Budget

Timer = Callable[[], float]

PATIENCE = 1 / 3
"""Share of a triage's seconds that one server may keep it waiting without answering anything."""


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


class Patience:
    """How long one server may still be waited for: its share of the time, less what it has wasted.

    Waiting is wasted if no answer came in the meantime; any answer restores the whole share.
    """

    def __init__(self, budget: Budget, timer: Timer) -> None:
        self._share = PATIENCE * budget.seconds
        self._timer = timer
        self._wasted = 0.0
        self._counted_until = timer()

    @property
    def seconds_left(self) -> float:
        """Seconds that the next call may take; 0 for a server that is not asked any more."""
        left = self._share - self._wasted
        return left if left > self._share / 10 else 0.0  # with less, a call is not worth making

    def answered(self) -> None:
        """The server has answered, be it with an error."""
        self._wasted = 0.0
        self._counted_until = self._timer()

    def waited(self, since: float) -> None:
        """A call made at `since` was given up. Calls that waited side by side count once."""
        now = self._timer()
        self._wasted += max(0.0, now - max(since, self._counted_until))
        self._counted_until = now

    def lost(self, server: str) -> str:
        """Why the server is not asked any more; empty while it may be."""
        if self.seconds_left:
            return ""
        return f"{server} answered nothing for {self._share:.3g} seconds before this was asked"
