"""The command line of the nightly job."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from ingest.settings import IngestSettings
from ingest.sources.base import Source

EPILOG = """exit codes:
  0    done
  1    failed; nothing was changed
  2    wrong usage
  3    done; some documents could not be read and stay as they were
  4    done but for removals: more than 20 % (and at least 5) of a source's documents vanished at once
  5    done but for sources that could not be listed; their documents stay as they were
  75   another run holds the index
  130  interrupted; nothing was changed, and the next run goes on from there
"""


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says."""

    settings: IngestSettings
    sources: Path | None
    report: Path | None
    metrics_file: Path | None
    pushgateway: str

    @contextmanager
    def opened_sources(self, environment: Mapping[str, str]) -> Iterator[list[Source]]:
        """The sources of the table; none where a folder was named. Raises `IngestError`."""
        if self.sources is None:
            yield []
            return
        # Each kind of source has its own libraries; a plain folder needs none of them.
        from ingest.sources.table import read_table, sources  # noqa: PLC0415

        table = read_table(self.sources)
        with self._cache() as cache:
            yield sources(table, cache, environment)

    @contextmanager
    def _cache(self) -> Iterator[Path]:
        """Where sources keep what they need again tomorrow; a dry run keeps nothing."""
        if not self.settings.dry_run:
            yield self.settings.index / "sources"
            return
        with TemporaryDirectory(prefix="ingest-") as folder:
            yield Path(folder)


def options(arguments: Sequence[str], about: str) -> Options:
    """The command line, read. Ends the program with 2 where it is wrong."""
    parser = _parser(about)
    found = parser.parse_args(arguments)
    if found.rebuild and found.since:
        parser.error("--rebuild makes everything anew: it cannot go with --since")
    settings = IngestSettings(
        source=found.source,
        index=found.index,
        chroma_url=found.chroma_url,
        embedding=found.embedding,
        model_folder=found.model_folder,
        rebuild=found.rebuild,
        allow_mass_delete=found.allow_mass_delete,
        dry_run=found.dry_run,
        since=found.since,
        command=_repeatable(found),
    )
    return Options(settings, found.sources, found.report, found.metrics_file, found.pushgateway)


def _repeatable(found: argparse.Namespace) -> str:
    """The command that makes the same index, as far as it may be shown: no address of a gateway."""
    names = ("source", "sources", "index", "chroma_url", "embedding", "model_folder")
    given = [(name, str(getattr(found, name))) for name in names if getattr(found, name)]
    words = [word for name, value in given for word in (f"--{name.replace('_', '-')}", value)]
    return shlex.join(["python", "-m", "ingest", *words])


def _parser(about: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m ingest",
        description=about,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--source", type=Path, metavar="FOLDER", help="one folder of runbooks")
    where.add_argument("--sources", type=Path, metavar="FILE", help="a table of sources, in TOML")
    parser.add_argument("--index", type=Path, required=True, help="folder of the index")
    parser.add_argument("--chroma-url", default="", help="a Chroma server; default: embedded")
    parser.add_argument(
        "--embedding",
        default="",
        help="model name or `none`; default: all-MiniLM-L6-v2 if it is here",
    )
    parser.add_argument("--model-folder", type=Path, help="folder of a sentence-transformers model")
    _add_how(parser)
    _add_told(parser)
    return parser


def _add_how(parser: argparse.ArgumentParser) -> None:
    """What a run may do."""
    add = parser.add_argument
    add("--rebuild", action="store_true", help="make the index anew, then switch")
    add("--dry-run", action="store_true", help="say what a run would do; write nothing")
    add(
        "--since",
        type=_date,
        metavar="DATE",
        help="only what changed since (2026-11-20, or with a time); removes nothing",
    )
    add("--allow-mass-delete", action="store_true", help="remove vanished documents, however many")


def _add_told(parser: argparse.ArgumentParser) -> None:
    """Where a run tells how it went."""
    add = parser.add_argument
    add("--report", type=Path, metavar="FILE", help="write what was done as JSON")
    add("--metrics-file", type=Path, metavar="FILE", help="write metrics for the node exporter")
    add("--pushgateway", default="", metavar="URL", help="push metrics to a Prometheus Pushgateway")


def _date(text: str) -> datetime:
    """A date or a moment in ISO format; without a zone it is UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no date like 2026-11-20 or 2026-11-20T02:00"
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
