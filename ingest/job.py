"""The nightly job: what changed in the sources goes into a new generation of the index."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import anyio.from_thread
import anyio.to_thread

from ingest import catalogue
from ingest.basis import Basis, basis
from ingest.changes import Changes, Fetched, Progress, Wanted, compare, problem, silent, state
from ingest.document import BrokenDocument, Document, parse
from ingest.embedding import NO_MODEL
from ingest.errors import IngestError
from ingest.generations import Generations
from ingest.report import IngestReport
from ingest.settings import IngestSettings
from ingest.sources.base import Source
from ingest.sources.folder import Folder
from ingest.writer import Writer

__all__ = ["IngestReport", "IngestSettings", "ingest"]

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The time now."""
    return datetime.now(UTC)


async def ingest(
    settings: IngestSettings,
    progress: Progress = silent,
    sources: Sequence[Source] = (),
    clock: Clock = utc_now,
) -> IngestReport:
    """Brings the index up to date with these sources, or with the folder `settings.source`.

    Closes the sources. Raises `IngestError` and leaves the index as it was.
    """
    chosen = tuple(sources) or _folder(settings)
    generations = Generations(settings.index)
    try:
        with nullcontext() if settings.dry_run else generations.locked():
            return await _Run(settings, generations, chosen, progress, clock).run()
    finally:
        with anyio.CancelScope(shield=True):
            for source in chosen:
                await source.close()


def _folder(settings: IngestSettings) -> tuple[Source, ...]:
    return (Folder("", settings.source),) if settings.source else ()


@dataclass(frozen=True, slots=True)
class _Run:
    """One run, while it holds the index."""

    settings: IngestSettings
    generations: Generations
    sources: Sequence[Source]
    progress: Progress
    clock: Clock

    async def run(self) -> IngestReport:
        """Looks, compares, writes."""
        started = self.clock()
        built_on = await anyio.to_thread.run_sync(basis, self.settings, self.generations)
        changes = await compare(self.sources, built_on.known, self._wanted(built_on), self.progress)
        _refuse_loss(built_on, changes)
        return await anyio.to_thread.run_sync(self._finish, built_on, changes, started)

    def _wanted(self, built_on: Basis) -> Wanted:
        """An index that is made anew needs every document, however old."""
        since = self.settings.since if built_on.base else None
        return Wanted(since, self.settings.allow_mass_delete)

    def _finish(self, built_on: Basis, changes: Changes, started: datetime) -> IngestReport:
        """Reads the documents and writes them, if there is anything to write."""
        documents = list(_documents(changes))
        embedded = 0
        if not self.settings.dry_run:
            writer = Writer(self.settings, self.generations, built_on, started, self._alive)
            if documents or changes.removed or built_on.base is None:
                embedded = writer.write(documents, changes.removed)
            else:
                writer.tidy()
        report = self._report(built_on, changes, {document.path for document in documents})
        seconds = (self.clock() - started).total_seconds()
        when = started.isoformat(timespec="seconds")
        return replace(report, embedded=embedded, started_at=when, seconds=seconds)

    def _alive(self, doing: str, done: int, total: int) -> None:
        """Progress, and the place where a run that was called off ends."""
        anyio.from_thread.check_cancelled()
        self.progress(doing, done, total)

    def _report(self, built_on: Basis, changes: Changes, readable: set[str]) -> IngestReport:
        folder = self.generations.current()
        told = catalogue.facts(folder) if folder else {}
        model = told.get("model", NO_MODEL)
        good = [one for one in changes.fetched if one.path in readable]
        return IngestReport(
            index=str(self.settings.index),
            mode="lexical" if model == NO_MODEL else "lexical and dense",
            model=model,
            runbooks=len(catalogue.ledger(folder)) if folder else 0,
            sections=len(catalogue.section_ids(folder)) if folder else 0,
            added=tuple(one.path for one in good if not one.is_known),
            changed=tuple(one.path for one in good if one.is_known),
            removed=tuple(changes.removed),
            withheld=tuple(changes.withheld),
            unchanged=changes.unchanged,
            skipped=tuple(changes.skipped),
            failed=tuple(changes.failed),
            notes=(*built_on.notes, *changes.notes),
            dry_run=self.settings.dry_run,
        )


def _refuse_loss(built_on: Basis, changes: Changes) -> None:
    """An index that is made anew would be without what its sources do not show today."""
    lost = [*changes.withheld, *changes.unlisted]
    if built_on.base is None and lost:
        why = "; ".join([*map(str, changes.failed), *changes.notes])
        raise IngestError(
            f"the index has to be made anew, and {len(lost)} of its documents would be lost, "
            f"{lost[0]!r} first: {why}. Run again when every source answers in full"
        )


def _documents(changes: Changes) -> Iterable[Document]:
    """What was fetched, as documents; a broken one is skipped and stays as it was last ingested."""
    for one in changes.fetched:
        try:
            yield _document(one)
        except BrokenDocument as error:
            changes.skipped.append(problem(one, error))


def _document(one: Fetched) -> Document:
    """The document under its state in the source, by which the next run knows it again."""
    item = one.item
    given = replace(item.given, runbook_url=item.given.runbook_url or item.url)
    document = parse(one.path, one.raw, item.media_type, given)
    return replace(document, sha256=state(item))
