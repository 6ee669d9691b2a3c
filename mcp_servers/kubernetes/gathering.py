"""Several reads at the same time, where one that fails does not take the others with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from mcp_servers.answer import ToolFailure
from mcp_servers.kubernetes.refusals import Absent
from mcp_servers.together import outcomes

Read = Callable[[], Awaitable[Any]]


async def side_by_side(*reads: Read) -> list[Any]:
    """The results in the order of the reads; a failure stands as its own value."""
    return list(await outcomes(reads))


class BlindSpots:
    """What an answer could not see, and why. Never to be read as "nothing there"."""

    def __init__(self) -> None:
        self._reasons: list[str] = []
        self._suggestions: list[str] = []
        self._failures: list[ToolFailure] = []
        self._seen = 0

    def take(self, part: str, result: Any, otherwise: Any) -> Any:
        """The result, or `otherwise` where its read failed (which is noted under `part`)."""
        if isinstance(result, Absent):
            self._reasons.append(f"{part}: {result.reason}")
            return otherwise
        if isinstance(result, ToolFailure):
            self._failures.append(result)
            self._reasons.append(f"{part}: {result.reason}")
            self._suggestions += [s for s in result.suggestions if s not in self._suggestions]
            return otherwise
        self._seen += 1
        return result

    def note(self, reason: str) -> None:
        """Add a sentence that is not a failure."""
        self._reasons.append(reason)

    def raise_if_blind(self) -> None:
        """Raise the first failure where nothing at all was seen."""
        if self._failures and not self._seen:
            first = self._failures[0]
            raise ToolFailure(first.status, first.reason, first.suggestions)

    @property
    def reason(self) -> str:
        """All that was not seen, in one text."""
        failed = "not everything could be seen. " if self._failures else ""
        return failed + "; ".join(self._reasons) if self._reasons else ""

    @property
    def suggestions(self) -> list[str]:
        """What would make it visible."""
        return self._suggestions[:4]


def failed(result: Any) -> bool:
    """Whether a read of `side_by_side` did not succeed."""
    return isinstance(result, ToolFailure)
