"""How many sections a second our embedding takes, beside bare sentence-transformers in the same run.

    python -m eval.bench.embedding_rate FOLDER [--sections 300] [--rounds 3]

Both take the same sections as the index would embed them, in turn, round by round: a busy machine
slows both, so that the ratio says more than either figure.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from ingest.catalogue import Entry
from ingest.document import BrokenDocument, parse
from ingest.embedding import DEFAULT_MODEL, Embedder
from ingest.export import exported_model, find_model
from ingest.sections import outline

SEED = 4


def texts_to_embed(folder: Path, wanted: int) -> list[str]:
    """A sample of the folder's sections, as the model reads them; the same one each time."""
    texts = sorted(_all_texts(folder))
    return random.Random(SEED).sample(texts, min(wanted, len(texts)))  # noqa: S311 - a sample


def _all_texts(folder: Path) -> Iterator[str]:
    for file in sorted(folder.rglob("*.md")):
        path = file.relative_to(folder).as_posix()
        try:
            document = parse(path, file.read_bytes())
        except BrokenDocument:
            continue
        entry = Entry(path, document, outline(document, path))
        yield from (entry.text_to_embed(section) for section in entry.outline.sections)


def measure(texts: Sequence[str], rounds: int, cache: Path) -> dict[str, Any]:
    """Sections a second of both (medians over the rounds), and the median of the rounds' ratios."""
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415 - seconds to import

    original = find_model(DEFAULT_MODEL, None)
    bare = SentenceTransformer(str(original), device="cpu", local_files_only=True)
    ours = Embedder(exported_model(DEFAULT_MODEL, None, cache, lambda _words: None))
    ways: dict[str, Callable[[Sequence[str]], object]] = {
        "sentence_transformers": lambda some: bare.encode(list(some), show_progress_bar=False),
        "ours": ours.embed_all,
    }
    for way in ways.values():
        way(texts[:16])
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            rates[name].append(_rate(way, texts))
    pairs = zip(rates["ours"], rates["sentence_transformers"], strict=True)
    found = {name: round(median(values), 1) for name, values in rates.items()}
    ratio = round(median(one / other for one, other in pairs), 2)
    return {"sections": len(texts), "rounds": rounds, **found, "ratio": ratio}


def _rate(way: Callable[[Sequence[str]], object], texts: Sequence[str]) -> float:
    """Texts a second."""
    started = time.perf_counter()
    way(texts)
    return len(texts) / (time.perf_counter() - started)


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the figures as one JSON object."""
    parser = argparse.ArgumentParser("python -m eval.bench.embedding_rate", description=__doc__)
    parser.add_argument("folder", type=Path, help="Markdown runbooks")
    parser.add_argument("--sections", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--models", type=Path, help="cache of exported models")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="models-") as folder:
        texts = texts_to_embed(chosen.folder, chosen.sections)
        told = measure(texts, chosen.rounds, chosen.models or Path(folder))
    sys.stdout.write(json.dumps(told) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
