"""The sections and their vectors in Chroma: a folder of its own, or a server. The only file that knows Chroma.

Chroma is never given an embedding function: its default one downloads a model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ingest.errors import VectorsUnavailable

FOLDER = "chroma"
LEXICAL_ONLY = [1.0]
"""Chroma wants a vector for each section; where there is no model, they all get this one."""
HASH = "text_sha256"
"""The key under which the hash of the text that was embedded is kept."""
BATCH = 500
TIMEOUT_SECONDS = 5.0
"""For one request to a Chroma server: less than a search tool has. Writing a batch takes about one second."""


@dataclass(frozen=True, slots=True)
class Vector:
    """A section as Chroma holds it."""

    id: str
    values: list[float]
    text: str
    text_sha256: str
    """Of the text that the model read, which is more than the section's own."""
    metadata: Mapping[str, str | int]


class Vectors:
    """One open collection. Blocking: call it in a thread."""

    def __init__(self, client: Any, collection: Any, place: str) -> None:
        self._client = client
        self._collection = collection
        self._place = place

    def close(self) -> None:
        """Lets go of the files or connections."""
        sessions = _sessions(self._client)
        self._client.close()
        for session in sessions:
            session.close()

    def nearest(self, vector: Sequence[float], limit: int) -> dict[str, float]:
        """Section id -> cosine, of the nearest sections."""
        with _chroma(self._place):
            found = self._collection.query(
                query_embeddings=[list(vector)], n_results=limit, include=["distances"]
            )
        pairs = zip(found["ids"][0], found["distances"][0], strict=True)
        return {id: 1.0 - float(distance) for id, distance in pairs}

    def ids(self) -> set[str]:
        """The ids of everything in the collection."""
        with _chroma(self._place):
            return set(self._collection.get(include=[])["ids"])

    def hashes(self, ids: Sequence[str]) -> dict[str, str]:
        """Section id -> hash of the text that its vector was made of, for those that are there."""
        found: dict[str, str] = {}
        with _chroma(self._place):
            for batch in self._batches(ids):
                got = self._collection.get(ids=list(batch), include=["metadatas"])
                found |= {
                    id: str(metadata.get(HASH, ""))
                    for id, metadata in zip(got["ids"], got["metadatas"], strict=True)
                }
        return found

    def all(self) -> dict[str, list[float]]:
        """Section id -> vector, of everything in the collection."""
        with _chroma(self._place):
            got = self._collection.get(include=["embeddings"])
        return {
            id: [float(value) for value in vector]
            for id, vector in zip(got["ids"], got["embeddings"], strict=True)
        }

    def put(self, vectors: Sequence[Vector]) -> None:
        """Adds or replaces sections."""
        with _chroma(self._place):
            for batch in self._batches(vectors):
                self._collection.upsert(
                    ids=[one.id for one in batch],
                    embeddings=[one.values for one in batch],
                    documents=[one.text for one in batch],
                    metadatas=[{**one.metadata, HASH: one.text_sha256} for one in batch],
                )

    def remove(self, ids: Sequence[str]) -> None:
        """Removes sections."""
        with _chroma(self._place):
            for batch in self._batches(ids):
                self._collection.delete(ids=list(batch))

    def drop_other(self, name: str) -> None:
        """Removes the collection an earlier model used."""
        with _chroma(self._place):
            if name in [collection.name for collection in self._client.list_collections()]:
                self._client.delete_collection(name)

    def _batches(self, items: Sequence[Any]) -> Iterator[Sequence[Any]]:
        size = min(BATCH, int(self._client.get_max_batch_size()))
        return (items[start : start + size] for start in range(0, len(items), size))


def open_folder(folder: Path, name: str, *, create: bool = False) -> Vectors:
    """The collection in the embedded Chroma of `folder`."""

    def connect(chromadb: Any, settings: Any) -> Any:
        return chromadb.PersistentClient(str(folder / FOLDER), settings=settings)

    return _open(connect, str(folder / FOLDER), name, create=create)


def open_server(url: str, name: str, *, create: bool = False) -> Vectors:
    """The collection in the Chroma server at `url`."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise VectorsUnavailable(f"{url!r} is not the URL of a Chroma server (http://host:port)")
    secure = parts.scheme == "https"

    def connect(chromadb: Any, settings: Any) -> Any:
        import httpx  # noqa: PLC0415 - Chroma's own transport, loaded with it

        # Chroma's client waits for ever; so a server that does not answer is found out before.
        httpx.get(f"{url.rstrip('/')}/api/v2/heartbeat", timeout=TIMEOUT_SECONDS).raise_for_status()
        port = parts.port or (443 if secure else 8000)
        client = chromadb.HttpClient(parts.hostname, port, ssl=secure, settings=settings)
        for session in _sessions(client):
            session.timeout = TIMEOUT_SECONDS
        return client

    return _open(connect, url, name, create=create)


def _sessions(client: Any) -> list[Any]:
    """The HTTP sessions of a server's client (none for a folder's).

    Chroma 1.5 neither bounds nor closes them, and has no public way to.
    """
    servers = (client._server, client._admin_client._server)  # noqa: SLF001
    sessions = (getattr(server, "_session", None) for server in servers)
    return [session for session in sessions if session is not None]


def _open(connect: Callable[[Any, Any], Any], place: str, name: str, *, create: bool) -> Vectors:
    """Opens or makes a collection of cosine distance, without an embedding function."""
    # 0.8 s and 76 MB: only when vectors are needed.
    import chromadb  # noqa: PLC0415
    from chromadb.config import Settings  # noqa: PLC0415

    with _chroma(place):
        client = connect(chromadb, Settings(anonymized_telemetry=False))
        if not create:
            collection = client.get_collection(name, embedding_function=None)
            return Vectors(client, collection, place)
        space = {"hnsw": {"space": "cosine"}}
        collection = client.get_or_create_collection(
            name, embedding_function=None, configuration=space
        )
        return Vectors(client, collection, place)


@contextmanager
def _chroma(place: str) -> Iterator[None]:
    """Chroma's own errors, and those of its transport, as ours, with the place and its words."""
    import httpx  # noqa: PLC0415 - Chroma's own transport, loaded with it
    from chromadb.errors import ChromaError  # noqa: PLC0415 - see _open

    try:
        yield
    except (ChromaError, httpx.HTTPError, ValueError, OSError) as error:
        words = " ".join(str(error).split())[:300] or type(error).__name__
        raise VectorsUnavailable(f"Chroma at {place!r}: {words}") from error
