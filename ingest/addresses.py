"""What the end of a path or URL tells of the page it leads to. Pure."""

from __future__ import annotations

from pathlib import PurePosixPath

# A page that stands for its folder is called by the folder's name.
FOLDER_PAGES = frozenset({"readme", "index", "_index"})


def tail(path: str) -> str:
    """The last telling part of a path or URL path, lower case: `a/Foo.md` and `a/foo/` -> `foo`."""
    parts = [part for part in path.split("/") if part]
    names = [PurePosixPath(part).stem if "." in part else part for part in parts]
    telling = [name.lower() for name in names if name.lower() not in FOLDER_PAGES]
    return telling[-1] if telling else ""
