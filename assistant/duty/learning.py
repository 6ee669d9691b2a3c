"""Who calls whom, as the metrics tell it: alerts of neighbours are grouped by it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import anyio
import anyio.to_thread

from assistant.duty.polling import Asking
from assistant.duty.queue import Queue
from assistant.errors import AssistantError
from assistant.incident import Evidence
from assistant.snapshot import dig, listing
from assistant.toolbox import Call

_LOG = logging.getLogger(__name__)
SPAN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Learning:
    """Keeps the queue's picture of who calls whom up to date."""

    queue: Queue
    ask: Asking
    clock: Callable[[], datetime]

    async def run(self, seconds: float) -> None:
        """Learn again and again, until cancelled."""
        while True:
            try:
                await self.once()
            except AssistantError as error:
                _LOG.warning("who calls whom was not learnt: %s", error)
            await anyio.sleep(seconds)

    async def once(self) -> int:
        """Ask who calls whom. Returns how many calls are known; what was known before stays where
        nothing is seen.
        """
        now = self.clock()
        span = {"start": (now - SPAN).isoformat(), "end": now.isoformat()}
        evidence = await self.ask([Call("prometheus.list_services", span, "who calls whom")])
        for item in evidence:
            if not item.status.seen:
                _LOG.warning("who calls whom was not seen (%s): %s", item.status, item.reason)
        pairs = list(_calls(evidence))
        if pairs:
            await anyio.to_thread.run_sync(self.queue.learn, pairs)
        return len(pairs)


def _calls(evidence: Iterable[Evidence]) -> Iterable[tuple[str, str]]:
    for item in evidence:
        for row in listing(item.data, "calls"):
            yield str(dig(row, "client") or ""), str(dig(row, "server") or "")
