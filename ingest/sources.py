"""Where documents come from: a folder of Markdown files. Reads, never writes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ingest.errors import IngestError

ENDINGS = (".md", ".markdown")
MAX_BYTES = 2_000_000
"""A runbook is read by a person: what is larger is a dump, and is reported instead."""


@dataclass(frozen=True, slots=True)
class Source:
    """One file of a source, not yet read. `path` is relative to the source's root, with `/`."""

    path: str
    file: Path

    def read(self) -> bytes:
        """Its bytes. Raises `IngestError` where it is too large or cannot be read."""
        try:
            size = self.file.stat().st_size
            if size > MAX_BYTES:
                raise IngestError(f"{self.path}: {size} bytes; larger than {MAX_BYTES}, split it")
            return self.file.read_bytes()
        except OSError as error:
            raise IngestError(f"{self.path}: cannot be read: {error.strerror}") from error


def markdown_files(root: Path) -> Iterator[Source]:
    """Every Markdown file under `root`, by path. Hidden folders are left out; links are not followed."""
    if not root.is_dir():
        raise IngestError(f"source {str(root)!r} is not a folder; name the folder of your runbooks")
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            file = Path(folder, name)
            if name.lower().endswith(ENDINGS) and not name.startswith(".") and _inside(file, root):
                yield Source(file.relative_to(root).as_posix(), file)


def _inside(file: Path, root: Path) -> bool:
    """Whether the file is under the root when links are resolved: a link must not reach outside."""
    return file.resolve().is_relative_to(root.resolve())
