"""What a topic scores, and why, in words. Pure: signals in, numbers and words out.

The text signals are normalised, weighted and added: ranks would throw away how sure each side is.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from operator import mul
from typing import NamedTuple, TypeVar

from ingest.lookup import Runbook

Key = TypeVar("Key", bound=Hashable)

SERVICE, OTHER_SERVICE, OTHER_ENVIRONMENT, STALE = 0.1, -0.1, -0.1, -0.02
"""What the incident knows beside the text, where all that text can give is 1."""
ADDRESSED, ROUTED, POINTED = 1.0, 1.0, 0.5
"""Where the alert itself points comes before all that a search finds: its URL before its name, and
there the section under the anchor or name."""
STEPS = 0.15
"""For commands or numbered steps: of one topic's sections, the one to act on."""
STALE_DAYS = 365
CLOSE = 0.5
"""From this cosine on, likeness in meaning is worth a word to the reader."""
HALF = 20.0
"""The BM25 of pairs that counts half of the most it can."""
FAR, NEAR = 0.2, 0.8
"""Cosines of this model: unrelated texts lie under the first, the same text in other words above."""


class Evidence(NamedTuple):
    """What the text of a topic says for it; numbers from 0 to 1."""

    lexical: float = 0.0
    """BM25 of its best section, as a part of the best of all."""
    meaning: float = 0.0
    """The cosine of its nearest section, from FAR to NEAR."""
    sibling: float = 0.0
    """The best of the two above over all topics about the same alert, itself included: who wrote the
    alert's own message down names the alert for the others."""
    whole: float = 0.0
    """BM25 of the topic as a whole."""
    coverage: float = 0.0
    """Which part of the query's words it has, the rare ones weighing most."""
    alert_title: float = 0.0
    """Which part of its title the query has, where it is about one alert."""
    page_title: float = 0.0
    """The same where it is not: a component's page, a guide."""
    fit: float = 0.0
    """How well title and query fit both ways: the geometric mean of the parts that each has of the other."""
    pairs: float = 0.0
    """BM25 of its best section over pairs of words as the query has them, one after the other: who
    quotes the alert's own message. Saturated, as a lone common pair must not count as much as a quotation."""
    entitled: float = 0.0
    """1 where the query has the whole title of a page that is about no one alert: a component's page."""

    def weighed(self, weights: Evidence) -> float:
        """The weighted sum as a part, from 0 to 1, of the most there can be."""
        return float(sum(map(mul, self, weights))) / sum(weights)


PROSE = Evidence(lexical=1, meaning=1.4, sibling=1, whole=1, fit=1, pairs=1, entitled=1)
"""For a question in prose: signals alike, but for meaning. Weights learned on part of the questions are no
better on the rest of them (`python -m eval.retrieval_learn`); coverage and a share of a title are worse."""
NAMED = Evidence(0.6, 2.4, 0.9, 1.0, 1.2, 0.1, 2.8)
"""For a question that names its alert, as learned there: the titles of other alerts say next to nothing
then, the title of a component's page says the most."""


@dataclass(frozen=True, slots=True)
class Context:
    """What the incident knows beside the text of its alert."""

    addressed: bool = False
    routed: bool = False
    named: bool = False
    same_service: bool = False
    other_service: bool = False
    other_environment: bool = False
    stale: bool = False

    @property
    def score(self) -> float:
        """What is added to the text's score."""
        route = ADDRESSED * self.addressed + ROUTED * self.routed
        where = OTHER_SERVICE * self.other_service + OTHER_ENVIRONMENT * self.other_environment
        return route + where + SERVICE * self.same_service + STALE * self.stale


def nearness(cosine: float) -> float:
    """A cosine as a number from 0 to 1."""
    return max(0.0, min(1.0, (cosine - FAR) / (NEAR - FAR)))


def saturated(score: float) -> float:
    """A BM25 as a number from 0 to 1."""
    return score / (score + HALF)


def normalised(scores: Mapping[Key, float]) -> dict[Key, float]:
    """Scores as parts of the best."""
    best = max(scores.values(), default=0.0)
    return {key: score / best if best > 0 else 0.0 for key, score in scores.items()}


def explain(
    route: str,
    context: Context,
    cosine: float,
    words: Sequence[str],
    runbook: Runbook,
    today: date | None,
) -> str:
    """Why a section was chosen, for a tired reader."""
    reasons = [
        route,
        "names this alert" if context.named and not route else "",
        "same service" if context.same_service else "",
        "for another service" if context.other_service else "",
        "for another environment" if context.other_environment else "",
        f"shares the words {', '.join(words)}" if words else "",
        f"close in meaning ({cosine:.2f})" if cosine >= CLOSE else "",
        reviewed(runbook.last_reviewed, today),
    ]
    return "; ".join(reason for reason in reasons if reason)


def age(day: str, today: date | None) -> int | None:
    """Days since a review; None where it is not known."""
    try:
        days = (today - date.fromisoformat(day)).days if today and day else -1
    except ValueError:
        return None
    return days if days >= 0 else None


def reviewed(day: str, today: date | None) -> str:
    """`reviewed 40 days ago`, or the author's own words for the day; empty where it is not known."""
    days = age(day, today)
    if days is not None:
        return f"reviewed {days} days ago"
    try:
        date.fromisoformat(day)
    except ValueError:
        return f"reviewed {day}" if day else ""
    return ""
