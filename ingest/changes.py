"""How a source differs from what was ingested of it, by content hash. Reads; writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ingest.document import Document, content_hash, parse
from ingest.errors import IngestError
from ingest.sources import Source, markdown_files

Progress = Callable[[str, int, int], None]
"""(what is being done, how much is done, of how much)"""

Ledger = Mapping[str, tuple[str, str]]
"""path -> (runbook id, content hash) of what was ingested"""


def silent(_doing: str, _done: int, _total: int) -> None:
    """Progress that nobody looks at."""


@dataclass(slots=True)
class Plan:
    """How the source differs from the index."""

    added: list[Document] = field(default_factory=list)
    changed: list[Document] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    unchanged: int = 0
    skipped: list[str] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (self.added or self.changed or self.removed)


def compare(source: Path, ledger: Ledger, progress: Progress) -> Plan:
    """What was added, changed and removed. A broken document stays as it was last ingested."""
    plan, seen = Plan(), set()
    files = list(markdown_files(source))
    if not files:
        raise IngestError(
            f"source {str(source)!r} holds no Markdown file; is it the right folder, and mounted?"
        )
    for done, file in enumerate(files, 1):
        seen.add(file.path)
        _compare_one(file, ledger, plan)
        progress("reading", done, len(files))
    plan.removed = sorted(set(ledger) - seen)
    return plan


def _compare_one(file: Source, ledger: Ledger, plan: Plan) -> None:
    try:
        raw = file.read()
        known = ledger.get(file.path)
        if known is not None and known[1] == content_hash(raw):
            plan.unchanged += 1
            return
        (plan.changed if known else plan.added).append(parse(file.path, raw))
    except IngestError as error:
        plan.skipped.append(str(error))
