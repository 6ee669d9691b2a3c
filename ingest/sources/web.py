"""Plain web pages, listed one by one or in a sitemap. Never leaves the hosts that were named."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from hashlib import sha256
from urllib.parse import urlsplit

import httpx

from ingest.errors import IngestError
from ingest.sources.base import Item, Listing
from ingest.sources.endings import MAX_BYTES, MEDIA_TYPES
from ingest.sources.site import Answer, Manners, NotThere, Site, Sleep, anything

MOST_PAGES = 5_000
MOST_MOVES = 4
_LOCATION = re.compile(rb"<(?:\w+:)?loc>(?:\s*<!\[CDATA\[)?([^<\]]*)")
_INDEX = re.compile(rb"<(?:\w+:)?sitemapindex[\s>]")
"""A sitemap is read for its addresses alone: no XML parser, so no entities and nothing to fetch."""
READABLE = frozenset((*MEDIA_TYPES.values(), "application/xhtml+xml", "text/x-markdown"))


class _NoDocument(IngestError):  # noqa: N818 - names what was found
    """A page of a kind that is not read, such as an image."""


@dataclass(frozen=True, slots=True)
class Web:
    """Pages of `sites`, one per host. What was not changed by its ETag or its date is not read."""

    name: str
    sites: dict[str, Site]
    pages: tuple[str, ...] = ()
    sitemap: str = ""

    async def list(self, since: datetime | None = None) -> Listing:
        """Each page, by host and path. One that does not answer is told, and stays as it was.

        What only a sitemap names, and is not there or no document, is left out without a word.
        """
        items: list[Item] = []
        unreadable: list[str] = []
        for page in await self._addresses():
            try:
                item = await self._item(page)
            except IngestError as error:
                if page in self.pages or not isinstance(error, NotThere | _NoDocument):
                    unreadable.append(str(error))
                continue
            if since is None or item.modified is None or item.modified >= since:
                items.append(item)
        if not items and unreadable:
            raise IngestError(f"none of {len(unreadable)} pages answers: {unreadable[0]}")
        return Listing(tuple(items), tuple(unreadable), whole=since is None)

    async def close(self) -> None:
        """Gives the connections back."""
        for site in self.sites.values():
            await site.close()

    async def _addresses(self) -> tuple[str, ...]:
        """Every page once: those that are named, then those of the sitemap."""
        found = dict.fromkeys(self.pages)
        if self.sitemap:
            found.update(dict.fromkeys(await self._of_sitemap()))
        if len(found) > MOST_PAGES:
            raise IngestError(f"{len(found)} pages; at most {MOST_PAGES} are read, name fewer")
        return tuple(found)

    async def _of_sitemap(self) -> tuple[str, ...]:
        """The pages of the sitemap, and of those that it names, on its own host."""
        answer = await self._get(self.sitemap)
        pages = tuple(_locations(answer))
        if _INDEX.search(answer.body):
            pages = tuple([page for map in pages for page in _locations(await self._get(map))])
        if not pages:
            raise IngestError(f"sitemap {self.sitemap} names no page of its own host")
        return pages

    async def _item(self, page: str) -> Item:
        try:
            answer = await self._get(page, "HEAD")
        except IngestError:
            answer = await self._get(page)  # some servers know no HEAD
        mark = answer.headers.get("etag") or answer.headers.get("last-modified")
        if not mark:
            answer = await self._get(page)
            mark = sha256(answer.body).hexdigest()
        media_type = answer.headers.get("content-type", "").strip().lower()
        if media_type.partition(";")[0].strip() not in READABLE:
            raise _NoDocument(f"{page} is {media_type or 'of no stated type'}, which is not read")
        return Item(
            path=_path(page),
            fingerprint=mark,
            media_type=media_type,
            read=partial(self._read, page),
            url=page,
            modified=_date(answer),
        )

    async def _read(self, page: str) -> bytes:
        return (await self._get(page)).body

    async def _get(self, page: str, method: str = "GET") -> Answer:
        """The page, also where it moved on its own host."""
        site = self.sites[urlsplit(page).netloc]
        here = page
        for _ in range(MOST_MOVES):
            answer = await site.get(here, method=method, moved=True)
            if answer.status < httpx.codes.MULTIPLE_CHOICES:
                return answer
            here = site.absolute(answer.headers.get("location", ""), here)
        raise IngestError(f"{page} moved more than {MOST_MOVES} times")


def sites(addresses: Iterable[str], sleep: Sleep, *, allow_private: bool) -> dict[str, Site]:
    """A door for each host of these addresses. Only those `allow_private` lead into the own network."""
    check = anything if allow_private else public
    manners = Manners(max_bytes=MAX_BYTES, proxied=False, checked=check)
    origins = {urlsplit(one).netloc: urlsplit(one).scheme for one in addresses}
    return {host: Site(f"{scheme}://{host}", manners, sleep) for host, scheme in origins.items()}


def public(response: httpx.Response) -> None:
    """Refuses an answer from a private address, by the connection itself: names can change theirs."""
    peer = response.extensions["network_stream"].get_extra_info("server_addr")
    if not ipaddress.ip_address(peer[0].partition("%")[0]).is_global:
        raise IngestError(
            f"{response.url} is at the private address {peer[0]}; it is not read "
            "(allow_private = true would allow it)"
        )


def _locations(sitemap: Answer) -> Iterator[str]:
    """The addresses in a sitemap that are of its own host."""
    scheme, host, *_ = urlsplit(sitemap.url)
    for match in _LOCATION.finditer(sitemap.body):
        page = match[1].decode("utf-8", "replace").strip().replace("&amp;", "&")
        if page.startswith(f"{scheme}://{host}/"):
            yield page


def _path(page: str) -> str:
    parts = urlsplit(page)
    path = parts.path if not parts.path.endswith("/") else f"{parts.path}index.html"
    return f"{parts.netloc}{path or '/index.html'}{'?' if parts.query else ''}{parts.query}"


def _date(answer: Answer) -> datetime | None:
    try:
        return parsedate_to_datetime(answer.headers["last-modified"]).astimezone(UTC)
    except (KeyError, ValueError):
        return None
