"""What a section scores, and why, in words. Pure: signals in, numbers and words out.

Scores are normalised and added: ranks would throw away how sure each side is.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TypeVar

from ingest.lookup import Runbook

Key = TypeVar("Key", bound=Hashable)

LEXICAL, DENSE, TOPIC, TITLE = 1.0, 0.8, 0.5, 0.3
"""Weights of what the text says: the best of ten settings tried on questions over public runbooks."""
NAMED, SERVICE, OTHER_ENVIRONMENT = 0.5, 0.3, -0.3
"""Weights of what the incident knows beside the text."""
ADDRESSED, ROUTED, POINTED = 3.0, 3.0, 1.0
"""Where the alert itself points comes before all that a search finds: its URL before its name, and
there the section under the anchor or name."""
STEPS = 0.5
"""For commands or numbered steps: of one topic's sections, the one to act on."""
TWIN = 0.8
"""Runbooks that share this part of their word triples are one text in two places."""
CLOSE = 0.5
"""From this cosine on, likeness in meaning is worth a word to the reader."""


@dataclass(frozen=True, slots=True)
class Signals:
    """What speaks for a section; numbers lie between 0 and 1."""

    lexical: float = 0.0
    dense: float = 0.0
    cosine: float = 0.0
    topic: float = 0.0
    title: float = 0.0
    addressed: bool = False
    routed: bool = False
    pointed: bool = False
    named: bool = False
    same_service: bool = False
    other_environment: bool = False
    has_steps: bool = False

    def of_section(
        self, *, lexical: float, dense: float, cosine: float, has_steps: bool, pointed: bool
    ) -> Signals:
        """The topic's signals, and those of one of its sections."""
        return replace(
            self, lexical=lexical, dense=dense, cosine=cosine, has_steps=has_steps, pointed=pointed
        )

    @property
    def text(self) -> float:
        """What the text alone says."""
        return LEXICAL * self.lexical + DENSE * self.dense + TOPIC * self.topic + TITLE * self.title

    @property
    def score(self) -> float:
        """The sum of the weighted signals."""
        context = NAMED * self.named + SERVICE * self.same_service
        context += OTHER_ENVIRONMENT * self.other_environment
        route = ADDRESSED * self.addressed + ROUTED * self.routed + POINTED * self.pointed
        return self.text + context + route

    @property
    def use(self) -> float:
        """What decides between the sections of one topic; topics are compared by `score` alone."""
        return self.score + STEPS * self.has_steps


def share(signals: Signals, strength: float) -> float:
    """A topic's strength as a part, from 0 to 1, of the most that text can give; 1 where routed."""
    most = LEXICAL + TOPIC + TITLE + DENSE * (signals.dense > 0)
    return 1.0 if signals.routed else max(0.0, min(1.0, strength / most))


def normalised(scores: Mapping[Key, float], floor: float = 0.0) -> dict[Key, float]:
    """Scores between 0 (at or under `floor`) and 1 (the best)."""
    best = max(scores.values(), default=0.0)
    if best <= floor:
        return dict.fromkeys(scores, 0.0)
    return {key: max(0.0, (score - floor) / (best - floor)) for key, score in scores.items()}


def shared(wanted: Sequence[str], words: frozenset[str]) -> float:
    """Which part of a title's words the query has."""
    return len(words.intersection(wanted)) / len(words) if words else 0.0


def explain(
    route: str, signals: Signals, words: Sequence[str], runbook: Runbook, today: date | None
) -> str:
    """Why a section was chosen, for a tired reader."""
    reasons = [
        route,
        "names this alert" if signals.named and not route else "",
        "same service" if signals.same_service else "",
        "for another environment" if signals.other_environment else "",
        f"shares the words {', '.join(words)}" if words else "",
        f"close in meaning ({signals.cosine:.2f})" if signals.cosine >= CLOSE else "",
        reviewed(runbook.last_reviewed, today),
    ]
    return "; ".join(reason for reason in reasons if reason)


def reviewed(day: str, today: date | None) -> str:
    """`reviewed 40 days ago`; empty where it is not known."""
    try:
        days = (today - date.fromisoformat(day)).days if today and day else -1
    except ValueError:
        return f"reviewed {day}"
    return f"reviewed {days} days ago" if days >= 0 else ""


def word_triples(text: str) -> frozenset[tuple[str, ...]]:
    """Every three words that follow one another: what tells near copies from like subjects."""
    words = text.lower().split()
    return frozenset(tuple(words[i : i + 3]) for i in range(max(1, len(words) - 2)))


def twins(one: frozenset[tuple[str, ...]], other: frozenset[tuple[str, ...]]) -> bool:
    """Whether two texts are nearly the same."""
    return len(one & other) >= TWIN * len(one | other)
