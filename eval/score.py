"""Predictions against labels: shares with their intervals, calibration, cost, and every miss. Pure.

A world without a prediction counts as wrong; so does one that was answered where nothing is wrong.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median
from typing import Any

from eval.labels import Label, read_labels
from eval.records import Predictions, Record, read_journal, read_predictions

COLUMNS = ("A@1", "A@3", "object@1", "object@3")
CONFIDENCE_95 = 1.96
SAID = 110


@dataclass(frozen=True)
class Result:
    """One world: what was right, and what was said instead."""

    world: str
    label: Label
    answers: Sequence[Mapping[str, Any]]
    record: Record | None

    @property
    def right(self) -> bool:
        """Whether the first answer is right."""
        return bool(self.hits["A@1"])

    @property
    def hits(self) -> dict[str, bool]:
        """Each column of the table for this world."""
        if self.label.silent:
            verdict = self.record.verdict if self.record else ""
            return dict.fromkeys(COLUMNS, verdict == self.label.verdict)
        return {
            f"{column}@{depth}": any(test(answer) for answer in self.answers[:depth])
            for column, test in (("A", self.label.is_met_by), ("object", self.label.names))
            for depth in (1, 3)
        }

    @property
    def surprise(self) -> float | None:
        """The squared distance of the first answer's confidence from the truth (Brier)."""
        if self.label.silent or not self.answers:
            return None
        claimed = float(self.answers[0].get("confidence", 1.0))
        return (claimed - self.right) ** 2


def results(
    predictions: Predictions, labels: Mapping[str, Label], records: Mapping[str, Record]
) -> list[Result]:
    """A result for each label, by world."""
    return [
        Result(world, label, predictions.get(world, []), records.get(world))
        for world, label in sorted(labels.items())
    ]


def scored(predictions: Path, labels: str) -> str:
    """The whole page: tables by system and by fault class, and the misses."""
    records = read_journal(predictions)
    rows = results(read_predictions(predictions), read_labels(labels), records)
    return "\n".join([*_tables(rows), "", *_misses(rows)]) + "\n"


def _tables(rows: Sequence[Result]) -> Iterator[str]:
    yield "By system (95 % Wilson intervals)"
    yield from table(rows, lambda row: row.label.system)
    yield ""
    yield "By system and class"
    yield from table(rows, lambda row: f"{row.label.system} {row.label.group}".strip())
    failed = [row.record for row in rows if row.record and row.record.failed]
    uncited = sum(len(row.record.unsupported) for row in rows if row.record)
    yield ""
    yield f"{len(failed)} without a report; {uncited} citations that the evidence lacks"


def table(rows: Sequence[Result], group_of: Callable[[Result], str]) -> Iterator[str]:
    """One line for each group and one for all."""
    groups: dict[str, list[Result]] = defaultdict(list)
    for row in rows:
        groups[group_of(row)].append(row)
    width = max(len(name) for name in [*groups, "all"])
    heads = "".join(f"  {column:>17}" for column in COLUMNS)
    yield f"{'':<{width}}  {'n':>4}{heads}  {'Brier':>6}  {'seconds':>7}  {'calls':>5}"
    for name in sorted(groups):
        yield f"{name:<{width}}  {_line(groups[name])}"
    if len(groups) > 1:
        yield f"{'all':<{width}}  {_line(rows)}"


def _line(rows: Sequence[Result]) -> str:
    shares = [share(sum(row.hits[column] for row in rows), len(rows)) for column in COLUMNS]
    surprises = [row.surprise for row in rows if row.surprise is not None]
    records = [row.record for row in rows if row.record and not row.record.failed]
    brier = f"{mean(surprises):.3f}" if surprises else "-"
    seconds = f"{median(record.seconds for record in records):.1f}" if records else "-"
    calls = f"{median(record.calls for record in records):.0f}" if records else "-"
    cells = "".join(f"  {cell:>17}" for cell in shares)
    return f"{len(rows):>4}{cells}  {brier:>6}  {seconds:>7}  {calls:>5}"


def share(hits: int, total: int) -> str:
    """`0.62 [0.54, 0.70]`; a dash where there is nothing to share."""
    low, high = wilson(hits, total)
    return f"{hits / total:.2f} [{low:.2f}, {high:.2f}]" if total else "-"


def wilson(hits: int, total: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson's score interval)."""
    if not total:
        return 0.0, 1.0
    square, part = CONFIDENCE_95**2, hits / total
    centre = part + square / (2 * total)
    half = CONFIDENCE_95 * math.sqrt(part * (1 - part) / total + square / (4 * total**2))
    scale = 1 + square / total
    return max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)


def _misses(rows: Iterable[Result]) -> Iterator[str]:
    missed = [row for row in rows if not row.right]
    yield f"Misses ({len(missed)}): what is right, what was said"
    for row in sorted(missed, key=lambda row: (str(row.label), row.world)):
        place = next((n for n, a in enumerate(row.answers, 1) if row.label.is_met_by(a)), 0)
        verdict = f", verdict: {row.record.verdict}" if row.record and row.record.verdict else ""
        told = f"said as number {place}" if place else "not said"
        yield f"{row.world}  {row.label}  ({told}{verdict})"
        yield from (f"    {line}" for line in _said(row))


def _said(row: Result) -> Iterator[str]:
    """The first three answers as they were given, with what was said of them."""
    record = row.record
    if record and record.failed:
        yield f"no report: {record.failed}"
    if record is None or not record.ranked:
        yield from (answer_text(answer) for answer in row.answers[:3])
        if record is None:
            yield "not run with a journal" if row.answers else "not run"
        return
    for answer in record.ranked[:3]:
        state = "ruled out" if answer.ruled_out else "believed"
        named = f"{answer.fault} {answer.named}"
        own = f"{answer.kind} at {answer.entity}"
        statement = " ".join(answer.statement.split())[:SAID]
        yield f"{answer.confidence:.2f} {state}: {named} <- {own}: {statement}"


def answer_text(answer: Mapping[str, Any] | None) -> str:
    """A prediction in one line."""
    if answer is None:
        return "nothing"
    return f"{answer.get('fault', '')} {answer.get('entity', '')}".strip()


def compared(before: Path, after: Path, labels: str = "") -> str:
    """The worlds whose first answer differs, and with labels whether that is better or worse."""
    old, new = read_predictions(before), read_predictions(after)
    right = read_labels(labels) if labels else {}
    lines = [
        line
        for world in sorted({*old, *new})
        for line in _change(world, old.get(world, []), new.get(world, []), right.get(world))
    ]
    return "\n".join([*lines, f"{len(lines)} of {len({*old, *new})} differ"]) + "\n"


def _change(
    world: str,
    old: Sequence[Mapping[str, Any]],
    new: Sequence[Mapping[str, Any]],
    label: Label | None,
) -> Iterator[str]:
    was, now = answer_text(next(iter(old), None)), answer_text(next(iter(new), None))
    if was != now:
        yield f"{world}  {_judged(label, old, new)}{was} -> {now}"


def _judged(
    label: Label | None, old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]
) -> str:
    if label is None:
        return ""
    was, now = (any(map(label.is_met_by, answers[:1])) for answers in (old, new))
    return {(True, False): "worse: ", (False, True): "better: "}.get((was, now), "as good: ")
