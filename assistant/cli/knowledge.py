"""`assistant ingest`: runbooks into the index that `triage` and `runbooks search` use."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import anyio
import typer

from assistant.cli.runbooks import index_folder


def ingest(
    source: Annotated[Path | None, typer.Argument(help="Folder of runbooks.")] = None,
    sources: Annotated[
        Path | None, typer.Option("--sources", metavar="FILE", help="A table of sources, in TOML.")
    ] = None,
    embedding: Annotated[str, typer.Option(help="Model name, or none for words alone.")] = "",
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Make everything anew.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done; write nothing.")
    ] = False,
    since: Annotated[
        str, typer.Option(metavar="DATE", help="Only what changed since; removes nothing.")
    ] = "",
    allow_mass_delete: Annotated[
        bool, typer.Option("--allow-mass-delete", help="Remove what vanished, however much.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write what was done as JSON.")
    ] = None,
    metrics_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write metrics for the node exporter.")
    ] = None,
    pushgateway: Annotated[
        str, typer.Option(metavar="URL", help="Push metrics to a Prometheus Pushgateway.")
    ] = "",
) -> None:
    """Ingest a folder of runbooks, or a table of sources. Exit codes: those of `python -m ingest`."""
    if (source is None) == (sources is None):
        raise typer.BadParameter("give either a folder of runbooks or --sources FILE")
    values = {
        "source": source,
        "sources": sources,
        "index": index_folder(),
        "chroma-url": os.environ.get("CHROMA_URL", ""),
        "embedding": embedding,
        "since": since,
        "report": report,
        "metrics-file": metrics_file,
        "pushgateway": pushgateway,
    }
    switches = {"rebuild": rebuild, "dry-run": dry_run, "allow-mass-delete": allow_mass_delete}
    raise typer.Exit(anyio.run(_run, _command(values, switches)))


def _command(values: Mapping[str, object], switches: Mapping[str, bool]) -> list[str]:
    """The nightly job's own command; what was not given is left out."""
    given = [f"--{name}={value}" for name, value in values.items() if value]
    chosen = [f"--{name}" for name, is_set in switches.items() if is_set]
    return [sys.executable, "-m", "ingest", *given, *chosen]


async def _run(command: list[str]) -> int:
    """The nightly job, as the scheduler runs it: in a process of its own, so that torch ends with it."""
    done = await anyio.run_process(command, stdout=None, stderr=None, check=False)
    return done.returncode
