"""What every source of documents gives the nightly job: what it holds now, and how to read each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from ingest.document import Metadata


@dataclass(frozen=True, slots=True)
class Item:
    """One document of a source, not yet read."""

    path: str
    """Unique in its source, with `/`: `etcd/etcdMembersDown.md`."""
    fingerprint: str
    """Changes whenever the content does: a git blob, a page's version, an ETag, a hash of the bytes."""
    media_type: str
    """`text/markdown`, `text/asciidoc`, `text/html`, `text/x-rst`, `text/plain` or `application/pdf`.

    A site's own words may follow: `text/html; charset=iso-8859-1`.
    """
    read: Callable[[], Awaitable[bytes]]
    """Its bytes. Raises `IngestError` where they cannot be had."""
    url: str = ""
    """Where a person opens it."""
    modified: datetime | None = None
    given: Metadata = field(default_factory=Metadata)
    """What the source knows of it; the document's own words go before."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What a source holds now. What is not listed is gone, unless the listing is not `whole`."""

    items: tuple[Item, ...]
    unreadable: tuple[str, ...] = ()
    """What could not even be listed, in words: it stays as it was last ingested."""
    whole: bool = True


class Source(Protocol):
    """A place that documents come from. Reads, never writes."""

    @property
    def name(self) -> str:
        """Goes before each path where there are several sources; may be empty for a single one."""
        ...

    async def list(self, since: datetime | None = None) -> Listing:
        """What it holds (changed `since`, where given: then not whole). Raises `IngestError`."""
        ...

    async def close(self) -> None:
        """Lets go of connections and temporary files."""
        ...
