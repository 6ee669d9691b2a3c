"""Which reader reads which format. A reader's libraries are loaded when its first document comes."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import PurePosixPath

from ingest.formats.page import Page

Reader = Callable[[bytes], Page]

BY_ENDING = {
    ".md": "markdown",
    ".markdown": "markdown",
    ".mdx": "markdown",
    ".adoc": "asciidoc",
    ".asciidoc": "asciidoc",
    ".asc": "asciidoc",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".rst": "restructured",
    ".rest": "restructured",
    ".txt": "plain",
    ".text": "plain",
    ".pdf": "pdf",
}
BY_MEDIA_TYPE = {
    "text/markdown": "markdown",
    "text/x-markdown": "markdown",
    "text/asciidoc": "asciidoc",
    "text/x-asciidoc": "asciidoc",
    "text/html": "html",
    "application/xhtml+xml": "html",
    "text/x-rst": "restructured",
    "text/prs.fallenstein.rst": "restructured",
    "application/pdf": "pdf",
}
CONFINED = frozenset({"pdf", "restructured"})
"""Formats whose readers no check beforehand can bound."""
PLAIN = "text/plain"
CHARSET = re.compile(r"charset\s*=\s*\"?(?P<name>[\w.:-]+)", re.IGNORECASE)


def reader_of(path: str, media_type: str = "") -> Reader:
    """The reader for a media type (its charset counts), or else for a path's ending.

    A server that says `text/plain` may mean any text: there the ending knows better.
    """
    type, _, parameters = media_type.lower().partition(";")
    charset = CHARSET.search(parameters)
    ending = BY_ENDING.get(PurePosixPath(path.lower()).suffix)
    otherwise = "plain" if type.strip() == PLAIN else "markdown"
    format = BY_MEDIA_TYPE.get(type.strip()) or ending or otherwise
    return partial(_read, format, charset["name"] if charset else "")


def _read(format: str, charset: str, raw: bytes) -> Page:
    """The page, by a reader that is loaded now: a run over Markdown alone loads no other."""
    confined = format in CONFINED
    name, told = ("confined", [format]) if confined else (format, [])
    page: Page = import_module(f"ingest.formats.{name}").read(*told, raw, charset)
    return page
