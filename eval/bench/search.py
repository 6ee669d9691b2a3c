"""How long a search takes: warm at two sizes of the index, and cold from the command line.

    python -m eval.bench.search INDEX QUERIES [--sections 8000 100000] [--server http://127.0.0.1:8000]
    python -m eval.bench.search INDEX QUERIES --cold 10

INDEX is one that `python -m eval retrieval` made. What is compared is run in turn, the embedded Chroma
with the server and the search with the bare imports: another program that takes the machine takes it
from both. Nothing is asserted. `load` tells how busy the machine was before.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median
from typing import Any

from eval.bench.multiplied import SEED, multiplied
from eval.retrieval_questions import Question, read_questions
from eval.tables import quantile
from ingest.candidates import Query
from ingest.search import RunbookSearch

QUESTIONS, WARM, ROUNDS = 200, 20, 3
IMPORTS = "import chromadb, onnxruntime"
COMMAND_LINE = "from assistant.cli import main; main()"
ASKED = "filesystem of a node is filling up"


@dataclass(frozen=True, slots=True)
class Took:
    """What one run took. CPU is of this process and its children, never of a Chroma server."""

    seconds: float
    cpu_seconds: float


class _Watch:
    """Tells what passed since it was made."""

    def __init__(self) -> None:
        self._began = _now()

    def took(self) -> Took:
        wall, cpu = _now()
        return Took(wall - self._began[0], cpu - self._began[1])


def _now() -> tuple[float, float]:
    return time.perf_counter(), sum(os.times()[:4])


Rounds = list[list[Took]]
"""Round by round, what each question took."""


async def asked(indexes: Mapping[str, str], questions: Sequence[Question]) -> dict[str, Rounds]:
    """Index folder -> what each question took there. `indexes`: folder -> URL of a Chroma server, or ""."""
    searches = {folder: RunbookSearch(Path(folder), url) for folder, url in indexes.items()}
    for question in questions[:WARM]:
        for search in searches.values():
            await search.search(Query(question.text))
    took: dict[str, Rounds] = {folder: [] for folder in indexes}
    for _ in range(ROUNDS):
        for rounds in took.values():
            rounds.append([])
        for question in questions:
            for folder, search in searches.items():
                watch = _Watch()
                await search.search(Query(question.text))
                took[folder][-1].append(watch.took())
    for search in searches.values():
        await search.close()
    return took


def figures(rounds: Rounds) -> dict[str, float]:
    """Milliseconds. `first` is the round whose questions were new; `fastest` takes each one's best round."""
    fastest = [min(one.seconds for one in same) for same in zip(*rounds, strict=True)]
    every = [one for own in rounds for one in own]
    return {
        **_spread("first", [one.seconds for one in rounds[0]]),
        **_spread("all", [one.seconds for one in every]),
        **_spread("fastest", fastest),
        "cpu_ms": round(1000 * fmean(one.cpu_seconds for one in every), 1),
    }


def _spread(name: str, seconds: Sequence[float]) -> dict[str, float]:
    spread = {"p50": median(seconds), "p95": quantile(seconds, 0.95)}
    return {f"{name}_{part}_ms": round(1000 * value, 1) for part, value in spread.items()}


def warm(
    index: Path, sections: int, server: str, questions: Sequence[Question]
) -> Iterator[dict[str, Any]]:
    """The figures at one size: of the embedded Chroma and, where there is one, of the server."""
    import anyio  # noqa: PLC0415 - not for the cold side

    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        made = {
            str(Path(folder) / ("server" if url else "embedded")): url
            for url in dict.fromkeys(["", server])
        }
        built = {to: _built(index, sections, Path(to), url) for to, url in made.items()}
        load = round(os.getloadavg()[0], 1)
        for to, rounds in anyio.run(asked, made, questions).items():
            yield {"chroma": Path(to).name, **built[to], "load": load, **figures(rounds)}


def _built(index: Path, sections: int, to: Path, server: str) -> dict[str, float]:
    watch = _Watch()
    made = multiplied(index, sections, to, server)
    return {"sections": made, "built_in_seconds": round(watch.took().seconds)}


def cold(index: Path, rounds: int) -> dict[str, Any]:
    """Seconds of a search from the command line and of the bare imports, in turn, and their ratios."""
    cases = {
        "search": [COMMAND_LINE, "runbooks", "search", ASKED],
        "imports": [IMPORTS],
    }
    environment = {**os.environ, "RUNBOOKS_INDEX": str(index)}
    load = round(os.getloadavg()[0], 1)
    took: dict[str, list[Took]] = {name: [] for name in cases}
    for _ in range(rounds + 1):
        for name, arguments in cases.items():
            took[name].append(_run(arguments, environment))
    found = {name: _summed(runs[1:]) for name, runs in took.items()}
    one, other = found["search"], found["imports"]
    ratios = {unit: round(one[unit] / other[unit], 2) for unit in one}
    return {"load": load, **found, "ratio": ratios}


def _run(arguments: Sequence[str], environment: Mapping[str, str]) -> Took:
    watch = _Watch()
    subprocess.run(  # noqa: S603 - the bench's own command
        [sys.executable, "-c", *arguments], env=environment, check=True, capture_output=True
    )
    return watch.took()


def _summed(runs: Sequence[Took]) -> dict[str, float]:
    def part(of: Callable[[Iterable[float]], float], name: str) -> float:
        return round(of([getattr(run, name) for run in runs]), 3)

    return {
        "median": part(median, "seconds"),
        "fastest": part(min, "seconds"),
        "cpu": part(median, "cpu_seconds"),
    }


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
        _print(cold(given.index, given.cold))
        return
    questions = read_questions(given.queries)
    chosen = random.Random(SEED).sample(questions, min(QUESTIONS, len(questions)))  # noqa: S311 - no secret
    for sections in given.sections:
        for found in warm(given.index, sections, given.server, chosen):
            _print(found)


def _print(found: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
