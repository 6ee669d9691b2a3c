"""What a run of the nightly job is asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class IngestSettings:
    """What to ingest, and where to."""

    source: Path | None
    """A folder of runbooks; None where `ingest` is given its sources."""
    index: Path
    chroma_url: str = ""
    """A Chroma server; empty for the embedded one inside the index folder."""
    embedding: str = ""
    """A model's name or `none`; empty for the default model where it can be had, else `none`."""
    model_folder: Path | None = None
    rebuild: bool = False
    """Make everything anew beside the old index, then switch."""
    allow_mass_delete: bool = False
    """Remove vanished documents however many they are."""
    dry_run: bool = False
    """Only say what a run would do."""
    since: datetime | None = None
    """Only documents that changed since; nothing is removed then."""
    command: str = ""
    """The command that a person would repeat with `--rebuild`."""
