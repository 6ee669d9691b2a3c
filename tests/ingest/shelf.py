"""A source in memory: what it holds is set by the test, and it remembers what was read."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256

from ingest.document import Metadata
from ingest.errors import IngestError
from ingest.sources.base import Item, Listing

OLD = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Shelf:
    name: str
    pages: dict[str, str] = field(default_factory=dict)
    down: str = ""
    """Why it cannot be listed."""
    torn: set[str] = field(default_factory=set)
    """Pages that are listed, and cannot be read."""
    unreadable: tuple[str, ...] = ()
    url: str = ""
    given: Metadata = field(default_factory=Metadata)
    modified: dict[str, datetime] = field(default_factory=dict)
    read: list[str] = field(default_factory=list)
    closed: int = 0

    async def list(self, since=None):
        if self.down:
            raise IngestError(self.down)
        chosen = [path for path in self.pages if since is None or self._when(path) >= since]
        whole = since is None and not self.unreadable
        return Listing(tuple(map(self._item, chosen)), self.unreadable, whole=whole)

    async def close(self):
        self.closed += 1

    def _when(self, path):
        return self.modified.get(path, OLD)

    def _item(self, path):
        async def read():
            self.read.append(path)
            if path in self.torn:
                raise IngestError(f"{path}: the page is torn")
            return self.pages[path].encode()

        mark = sha256(self.pages[path].encode()).hexdigest()
        url = self.url and f"{self.url}/{path}"
        return Item(path, mark, "text/markdown", read, url, self._when(path), self.given)


def pages(count: int, about: str = "page") -> dict[str, str]:
    return {f"{about}-{n}.md": f"# {about} {n}\n\nWhat to do, number {n}.\n" for n in range(count)}
