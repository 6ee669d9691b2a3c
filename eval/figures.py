"""Everything that can be said of a run in numbers, as JSON holds it. Pure; the page is made from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import median
from typing import Any

from eval.calibration import brier, reliability
from eval.labels import CALLED
from eval.published import beside
from eval.results import COLUMNS, Answer, Result
from eval.tables import interval, quantile

Group = Callable[[Result], str]
SAID = 110


def system(row: Result) -> str:
    """The system that a world belongs to."""
    return row.label.system or "all"


def cell(row: Result) -> str:
    """The system and the class of fault."""
    return f"{row.label.system} {row.label.group}".strip() or "all"


def figures(rows: Sequence[Result]) -> dict[str, Any]:
    """All figures of a run: shares, calibration, verdicts, decoys, cost, and every miss."""
    shares = [*by(rows, system, _shares), *by(rows, cell, _shares)]
    return {
        "worlds": len(rows),
        "shares": by(rows, system, _shares),
        "classes": by(rows, cell, _shares),
        "all": _shares("all", rows),
        "calibration": [*by(rows, system, _calibration), _calibration("all", rows)],
        "cost": [*by(rows, system, _cost), _cost("all", rows)],
        "verdicts": _verdicts(rows),
        "false_accusations": _accusations(rows),
        "decoys": _decoys(rows),
        "published": list(beside(shares)),
        "failed": [row.world for row in rows if row.record and row.record.failed],
        "unsupported": sum(len(row.record.unsupported) for row in rows if row.record),
        "misses": [_miss(row) for row in _missed(rows)],
    }


def by(
    rows: Sequence[Result], group_of: Group, told: Callable[[str, Sequence[Result]], dict[str, Any]]
) -> list[dict[str, Any]]:
    """What `told` says of each group, by its name."""
    groups: dict[str, list[Result]] = defaultdict(list)
    for row in rows:
        groups[group_of(row)].append(row)
    return [told(name, groups[name]) for name in sorted(groups)]


def _shares(name: str, rows: Sequence[Result]) -> dict[str, Any]:
    hits = {column: sum(row.hits[column] for row in rows) for column in COLUMNS}
    return {
        "cell": name,
        "system": rows[0].label.system if rows else "",
        "n": len(rows),
        **{column: interval(hits[column], len(rows)) for column in COLUMNS},
        "unsure": sum(row.unsure for row in rows),
        "entity_only": all(not row.label.fault and not row.label.silent for row in rows),
    }


def _calibration(name: str, rows: Sequence[Result]) -> dict[str, Any]:
    claims = [row.claim for row in rows if row.claim is not None]
    score = brier(claims)
    return {
        "cell": name,
        "n": len(claims),
        "brier": None if score is None else round(score, 4),
        "bins": list(reliability(claims)),
    }


def _cost(name: str, rows: Sequence[Result]) -> dict[str, Any]:
    records = [row.record for row in rows if row.record and not row.record.failed]
    kinds = {
        "seconds": [record.seconds for record in records],
        "calls": [float(record.calls) for record in records],
        "requests": [float(record.requests) for record in records],
    }
    told = {kind: _spread(values) for kind, values in kinds.items() if values}
    return {"cell": name, "n": len(records), **told}


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {"median": round(median(values), 2), "p95": round(quantile(values, 0.95), 2)}


def _verdicts(rows: Sequence[Result]) -> list[dict[str, Any]]:
    """How often each verdict that a label asks for was given, where there is a report."""
    asked = [row for row in rows if row.label.verdict and row.record]

    def told(name: str, group: Sequence[Result]) -> dict[str, Any]:
        wrong = [row.world for row in group if not row.label.accepts(row.verdict)]
        return {"verdict": name, "n": len(group), "right": len(group) - len(wrong), "wrong": wrong}

    return by(asked, lambda row: row.label.verdict, told)


def _accusations(rows: Sequence[Result]) -> dict[str, Any]:
    accusing = [row.world for row in rows if row.accuses_falsely]
    return {"of": sum(row.label.silent for row in rows), "n": len(accusing), "worlds": accusing}


def _decoys(rows: Sequence[Result]) -> dict[str, Any]:
    told = [(row.world, *one) for row in rows if row.record for one in row.decoys()]
    kept: Mapping[str, list[str]] = {
        state: [f"{world}: {decoy}" for world, decoy, said in told if said == state]
        for state in ("accused", "ruled out", "not named")
    }
    return {
        "of": len(told),
        "ruled_out": len(kept["ruled out"]),
        "accused": kept["accused"],
        "not_named": kept["not named"],
    }


def _missed(rows: Sequence[Result]) -> list[Result]:
    missed = [row for row in rows if not row.right]
    return sorted(missed, key=lambda row: (str(row.label), row.world))


def _miss(row: Result) -> dict[str, Any]:
    return {
        "world": row.world,
        "label": str(row.label),
        "verdict": row.verdict,
        "place": row.place,
        "unsure": row.unsure,
        "said": list(_said(row)),
    }


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
        likely = "believed" if record.verdict in CALLED else "likeliest"
        state = "ruled out" if answer.ruled_out else likely
        named = f"{answer.fault} {answer.named}"
        own = f"{answer.kind} at {answer.entity}"
        statement = " ".join(answer.statement.split())[:SAID]
        yield f"{answer.confidence:.2f} {state}: {named} <- {own}: {statement}"


def answer_text(answer: Answer | None) -> str:
    """A prediction in one line."""
    if answer is None:
        return "nothing"
    return f"{answer.get('fault', '')} {answer.get('entity', '')}".strip()
