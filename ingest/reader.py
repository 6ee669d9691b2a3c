"""What a search has open: the current generation, its vectors and its model, each when first needed."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ingest.embedding import NO_MODEL, Embedder, import_runtime
from ingest.errors import IndexMissing, VectorsUnavailable
from ingest.generations import Generations
from ingest.lookup import Lookup
from ingest.schema import SCHEMA_VERSION
from ingest.vectors import Vectors, open_folder, open_server


class Generation:
    """One published generation, opened for reading. Blocking; shared between threads."""

    def __init__(self, folder: Path, models: Path, chroma_url: str) -> None:
        self.folder = folder
        self.lookup = Lookup(folder)
        self._models = models
        self._chroma_url = chroma_url
        self._facts = self.lookup.facts()
        self._vectors: Vectors | None = None
        self._embedder: Embedder | None = None
        self._lock = threading.Lock()

    @property
    def schema(self) -> str:
        """The version of the catalogue's tables."""
        return self._facts.get("schema", "")

    @property
    def has_vectors(self) -> bool:
        """Whether the index was made with an embedding model."""
        return self._facts.get("model", NO_MODEL) != NO_MODEL

    def nearest(self, text: str, limit: int) -> dict[int, float]:
        """Section number -> cosine. Raises `VectorsUnavailable` or `ModelUnavailable`."""
        with self._lock:
            vectors, embedder = self._opened()
            found = vectors.nearest(embedder.embed(text), limit)
        numbers = self.lookup.numbers_of_sections(list(found))
        return {numbers[id]: cosine for id, cosine in found.items() if id in numbers}

    def _opened(self) -> tuple[Vectors, Embedder]:
        """Chroma and the model, opened at the first need: a second that a routed alert never pays."""
        if self._vectors is None:
            import_runtime()
            # The model is read while Chroma's modules load. What fails there fails again below.
            with ThreadPoolExecutor(1) as beside:
                beside.submit(self._model)
                self._vectors = self._connect(self._facts["collection"])
        return self._vectors, self._model()

    def _model(self) -> Embedder:
        if self._embedder is None:
            self._embedder = Embedder(self._models / self._facts["model_folder"])
        return self._embedder

    def _connect(self, collection: str) -> Vectors:
        if self._facts.get("chroma") != "server":
            return open_folder(self.folder, collection)
        if not self._chroma_url:
            raise VectorsUnavailable("the vectors are in a Chroma server; set CHROMA_URL to it")
        return open_server(self._chroma_url, collection)

    def close(self) -> None:
        """Closes what is open."""
        with self._lock:
            self.lookup.close()
            if self._vectors is not None:
                self._vectors.close()


class Reader:
    """Gives the generation that the pointer names now, reopening where it moved."""

    def __init__(self, index: Path, chroma_url: str = "") -> None:
        self._generations = Generations(index)
        self._chroma_url = chroma_url
        self._open: Generation | None = None
        self._retired: Generation | None = None
        self._lock = threading.Lock()

    def current(self) -> Generation:
        """The published generation. Raises `IndexMissing` with the command that builds one."""
        with self._lock:
            folder = self._generations.current()
            if folder is None:
                raise IndexMissing(f"there is no runbook index in {str(self._generations.index)!r}")
            if self._open is None or self._open.folder != folder:
                self._retire(self._open)
                self._open = self._opened(folder)
            return self._open

    def _retire(self, generation: Generation | None) -> None:
        """A search may still be in the generation that was current; it is closed one switch later."""
        if self._retired is not None:
            self._retired.close()
        self._retired = generation

    def _opened(self, folder: Path) -> Generation:
        opened = Generation(folder, self._generations.models, self._chroma_url)
        if opened.schema != SCHEMA_VERSION:
            opened.close()
            raise IndexMissing(
                f"the index {str(self._generations.index)!r} was written by another version "
                f"(schema {opened.schema!r}, this one reads {SCHEMA_VERSION!r}); ingest with --rebuild"
            )
        return opened

    def close(self) -> None:
        """Closes what is open; the next question opens it again."""
        with self._lock:
            for generation in (self._open, self._retired):
                if generation is not None:
                    generation.close()
            self._open = self._retired = None
