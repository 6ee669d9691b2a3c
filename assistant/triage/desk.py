"""What the steps of a triage work with: the toolbox's door, the clock, the settings that matter."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from assistant.checks import CHECKS, Check
from assistant.incident import Alert, BlindSpot, Evidence
from assistant.toolbox import Call
from assistant.triage.view import RUNBOOK_STEP, Sight, View

Stage = Callable[[str], None]

MOST_NAMED = 4
"""So many of several like questions are named where one reason kept them all from an answer."""

_NAMES = re.compile(r"/[^\s'\"]+|[\w.-]*\d[\w.-]*|(?<=[?&])\S+|['\"][^'\"]*['\"]")

PARTLY = "not everything could be seen"
"""How a server begins the reason of an answer that lacks a part."""

UNREAD = "unknown"
"""The status of an alert that PagerDuty could not be asked about."""


class Asking(Protocol):
    """The part of the toolbox that a triage uses (tests bring a recorded one)."""

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """All that is known."""
        ...

    @property
    def calls(self) -> int:
        """Calls made in this run."""
        ...

    async def call(
        self, tool: str, arguments: Mapping[str, Any] | None = None, *, reason: str = ""
    ) -> Evidence:
        """One question."""
        ...

    async def collect(self, calls: Iterable[Call]) -> list[Evidence]:
        """Several questions at once."""
        ...


def _quiet(_: str) -> None:
    """Tells nobody which step is running."""


@dataclass(frozen=True)
class Desk:
    """The dependencies of a triage. Never part of the state, which is serialised."""

    toolbox: Asking
    clock: Callable[[], datetime]
    timer: Callable[[], float]
    lookback: timedelta
    on_stage: Stage = _quiet
    checks: Mapping[str, Check] = field(default_factory=lambda: CHECKS)
    """The families of faults to look for, by name."""
    given: Alert | None = None
    """The alert by value, where no system can be asked for it by its id (Alertmanager's own)."""
    sight: Sight = field(default_factory=Sight, compare=False, repr=False)

    def view(self) -> View:
        """What all evidence shows by now."""
        return self.sight.of(self.toolbox.evidence)


def blind_spots(evidence: Iterable[Evidence]) -> tuple[BlindSpot, ...]:
    """Every question that was not answered, one row for each tool and kind of reason."""
    rows: dict[tuple[str, str, str], list[Evidence]] = {}
    asked = [item for item in evidence if item.asked_because != RUNBOOK_STEP]
    for item in sorted(asked, key=lambda one: (one.tool, one.id)):
        if not item.status.seen or item.reason.startswith(PARTLY):
            key = (item.tool, item.status.value, _stem(item.reason))
            rows.setdefault(key, []).append(item)
    return tuple(_blind(alike) for alike in rows.values())


def _stem(reason: str) -> str:
    """The reason without what differs from object to object: addresses, and names with digits."""
    return _NAMES.sub("*", reason)[:200]


def _blind(alike: list[Evidence]) -> BlindSpot:
    first = alike[0]
    reasons = list(dict.fromkeys(f"{item.asked_because or item.tool}" for item in alike))
    more = f", and {len(reasons) - MOST_NAMED} more like it" if len(reasons) > MOST_NAMED else ""
    return BlindSpot(
        tool=first.tool,
        status=first.status,
        reason=first.reason,
        consequence=f"not seen: {'; '.join(reasons[:MOST_NAMED])}{more}",
        suggestions=first.suggestions,
        evidence=first.id,
    )


def utc(moment: datetime) -> str:
    """RFC 3339 in UTC to the second: how times are given to tools, so that a question has one id."""
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
