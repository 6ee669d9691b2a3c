"""How the file of a database comes to be, is opened, and fails: the same for every one of ours."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path

import aiosqlite
import anyio

from assistant.errors import AssistantError

BUSY_SECONDS = 10.0
"""Another process may write for so long before we are told that the file is busy."""


@asynccontextmanager
async def connected(what: str, path: Path) -> AsyncIterator[aiosqlite.Connection]:
    """The database at `path`, made where it is missing; each statement is its own transaction.

    `what` it is called where it fails. Raises AssistantError.
    """
    with failures(what, path):
        new_file(path)
        database = await aiosqlite.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        yield database
    finally:
        # Also where all is cancelled: its thread would outlive the loop that it answers to.
        with anyio.CancelScope(shield=True):
            await database.close()


@contextmanager
def failures(what: str, path: Path) -> Iterator[None]:
    """What SQLite and the disk say, as an AssistantError that names the file and what to do."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise AssistantError(
            f"{what} {path} failed: {error}. Is the disk full, or the file another program's? "
            "Another place can be set with `home`"
        ) from error


def new_file(path: Path) -> None:
    """Makes an empty database where there is none: the user's alone, in write-ahead mode.

    It appears at its place in one step. Two who open a file of another mode at the same moment, and
    both would change it, are told that it is locked, however long they would wait.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists():
        return
    with tempfile.TemporaryDirectory(prefix=f".{path.name}-", dir=path.parent) as folder:
        made = Path(folder, path.name)
        with closing(sqlite3.connect(made)) as database:
            database.execute("PRAGMA journal_mode = WAL")
        made.chmod(0o600)
        try:
            os.link(made, path)
        except OSError:
            # Somebody was faster, or the disk knows no links.
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
