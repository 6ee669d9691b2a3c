"""Confluence Cloud: pages by REST API v2. It cannot tell labels of many pages at once: v1 can."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ingest.sources.confluence import Page, moment, results
from ingest.sources.confluence_server import label_names
from ingest.sources.site import Params, Site

AT_ONCE = 250
LABELS_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Cloud:
    """One site of Confluence Cloud, by its address that ends with `/wiki`."""

    site: Site

    async def spaces(self, keys: Iterable[str]) -> Mapping[str, str]:
        """Key -> id of those of the spaces that can be seen."""
        return {
            str(one["key"]): str(one["id"])
            for key in keys
            async for one in results(self.site, "/api/v2/spaces", {"keys": key, "limit": AT_ONCE})
        }

    async def pages(self, key: str, id: str) -> AsyncIterator[Page]:
        """The current pages of a space. Without `status` there would be archived ones as well."""
        labels = await self._labels(key)
        asked: Params = {"status": "current", "limit": AT_ONCE}
        async for one in results(self.site, f"/api/v2/spaces/{id}/pages", asked):
            yield _page(one, labels.get(str(one["id"]), ()))

    async def body(self, page: Page) -> str:
        """A page's body in storage format."""
        found = await self.site.json(f"/api/v2/pages/{page.id}", {"body-format": "storage"})
        return str(found["body"]["storage"]["value"])

    async def _labels(self, key: str) -> Mapping[str, tuple[str, ...]]:
        """The labels of a space's pages by page id, as far as the search has seen them."""
        asked: Params = {
            "cql": f'type = page and space = "{key}"',
            "expand": "metadata.labels",
            "limit": LABELS_AT_ONCE,
        }
        found = results(self.site, "/rest/api/content/search", asked)
        return {str(one["id"]): label_names(one) async for one in found}


def _page(found: Mapping[str, Any], labels: tuple[str, ...]) -> Page:
    version = found.get("version") or {}
    return Page(
        id=str(found["id"]),
        title=str(found.get("title", "")),
        version=int(version.get("number", 0)),
        modified=moment(version.get("createdAt")),
        labels=labels,
        url=str((found.get("_links") or {}).get("webui", "")),
    )
