"""What differs between two runs: gains and losses in the first answer. Pure but for reading."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from eval.figures import answer_text
from eval.labels import Label, read_labels
from eval.records import Record, read_journal, read_predictions
from eval.results import Answer, Result


def compared(before: Path, after: Path, labels: str = "") -> str:
    """The worlds whose first answer or verdict differs, and with labels whether that is better."""
    old, new = _said(before), _said(after)
    right = read_labels(labels) if labels else {}
    both = sorted({*old, *new})
    lines = [line for world in both for line in _change(world, old, new, right.get(world))]
    return "\n".join([*lines, *_tally(lines, len(both))]) + "\n"


Said = dict[str, tuple[Sequence[Answer], Record | None]]
NOTHING: tuple[Sequence[Answer], None] = ((), None)


def _said(path: Path) -> Said:
    records = read_journal(path)
    return {world: (rows, records.get(world)) for world, rows in read_predictions(path).items()}


def _change(world: str, old: Said, new: Said, label: Label | None) -> Iterator[str]:
    was, now = old.get(world, NOTHING), new.get(world, NOTHING)
    texts = _text(world, old), _text(world, new)
    if texts[0] != texts[1]:
        judged = ""
        if label:
            good = (Result(world, label, *was).right, Result(world, label, *now).right)
            judged = {(True, False): "worse: ", (False, True): "better: "}.get(good, "as good: ")
        yield f"{world}  {judged}{texts[0]} -> {texts[1]}"


def _text(world: str, said: Said) -> str:
    return first_answer(*said[world]) if world in said else "not run"


def first_answer(answers: Sequence[Answer], record: Record | None) -> str:
    """The first answer that is not ruled out, and the verdict where it is known."""
    first = next((answer for answer in answers if not answer.get("ruled_out")), None)
    verdict = f" ({record.verdict})" if record and record.verdict else ""
    return answer_text(first) + verdict


def _tally(lines: Sequence[str], worlds: int) -> Iterator[str]:
    counts = {word: sum(f"  {word}: " in line for line in lines) for word in ("better", "worse")}
    told = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    yield f"{len(lines)} of {worlds} differ" + (f": {told}" if told else "")
