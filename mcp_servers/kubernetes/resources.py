"""Objects of any kind: the tool that lists them, and the addresses `k8s://…` that show one."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Annotated, Literal

from pydantic import Field

from mcp_servers.answer import Answer, Status, ToolFailure
from mcp_servers.kubernetes.arguments import (
    Cursor,
    KindName,
    Limit,
    Namespace,
    Selector,
)
from mcp_servers.kubernetes.client import Listing
from mcp_servers.kubernetes.fields import Object
from mcp_servers.kubernetes.kinds import CLUSTER_WIDE, Kind
from mcp_servers.kubernetes.models import Resources, Row
from mcp_servers.kubernetes.paging import asked_page, next_page
from mcp_servers.kubernetes.reader import Reader
from mcp_servers.kubernetes.refusals import Absent
from mcp_servers.kubernetes.summaries import line
from mcp_servers.kubernetes.trimming import trimmed
from mcp_servers.spec import Clock

# A little under the cap of the tool, so that a page is cut here, where its cursor can follow.
PAGE_BYTES = 3_500_000
CAP_BYTES = 4_000_000

AnyKind = Annotated[KindName, Field(description="e.g. Service, pvc, certificates.cert-manager.io")]
FieldSelector = Annotated[str, Field(description="e.g. spec.nodeName=n1", max_length=1000)]
View = Literal["summary", "full"]


class AnyResources:
    """Tools and addresses for objects of any kind."""

    def __init__(self, reader: Reader, clock: Clock) -> None:
        self._reader = reader
        self._clock = clock

    async def list_resources(  # noqa: PLR0913, PLR0917 - each argument is one way to narrow
        self,
        kind: AnyKind,
        namespace: Namespace = "",
        name: Annotated[str, Field(description="empty: all", max_length=253)] = "",
        label_selector: Selector = "",
        field_selector: FieldSelector = "",
        view: View = "summary",
        limit: Limit = 100,
        cursor: Cursor = "",
    ) -> Answer[Resources]:
        """Objects of any kind, custom resources too: one line each with its status in words, or raw
        (view=full). Use it where no other tool fits: services, claims, quotas, network policies,
        autoscalers, ingresses. Secrets show key names only. It cannot search inside objects.
        """
        found = await self._reader.kinds.find(kind)
        shape = self._shape(found, view)
        if name:
            item = await self._reader.one(found, namespace, name)
            return Answer(status=Status.OK, data=_data(found, [shape(item)]), total=1)
        offset, query = asked_page(
            limit, cursor, {"labelSelector": label_selector, "fieldSelector": field_selector}
        )
        kind_read, page = await self._fitting_page(found, namespace, shape, query)
        total, following = await next_page(self._reader, kind_read, namespace, query, page, offset)
        data = _data(kind_read, page.items, following)
        where = namespace if kind_read.namespaced else ""
        return await self._reader.answer(data, total=total, shown=len(page.items), namespace=where)

    async def read(self, namespace: str, kind: str, name: str) -> str:
        """One object as JSON, by its address; the namespace of a cluster-wide kind is `-`."""
        try:
            found = await self._reader.kinds.find(kind)
            where = "" if namespace == CLUSTER_WIDE else namespace
            item = await self._reader.one(found, where, name)
        except Absent as absent:
            raise ToolFailure(Status.EMPTY, absent.reason, absent.suggestions) from absent
        return json.dumps(trimmed(item), indent=1, ensure_ascii=False)

    def _shape(self, kind: Kind, view: str) -> Callable[[Object], Row]:
        if view == "full":
            return lambda item: trimmed({"apiVersion": kind.api_version, "kind": kind.name, **item})
        return partial(line, kind.name, now=self._clock())

    async def _fitting_page(
        self, kind: Kind, namespace: str, shape: Callable[[Object], Row], query: dict[str, str]
    ) -> tuple[Kind, Listing[Row]]:
        """One page; where its objects are too large for one answer, fewer of them."""
        kind, page = await self._reader.page(kind, namespace, shape, query)
        fitting = _how_many_fit(page.items)
        if fitting < len(page.items):
            query["limit"] = str(fitting)
            kind, page = await self._reader.page(kind, namespace, shape, query)
        return kind, page


def _how_many_fit(items: list[Row]) -> int:
    size = 0
    for index, item in enumerate(items):
        size += len(json.dumps(item, ensure_ascii=False).encode())
        if size > PAGE_BYTES:
            return max(index, 1)
    return len(items)


def _data(kind: Kind, items: list[Row], cursor: str = "") -> Resources:
    return Resources(kind=kind.name, api_version=kind.api_version, items=items, next_cursor=cursor)
