"""One document: its text as Markdown, and what it says of itself, whatever format it came in. Pure."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from ingest.addresses import FOLDER_PAGES
from ingest.errors import IngestError
from ingest.formats.lead import lead_metadata
from ingest.formats.page import Unreadable
from ingest.formats.readers import reader_of
from ingest.metadata import Metadata, inferred, merged, said

__all__ = ["BrokenDocument", "Document", "Metadata", "content_hash", "parse"]

TITLE = re.compile(r"^#[ \t]+(?P<words>\S.*)|^(?P<underlined>\S.*)\n=+[ \t]*$", re.MULTILINE)
NOTHING = Metadata()


class BrokenDocument(IngestError):  # noqa: N818 - names what was found
    """A document that cannot be read; it is reported and skipped."""


@dataclass(frozen=True, slots=True)
class Document:
    """A readable document. `body` is Markdown with the front matter blanked: line numbers stay true."""

    path: str
    sha256: str
    text: str
    body: str
    metadata: Metadata = field(default_factory=Metadata)
    converted: bool = False
    """Whether `text` is Markdown made from another format: cited lines are then of that Markdown."""

    @property
    def name(self) -> str:
        """The file's name without its ending; for `README.md` the folder's."""
        path = PurePosixPath(self.path)
        return (
            path.parent.name
            if path.stem.lower() in FOLDER_PAGES and path.parent.name
            else path.stem
        )


def content_hash(raw: bytes) -> str:
    """What tells whether a document changed."""
    return hashlib.sha256(raw).hexdigest()


def parse(path: str, raw: bytes, media_type: str = "", given: Metadata = NOTHING) -> Document:
    """The document in these bytes, read by its media type, or else by its path's ending.

    What it says of itself goes before what was `given`, and that before what is inferred.
    Raises `BrokenDocument` with what is wrong, and where.
    """
    try:
        page = reader_of(path, media_type)(raw)
        own = merged(said(page.fields), lead_metadata(page.body))
    except Unreadable as error:
        raise BrokenDocument(f"{path}: {error}") from error
    document = Document(path, content_hash(raw), page.text, page.body, converted=page.converted)
    known = merged(own, given)
    names = [document.name, known.title or _title(page.body)]
    return replace(document, metadata=merged(known, inferred(names)))


def _title(body: str) -> str:
    """The words of the page's first heading of level 1, above any code; "" where there is none."""
    above, _, _ = body.partition("\n```")
    match = TITLE.search(above)
    return (match["words"] or match["underlined"]).rstrip("# ") if match else ""
