"""The nightly job: what changed in the source goes into a new generation of the index."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import anyio

from ingest import catalogue, vectors
from ingest.catalogue import Entry
from ingest.changes import Plan, Progress, compare, silent
from ingest.document import Document
from ingest.embedding import DEFAULT_MODEL, NO_MODEL, Embedder, read_model
from ingest.errors import ModelMismatch, ModelUnavailable, VectorsUnavailable
from ingest.generations import Generations
from ingest.sections import outline


@dataclass(frozen=True, slots=True)
class IngestSettings:
    """What to ingest, and where to."""

    source: Path
    index: Path
    chroma_url: str = ""
    """A Chroma server; empty for the embedded one inside the index folder."""
    embedding: str = ""
    """A model's name or `none`; empty for the default model where it can be had, else `none`."""
    model_folder: Path | None = None
    rebuild: bool = False
    """Make everything anew beside the old index, then switch."""


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What a run did. Paths are relative to the source."""

    index: str
    mode: str
    model: str
    runbooks: int
    sections: int
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    unchanged: int = 0
    embedded: int = 0
    skipped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def line(self) -> str:
        """The run in one line."""
        counts = (
            f"{len(self.added)} added, {len(self.changed)} changed, {len(self.removed)} removed"
        )
        rest = f"{self.unchanged} unchanged, {len(self.skipped)} skipped"
        total = f"{self.runbooks} runbooks, {self.sections} sections, mode: {self.mode}"
        return f"{counts}, {rest}; {total}; {self.seconds:.1f} s"


async def ingest(settings: IngestSettings, progress: Progress = silent) -> IngestReport:
    """Brings the index up to date with its source. Raises `IngestError` and leaves the index as it was."""
    return await anyio.to_thread.run_sync(_ingest, settings, progress)


def _ingest(settings: IngestSettings, progress: Progress) -> IngestReport:
    started = time.monotonic()
    generations = Generations(settings.index)
    with generations.locked():
        base = None if settings.rebuild else generations.current()
        told = catalogue.facts(base) if base else {}
        model, notes = _model(settings, generations, told, progress)
        if base and (reason := _reason_to_begin_anew(told, model, settings)):
            base, notes = None, (*notes, reason)
        plan = compare(settings.source, catalogue.ledger(base) if base else {}, progress)
        written = _Run(settings, generations, model, progress)
        embedded = 0 if base and plan.empty else written.carry_out(plan, base)
        folder = generations.current()
        return _report(settings, plan, folder, (embedded, notes, time.monotonic() - started))


def _model(
    settings: IngestSettings, generations: Generations, told: Mapping[str, str], progress: Progress
) -> tuple[Path | None, tuple[str, ...]]:
    """The folder of the exported model (None for a lexical index), and what to tell about it."""
    chosen = settings.embedding or DEFAULT_MODEL
    folder: Path | None = None
    notes: tuple[str, ...] = ()
    if chosen != NO_MODEL:
        # A second of imports stays unpaid where no model has to be exported.
        from ingest.export import exported_model  # noqa: PLC0415

        try:
            folder = exported_model(
                chosen,
                settings.model_folder,
                generations.models,
                lambda words: progress(words, 0, 1),
            )
        except ModelUnavailable as error:
            if settings.embedding or told.get("model", NO_MODEL) != NO_MODEL:
                raise
            notes = (f"lexical only: {error}",)
    _refuse_other_model(told, folder, settings)
    return folder, notes


def _reason_to_begin_anew(
    told: Mapping[str, str], model: Path | None, settings: IngestSettings
) -> str:
    """Why what was ingested before cannot be built on; "" where it can."""
    if told.get("schema") != catalogue.SCHEMA_VERSION:
        return "the index was written by another version: made anew"
    if told.get("chroma") != ("server" if settings.chroma_url else "folder"):
        return "the vectors move to another place: made anew there"
    if told.get("model") == NO_MODEL and model:
        return "the index had no vectors: made anew with them"
    return ""


def _refuse_other_model(
    told: Mapping[str, str], folder: Path | None, settings: IngestSettings
) -> None:
    """Vectors of two models do not compare; an index without vectors may gain them."""
    held = told.get("model", NO_MODEL)
    wanted = f"{read_model(folder).name}@{read_model(folder).revision}" if folder else NO_MODEL
    if held not in (NO_MODEL, wanted):
        raise ModelMismatch(
            f"the index {str(settings.index)!r} was made with {held}, this run has {wanted}; "
            f"`python -m ingest --source {settings.source} --index {settings.index} --rebuild` "
            "makes it anew beside the old one and switches"
        )


class _Run:
    """One run that writes: a plan into a new generation."""

    def __init__(
        self,
        settings: IngestSettings,
        generations: Generations,
        model: Path | None,
        progress: Progress,
    ) -> None:
        self._settings = settings
        self._generations = generations
        self._model = model
        self._progress = progress

    def carry_out(self, plan: Plan, base: Path | None) -> int:
        """Writes and publishes a new generation; gives back how many sections were embedded."""
        before = catalogue.section_ids(base) if base else set()
        building = self._generations.begin(base)
        if base is None:
            catalogue.create(building)
        taken = {path: id for path, (id, _) in catalogue.ledger(building).items()}
        entries = list(_entries([*plan.added, *plan.changed], taken))
        catalogue.write(building, plan.removed, entries, self._facts())
        after = catalogue.section_ids(building)
        with closing(self._open(building)) as store:
            embedded = self._put(store, entries, before if base else set())
            if not self._settings.chroma_url:
                store.remove(sorted(before - after))
        previous = self._generations.current()
        self._generations.publish(building)
        self._tidy_server(after, previous)
        return embedded

    def _facts(self) -> dict[str, str]:
        """What the catalogue shall say of itself."""
        model = read_model(self._model) if self._model else None
        name = f"{model.name}@{model.revision}" if model else NO_MODEL
        suffix = sha256(name.encode()).hexdigest()[:8] if model else "lexical"
        return {
            "model": name,
            "model_folder": model.folder_name if model else "",
            "collection": f"runbooks-{suffix}",
            "chroma": "server" if self._settings.chroma_url else "folder",
            "source": self._settings.source.name,
            "ingested_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }

    def _open(self, building: Path) -> vectors.Vectors:
        name = self._facts()["collection"]
        if self._settings.chroma_url:
            return vectors.open_server(self._settings.chroma_url, name, create=True)
        return vectors.open_folder(building, name, create=True)

    def _put(self, store: vectors.Vectors, entries: list[Entry], known: set[str]) -> int:
        """Embeds and stores the sections whose content is new; moved ones keep their vectors."""
        new = [
            (entry, section)
            for entry in entries
            for section in entry.outline.sections
            if section.id not in known
        ]
        texts = [entry.text_to_embed(section) for entry, section in new]
        made = self._embed(texts)
        store.put(
            [
                vectors.Vector(section.id, values, section.text, _metadata(entry))
                for (entry, section), values in zip(new, made, strict=True)
            ]
        )
        return len(new) if self._model else 0

    def _embed(self, texts: list[str]) -> list[list[float]]:
        if self._model is None or not texts:
            return [vectors.LEXICAL_ONLY for _ in texts]
        embedder = Embedder(self._model)
        return embedder.embed_all(
            texts, lambda done, total: self._progress("embedding", done, total)
        )

    def _tidy_server(self, kept: set[str], previous: Path | None) -> None:
        """On a server there is one collection for all generations: old sections go after the switch.

        Readers drop the ids that their catalogue does not know; what a killed or failed run leaves
        behind goes with the next one that writes.
        """
        if not self._settings.chroma_url:
            return
        name = self._facts()["collection"]
        old = catalogue.facts(previous).get("collection", name) if previous else name
        with suppress(VectorsUnavailable), closing(self._open(Path())) as store:
            store.remove(sorted(store.ids() - kept))
            if old != name:
                store.drop_other(old)


def _metadata(entry: Entry) -> dict[str, str | int]:
    """What Chroma keeps beside a section, for people who look there."""
    return {"runbook": entry.id, "path": entry.document.path, "title": entry.outline.title}


def _entries(documents: Iterable[Document], taken: dict[str, str]) -> Iterable[Entry]:
    """Documents with their ids and outlines."""
    for document in documents:
        id = taken.setdefault(document.path, _free_id(document.path, set(taken.values())))
        yield Entry(id, document, outline(document, id))


def _free_id(path: str, taken: set[str]) -> str:
    """A readable id without slashes: `etcd/etcdMembersDown.md` -> `etcd.etcdMembersDown`."""
    stem = path.rsplit(".", 1)[0]
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "-", stem.replace("/", ".")).strip(".-") or "runbook"
    return plain if plain not in taken else f"{plain}-{sha256(path.encode()).hexdigest()[:6]}"


def _report(
    settings: IngestSettings,
    plan: Plan,
    folder: Path | None,
    cost: tuple[int, tuple[str, ...], float],
) -> IngestReport:
    embedded, notes, seconds = cost
    told = catalogue.facts(folder) if folder else {}
    model = told.get("model", NO_MODEL)
    return IngestReport(
        index=str(settings.index),
        mode="lexical" if model == NO_MODEL else "lexical and dense",
        model=model,
        runbooks=len(catalogue.ledger(folder)) if folder else 0,
        sections=len(catalogue.section_ids(folder)) if folder else 0,
        added=tuple(document.path for document in plan.added),
        changed=tuple(document.path for document in plan.changed),
        removed=tuple(plan.removed),
        unchanged=plan.unchanged,
        embedded=embedded,
        skipped=tuple(plan.skipped),
        notes=notes,
        seconds=seconds,
    )
