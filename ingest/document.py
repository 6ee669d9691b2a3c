"""One document: its text, and what it says of itself (front matter, title, alerts). Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import PurePosixPath
from typing import Any

import yaml

from ingest.errors import IngestError

FRONT_MATTER = re.compile(
    r"\A---[ \t]*\r?\n(?P<yaml>.*?)^(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE
)
# A page that stands for its folder is called by the folder's name.
FOLDER_PAGES = frozenset({"readme", "index", "_index"})


class BrokenDocument(IngestError):  # noqa: N818 - names what was found
    """A document that cannot be read; it is reported and skipped."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a document says of itself. Empty where it says nothing."""

    title: str = ""
    services: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    owner: str = ""
    last_reviewed: str = ""
    severity: str = ""
    runbook_url: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A readable document. `body` has the front matter blanked, so that line numbers stay true."""

    path: str
    sha256: str
    text: str
    body: str
    metadata: Metadata = field(default_factory=Metadata)

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


def parse(path: str, raw: bytes) -> Document:
    """The document in these bytes. Raises `BrokenDocument` with the line or byte at fault."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BrokenDocument(f"{path}: not UTF-8 (byte {error.start}); save it as UTF-8") from error
    if "\x00" in text:
        raise BrokenDocument(f"{path}: holds NUL bytes; it is not a text file")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    match = FRONT_MATTER.match(text)
    if match is None:
        return Document(path, content_hash(raw), text, text)
    body = "\n" * match.group().count("\n") + text[match.end() :]
    return Document(path, content_hash(raw), text, body, _metadata(path, match["yaml"]))


def _metadata(path: str, text: str) -> Metadata:
    """The front matter, leniently: unknown keys are nobody's mistake, bad YAML is."""
    try:
        found = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise BrokenDocument(f"{path}: bad front matter: {' '.join(str(error).split())}") from error
    if found is None:
        return Metadata()
    if not isinstance(found, Mapping):
        raise BrokenDocument(f"{path}: bad front matter: it is not a list of `key: value`")
    known = {str(key).strip().lower().replace("-", "_"): value for key, value in found.items()}
    return Metadata(
        title=_text(known.get("title")),
        services=_texts(known.get("services", known.get("service"))),
        alerts=_texts(known.get("alerts", known.get("alert", known.get("alertname")))),
        environments=_texts(known.get("environments", known.get("environment"))),
        owner=_text(known.get("owner", known.get("team"))),
        last_reviewed=_text(known.get("last_reviewed", known.get("reviewed"))),
        severity=_text(known.get("severity")),
        runbook_url=_text(known.get("runbook_url", known.get("url"))),
    )


def _text(value: Any) -> str:
    """One line of text; dates as ISO."""
    if isinstance(value, datetime | date):
        return value.isoformat()[:10]
    return (
        "" if value is None or isinstance(value, Mapping | list) else " ".join(str(value).split())
    )


def _texts(value: Any) -> tuple[str, ...]:
    """A list, or one text with commas, as texts."""
    items = value if isinstance(value, list) else str(value).split(",") if value else []
    return tuple(text for item in items if (text := _text(item)))
