"""kill -9 at random moments of an ingestion, each followed by a run: is the index as if nothing had happened?

    python -m eval.bench.kills FOLDER [--kills 50] [--pages 12] [--embedding none]

A sample of the folder's pages is changed again and again. Every change is ingested twice: in peace
into one index, and with a kill and a second run into another. Both must then hold the same rows and
the same vectors. All the while a search in a process of its own asks the second index: it must
never fail, and never give a section that is in no published generation.
"""

from __future__ import annotations

import argparse
import json
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio

from ingest import catalogue, vectors
from ingest.candidates import Query
from ingest.embedding import NO_MODEL
from ingest.errors import IngestError
from ingest.export import exported_model
from ingest.generations import BUILDING, Generations
from ingest.schema import FILE
from ingest.search import RunbookSearch

SAME = 1e-4
"""Two vectors of one text differ by less, in whatever batch they were made."""
PATIENCE_SECONDS = 600
PAUSE_SECONDS = 0.05
"""Between two searches, so that they do not take a core from what they watch."""
ATTEMPTS = 5
"""Runs for each kill wanted: one that ends before its moment comes is no kill."""
INNER_TABLES = ("_data", "_idx", "_content", "_docsize", "_config")
QUESTIONS = ("pods are crash looping", "disk is full", "certificate expired", "restore a backup")


class NotTheSame(Exception):  # noqa: N818 - it is the finding
    """An index differs from the one that was left in peace."""


@dataclass(frozen=True, slots=True)
class State:
    """All that an index holds, without the time it was made at."""

    rows: Mapping[str, list[tuple[Any, ...]]]
    vectors: Mapping[str, list[float]]


def state(index: Path) -> State:
    """What the published generation of an embedded index holds."""
    folder = Generations(index).current()
    if folder is None:
        return State({}, {})
    with closing(sqlite3.connect(folder / FILE)) as connection:
        query = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
        names = [name for (name,) in connection.execute(query) if not name.endswith(INNER_TABLES)]
        rows = {name: _rows(connection, name) for name in names}
    with closing(vectors.open_folder(folder, catalogue.facts(folder)["collection"])) as opened:
        return State(rows, opened.all())


def _rows(connection: sqlite3.Connection, table: str) -> list[tuple[Any, ...]]:
    """A table's rows in order; the one that says when the index was made is left out."""
    rows = connection.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608 - a table's name
    return sorted((row for row in rows if row[0] != "ingested_at"), key=repr)


def refuse_difference(one: State, other: State) -> None:
    """Raises `NotTheSame` with where two states differ."""
    for table in sorted({*one.rows, *other.rows}):
        if one.rows.get(table) != other.rows.get(table):
            raise NotTheSame(f"the rows of {table} differ")
    if one.vectors.keys() != other.vectors.keys():
        odd = one.vectors.keys() ^ other.vectors.keys()
        raise NotTheSame(f"{len(odd)} sections have a vector on one side alone: {min(odd)}")
    for id, vector in one.vectors.items():
        pairs = zip(vector, other.vectors[id], strict=True)
        if any(abs(a - b) > SAME for a, b in pairs):
            raise NotTheSame(f"the vector of {id} differs")


@dataclass(slots=True)
class Killing:
    """A source that changes, the index that is killed, and the one that is left in peace."""

    folder: Path
    embedding: str
    chance: random.Random
    moments: Counter[str] = field(default_factory=Counter)
    """In what state the kills left the index, and how often."""

    @property
    def source(self) -> Path:
        """The runbooks."""
        return self.folder / "source"

    @property
    def index(self) -> Path:
        """The index that is killed."""
        return self.folder / "killed"

    @property
    def calm(self) -> Path:
        """The index that is left in peace."""
        return self.folder / "calm"

    def prepare(self, pages: Sequence[bytes]) -> None:
        """A source of these pages, and both indexes over it."""
        self.source.mkdir()
        for number, page in enumerate(pages):
            (self.source / f"page-{number}.md").write_bytes(page)
        if self.embedding != NO_MODEL:
            exported_model(self.embedding, None, self.folder / "models", lambda _words: None)
            for index in (self.index, self.calm):
                index.mkdir()
                (index / "models").symlink_to(self.folder / "models")
        for index in (self.index, self.calm):
            self._run(index)

    def kill_once(self) -> bool:
        """One change, one kill, one run after it. False where the run ended before its moment.

        Raises `NotTheSame` where the index is not as if nothing had happened.
        """
        self._change()
        started = time.monotonic()
        self._run(self.calm)
        moment = self.chance.uniform(0, time.monotonic() - started)
        before = Generations(self.index).current()
        killed = _killed(self._command(self.index), moment)
        if killed:
            self.moments[self._moment(before)] += 1
        self._run(self.index)
        refuse_difference(state(self.calm), state(self.index))
        return killed

    def _change(self) -> None:
        """Some pages get a new section, one goes, one comes."""
        files = sorted(self.source.iterdir())
        for file in self.chance.sample(files, 3):
            words = (
                f"\n\n## Note {self.chance.getrandbits(40):x}\n\nSeen at {self.chance.random()}.\n"
            )
            file.write_bytes(file.read_bytes() + words.encode())
        gone, twin = self.chance.sample(files, 2)
        name = f"page-{self.chance.getrandbits(40):x}.md"
        (self.source / name).write_bytes(twin.read_bytes())
        gone.unlink()

    def _command(self, index: Path) -> list[str]:
        where = ["--source", str(self.source), "--index", str(index)]
        return [sys.executable, "-m", "ingest", *where, "--embedding", self.embedding]

    def _run(self, index: Path) -> None:
        """A whole run. Raises `IngestError` where it fails."""
        done = subprocess.run(  # noqa: S603 - our own command
            self._command(index),
            check=False,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
        )
        if done.returncode != 0:
            raise IngestError(f"a run ended with {done.returncode}: {done.stderr[-1000:]}")

    def _moment(self, before: Path | None) -> str:
        """What the kill hit."""
        generations = Generations(self.index)
        if generations.current() != before:
            return "after the switch"
        if list((self.index / "generations").glob(f"{BUILDING}*")):
            return "while writing"
        return "before writing"


def _killed(command: Sequence[str], moment: float) -> bool:
    """Whether a run was killed, `moment` seconds after its start; False where it had ended by then."""
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=quiet, stderr=quiet) as process:  # noqa: S603 - as above
        try:
            process.wait(moment)
        except subprocess.TimeoutExpired:
            process.kill()
            return True
    return False


@contextmanager
def searched(index: Path) -> Iterator[dict[str, Any]]:
    """A search over `index` in another process, until the block ends; then what it saw is in the dict."""
    seen: dict[str, Any] = {}
    command = [sys.executable, "-m", "eval.bench.kills", "--search", str(index)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:  # noqa: S603
        try:
            yield seen
        finally:
            said, _ = process.communicate("", timeout=PATIENCE_SECONDS)
            seen |= json.loads(said)


async def search_until_told(index: Path) -> dict[str, Any]:
    """Asks again and again until stdin ends; gives back how often, and what went wrong."""
    asked, wrong = 0, []
    search = RunbookSearch(index)
    async with anyio.create_task_group() as tasks:
        ended = anyio.Event()
        tasks.start_soon(_wait_for_stdin, ended)
        while not ended.is_set():
            try:
                wrong += await _ask(search, index, QUESTIONS[asked % len(QUESTIONS)])
            except Exception as error:  # noqa: BLE001 - any failure at all is the finding
                wrong.append(f"{type(error).__name__}: {error}")
            asked += 1
            await anyio.sleep(PAUSE_SECONDS)
    await search.close()
    return {"searches": asked, "wrong": wrong[:5], "wrong_searches": len(wrong)}


async def _wait_for_stdin(ended: anyio.Event) -> None:
    await anyio.to_thread.run_sync(sys.stdin.read)
    ended.set()


async def _ask(search: RunbookSearch, index: Path, question: str) -> list[str]:
    """What is wrong with the answer: sections that are in no generation published meanwhile."""
    published = _published(index)
    found = await search.search(Query(question))
    published |= _published(index)
    ids = {match.section.id for match in found.matches}
    return [f"{id} is deleted" for id in sorted(ids - published)]


def _published(index: Path) -> set[str]:
    folder = Generations(index).current()
    return catalogue.section_ids(folder) if folder else set()


def measure(folder: Path, embedding: str, pages: int, kills: int, seed: int) -> dict[str, Any]:
    """Kills as often as wanted; gives back what the kills hit and what the search saw."""
    chance = random.Random(seed)  # noqa: S311 - moments, not secrets
    files = chance.sample(sorted(folder.rglob("*.md")), pages)
    with tempfile.TemporaryDirectory(prefix="kills-") as made:
        killing = Killing(Path(made), embedding, chance)
        killing.prepare([file.read_bytes() for file in files])
        done = 0
        with searched(killing.index) as seen:
            for _ in range(kills * ATTEMPTS):
                done += killing.kill_once()
                if done == kills:
                    break
        moments = dict(killing.moments)
    return {"kills": done, "same_index": done, "moments": moments, **seen}


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the figures as one JSON object; 1 where an index differs or a search went wrong."""
    parser = argparse.ArgumentParser("python -m eval.bench.kills", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("examples/runbooks"))
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--pages", type=int, default=12)
    parser.add_argument("--embedding", default=NO_MODEL)
    parser.add_argument("--seed", type=int, default=4)
    parser.add_argument("--search", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.search:
        told = anyio.run(search_until_told, chosen.search)
    else:
        told = measure(chosen.folder, chosen.embedding, chosen.pages, chosen.kills, chosen.seed)
    sys.stdout.write(json.dumps(told) + "\n")
    return int(bool(told["wrong_searches"]) and not chosen.search)


if __name__ == "__main__":
    sys.exit(main())
