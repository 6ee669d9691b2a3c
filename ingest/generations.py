"""The folder of an index: generations, the pointer to the one that readers use, and the lock.

    INDEX/current               the name of the published generation
    INDEX/generations/NAME/     catalogue.sqlite and chroma/; never changed once published
    INDEX/generations/.building-*   an unfinished one; the next run removes it
    INDEX/models/               exported models
    INDEX/embedded.sqlite       vectors that a killed run had made; the next one goes on from there
    INDEX/untidy                there while a Chroma server may hold sections of no generation
    INDEX/lock.sqlite           held by a running ingestion

A reader in another process goes stale when a Chroma folder changes under it. So nothing published
ever changes: a run makes a copy, changes that, and switches the pointer in one rename.
"""

from __future__ import annotations

import os
import secrets
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from ingest.errors import IndexBusy, IndexMissing, IngestError

BUILDING = ".building-"
KEPT = 2
"""The current generation, and the one before for readers that are still in it."""


class Generations:
    """The generations in one index folder."""

    def __init__(self, index: Path) -> None:
        self.index = index
        self._folder = index / "generations"
        self._pointer = index / "current"

    @property
    def models(self) -> Path:
        """The cache of exported models."""
        return self.index / "models"

    @property
    def embedded(self) -> Path:
        """The file of vectors that are made and not yet published."""
        return self.index / "embedded.sqlite"

    @property
    def untidy(self) -> Path:
        """The mark that a Chroma server may hold sections of no generation."""
        return self.index / "untidy"

    def current(self) -> Path | None:
        """The published generation, or None where nothing was published yet."""
        try:
            name = self._pointer.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise IngestError(f"{str(self._pointer)!r} cannot be read: {error.strerror}") from error
        folder = self._folder / name
        if not name or not folder.is_dir():
            raise IndexMissing(
                f"{str(self._pointer)!r} points to {name!r}, which is gone; "
                f"remove {str(self.index)!r} and run `python -m ingest` again"
            )
        return folder

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the index against a second run. SQLite's lock ends with the process, even a killed one."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise IngestError(
                f"index {str(self.index)!r} cannot be made: {error.strerror}"
            ) from error
        with closing(sqlite3.connect(self.index / "lock.sqlite", timeout=0)) as connection:
            try:
                connection.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError as error:
                raise IndexBusy(
                    f"another ingestion is running on {str(self.index)!r} ({error}); "
                    "let it finish, then run again"
                ) from error
            self._remove_unfinished()
            yield

    def begin(self, base: Path | None) -> Path:
        """A new folder to change: a copy of `base`, or empty."""
        building = self._folder / f"{BUILDING}{secrets.token_hex(4)}"
        if base is None:
            building.mkdir()
        else:
            shutil.copytree(base, building)
        return building

    def publish(self, building: Path) -> Path:
        """Makes a finished folder the current generation, in one step; removes the oldest."""
        published = self._folder / f"{self._next_number():06d}"
        for path in (building, *building.rglob("*")):
            _sync(path)
        building.rename(published)
        _sync(self._folder)
        _write_durably(self._pointer, published.name)
        for old in self._published()[:-KEPT]:
            shutil.rmtree(old, ignore_errors=True)
        return published

    def _published(self) -> list[Path]:
        return sorted(folder for folder in self._folder.iterdir() if folder.name.isdigit())

    def _next_number(self) -> int:
        published = self._published()
        return int(published[-1].name) + 1 if published else 1

    def _remove_unfinished(self) -> None:
        """What a killed run left behind: unfinished folders, one published but not pointed to, half exports."""
        current = self.current()
        for folder in self._folder.iterdir():
            unpointed = folder.name.isdigit() and (current is None or folder.name > current.name)
            if folder.name.startswith(BUILDING) or unpointed:
                shutil.rmtree(folder, ignore_errors=True)
        for folder in self.models.glob(".export-*"):
            shutil.rmtree(folder, ignore_errors=True)


def _sync(path: Path) -> None:
    """Has a file or folder on the disk: the pointer must not be there before what it names."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_durably(file: Path, text: str) -> None:
    """Replaces a file so that a reader sees the old text or the new, and a power cut loses neither."""
    beside = file.with_suffix(".new")
    with beside.open("w", encoding="utf-8") as stream:
        stream.write(text + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(file)
    _sync(file.parent)
