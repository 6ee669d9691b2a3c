"""What a triage is doing, on standard error: a line that changes on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from assistant.incident import Status


class Progress:
    """Counts calls and names the step that runs."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status = console.status("") if console.is_terminal else None
        self._stage = ""
        self._done = 0
        self._unseen = 0

    @classmethod
    @contextmanager
    def shown(cls, console: Console) -> Iterator[Progress]:
        """Show it while the block runs."""
        progress = cls(console)
        if progress._status is None:
            yield progress
            return
        with progress._status:
            yield progress

    def stage(self, name: str) -> None:
        """A new step has begun."""
        self._stage = name
        if self._status is None:
            self._console.print(f"· {name}", highlight=False)
        self._show()

    def answered(self, status: Status) -> None:
        """A call has been answered."""
        self._done += 1
        self._unseen += not status.seen
        self._show()

    def _show(self) -> None:
        if self._status:
            blind = f", {self._unseen} unanswered" if self._unseen else ""
            self._status.update(f"{self._stage} ({self._done} answers{blind})")
