"""`assistant ingest`: runbooks into the index that `triage` searches."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import anyio
import typer

from assistant.cli.wiring import settled

SOME_SKIPPED = 3


def ingest(
    source: Annotated[Path, typer.Argument(help="Folder of Markdown runbooks.")],
    embedding: Annotated[str, typer.Option(help="Model name, or none for words alone.")] = "",
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Make everything anew.")] = False,
) -> None:
    """Ingest a folder of runbooks. Exit code 3 says that some documents were skipped."""
    index = Path(os.environ.get("RUNBOOKS_INDEX") or settled({}).runbook_index)
    command = [sys.executable, "-m", "ingest", "--source", str(source), "--index", str(index)]
    command += ["--embedding", embedding] if embedding else []
    command += ["--rebuild"] if rebuild else []
    command += ["--chroma-url", os.environ["CHROMA_URL"]] if os.environ.get("CHROMA_URL") else []
    raise typer.Exit(anyio.run(_run, command))


async def _run(command: list[str]) -> int:
    """The nightly job, as the scheduler runs it: in a process of its own, so that torch ends with it."""
    done = await anyio.run_process(command, stdout=None, stderr=None, check=False)
    return done.returncode
