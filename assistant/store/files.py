"""How the file of a database comes to be."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path


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
