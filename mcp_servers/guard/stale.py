"""The last good answer to the same question, for when the backend is down. Bounded in all ways."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from mcp_servers.answer import Status
from mcp_servers.guard.call import Call, Envelope

_ANSWERS = 256
_BYTES = 16_000_000
_AGE_SECONDS = 900.0
_GOOD = frozenset({Status.OK.value, Status.EMPTY.value})


class LastKnown:
    """Remembers good answers of reads and lends them, marked, when a later one fails."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._answers: OrderedDict[str, tuple[float, str]] = OrderedDict()
        self._bytes = 0

    def remember(self, call: Call, answer: Envelope, text: str) -> None:
        """Keep a good answer; `text` is the answer as JSON, already cleaned."""
        if call.target.writes or answer["status"] not in _GOOD or len(text) > _BYTES // 4:
            return
        key = _key(call)
        self._forget(key)
        self._answers[key] = (self._monotonic(), text)
        self._bytes += len(text)
        while len(self._answers) > _ANSWERS or self._bytes > _BYTES:
            self._forget(next(iter(self._answers)))

    def recall(self, call: Call, failure: Envelope) -> Envelope | None:
        """The last good answer marked `stale`, with its age and why it is not fresh, or None."""
        taken_at, text = self._answers.get(_key(call), (0.0, ""))
        age = self._monotonic() - taken_at
        if not text or age > _AGE_SECONDS:
            return None
        answer: Envelope = json.loads(text)
        answer["status"] = Status.STALE.value
        answer["reason"] = f"This is the answer of {age:.0f} seconds ago: {failure['reason']}"
        answer["suggestions"] = failure["suggestions"]
        return answer

    def _forget(self, key: str) -> None:
        _, text = self._answers.pop(key, (0.0, ""))
        self._bytes -= len(text)


def _key(call: Call) -> str:
    arguments: dict[str, Any] = call.arguments
    return json.dumps([call.target.name, arguments], sort_keys=True, default=str)
