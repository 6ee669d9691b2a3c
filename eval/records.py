"""What a run over worlds leaves behind: a journal of records, and the predictions made from it.

The journal is JSON lines, one world each, written as soon as a world is done: a run that was cut
off goes on from there. The predictions are what a benchmark's scorer reads.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from assistant.errors import AssistantError, NotFound
from assistant.incident import Frozen

Predictions = Mapping[str, list[dict[str, Any]]]


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
    path = journal_of(out)
    if not path.exists():
        return {}
    records: dict[str, Record] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            record = Record.model_validate_json(line)
        except ValidationError as error:
            raise AssistantError(f"{path}:{number} is no record of a run: use --fresh") from error
        records[record.world] = record
    return records


def append(out: Path, record: Record) -> None:
    """Add a record to the journal beside `out`."""
    with journal_of(out).open("a", encoding="utf-8") as file:
        file.write(record.model_dump_json() + "\n")


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
