"""How long a warm search takes, at two sizes of the index, with the embedded Chroma and with a server.

    python -m eval.bench.search INDEX QUERIES [--sections 8000 100000] [--server http://127.0.0.1:8000]

INDEX is one that `python -m eval retrieval` made. It is multiplied: every copy's words get an ending, so
that words stay as rare as in a larger collection, and every copy's vectors are turned a little. Wall
time is told, never asserted. `--cold` measures the command line beside the bare imports instead.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import Any

from eval.retrieval_questions import Question, read_questions
from eval.tables import quantile
from ingest import catalogue, vectors
from ingest.candidates import Query
from ingest.catalogue import Entry
from ingest.document import parse
from ingest.embedding import NO_MODEL
from ingest.generations import Generations
from ingest.search import RunbookSearch
from ingest.sections import outline

SEED, QUESTIONS, WARM = 4, 200, 20
TURN = 0.02
IMPORTS = "import chromadb, onnxruntime"
COMMAND_LINE = "from assistant.cli import main; main()"


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
        catalogue.write(building, [], entries, told)
        if told["model"] != NO_MODEL:
            _write_vectors(base, building, entries, server)
        generations.publish(building)
    return sum(len(entry.outline.sections) for entry in entries)


def _copies(base: Path, sections: int) -> Iterator[Entry]:
    """The runbooks of an index, again and again under other names, until there are enough sections."""
    with closing(sqlite3.connect(base / catalogue.FILE)) as connection:
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
    with closing(_store(building, name, server)) as store:
        numbered = enumerate(section for entry in entries for section in entry.outline.sections)
        store.put(
            [
                vectors.Vector(
                    section.id, _turned(known[n % len(known)], chance), "", "", {"copy": n}
                )
                for n, section in numbered
            ]
        )


def _store(building: Path, name: str, server: str) -> vectors.Vectors:
    if server:
        return vectors.open_server(server, name, create=True)
    return vectors.open_folder(building, name, create=True)


def _turned(vector: list[float], chance: Any) -> list[float]:
    import numpy as np  # noqa: PLC0415 - only with vectors

    moved = np.array(vector) + TURN * chance.standard_normal(len(vector))
    return [float(one) for one in moved / np.linalg.norm(moved)]


async def asked(index: Path, questions: Sequence[Question], server: str) -> list[float]:
    """Milliseconds of each question, after some that do not count."""
    search = RunbookSearch(index, server)
    took = []
    for question in [*questions[:WARM], *questions]:
        began = time.perf_counter()
        await search.search(Query(question.text))
        took.append(1000 * (time.perf_counter() - began))
    await search.close()
    return took[WARM:]


def cold(index: Path, rounds: int) -> dict[str, float]:
    """Median seconds of a search from the command line, and of the bare imports, in turn."""
    asks = ["-c", COMMAND_LINE, "runbooks", "search", "filesystem of a node is filling up"]
    cases = {"search": asks, "imports": ["-c", IMPORTS]}
    environment = {**os.environ, "RUNBOOKS_INDEX": str(index)}
    took: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(rounds + 1):
        for name, arguments in cases.items():
            began = time.perf_counter()
            subprocess.run(  # noqa: S603 - the bench's own command
                [sys.executable, *arguments], env=environment, check=True, capture_output=True
            )
            took[name].append(time.perf_counter() - began)
    found = {name: round(median(seconds[1:]), 3) for name, seconds in took.items()}
    return {**found, "ratio": round(found["search"] / found["imports"], 2)}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print, as JSON."""
    parser = argparse.ArgumentParser("python -m eval.bench.search", description=__doc__)
    parser.add_argument("index", type=Path)
    parser.add_argument("queries", type=Path)
    parser.add_argument("--sections", type=int, nargs="+", default=[8_000, 100_000])
    parser.add_argument("--server", default="", help="URL of an empty Chroma server")
    parser.add_argument("--cold", type=int, default=0, help="rounds of cold searches instead")
    given = parser.parse_args(arguments)
    if given.cold:
        sys.stdout.write(json.dumps(cold(given.index, given.cold)) + "\n")
        return
    questions = read_questions(given.queries)
    chosen = random.Random(SEED).sample(questions, min(QUESTIONS, len(questions)))  # noqa: S311 - no secret
    for sections in given.sections:
        sys.stdout.write(json.dumps(_measured(given.index, sections, given.server, chosen)) + "\n")


def _measured(
    index: Path, sections: int, server: str, questions: Sequence[Question]
) -> dict[str, Any]:
    import anyio  # noqa: PLC0415 - not for the cold side

    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        made = multiplied(index, sections, Path(folder) / "index", server)
        took = anyio.run(asked, Path(folder) / "index", questions, server)
    return {
        "sections": made,
        "chroma": "server" if server else "embedded",
        "p50_ms": round(median(took), 1),
        "p95_ms": round(quantile(took, 0.95), 1),
    }


if __name__ == "__main__":
    main()
