"""Writes what changed into a new generation and publishes it. Blocking: call it in a thread."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from ingest import catalogue, vector_cache, vectors
from ingest.basis import Basis
from ingest.catalogue import Entry
from ingest.changes import Progress
from ingest.document import Document
from ingest.embedding import NO_MODEL, Embedder
from ingest.errors import VectorsUnavailable
from ingest.export import exported
from ingest.generations import Generations
from ingest.sections import Section, outline
from ingest.settings import IngestSettings
from ingest.vector_cache import VectorCache

SAVED_EVERY = 64
"""Vectors between two writes to the cache: one or two seconds of work are lost at most."""


@dataclass(frozen=True, slots=True)
class _New:
    """A section that needs a vector."""

    entry: Entry
    section: Section

    @property
    def text(self) -> str:
        """What the model reads."""
        return self.entry.text_to_embed(self.section)

    @property
    def text_sha256(self) -> str:
        return sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()

    def vector(self, values: list[float]) -> vectors.Vector:
        """The section as Chroma holds it, with what people who look there want to see."""
        entry, section = self.entry, self.section
        told = {"runbook": entry.id, "path": entry.document.path, "title": entry.outline.title}
        return vectors.Vector(section.id, values, section.text, self.text_sha256, told)


@dataclass(frozen=True, slots=True)
class Writer:
    """One run that writes."""

    settings: IngestSettings
    generations: Generations
    basis: Basis
    now: datetime
    progress: Progress

    def write(self, documents: Sequence[Document], removed: Sequence[str]) -> int:
        """Publishes a generation with these changes; gives back how many sections the model read."""
        if self.basis.base is not None:
            self.tidy()
        building = self.generations.begin(self.basis.base)
        if self.basis.base is None:
            catalogue.create(building)
        model = self._exported()
        entries = list(self._entries(documents))
        catalogue.write(building, removed, entries, self._facts())
        embedded = self._write_vectors(building, entries, model)
        self.generations.publish(building)
        vector_cache.forget(self.generations.embedded)
        self.tidy()
        return embedded

    def tidy(self) -> None:
        """On a server there is one collection for all generations: old sections go after the switch.

        Readers drop the ids that their catalogue does not know. The mark that a run leaves before
        it writes has the next one tidy up after it, should it be killed; it names the collection
        of an earlier model, which goes as a whole.
        """
        current, mark = self.generations.current(), self.generations.untidy
        if not self.settings.chroma_url or current is None or not mark.exists():
            return
        name, old = catalogue.facts(current)["collection"], mark.read_text(encoding="utf-8")
        with (
            suppress(VectorsUnavailable),
            closing(vectors.open_server(self.settings.chroma_url, name, create=True)) as store,
        ):
            store.remove(sorted(store.ids() - catalogue.section_ids(current)))
            if old not in ("", name):
                store.drop_other(old)
            mark.unlink()

    def _mark_untidy(self) -> None:
        """Leaves word that a server holds, or will hold, sections of no generation."""
        current = self.generations.current() if self.basis.ledger else None
        old = catalogue.facts(current)["collection"] if current else ""
        self.generations.untidy.write_text(old, encoding="utf-8")

    def _exported(self) -> Path | None:
        """The folder of the exported model; exports it now where that was never done."""
        if self.basis.model is None:
            return None
        return exported(
            self.basis.model, self.generations.models, lambda words: self.progress(words, 0, 1)
        )

    def _facts(self) -> dict[str, str]:
        """What the catalogue shall say of itself."""
        model = self.basis.model
        suffix = sha256(model.label.encode()).hexdigest()[:8] if model else "lexical"
        source = self.settings.source
        return {
            "model": model.label if model else NO_MODEL,
            "model_folder": model.folder_name if model else "",
            "collection": f"runbooks-{suffix}",
            "chroma": "server" if self.settings.chroma_url else "folder",
            "source": source.name if source else "",
            "ingested_at": self.now.isoformat(timespec="seconds"),
        }

    def _open(self, folder: Path) -> vectors.Vectors:
        name = self._facts()["collection"]
        if self.settings.chroma_url:
            return vectors.open_server(self.settings.chroma_url, name, create=True)
        return vectors.open_folder(folder, name, create=True)

    def _entries(self, documents: Iterable[Document]) -> Iterator[Entry]:
        """Documents with their ids and outlines. A path keeps its id, even in an index made anew."""
        taken = {path: id for path, (id, _) in self.basis.ledger.items()}
        ids = set(taken.values())
        for document in documents:
            id = taken.get(document.path) or _free_id(document.path, ids)
            ids.add(id)
            yield Entry(id, document, outline(document, id))

    def _write_vectors(self, building: Path, entries: Iterable[Entry], model: Path | None) -> int:
        """Brings Chroma up to date; gives back how many sections the model read."""
        if self.settings.chroma_url:
            self._mark_untidy()
        with closing(self._open(building)) as store:
            new = self._new(store, entries)
            made, embedded = self._embed([one.text for one in new], model)
            self._store(store, [one.vector(vec) for one, vec in zip(new, made, strict=True)])
            if not self.settings.chroma_url:
                store.remove(sorted(store.ids() - catalogue.section_ids(building)))
        return embedded

    def _store(self, store: vectors.Vectors, made: Sequence[vectors.Vector]) -> None:
        for start in range(0, len(made), vectors.BATCH):
            store.put(made[start : start + vectors.BATCH])
            self.progress("writing", min(start + vectors.BATCH, len(made)), len(made))

    def _new(self, store: vectors.Vectors, entries: Iterable[Entry]) -> list[_New]:
        """The sections whose vector is not there yet, or was made of another text."""
        found = [_New(entry, section) for entry in entries for section in entry.outline.sections]
        if self.basis.base is None:
            return found
        held = store.hashes([one.section.id for one in found])
        return [one for one in found if held.get(one.section.id) != one.text_sha256]

    def _embed(self, texts: Sequence[str], model: Path | None) -> tuple[list[list[float]], int]:
        """A vector for each text, and how many texts the model had to read for that."""
        if model is None or self.basis.model is None:
            return [vectors.LEXICAL_ONLY for _ in texts], 0
        with vector_cache.opened(self.generations.embedded, self.basis.model.label) as cache:
            made = cache.known(texts)
            missing = [text for text in dict.fromkeys(texts) if text not in made]
            if missing:
                made |= self._embed_missing(missing, Embedder(model), cache)
        return [made[text] for text in texts], len(missing)

    def _embed_missing(
        self, texts: Sequence[str], embedder: Embedder, cache: VectorCache
    ) -> dict[str, list[float]]:
        """Text -> vector, each kept in the cache soon after it was made."""
        made: dict[str, list[float]] = {}
        unsaved: dict[str, list[float]] = {}
        for batch in embedder.batches(texts):
            unsaved |= {texts[place]: vector for place, vector in batch.items()}
            if len(unsaved) >= SAVED_EVERY:
                cache.keep(unsaved)
                made.update(unsaved)
                unsaved = {}
            self.progress("embedding", len(made) + len(unsaved), len(texts))
        cache.keep(unsaved)
        return made | unsaved


def _free_id(path: str, taken: set[str]) -> str:
    """A readable id without slashes: `etcd/etcdMembersDown.md` -> `etcd.etcdMembersDown`."""
    stem = path.rsplit(".", 1)[0]
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "-", stem.replace("/", ".")).strip(".-") or "runbook"
    return plain if plain not in taken else f"{plain}-{sha256(path.encode()).hexdigest()[:6]}"
