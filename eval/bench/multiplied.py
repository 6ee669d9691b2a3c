"""An index of many sections for a bench, made of copies of a smaller one.

Every copy's words get an ending, so that words stay as rare as in a larger collection, and every
copy's vectors are turned a little.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from ingest import catalogue, vectors
from ingest.catalogue import Entry
from ingest.document import parse
from ingest.embedding import NO_MODEL
from ingest.generations import Generations
from ingest.schema import FILE
from ingest.sections import outline

SEED, TURN = 4, 0.02


def multiplied(index: Path, sections: int, to: Path, server: str) -> int:
    """An index of about this many sections in `to`, made of copies; gives back how many there are."""
    base = Generations(index).current()
    if base is None:
        raise SystemExit(f"there is no index in {index}; make one with `python -m eval retrieval`")
    generations = Generations(to)
    generations.models.parent.mkdir(parents=True, exist_ok=True)
    generations.models.symlink_to(Generations(index).models.resolve())
    with generations.locked():
        building = generations.begin(None)
        catalogue.create(building)
        entries = list(_copies(base, sections))
        told = {**catalogue.facts(base), "chroma": "server" if server else "folder"}
        del told["schema"]
        catalogue.write(building, [], entries, told)
        if told["model"] != NO_MODEL:
            _write_vectors(base, building, entries, server)
        generations.publish(building)
    return sum(len(entry.outline.sections) for entry in entries)


def _copies(base: Path, sections: int) -> Iterator[Entry]:
    """The runbooks of an index, again and again under other names, until there are enough sections."""
    with closing(sqlite3.connect(base / FILE)) as connection:
        rows = connection.execute("SELECT id, path, text FROM runbooks ORDER BY path").fetchall()
    made = 0
    for copy in range(1000):
        for id, path, text in rows:
            if made >= sections:
                return
            document = parse(f"copy{copy}/{path}", _renamed(text, copy).encode(), "text/markdown")
            made += len((entry := _entry(f"{copy}.{id}", document)).outline.sections)
            yield entry


def _entry(id: str, document: Any) -> Entry:
    return Entry(id, document, outline(document, id))


def _renamed(text: str, copy: int) -> str:
    """The text with an ending on every fifth word, so that a copy has words of its own."""
    if not copy:
        return text
    words = text.split(" ")
    return " ".join(f"{w}{copy}" if w.isalpha() and len(w) % 5 == 0 else w for w in words)


def _write_vectors(base: Path, building: Path, entries: Sequence[Entry], server: str) -> None:
    """The original sections' vectors, turned a little, for the copies'."""
    import numpy as np  # noqa: PLC0415 - only with vectors

    name = catalogue.facts(base)["collection"]
    with closing(vectors.open_folder(base, name)) as store:
        known = list(store.all().values())
    chance = np.random.default_rng(SEED)
    ids = [section.id for entry in entries for section in entry.outline.sections]
    with closing(_store(building, name, server)) as store:
        for start in range(0, len(ids), vectors.BATCH):
            batch = enumerate(ids[start : start + vectors.BATCH], start)
            store.put([_vector(id, known[n % len(known)], chance) for n, id in batch])


def _vector(id: str, near: list[float], chance: Any) -> vectors.Vector:
    return vectors.Vector(id, _turned(near, chance), "", "", {"title": id})


def _store(building: Path, name: str, server: str) -> vectors.Vectors:
    if server:
        return vectors.open_server(server, name, create=True)
    return vectors.open_folder(building, name, create=True)


def _turned(vector: list[float], chance: Any) -> list[float]:
    import numpy as np  # noqa: PLC0415 - only with vectors

    moved = np.array(vector) + TURN * chance.standard_normal(len(vector))
    return [float(one) for one in moved / np.linalg.norm(moved)]
