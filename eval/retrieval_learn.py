"""Learns the weights of the runbook search on questions with known answers, and says what each is worth.

    python -m eval.retrieval_learn INDEX QUERIES

Prints the tables that stand in `ingest/ranking.py` and `ingest/confidence.py`. Every figure printed is
cross-validated: the questions are split by alert, and each part is ranked with weights that were learned
on the others. Needs the `embeddings` extra (scikit-learn, scipy).
"""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np

from eval.retrieval import NOT_TUNED
from eval.retrieval_figures import auroc, risk_coverage, scores
from eval.retrieval_questions import Question, read_questions, strangers
from eval.retrieval_run import Asked, Judge, ask
from ingest.confidence import Traits
from ingest.generations import Generations
from ingest.lookup import Lookup
from ingest.ranking import NAMED, PROSE, Evidence

FOLDS = 5
STEEP = 40.0
"""How sharply one score counts as more than another, where a score lies between 0 and 1."""
PULL = 0.03
"""What it costs to leave equal weights: there are some hundred questions to learn eight numbers from."""
UNTOLD = "issue"
"""Too few to learn from."""
Array = Any
BY_WORDS = np.array([name not in ("closest", "meaning") for name in Traits._fields], dtype=float)
"""The traits that are left where there are no vectors."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """The candidates of a question as numbers: evidence, what else counts, and which are answers."""

    question: Question
    named: bool
    evidence: Array
    beside: Array
    slots: Sequence[frozenset[int]]

    @property
    def is_answer(self) -> Array:
        """One truth value a candidate."""
        return np.array([bool(slot) for slot in self.slots])

    def gain(self, weights: Array) -> float:
        """nDCG@10 with these weights."""
        order = np.argsort(-(self.evidence @ weights + self.beside), kind="stable")
        slots = [self.slots[place] for place in order]
        return scores(slots, len(self.question.relevant))["nDCG@10"]


def rankings(asked: Sequence[Asked], lookup: Lookup) -> Iterator[Ranking]:
    """What can be learned from, one for each question."""
    judge = Judge(lookup)
    for one in asked:
        if one.ranked:
            yield Ranking(
                one.question,
                bool(one.wanted.alert),
                np.array([tuple(candidate.evidence) for candidate in one.ranked], dtype=float),
                np.array([candidate.context.score for candidate in one.ranked], dtype=float),
                [judge.slot(one.question.relevant, [candidate]) for candidate in one.ranked],
            )


def part(question: Question) -> int:
    """The fold of a question: all of one alert are in one."""
    name = (question.alert or question.text).lower()
    return int(sha256(name.encode()).hexdigest(), 16) % FOLDS


def learned(chosen: Sequence[Ranking], start: Array, used: Array) -> Array:
    """Weights (not negative, sum 1) near `start` that bring the first answer up.

    Each kind of question counts alike. `used`: which of the weights may be more than 0.
    """
    from scipy.optimize import (  # type: ignore[import-untyped]  # noqa: PLC0415 - heavy
        minimize,
    )

    useful = [one for one in chosen if one.is_answer.any() and one.question.kind != UNTOLD]
    kinds = Counter((one.question.difficulty, one.question.kind) for one in useful)
    shares = [1 / kinds[one.question.difficulty, one.question.kind] / len(kinds) for one in useful]

    def loss(raw: Array) -> tuple[float, Array]:
        away = raw - start * used
        total, slope = PULL * float(away @ away), 2 * PULL * away
        for one, share in zip(useful, shares, strict=True):
            gain, rise = _smooth_gain(one, raw)
            total, slope = total - share * gain, slope - share * rise
        return total, slope

    bounds = [(0.0, None) if one else (0.0, 0.0) for one in used]
    found = minimize(loss, start * used, jac=True, method="L-BFGS-B", bounds=bounds)
    return found.x / found.x.sum()


def _smooth_gain(one: Ranking, weights: Array) -> tuple[float, Array]:
    """1 / log2(1 + rank of the first answer), its rank made smooth; and how that changes with the weights."""
    score = one.evidence @ weights + one.beside
    answers = one.is_answer
    best = int(np.argmax(np.where(answers, score, -np.inf)))
    ahead = 1 / (1 + np.exp(-np.clip(STEEP * (score - score[best]), -30, 30)))
    ahead[answers] = 0
    rank = 1 + ahead.sum()
    gain = 1 / np.log2(1 + rank)
    steep = STEEP * ahead * (1 - ahead)
    rise = steep @ one.evidence - steep.sum() * one.evidence[best]
    return float(gain), -(gain**2) / (1 + rank) / np.log(2) * rise


def validated(chosen: Sequence[Ranking], start: Array, used: Array) -> dict[str, float]:
    """nDCG@10 by difficulty and kind, each question ranked with weights learned without its fold."""
    found: dict[str, list[float]] = defaultdict(list)
    for fold in range(FOLDS):
        weights = learned([one for one in chosen if part(one.question) != fold], start, used)
        for one in chosen:
            if part(one.question) == fold:
                found[f"{one.question.difficulty} {one.question.kind}"].append(one.gain(weights))
    return {name: mean(values) for name, values in sorted(found.items())}


def plain(chosen: Sequence[Ranking], weights: Array) -> dict[str, float]:
    """nDCG@10 by difficulty and kind with given weights."""
    found: dict[str, list[float]] = defaultdict(list)
    for one in chosen:
        name = f"{one.question.difficulty} {one.question.kind}"
        found[name].append(one.gain(weights / weights.sum()))
    return {name: mean(values) for name, values in sorted(found.items())}


def weights_page(all_rankings: Sequence[Ranking]) -> Iterator[str]:
    """The table for each form of question, and what it loses without each of its signals."""
    for title, in_use, named in (("PROSE", PROSE, False), ("NAMED", NAMED, True)):
        chosen = [one for one in all_rankings if one.named == named]
        every = np.ones(len(Evidence._fields))
        first = every / len(every)
        table = Evidence(*(round(10 * float(one), 1) for one in learned(chosen, first, every)))
        yield f"{title} learned on all: {table}"
        yield f"  {'equal weights':<22}{_cells(plain(chosen, first))}"
        yield f"  {'the table in use':<22}{_cells(plain(chosen, np.array(in_use)))}"
        yield f"  {'learned, validated':<22}{_cells(validated(chosen, first, every))}"
        for place, name in enumerate(Evidence._fields):
            without = every.copy()
            without[place] = 0
            yield f"  without {name:<14}{_cells(validated(chosen, first, without))}"


def _cells(row: dict[str, float]) -> str:
    return "  ".join(f"{name} {value:.3f}" for name, value in row.items())


def confidence_page(answerable: Sequence[Asked], strange: Sequence[Asked]) -> Iterator[str]:
    """The table of the abstention, learned and cross-validated."""
    rows = [*answerable, *strange]
    folds = np.array([part(one.question) for one in rows])
    answers = np.array([True] * len(answerable) + [False] * len(strange))
    open_ = np.array([not one.found.certain for one in rows])
    traits = np.array([one.found.traits for one in rows], dtype=float)
    for name, used in (("with vectors", np.ones(traits.shape[1])), ("by words", BY_WORDS)):
        sure = np.ones(len(rows))
        for fold in range(FOLDS):
            others, ours = open_ & (folds != fold), open_ & (folds == fold)
            model = _logistic(traits[others] * used, answers[others])
            sure[ours] = model.predict_proba(traits[ours] * used)[:, 1]
        model = _logistic(traits[open_] * used, answers[open_])
        yield f"{name}: {Traits(*(round(float(one), 1) for one in model.coef_[0]))}"
        yield f"  bias {float(model.intercept_[0]):.1f}"
        shown = [(float(s), one.right) for s, one in zip(sure, answerable, strict=False)]
        strangers_sure = [float(one) for one in sure[len(answerable) :]]
        yield f"  AUROC {auroc([one for one, _ in shown], strangers_sure):.3f}"
        yield from (f"  {row}" for row in risk_coverage(shown, strangers_sure))


def _logistic(traits: Array, answers: Array) -> Any:
    from sklearn.linear_model import (  # type: ignore[import-untyped]  # noqa: PLC0415 - heavy
        LogisticRegression,
    )

    return LogisticRegression(C=10.0, class_weight="balanced", max_iter=1000).fit(traits, answers)


def main(index: str, queries: str) -> None:
    """Learn, validate, print."""
    fair = [one for one in read_questions(Path(queries)) if one.difficulty not in NOT_TUNED]
    asked = list(ask(Path(index), fair))
    folder = Generations(Path(index)).current()
    if folder is None:
        raise SystemExit(f"there is no index in {index}")
    lookup = Lookup(folder)
    for line in weights_page(list(rankings(asked, lookup))):
        sys.stdout.write(f"{line}\n")
    for line in confidence_page(asked, list(ask(Path(index), strangers()))):
        sys.stdout.write(f"{line}\n")
    lookup.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
