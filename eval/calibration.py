"""Whether a claimed confidence can be believed: the Brier score, and shares by bin of confidence. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import mean
from typing import Any

from eval.tables import interval

Claim = tuple[float, float]
"""A confidence, and how far it was right: 1, 0, or the chance of it in a tie."""

EDGES = (0.0, 0.3, 0.55, 0.7, 0.8, 0.85, 0.9, 0.95, 1.0)
"""Bins are finer where the claims are; from 0.55 on a cause is called found."""


def brier(claims: Sequence[Claim]) -> float | None:
    """The mean squared distance of confidence from truth: 0 is perfect, 0.25 is a coin."""
    if not claims:
        return None
    return mean(right * (claimed - 1) ** 2 + (1 - right) * claimed**2 for claimed, right in claims)


def reliability(claims: Sequence[Claim]) -> Iterator[dict[str, Any]]:
    """A row for each bin that holds a claim: how many, what was claimed, what was right."""
    for low, high in pairwise(EDGES):
        inside = [one for one in claims if low <= one[0] < high or one[0] == high == EDGES[-1]]
        if inside:
            right = sum(right for _, right in inside)
            yield {
                "from": low,
                "to": high,
                "n": len(inside),
                "claimed": round(mean(claimed for claimed, _ in inside), 3),
                **interval(right, len(inside)),
            }
