"""What a run over worlds leaves behind: a journal of records, and the predictions made from it.

The journal is JSON lines, one world each, written as soon as a world is done: a run that was cut
off goes on from there. The predictions are what a benchmark's scorer reads.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import Field, ValidationError

from assistant.errors import AssistantError, NotFound
from assistant.incident import Frozen

Line = TypeVar("Line", bound=Frozen)
Predictions = Mapping[str, list[dict[str, Any]]]

TIES = frozenset({"petshop"})
"""Whose scorer takes equal scores for a tie; to the others the order is the answer."""


class Ranked(Frozen):
    """One hypothesis of a report, in our names and in the vocabulary's."""

    kind: str
    entity: str
    confidence: float
    statement: str = ""
    evidence: tuple[str, ...] = ()
    ruled_out: bool = False
    fault: str = ""
    named: str = Field("", description="the entity in the vocabulary's words")


class Record(Frozen):
    """How one world was triaged. `failed` says why there is no report."""

    world: str
    vocabulary: str = Field("", description="whose names `fault` and `named` are")
    verdict: str = ""
    ranked: tuple[Ranked, ...] = Field((), description="hypotheses best first, then rivals")
    unsupported: tuple[str, ...] = Field((), description="citations that the evidence lacks")
    blind_spots: tuple[str, ...] = ()
    seconds: float = 0.0
    calls: int = 0
    requests: int = 0
    failed: str = ""


def journal_of(out: Path) -> Path:
    """The journal that belongs to a file of predictions."""
    return out.with_name(f"{out.stem}.records.jsonl")


def read_journal(out: Path) -> dict[str, Record]:
    """The records beside `out` by world; of a world that stands there twice, the later one."""
    return {record.world: record for record in read_lines(journal_of(out), Record)}


def read_lines(path: Path, kind: type[Line]) -> Iterator[Line]:
    """What stands in a file of JSON lines; nothing where there is no file. Raises AssistantError."""
    if not path.exists():
        return
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            yield kind.model_validate_json(line)
        except ValidationError as error:
            raise AssistantError(f"{path}:{number} is no record of a run: use --fresh") from error


def append(path: Path, record: Frozen) -> None:
    """Add a line to a file of JSON lines, in one write: who is killed leaves no half line."""
    with path.open("ab", buffering=0) as file:
        file.write(record.model_dump_json().encode() + b"\n")


def write_predictions(out: Path, records: Mapping[str, Record]) -> None:
    """Write the predictions that the records hold, in one step."""
    worlds = {world: predictions(records[world]) for world in sorted(records)}
    draft = out.with_name(f".{out.name}.draft")
    draft.write_text(json.dumps(worlds, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    draft.replace(out)


def predictions(record: Record) -> list[dict[str, Any]]:
    """The ranked answers of a record as a scorer reads them, each fault and entity once."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for answer in record.ranked:
        row = {"fault": answer.fault, "entity": answer.named, "confidence": answer.confidence}
        if answer.ruled_out:
            row["ruled_out"] = True
        if record.vocabulary in TIES:
            row["score"] = answer.confidence
        rows.setdefault((answer.fault, answer.named), row)
    return list(rows.values())


def read_predictions(path: Path) -> Predictions:
    """The predictions in a file. Raises NotFound or AssistantError."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotFound(f"there is no file {path}: make it with `python -m eval run`") from None
    except ValueError as error:
        raise AssistantError(f"{path} is not JSON: {error}") from error
    if not isinstance(found, dict) or not all(isinstance(row, list) for row in found.values()):
        raise AssistantError(f"{path} holds no predictions: expected a list for each world id")
    return found
