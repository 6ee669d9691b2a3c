"""Holds a run against the last one that was committed: what was right there must still be right.

A baseline of our own worlds has every answer. Of a benchmark it has the counts of each class alone:
its data is not ours to publish.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from assistant.errors import AssistantError, NotFound
from assistant.incident import Frozen
from eval.figures import by, cell
from eval.results import COLUMNS, Result

BASELINES = Path(__file__).parent / "baseline"
SMOKE = ("agate", "amber", "ember", "fjord", "halite", "jasper", "kestrel", "marble", "quartz")
"""Worlds for every run of the tests: an image, a provider, a release, a Service, a policy, two causes at
once, and three without a cause (healthy, recovered, inconclusive)."""
HALF = 0.5
"""A count that fell by less did not fall: expected hits over a tie are no whole numbers."""


class Said(Frozen):
    """What was said of one of our own worlds."""

    verdict: str
    fault: str = ""
    entity: str = ""
    right: bool


class Class(Frozen):
    """How many worlds of a class there were, and how many were right."""

    cell: str
    n: int
    right: dict[str, float]


class Baseline(Frozen):
    """A run, small enough to be committed."""

    classes: tuple[Class, ...]
    worlds: dict[str, Said]


def baseline_of(rows: Sequence[Result], *, whole: bool) -> Baseline:
    """The baseline that a run makes; `whole` keeps the answer of each world."""
    said = {row.world: _said(row) for row in rows} if whole else {}
    return Baseline(classes=tuple(Class(**one) for one in by(rows, cell, _class)), worlds=said)


def _said(row: Result) -> Said:
    first = next((one for one in row.answers if not one.get("ruled_out")), {})
    named = {key: str(first.get(key, "")) for key in ("fault", "entity")}
    return Said(verdict=row.verdict, right=row.right, **named)


def _class(name: str, rows: Sequence[Result]) -> dict[str, Any]:
    right = {column: round(sum(row.hits[column] for row in rows), 2) for column in COLUMNS}
    return {"cell": name, "n": len(rows), "right": right}


def regressions(before: Baseline, now: Baseline, *, part: bool = False) -> Iterator[str]:
    """What got worse since; with `part`, of the worlds that were run now alone."""
    yield from _worse_worlds(before.worlds, now.worlds, part=part)
    if before.worlds or part:
        return
    counted = {one.cell: one for one in now.classes}
    for old in before.classes:
        new = counted.get(old.cell)
        if new is None or new.n != old.n:
            yield f"{old.cell}: {new.n if new else 0} worlds, in the baseline {old.n}"
            continue
        for column, hits in old.right.items():
            if new.right[column] < hits - HALF:
                yield f"{old.cell}: {column} {new.right[column]:g} of {new.n}, was {hits:g}"


def _worse_worlds(
    before: Mapping[str, Said], now: Mapping[str, Said], *, part: bool
) -> Iterator[str]:
    for world in sorted({*before, *now}):
        old, new = before.get(world), now.get(world)
        if new is None:
            if not part:
                yield f"{world}: was not run"
        elif not new.right and (old is None or old.right):
            was = _told(old) if old else "not in the baseline"
            yield f"{world}: wrong: {_told(new)}; was: {was}"


def _told(said: Said) -> str:
    return f"{said.fault} {said.entity} ({said.verdict or 'no report'})".strip()


def located(name: str) -> Path:
    """The file of a baseline: a path as it is given, or the committed one of that name."""
    return Path(name) if name.endswith(".json") else BASELINES / f"{name}.json"


def read(path: Path) -> Baseline:
    """The baseline in a file. Raises NotFound or AssistantError."""
    try:
        return Baseline.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotFound(f"there is no baseline {path}: make it with --update") from None
    except ValidationError as error:
        raise AssistantError(f"{path} is no baseline: make it anew with --update") from error


def write(path: Path, baseline: Baseline) -> None:
    """Keep a baseline, in lines that a reader can compare."""
    made = baseline.model_dump()
    rows = [f"  {json.dumps(one)}" for one in made["classes"]]
    said = [f"  {json.dumps(name)}: {json.dumps(one)}" for name, one in made["worlds"].items()]
    parts = ('{\n "classes": [', ",\n".join(rows), ' ],\n "worlds": {', ",\n".join(said), " }\n}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(part for part in parts if part) + "\n", encoding="utf-8")
