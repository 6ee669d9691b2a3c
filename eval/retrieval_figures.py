"""How good rankings and abstentions are, in numbers. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from statistics import mean, stdev
from typing import Any

DEPTH = 10
KEPT = (1.0, 0.99, 0.98, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5)
"""Parts of the answerable questions that are kept: the rows of the risk-coverage table."""

Slot = frozenset[int]
"""Which of a question's right answers (by their place) stand in one slot of a ranking."""


def scores(slots: Sequence[Slot], answers: int) -> dict[str, float]:
    """R@1, R@3, R@5, MRR and nDCG@10 of one ranking.

    A slot may hold several answers (near copies folded into one match); the ideal ranking then needs
    one slot for them. An answer counts once, where it first stands.
    """
    gains = list(_gains(slots))
    first = next((place for place, gain in enumerate(gains) if gain), None)
    needed = max(1, sum(gains) + answers - len(frozenset().union(*slots)))
    ideal = math.fsum(_discount(place) for place in range(min(needed, DEPTH)))
    found = math.fsum(_discount(place) for place, gain in enumerate(gains[:DEPTH]) if gain)
    recalls = {f"R@{k}": float(first is not None and first < k) for k in (1, 3, 5)}
    return {**recalls, "MRR": 0.0 if first is None else 1 / (first + 1), "nDCG@10": found / ideal}


def _gains(slots: Iterable[Slot]) -> Iterator[bool]:
    """Whether each slot brings an answer that no earlier one had."""
    seen: set[int] = set()
    for slot in slots:
        yield bool(slot - seen)
        seen |= slot


def _discount(place: int) -> float:
    return 1 / math.log2(place + 2)


def averaged(rows: Sequence[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Each figure's mean and the half-width of its 95 % interval (normal approximation)."""
    found = {}
    for name in rows[0]:
        values = [row[name] for row in rows]
        half = 1.96 * stdev(values) / math.sqrt(len(values)) if len(values) > 1 else 0.0
        found[name] = {"mean": round(mean(values), 4), "half": round(half, 4)}
    return found


def auroc(answerable: Sequence[float], strangers: Sequence[float]) -> float:
    """How often an answerable question is surer than a stranger; ties count half."""
    pairs = len(answerable) * len(strangers)
    wins = sum((one > other) + (one == other) / 2 for one in answerable for other in strangers)
    return wins / pairs


def risk_coverage(
    answerable: Sequence[tuple[float, bool]], strangers: Sequence[float]
) -> list[dict[str, Any]]:
    """For each part of the answerable that is kept: the threshold, how many of the strangers are
    refused, and how often the first match shown is wrong. `answerable`: (confidence, first is right).
    """
    ordered = sorted((sure for sure, _ in answerable), reverse=True)
    rows = []
    for kept in KEPT:
        threshold = ordered[math.ceil(kept * len(ordered)) - 1]
        shown = [right for sure, right in answerable if sure >= threshold]
        let_in = sum(sure >= threshold for sure in strangers)
        rows.append(
            {
                "kept": kept,
                "threshold": round(threshold, 4),
                "refused": round(1 - let_in / len(strangers), 4),
                "wrong_first": round(1 - sum(shown) / len(shown), 4),
                "wrong_or_stranger": round(
                    (len(shown) - sum(shown) + let_in) / (len(shown) + let_in), 4
                ),
            }
        )
    return rows
