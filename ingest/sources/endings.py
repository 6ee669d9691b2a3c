"""Which files are documents, by their ending, and how large one may be."""

from __future__ import annotations

from pathlib import PurePosixPath
from urllib.parse import quote

MEDIA_TYPES = {
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".adoc": "text/asciidoc",
    ".asciidoc": "text/asciidoc",
    ".html": "text/html",
    ".htm": "text/html",
    ".rst": "text/x-rst",
    ".txt": "text/plain",
    ".pdf": "application/pdf",
}
NO_DOCUMENTS = frozenset(
    f"{name}.txt"
    for name in ("license", "licence", "copying", "notice", "requirements", "robots", "cmakelists")
)
"""Files that are text by name, and that every repository has: nobody looks there at night."""
MAX_BYTES = 2_000_000
"""A runbook is read by a person: what is larger is a dump, and is reported instead."""


def media_type(path: str) -> str:
    """What a file of this name holds; empty where it is no document, or hidden, or in a hidden folder."""
    file = PurePosixPath(path)
    hidden = any(part.startswith(".") for part in file.parts)
    return (
        ""
        if hidden or file.name.lower() in NO_DOCUMENTS
        else MEDIA_TYPES.get(file.suffix.lower(), "")
    )


def too_large(path: str, size: int) -> str:
    """Why a document of `size` bytes is not read; empty where it may be."""
    return f"{path}: {size} bytes; larger than {MAX_BYTES}, split it" if size > MAX_BYTES else ""


def address(template: str, path: str, **others: str) -> str:
    """The address of a document, from a template with `{path}`; empty where there is no template."""
    for name, value in {"path": path, **others}.items():
        template = template.replace(f"{{{name}}}", quote(value))
    return template
