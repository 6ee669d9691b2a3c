"""Documents of Confluence spaces: pages in storage format, of Cloud or of a server. Attachments are left out.

Our own calls, since the known client waits out a rate limit once only, in a blocked thread, and logs
headers: `Site` is the one door. Pages are listed from the wiki's database and never from its search,
which lags behind: a page that the search forgets must not look deleted.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import Any, Protocol

from ingest.errors import IngestError
from ingest.metadata import Metadata, merged, said
from ingest.sources.base import Item, Listing
from ingest.sources.site import Params, Site, understood

MOST_PAGES = 1_000
"""Of answers to one question: a `next` link that leads in a circle ends here."""


TELLING = frozenset(("service", "alert", "env", "environment", "owner", "team", "severity"))
"""What the first word of a label may say; the rest of it is the value."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a space, without its body. `url` is relative to the site."""

    id: str
    title: str
    version: int
    modified: datetime | None
    labels: tuple[str, ...] = ()
    url: str = ""


class Api(Protocol):
    """What Cloud and the servers word differently."""

    async def spaces(self, keys: Iterable[str]) -> Mapping[str, str]:
        """Key -> id of those of the spaces that can be seen."""
        ...

    def pages(self, key: str, id: str) -> AsyncIterator[Page]:
        """The current pages of a space."""
        ...

    async def body(self, page: Page) -> str:
        """A page's body in storage format."""
        ...


@dataclass(frozen=True, slots=True)
class Confluence:
    """The pages of `spaces` that have one of `labels` (any page, where no label is named).

    A label `service-checkout` says that the page is of the service `checkout`; so do `alert-`,
    `environment-`, `owner-` and `severity-`.
    """

    name: str
    site: Site
    api: Api
    spaces: tuple[str, ...]
    labels: tuple[str, ...] = ()

    async def list(self, since: datetime | None = None) -> Listing:
        """Every page by space and id. A page's version and labels are its fingerprint."""
        with understood(self.site):
            found = await self.api.spaces(self.spaces)
            if unseen := [key for key in self.spaces if key not in found]:
                raise IngestError(
                    f"{self.site.url} shows no space {', '.join(map(repr, unseen))} to this "
                    "account; check the key, and whether the account may read it"
                )
            items = [
                self._item(key, page)
                for key in self.spaces
                async for page in self.api.pages(key, found[key])
                if self._wanted(page, since)
            ]
        return Listing(tuple(items), whole=since is None)

    async def close(self) -> None:
        """Gives the connections back."""
        await self.site.close()

    def _wanted(self, page: Page, since: datetime | None) -> bool:
        older = since is not None and page.modified is not None and page.modified < since
        return not older and (not self.labels or not set(self.labels).isdisjoint(page.labels))

    def _item(self, key: str, page: Page) -> Item:
        labels = sha256("\0".join(sorted(page.labels)).encode()).hexdigest()[:8]
        return Item(
            path=f"{key}/{page.id}.html",
            fingerprint=f"{page.version}-{labels}",
            media_type="text/html",
            read=partial(self._read, page),
            url=self.site.url + page.url if page.url else "",
            modified=page.modified,
            given=merged(Metadata(title=page.title), labelled(page.labels)),
        )

    async def _read(self, page: Page) -> bytes:
        with understood(self.site):
            return (await self.api.body(page)).encode()


async def results(site: Site, path: str, params: Params) -> AsyncIterator[Mapping[str, Any]]:
    """All results of a question, answer by answer, as far as its `next` links lead."""
    asked: Params | None = params
    for _ in range(MOST_PAGES):
        answer = await site.json(path, asked)
        found = answer.get("results")
        if not isinstance(found, list):
            raise IngestError(f"{site.url}{path} answered without results; is it Confluence's API?")
        for one in found:
            yield one
        link = (answer.get("_links") or {}).get("next")
        if not link:
            return
        path, asked = _after(site, str(link)), None
    raise IngestError(f"{site.url} has more than {MOST_PAGES} answers to {path}; name fewer spaces")


def _after(site: Site, link: str) -> str:
    """The address of a `next` link: absolute, or from the wiki's folder on (`/wiki`), or below it."""
    root, _, context = site.url.rpartition("/")
    if context and link.startswith(f"/{context}/"):
        return site.absolute(root + link)
    return site.absolute(site.url + link if link.startswith("/") else link)


def labelled(labels: Iterable[str]) -> Metadata:
    """What labels say: `service-checkout` is the service `checkout`. Other labels say nothing."""
    fields: dict[str, list[str]] = {}
    for label in labels:
        kind, _, value = label.partition("-")
        if kind in TELLING and value:
            fields.setdefault(kind, []).append(value)
    return said(fields)


def moment(text: object) -> datetime | None:
    """A date of the API; None for what is none."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else None
