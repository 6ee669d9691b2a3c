"""Confluence Server and Data Center: pages by REST API v1."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ingest.sources.confluence import Page, moment, results
from ingest.sources.site import Params, Site

AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Server:
    """One Confluence Server, by the address that its pages begin with."""

    site: Site

    async def spaces(self, keys: Iterable[str]) -> Mapping[str, str]:
        """Key -> id of those of the spaces that can be seen."""
        asked: Params = {"spaceKey": [*keys], "limit": AT_ONCE}
        found = results(self.site, "/rest/api/space", asked)
        return {str(one["key"]): str(one.get("id", "")) async for one in found}

    async def pages(self, key: str, id: str) -> AsyncIterator[Page]:  # noqa: ARG002 - Cloud's key
        """The current pages of a space."""
        asked: Params = {
            "type": "page",
            "spaceKey": key,
            "status": "current",
            "expand": "version,metadata.labels",
            "limit": AT_ONCE,
        }
        async for one in results(self.site, "/rest/api/content", asked):
            yield _page(one)

    async def body(self, page: Page) -> str:
        """A page's body in storage format."""
        found = await self.site.json(f"/rest/api/content/{page.id}", {"expand": "body.storage"})
        return str(found["body"]["storage"]["value"])


def label_names(found: Mapping[str, Any]) -> tuple[str, ...]:
    """The labels of a page that everybody sees; `my:favourite` is somebody's own."""
    labels = ((found.get("metadata") or {}).get("labels") or {}).get("results") or []
    names = (one.get("name") for one in labels if one.get("prefix", "global") == "global")
    return tuple(str(name) for name in names if name)


def _page(found: Mapping[str, Any]) -> Page:
    version = found.get("version") or {}
    return Page(
        id=str(found["id"]),
        title=str(found.get("title", "")),
        version=int(version.get("number", 0)),
        modified=moment(version.get("when")),
        labels=label_names(found),
        url=str((found.get("_links") or {}).get("webui", "")),
    )
