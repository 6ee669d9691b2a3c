"""What a run of the nightly job did: one line for people, JSON for programs, a code for the scheduler."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from enum import IntEnum
from pathlib import Path

from ingest.changes import Problem
from ingest.errors import IngestError


class ExitCode(IntEnum):
    """How a run ended. Where several apply, the first of 5, 4, 3 is given."""

    DONE = 0
    FAILED = 1
    """Nothing was changed."""
    WRONG_USAGE = 2
    SOME_SKIPPED = 3
    """Done; some documents could not be read and stay as they were."""
    REMOVALS_WITHHELD = 4
    """Done, but for removals: too many documents vanished at once."""
    SOURCE_FAILED = 5
    """Done, but for sources that could not be listed; their documents stay as they were."""
    BUSY = 75
    """Another run holds the index; later is soon enough (EX_TEMPFAIL of sysexits.h)."""
    INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What a run did (or would do: `dry_run`). Paths as in the index, times in UTC."""

    index: str
    mode: str
    model: str
    runbooks: int
    sections: int
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()
    """Gone from their source, and kept all the same: too many vanished at once."""
    unchanged: int = 0
    embedded: int = 0
    """Sections that the model had to read."""
    skipped: tuple[Problem, ...] = ()
    failed: tuple[Problem, ...] = ()
    """Sources that could not be listed."""
    notes: tuple[str, ...] = ()
    dry_run: bool = False
    started_at: str = ""
    seconds: float = 0.0

    @property
    def exit_code(self) -> ExitCode:
        """What the scheduler is told."""
        if self.failed:
            return ExitCode.SOURCE_FAILED
        if self.withheld:
            return ExitCode.REMOVALS_WITHHELD
        return ExitCode.SOME_SKIPPED if self.skipped else ExitCode.DONE

    @property
    def line(self) -> str:
        """The run in one line."""
        counts = (
            f"{len(self.added)} added, {len(self.changed)} changed, {len(self.removed)} removed"
        )
        rest = f"{self.unchanged} unchanged, {len(self.skipped)} skipped"
        rest += f", {len(self.withheld)} removals withheld" if self.withheld else ""
        rest += f", {len(self.failed)} sources failed" if self.failed else ""
        total = f"{self.runbooks} runbooks, {self.sections} sections, mode: {self.mode}"
        line = f"{counts}, {rest}; {total}; {self.seconds:.1f} s"
        return f"dry run, nothing written: {line}" if self.dry_run else line

    @property
    def fields(self) -> dict[str, object]:
        """The report as JSON has it."""
        return {"exit_code": int(self.exit_code), **asdict(self)}


def failure(index: Path, error: str, code: ExitCode) -> dict[str, object]:
    """The report of a run that changed nothing."""
    return {"exit_code": int(code), "index": str(index), "error": error}


def write_json(file: Path, fields: dict[str, object]) -> None:
    """Replaces the file in one step. Raises `IngestError` where it cannot be written."""
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        beside.write_text(json.dumps(fields, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        beside.replace(file)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise IngestError(
            f"the report {str(file)!r} cannot be written: {error.strerror}"
        ) from error
