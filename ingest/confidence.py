"""Whether what was found is close enough to be shown. A wrong runbook at 2AM is worse than none.

No sign suffices alone, least of all the best cosine: short questions and small indexes move it. So
several are weighed together, with weights that were learned on questions with and without an answer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import mul
from typing import NamedTuple

from ingest.candidates import Candidate, Wanted
from ingest.ranking import nearness


class Traits(NamedTuple):
    """What tells whether there is an answer; numbers from 0 to 1."""

    known: float = 0.0
    """Which part of the query's words any runbook has, the rare ones weighing most."""
    coverage: float = 0.0
    """Which part of them the best has."""
    together: float = 0.0
    """The same of the best section of all that was found, by its BM25 and what is the most it could be."""
    closest: float = 0.0
    """How near the nearest section of all is in meaning."""
    meaning: float = 0.0
    """How near the best one's is."""
    title: float = 0.0
    """Which part of the best one's title the query has."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What a ranking shows of itself."""

    certain: bool
    """The alert itself points to the best, or the best is about an alert that the query names."""
    dense: bool
    """Whether vectors had a say."""
    traits: Traits


WEIGHTS = Traits(known=1.6, coverage=4.8, together=2.9, closest=5.7, meaning=6.3, title=4.7)
BIAS = -11.6
WEIGHTS_BY_WORDS = Traits(known=4.0, coverage=7.3, title=7.3)
BIAS_BY_WORDS = -8.4
"""With vectors and without. Learned and cross-validated by `python -m eval.retrieval_learn`."""
THRESHOLD = 0.4
"""Keeps 98 % of the answerable questions over public runbooks and refuses 96 % of the strangers."""
THRESHOLD_BY_WORDS = 0.4


def signs(wanted: Wanted, ranked: Sequence[Candidate], meaning: Mapping[int, float]) -> Signs:
    """The signs in a ranking; all 0 where it is empty."""
    if not ranked:
        return Signs(certain=False, dense=bool(meaning), traits=Traits())
    best = ranked[0]
    words = wanted.vocabulary
    traits = Traits(
        known=words.known,
        coverage=words.known * best.evidence.coverage,
        together=words.known * max(one.evidence.coverage for one in ranked),
        closest=nearness(max(meaning.values(), default=0.0)),
        meaning=best.evidence.meaning if meaning else 0.0,
        title=best.evidence.alert_title + best.evidence.page_title,
    )
    return Signs(best.context.routed or best.context.named, bool(meaning), traits)


def confidence(found: Signs) -> float:
    """How sure it is, from 0 to 1, that there is an answer."""
    if found.certain:
        return 1.0
    weights, bias = (WEIGHTS, BIAS) if found.dense else (WEIGHTS_BY_WORDS, BIAS_BY_WORDS)
    return 1 / (1 + math.exp(-(bias + sum(map(mul, weights, found.traits)))))
