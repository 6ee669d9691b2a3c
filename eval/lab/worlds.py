"""Where a world is found: a folder that was given, or a builtin case written into the cache."""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from assistant.errors import NotFound

_CASES = Path(__file__).parents[1] / "cases"


def default_cache() -> Path:
    """Where the lab keeps what it made: builtin worlds and Prometheus blocks."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "incident-assistant" / "lab"


def world_names() -> list[str]:
    """The names of the builtin worlds."""
    from eval.cases import CASES  # noqa: PLC0415 - a given folder or a kept world needs no cases

    return sorted(CASES)


def find_world(name_or_path: str | Path, cache_folder: Path) -> Path:
    """The folder of a world: the given one, or the builtin of that name built into the cache.

    Raises NotFound, naming the nearest names, where there is neither.
    """
    folder, name = Path(name_or_path), str(name_or_path)
    if (folder / "world.json").is_file():
        return folder
    versions = cache_folder / "worlds" / _digest(_CASES)
    plain = name and folder.name == name and name not in (".", "..")
    if plain and (versions / name / "world.json").is_file():
        return versions / name
    if name not in world_names():
        raise NotFound(_unknown(name, folder))
    return _build(name, versions)


def _build(name: str, versions: Path) -> Path:
    """The builtin, written aside and then put in place: half a world is never found."""
    from eval.cases import CASES, write_world  # noqa: PLC0415 - see `world_names`

    versions.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix=".making-", dir=versions))
    try:
        made = write_world(CASES[name], making)
        with contextlib.suppress(OSError):  # somebody else made the same in the meantime
            made.rename(versions / name)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return versions / name


def _digest(sources: Path) -> str:
    """What the builtin worlds are made from: a case that changed is never served as it was."""
    digest = hashlib.sha256()
    for path in sorted(path for path in sources.rglob("*") if path.suffix != ".pyc"):
        if path.is_file():
            digest.update(str(path.relative_to(sources)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def _unknown(name: str, folder: Path) -> str:
    known = world_names()
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.4) or known[:6]
    what = f"{name!r} is a folder without world.json" if folder.is_dir() else f"no world {name!r}"
    return (
        f"{what}; did you mean {', '.join(near)}? "
        "Give one of these or a folder that holds world.json; all: assistant lab list"
    )
