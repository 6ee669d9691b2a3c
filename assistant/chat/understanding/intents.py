"""What a sentence asks for, by the words that mean it. Pure.

Each intent has a few signals with the share of certainty that each gives; signals of one intent add
up as independent witnesses do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from assistant.chat.understanding.meaning import Intent
from assistant.chat.understanding.signals import SIGNALS

_COMPILED = {
    intent: tuple((weight, re.compile(pattern)) for weight, pattern in rows)
    for intent, rows in SIGNALS.items()
}

# Where both were found, the first is what is meant: it speaks of the other in passing.
_NARROWER: tuple[tuple[Intent, Intent], ...] = (
    (Intent.POSTMORTEM, Intent.TRIAGE), (Intent.POSTMORTEM, Intent.REPORT), (Intent.POSTMORTEM, Intent.DIAGRAM),
    (Intent.EVENTS, Intent.REPORT), (Intent.HELP, Intent.RUNBOOK), (Intent.RUNBOOK, Intent.LOGS), (Intent.RUNBOOK, Intent.METRICS), (Intent.RUNBOOK, Intent.FAILING),
    (Intent.RUNBOOK, Intent.CAUSE), (Intent.RUNBOOK, Intent.RESTARTS), (Intent.RUNBOOK, Intent.TRIAGE), (Intent.RUNBOOK, Intent.EVENTS),
    (Intent.ON_CALL, Intent.FAILING), (Intent.ON_CALL, Intent.CAUSE), (Intent.ON_CALL, Intent.TRIAGE),
    (Intent.LOGS, Intent.FAILING), (Intent.LOGS, Intent.RESTARTS), (Intent.LOGS, Intent.TRIAGE), (Intent.LOGS, Intent.METRICS), (Intent.LOGS, Intent.CAUSE),
    (Intent.EVENTS, Intent.FAILING), (Intent.EVENTS, Intent.RESTARTS), (Intent.EVENTS, Intent.TRIAGE), (Intent.EVENTS, Intent.CHANGES),
    (Intent.DIAGRAM, Intent.EVENTS), (Intent.DIAGRAM, Intent.METRICS), (Intent.DIAGRAM, Intent.TRIAGE), (Intent.DIAGRAM, Intent.CAUSE), (Intent.DIAGRAM, Intent.FAILING), (Intent.DIAGRAM, Intent.REPORT),
    (Intent.RULED_OUT, Intent.CAUSE), (Intent.RULED_OUT, Intent.CHANGES), (Intent.RULED_OUT, Intent.METRICS), (Intent.WHY, Intent.LOGS), (Intent.WHY, Intent.EVENTS), (Intent.WHY, Intent.METRICS), (Intent.RULED_OUT, Intent.WHY), (Intent.RULED_OUT, Intent.FAILING),
    (Intent.WHY, Intent.CHANGES),
    (Intent.WHY, Intent.CAUSE), (Intent.WHY, Intent.FAILING), (Intent.WHY, Intent.REPORT), (Intent.WHY, Intent.TRIAGE), (Intent.WHY, Intent.RESTARTS),
    (Intent.RESTARTS, Intent.CAUSE), (Intent.RESTARTS, Intent.FAILING), (Intent.RESTARTS, Intent.CHANGES),
    (Intent.CAUSE, Intent.METRICS), (Intent.CAUSE, Intent.FAILING), (Intent.CAUSE, Intent.TRIAGE), (Intent.CAUSE, Intent.UNUSUAL),
    (Intent.UNUSUAL, Intent.CHANGES), (Intent.UNUSUAL, Intent.FAILING), (Intent.UNUSUAL, Intent.METRICS),
    (Intent.CHANGES, Intent.FAILING), (Intent.CHANGES, Intent.TRIAGE),
    (Intent.METRICS, Intent.FAILING), (Intent.METRICS, Intent.TRIAGE),
    (Intent.FAILING, Intent.TRIAGE), (Intent.REPORT, Intent.TRIAGE), (Intent.REPORT, Intent.FAILING),
    (Intent.HELP, Intent.FAILING), (Intent.HELP, Intent.TRIAGE), (Intent.HELP, Intent.CAUSE),
)  # fmt: skip


def scores(sentence: str) -> dict[Intent, float]:
    """How sure each intent is, of those that anything speaks for."""
    found = {intent: _certainty(rows, sentence) for intent, rows in _COMPILED.items()}
    spoken = {intent: value for intent, value in found.items() if value}
    for narrower, wider in _NARROWER:
        if spoken.get(narrower, 0) >= 0.55 and wider in spoken and narrower in spoken:  # noqa: PLR2004 - more than a hint
            spoken[wider] = min(spoken[wider], spoken[narrower] - 0.3)
    return {intent: value for intent, value in spoken.items() if value > 0}


def _certainty(rows: Iterable[tuple[float, re.Pattern[str]]], sentence: str) -> float:
    doubt = 1.0
    for weight, pattern in rows:
        if pattern.search(sentence):
            doubt *= 1 - weight
    return round(1 - doubt, 4)
