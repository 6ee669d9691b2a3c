"""Whether what was found is close enough to be shown. A wrong runbook at 2AM is worse than none.

A first sound form: one number from three signals, one threshold. No signal suffices alone, least of
all the best cosine: short questions and small indexes move it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ingest.lookup import Lookup
from ingest.ranking import Signals

ENOUGH, ENOUGH_BY_WORDS = 0.47, 0.42
"""Below this confidence the search abstains. On 527 answerable questions over 1,120 public pages and
57 foreign ones this kept 99 % and refused 88 % (by words alone 97 % and 81 %)."""
FAR, NEAR = 0.25, 0.75
"""Cosines of this model: unrelated texts lie under the first, paraphrases above the second."""
NAMED_IN_TITLE = 0.2
"""What a title made of the question's words adds."""
SHOWN_WORDS = 4


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The query's words, rarest first: what each weighs, and which topics hold it."""

    words: tuple[tuple[str, float, frozenset[int]], ...]

    def coverage(self, topic: int) -> float:
        """Which part of the query's weight stands in this topic; unknown words weigh most."""
        whole = sum(weight for _, weight, _ in self.words)
        found = sum(weight for _, weight, holders in self.words if topic in holders)
        return found / whole if whole else 0.0

    def shared_with(self, topic: int) -> tuple[str, ...]:
        """The rarest of the query's words that stand in this topic."""
        return tuple(w for w, _, holders in self.words if topic in holders)[:SHOWN_WORDS]


def vocabulary(lookup: Lookup, words: Sequence[str]) -> Vocabulary:
    """How rare each word is over the topics (inverse document frequency)."""
    count = lookup.count_topics()
    rows = []
    for word in words:
        holders = frozenset(lookup.topics_with(word))
        rows.append((word, math.log((count + 1) / (len(holders) + 0.5)), holders))
    return Vocabulary(tuple(sorted(rows, key=lambda row: (-row[1], row[0]))))


def confidence(signals: Signals, coverage: float, closest: float | None) -> float:
    """How sure it is, from 0 to 1, that there is an answer. `closest`: the best cosine of all
    sections; None where there are no vectors.
    """
    if signals.routed or signals.named:
        return 1.0
    title = NAMED_IN_TITLE * signals.title
    if closest is None:
        return min(1.0, coverage + title)
    closeness = max(0.0, min(1.0, (closest - FAR) / (NEAR - FAR)))
    return min(1.0, (coverage + closeness) / 2 + title)


def enough(sure: float, closest: float | None) -> bool:
    """Whether to show what was found."""
    return sure >= (ENOUGH_BY_WORDS if closest is None else ENOUGH)
