"""Documents of a folder. Reads, never writes; links never lead outside of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path

import anyio
import anyio.to_thread

from ingest.errors import IngestError
from ingest.sources.base import Item, Listing
from ingest.sources.endings import address, media_type, too_large


@dataclass(frozen=True, slots=True)
class Folder:
    """The documents under `root`, whatever its depth. Hidden files and folders are left out."""

    name: str
    root: Path
    url: str = ""
    """Where a person opens a document: a template with `{path}`."""
    may_be_empty: bool = False
    """Whether there may be nothing yet. An empty folder of runbooks is one that is not mounted."""

    async def list(self, since: datetime | None = None) -> Listing:
        """Every document, by path, with the hash of its bytes. `since` looks at the files' own dates."""
        try:
            return await anyio.to_thread.run_sync(self._listing, since)
        except OSError as error:
            raise IngestError(
                f"source {str(self.root)!r} cannot be looked into: {error.strerror}"
            ) from error

    async def close(self) -> None:
        """Nothing is held open."""

    def _listing(self, since: datetime | None) -> Listing:
        if not self.root.is_dir():
            if self.may_be_empty and not self.root.exists():
                return Listing(())
            raise IngestError(
                f"source {str(self.root)!r} is not a folder; name the folder of your runbooks"
            )
        closed: list[OSError] = []
        items = tuple(self._item(file) for file in _documents(self.root, closed))
        if not items and not self.may_be_empty:
            raise IngestError(
                f"source {str(self.root)!r} holds no document; is it the right folder, and mounted?"
            )
        unreadable = tuple(f"{one.filename}: cannot be opened: {one.strerror}" for one in closed)
        if since is not None:
            items = tuple(item for item in items if item.modified is None or item.modified >= since)
        return Listing(items, unreadable, whole=since is None)

    def _item(self, file: Path) -> Item:
        path = file.relative_to(self.root).as_posix()
        return Item(
            path=path,
            fingerprint=_fingerprint(path, file),
            media_type=media_type(path),
            read=partial(anyio.to_thread.run_sync, _read, path, file),
            url=address(self.url, path),
            modified=_modified(file),
        )


def _documents(root: Path, closed: list[OSError]) -> Iterator[Path]:
    """The documents' files, in order; folders that cannot be looked into are added to `closed`."""
    inside = root.resolve()
    for folder, folders, files in os.walk(root, onerror=closed.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            file = Path(folder, name)
            if media_type(name) and _named_in_unicode(name) and _inside(file, inside):
                yield file


def _inside(file: Path, root: Path) -> bool:
    """Whether a link stays in the folder: as in a mounted ConfigMap, and not as in a trap."""
    # Unlike `Path.resolve`, `realpath` does not mind a link that leads to itself.
    return not file.is_symlink() or Path(os.path.realpath(file)).is_relative_to(root)


def _named_in_unicode(name: str) -> bool:
    """Whether the name is text: another one cannot be cited, nor kept in the catalogue."""
    return not any("\ud800" <= letter <= "\udfff" for letter in name)


def _fingerprint(path: str, file: Path) -> str:
    """The hash of its bytes; why they will not be read, where they will not (that is reported then)."""
    try:
        return sha256(_read(path, file)).hexdigest()
    except IngestError as error:
        return str(error)


def _read(path: str, file: Path) -> bytes:
    try:
        if reason := too_large(path, file.stat().st_size):
            raise IngestError(reason)
        return file.read_bytes()
    except OSError as error:
        raise IngestError(f"{path}: cannot be read: {error.strerror}") from error


def _modified(file: Path) -> datetime | None:
    try:
        return datetime.fromtimestamp(file.stat().st_mtime, UTC)
    except (OSError, OverflowError, ValueError):
        return None
