"""Vectors that are made and not yet published, on disk: a killed run does not lose them.

By model and text, so that the next run takes up what this one left, whatever changed meanwhile.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path

TABLE = (
    "CREATE TABLE IF NOT EXISTS vectors"
    " (model TEXT NOT NULL, text BLOB NOT NULL, floats BLOB NOT NULL, PRIMARY KEY (model, text))"
)


class VectorCache:
    """The vectors of one model. Blocking; one writer at a time, as the index has."""

    def __init__(self, connection: sqlite3.Connection, model: str) -> None:
        self._connection = connection
        self._model = model

    def __len__(self) -> int:
        query = "SELECT count(*) FROM vectors WHERE model = ?"
        return int(self._connection.execute(query, (self._model,)).fetchone()[0])

    def known(self, texts: Iterable[str]) -> dict[str, list[float]]:
        """Text -> vector, for those of the texts that it has."""
        query = "SELECT floats FROM vectors WHERE model = ? AND text = ?"
        found = {}
        for text in texts:
            row = self._connection.execute(query, (self._model, _key(text))).fetchone()
            if row is not None:
                found[text] = array("f", row[0]).tolist()
        return found

    def keep(self, vectors: Mapping[str, list[float]]) -> None:
        """Stores these vectors by their texts; what was stored when it returns survives a kill."""
        rows = [
            (self._model, _key(text), array("f", floats).tobytes())
            for text, floats in vectors.items()
        ]
        with self._connection:
            self._connection.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", rows)


@contextmanager
def opened(file: Path, model: str) -> Iterator[VectorCache]:
    """The cache in this file. One that cannot be read is begun anew: it only ever saves time."""
    try:
        connection = _connect(file)
    except sqlite3.DatabaseError:
        forget(file)
        connection = _connect(file)
    with closing(connection):
        yield VectorCache(connection, model)


def forget(file: Path) -> None:
    """Removes the cache, once its vectors are published."""
    file.unlink(missing_ok=True)
    file.with_name(f"{file.name}-journal").unlink(missing_ok=True)


def _connect(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file)
    try:
        connection.execute(TABLE)
        connection.execute("SELECT count(*) FROM vectors WHERE floats IS NULL").fetchone()
    except sqlite3.DatabaseError:
        connection.close()
        raise
    return connection


def _key(text: str) -> bytes:
    return sha256(text.encode("utf-8", "surrogatepass")).digest()
