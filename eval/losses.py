"""What leave-one-out shows: which worlds a family of checks decides, and which are accused without it. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from eval.ablate import Ablation
from eval.compare import first_answer
from eval.labels import CALLED, Label
from eval.records import Record, predictions
from eval.results import Result
from eval.tables import WIDTH, columns

HEAD = ("without", "answered otherwise", "no longer right", "newly accusing", "at another thing")


@dataclass(frozen=True)
class Loss:
    """A world that is answered otherwise without a family."""

    family: str
    world: str
    was: str
    now: str
    lost: bool
    """It was right with every family."""
    accused: bool
    """Now a wrong cause is believed, and with every family none was."""
    elsewhere: bool
    """And it is at another thing than the one at fault."""


def losses(rows: Sequence[Ablation], labels: Mapping[str, Label]) -> Iterator[Loss]:
    """Each answer that depends on a family. Without labels the answer of all families is right."""
    for row in rows:
        label = labels.get(row.world) or _taken_for_right(row.whole)
        before = _result(row.whole, label)
        for family, record in row.without.items():
            after = _result(record, label)
            was, now = (first_answer(one.answers, one.record) for one in (before, after))
            if was != now:
                lost = before.right and not after.right
                accused = accuses(after) and not accuses(before)
                elsewhere = accused and not after.hits["object@1"]
                yield Loss(family, row.world, was, now, lost, accused, elsewhere)


def accuses(result: Result) -> bool:
    """Whether a wrong cause is believed: it stands first, and is called found."""
    return result.verdict in CALLED and result.claim is not None and result.claim[1] == 0


def _result(record: Record, label: Label) -> Result:
    return Result(record.world, label, predictions(record), record)


def _taken_for_right(whole: Record) -> Label:
    best = next((answer for answer in whole.ranked if not answer.ruled_out), None)
    if best is None or whole.verdict not in CALLED:
        return Label("", "", "", "", verdict=whole.verdict or "healthy")
    return Label(best.fault, best.named, "", "")


def page(rows: Sequence[Ablation], labels: Mapping[str, Label]) -> Iterator[str]:
    """A line for each family, then every world whose answer its absence spoils."""
    found = list(losses(rows, labels))
    families = list(dict.fromkeys(name for row in rows for name in row.without))
    yield f"{len(rows)} worlds, each diagnosed again without one family of checks"
    lines = [_line(name, [one for one in found if one.family == name]) for name in families]
    yield from columns(HEAD, [*lines, _line("all", found)])
    for title, told in (
        ("Newly accusing", [one for one in found if one.accused]),
        ("No longer right, without an accusation", [o for o in found if o.lost and not o.accused]),
    ):
        yield from ("", f"{title} ({len(told)})")
        for one in told:
            text = f"without {one.family}, {one.world}: {one.was} -> {one.now}"
            yield from textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent="      ")


def _line(name: str, found: Sequence[Loss]) -> list[str]:
    counts = [
        len(found),
        sum(one.lost for one in found),
        sum(one.accused for one in found),
        sum(one.elsewhere for one in found),
    ]
    return [name, *map(str, counts)]
