"""`python -m ingest`: progress on stderr, one line on stdout, an exit code for cron."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import Progress as Bar

from ingest.changes import Progress
from ingest.errors import IngestError
from ingest.job import IngestReport, IngestSettings, ingest

DONE, FAILED, SOME_SKIPPED = 0, 1, 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one ingestion; 0 done, 1 failed, 2 wrong usage, 3 done but some documents were skipped."""
    settings = _settings(arguments)
    console = Console(stderr=True)
    try:
        with shown_on(console) as progress:
            report = asyncio.run(ingest(settings, progress))
    except IngestError as error:
        console.print(f"ingest: {error}", markup=False, highlight=False, soft_wrap=True)
        return FAILED
    for words in (*report.notes, *(f"skipped {reason}" for reason in report.skipped)):
        console.print(words, markup=False, highlight=False, soft_wrap=True)
    return _printed(report)


def _printed(report: IngestReport) -> int:
    sys.stdout.write(f"{report.line}\n")
    return SOME_SKIPPED if report.skipped else DONE


@contextmanager
def shown_on(console: Console) -> Iterator[Progress]:
    """A progress bar for `ingest`; nothing but plain words where stderr is no terminal."""
    with Bar(console=console, transient=True, disable=not console.is_terminal) as bar:
        tasks = {}

        def show(doing: str, done: int, total: int) -> None:
            if doing not in tasks:
                tasks[doing] = bar.add_task(doing, total=total)
            bar.update(tasks[doing], completed=done, total=total)

        yield show


def _settings(arguments: Sequence[str] | None) -> IngestSettings:
    parser = argparse.ArgumentParser("python -m ingest", description=main.__doc__)
    parser.add_argument("--source", type=Path, required=True, help="folder of Markdown runbooks")
    parser.add_argument("--index", type=Path, required=True, help="folder of the index")
    parser.add_argument("--chroma-url", default="", help="a Chroma server; default: embedded")
    parser.add_argument(
        "--embedding",
        default="",
        help="model name or `none`; default: all-MiniLM-L6-v2 if it is here",
    )
    parser.add_argument("--model-folder", type=Path, help="folder of a sentence-transformers model")
    parser.add_argument("--rebuild", action="store_true", help="make the index anew, then switch")
    return IngestSettings(**vars(parser.parse_args(arguments)))


if __name__ == "__main__":
    sys.exit(main())
