"""Rate limits: one token bucket per session and tool, and one per session over all tools.

The buckets live in this process, so several replicas each allow the full rate.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from mcp_servers.answer import Status, ToolFailure
from mcp_servers.guard.call import Call

SESSION_CALLS_PER_MINUTE = 1200
_BUCKETS = 4096
"""Sessions come and go; the longest unused bucket is forgotten first (it would be full again)."""


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_at: float


class Limits:
    """Counts calls; a full bucket holds one minute's worth."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._buckets: OrderedDict[tuple[str, str], _Bucket] = OrderedDict()

    def spend(self, call: Call) -> None:
        """Take one token for the tool and one for the session, or raise `ToolFailure`."""
        session = f"{call.caller.subject} {call.caller.session}"
        per_minute = call.target.calls_per_minute
        wait = self._take((session, call.target.name), per_minute)
        limit = f"{per_minute} calls a minute of {call.target.name}"
        if wait == 0:
            wait = self._take((session, ""), SESSION_CALLS_PER_MINUTE)
            limit = f"{SESSION_CALLS_PER_MINUTE} calls a minute of all tools together"
        if wait == 0:
            return
        call.decision, call.rule = "limit", limit
        raise ToolFailure(
            Status.LIMITED,
            f"This session has used up {limit}.",
            (f"Try again in {math.ceil(wait)} seconds.",),
        )

    def _take(self, key: tuple[str, str], per_minute: int) -> float:
        """Seconds until there is a token; 0 when one was taken."""
        now = self._monotonic()
        bucket = self._buckets.setdefault(key, _Bucket(per_minute, now))
        self._buckets.move_to_end(key)
        while len(self._buckets) > _BUCKETS:
            self._buckets.popitem(last=False)
        rate = per_minute / 60
        bucket.tokens = min(per_minute, bucket.tokens + (now - bucket.filled_at) * rate)
        bucket.filled_at = now
        if bucket.tokens < 1:
            return (1 - bucket.tokens) / rate
        bucket.tokens -= 1
        return 0
