"""The page that holds a run against the right answers, at most 100 columns wide. Pure but for reading."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from eval.figures import figures
from eval.labels import read_labels
from eval.records import read_journal, read_predictions
from eval.results import COLUMNS, Result, results
from eval.tables import WIDTH, columns, share

Row = Mapping[str, Any]


def rows_of(predictions: Path, labels: str, *, ran: bool = False) -> list[Result]:
    """Each label with what was predicted; with `ran`, only those of worlds that were run."""
    predicted, records = read_predictions(predictions), read_journal(predictions)
    rows = results(predicted, read_labels(labels), records)
    return [row for row in rows if row.world in predicted] if ran else rows


def scored(predictions: Path, labels: str, *, ran: bool = False, as_json: bool = False) -> str:
    """The whole page, or its figures as JSON."""
    found = figures(rows_of(predictions, labels, ran=ran))
    if as_json:
        return json.dumps(found, indent=1, ensure_ascii=False) + "\n"
    return "\n".join(page(found)) + "\n"


def page(found: Row) -> Iterator[str]:
    """The figures as a person reads them."""
    yield "Right answers, with 95 % Wilson intervals"
    yield from _shares(found)
    for published in found["published"]:
        yield from ("", *_published(published))
    yield from ("", *_calibration(found["calibration"]))
    yield from ("", *_cost(found["cost"]), "", *_honesty(found), "", *_misses(found["misses"]))


def _shares(found: Row) -> Iterator[str]:
    """Each system with its classes under it."""
    rows, every = found["shares"], [*found["shares"], found["all"]]
    named = [name for name in COLUMNS if name[0] != "A" or not all(r["entity_only"] for r in every)]
    lines = []
    for row in rows:
        lines.append(_share_line(row["cell"], row, named))
        inside = [one for one in found["classes"] if one["system"] == row["system"]]
        for one in inside if len(inside) > 1 else []:
            name = str(one["cell"]).removeprefix(str(row["system"])).strip()
            lines.append(_share_line(f"  {name or '-'}", one, named))
    if len(rows) > 1:
        lines.append(_share_line("all", found["all"], named))
    yield from columns(["", "n", *named, "unsure"], lines)


def _share_line(name: str, row: Row, named: Sequence[str]) -> list[str]:
    shares = (share(row[column]) for column in named)
    return [name.replace("_", " "), str(row["n"]), *shares, str(row["unsure"])]


def _published(found: Row) -> Iterator[str]:
    """A line for each name; for each cell where these are more, so that the table is not wide."""
    yield f"Beside published figures: {found['benchmark']}, {' / '.join(found['columns'])}"
    figures, cells = found["figures"], found["cells"]
    table = [
        ["", *(cell.replace("_", " ") for cell in cells)],
        *([f"  {who}", *(_pair(row.get(cell)) for cell in cells)] for who, row in figures.items()),
    ]
    if len(cells) > len(figures):
        turned = [[cell.strip() for cell in row] for row in zip(*table, strict=True)]
        table = [[f"  {row[0]}".rstrip(), *row[1:]] for row in turned]
    yield from columns(table[0], table[1:])
    yield from textwrap.wrap(
        found["source"], WIDTH - 2, initial_indent="  ", subsequent_indent="  "
    )


def _pair(values: Sequence[float] | None) -> str:
    return " / ".join(f"{value:.2f}" for value in values) if values else "-"


def _calibration(rows: Sequence[Row]) -> Iterator[str]:
    several = len(rows) > 2  # noqa: PLR2004 - one system, and all
    shown = rows if several else rows[:1]
    told = {row["cell"]: row["brier"] for row in shown if row["brier"] is not None}
    parts = ", ".join(f"{name.replace('_', ' ')} {score:.3f}" for name, score in told.items())
    yield "Calibration: how often the first answer is right, by the confidence it claims"
    yield f"  Brier score (0 is perfect): {parts or '-'}"
    lines = [
        [
            f"  {row['from']:.2f} to {row['to']:.2f}",
            str(row["n"]),
            f"{row['claimed']:.2f}",
            share(row),
        ]
        for row in rows[-1]["bins"]
    ]
    yield from columns(["", "n", "claimed", "right"], lines)


def _cost(rows: Sequence[Row]) -> Iterator[str]:
    yield "Cost of a case, beside the lab's own start"
    lines = [
        [
            f"  {row['cell']}".replace("_", " "),
            str(row["n"]),
            *(f"{row[kind][part]:.{digits}f}" for kind, digits in KINDS for part in PARTS),
        ]
        for row in (rows if len(rows) > 2 else rows[:1])  # noqa: PLR2004 - one system, and all
        if row["n"]
    ]
    head = [f"{kind} {part}" if part == "p95" else kind for kind, _ in KINDS for part in PARTS]
    yield from columns(["", "n", *head], lines)


KINDS = (("seconds", 2), ("calls", 0), ("requests", 0))
PARTS = ("median", "p95")


def _honesty(found: Row) -> Iterator[str]:
    accusing, decoys = found["false_accusations"], found["decoys"]
    for row in found["verdicts"]:
        wrong = f": not in {', '.join(row['wrong'])}" if row["wrong"] else ""
        yield from _wrapped(
            f"Verdict {row['verdict']!r}: right in {row['right']} of {row['n']}{wrong}"
        )
    if accusing["of"]:
        where = f": {', '.join(accusing['worlds'])}" if accusing["worlds"] else ""
        told = f"{accusing['n']} of {accusing['of']} worlds without a cause{where}"
        yield from _wrapped(f"False accusations: {told}")
    if decoys["of"]:
        yield (
            f"Decoys: {decoys['of'] - len(decoys['accused'])} of {decoys['of']} acquitted, "
            f"{decoys['ruled_out']} of them by name"
        )
        yield from (f"  accused in {one}" for one in decoys["accused"])
        yield from (f"  not named in {one}" for one in decoys["not_named"])
    yield (
        f"{len(found['failed'])} without a report; "
        f"{found['unsupported']} citations that the evidence lacks"
    )


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, subsequent_indent="  ")


def _misses(rows: Sequence[Row]) -> Iterator[str]:
    unsure = sum(row["unsure"] for row in rows)
    yield f"Misses ({len(rows)}, {unsure} of them said to be unsure): what is right, what was said"
    for row in rows:
        verdict = f", verdict: {row['verdict']}" if row["verdict"] else ""
        told = f"said as number {row['place']}" if row["place"] else "not said"
        head = f"{row['world']}  {row['label']}  ({told}{verdict})"
        yield from _wrapped(head)
        for line in row["said"]:
            yield from textwrap.wrap(line, WIDTH, initial_indent="    ", subsequent_indent="      ")
