"""One world's answers held against its label: what was right, what was claimed. Pure.

A world without a prediction counts as wrong; so does one where a cause is called and there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import comb
from typing import Any

from eval.labels import CALLED, Label, Named
from eval.records import Predictions, Record

Answer = Mapping[str, Any]
COLUMNS = ("A@1", "A@3", "object@1", "object@3")


@dataclass(frozen=True)
class Result:
    """One world: the right answer, and what was said."""

    world: str
    label: Label
    answers: Sequence[Answer]
    record: Record | None

    @property
    def verdict(self) -> str:
        """The verdict of the report; empty where none is known."""
        return self.record.verdict if self.record else ""

    @property
    def right(self) -> bool:
        """Whether the first answer is right (all of several causes), and the verdict with it."""
        sure = self.record is None or self.label.accepts(self.verdict)
        return sure and self.hits["A@1"] == 1

    @property
    def hits(self) -> dict[str, float]:
        """Each column of the table: 1, 0, or the expected hit over the orders of a tie."""
        if self.label.silent or self.verdict in self.label.or_else:
            return dict.fromkeys(COLUMNS, float(self.label.accepts(self.verdict)))
        return {
            f"{column}@{depth}": self._hit(test, depth)
            for column, test in (("A", Named.is_met_by), ("object", Named.is_at))
            for depth in (1, 3)
        }

    def _hit(self, test: Callable[[Named, Answer], bool], depth: int) -> float:
        """Of several causes each has to be named, and has a place of its own to be named in."""
        causes = self.label.causes
        chance = 1.0
        for names in causes:
            places = [any(test(name, answer) for name in names) for answer in self.answers]
            chance *= expected_hit(places, self._ties, depth + len(causes) - 1)
        return chance

    @property
    def _ties(self) -> Sequence[int]:
        """How many answers share each place. Only a label of the thing alone knows ties."""
        if self.label.fault or any("confidence" not in answer for answer in self.answers):
            return [1] * len(self.answers)
        alike = groupby(self.answers, key=lambda answer: answer["confidence"])
        return [len(list(answers)) for _, answers in alike]

    @property
    def claim(self) -> tuple[float, float] | None:
        """The confidence of the first answer, and how far it is right; None where none was given."""
        first = next(iter(self.answers), {"ruled_out": True})
        if first.get("ruled_out") or "confidence" not in first:
            return None
        if len(self.label.causes) > 1:
            meets = any(one.is_met_by(first) for names in self.label.causes for one in names)
            return float(first["confidence"]), float(meets)
        return float(first["confidence"]), self.hits["A@1"] if self.label.causes else 0.0

    @property
    def unsure(self) -> bool:
        """Whether there is a cause to find, and none was called found."""
        return not self.label.silent and self.verdict not in ("", *CALLED)

    @property
    def accuses_falsely(self) -> bool:
        """Whether a cause is believed where there is none to find."""
        called = self.verdict in CALLED and not self.label.accepts(self.verdict)
        return self.label.silent and called

    def decoys(self) -> Iterator[tuple[str, str]]:
        """Each thing that looks guilty and is not, with `accused`, `ruled out` or `not named`."""
        ranked = self.record.ranked if self.record else ()
        for decoy in self.label.decoys:
            said = {answer.ruled_out for answer in ranked if answer.entity == decoy}
            accused = False in said and self.verdict in CALLED
            yield decoy, "accused" if accused else "ruled out" if True in said else "not named"

    @property
    def place(self) -> int:
        """At which place the right answer stands, from 1; 0 where it does not."""
        names = [name for cause in self.label.causes for name in cause]
        hits = (any(name.is_met_by(answer) for name in names) for answer in self.answers)
        return next((place for place, hit in enumerate(hits, start=1) if hit), 0)


def expected_hit(right: Sequence[bool], ties: Sequence[int], depth: int) -> float:
    """The chance that one of the first `depth` is right, over all orders of each tie."""
    taken = 0
    for size in ties:
        good, room = sum(right[taken : taken + size]), min(depth - taken, size)
        if room <= 0:
            break
        if good:
            return 1 - comb(size - good, room) / comb(size, room)
        taken += size
    return 0.0


def results(
    predictions: Predictions, labels: Mapping[str, Label], records: Mapping[str, Record]
) -> list[Result]:
    """A result for each label, by world."""
    return [
        Result(world, label, predictions.get(world, []), records.get(world))
        for world, label in sorted(labels.items())
    ]
