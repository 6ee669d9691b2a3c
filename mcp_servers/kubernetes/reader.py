"""Reading objects by kind, and explaining what is not there: near names, missing namespaces."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

from mcp_servers.answer import Answer, Status, ToolFailure
from mcp_servers.kubernetes.client import Cluster, Listing, Query
from mcp_servers.kubernetes.fields import Object, namespace_of
from mcp_servers.kubernetes.gathering import side_by_side
from mcp_servers.kubernetes.kinds import BY_NAME, Kind, Kinds
from mcp_servers.kubernetes.question import METADATA_ONLY, segment
from mcp_servers.kubernetes.refusals import Absent, Expired

Kept = TypeVar("Kept")
Data = TypeVar("Data")
NEAR_NAMES = 5


class Reader:
    """One cluster, asked by kind, namespace and name."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.kinds = Kinds(cluster)

    async def one(self, kind: Kind, namespace: str, name: str) -> Object:
        """One object by its exact name. Raises Absent, naming what there is instead."""
        if kind.namespaced and not namespace:
            return await self._somewhere(kind, name)
        try:
            found = await self.cluster.get(kind.path(namespace, name))
        except Absent as absent:
            raise await self._absent(kind, namespace, name) from absent
        return {"apiVersion": kind.api_version, "kind": kind.name, **found}

    async def all(
        self,
        kind: Kind,
        namespace: str,
        keep: Callable[[Object], Kept | None],
        query: Query | None = None,
    ) -> Listing[Kept]:
        """Every object of a kind, each reduced by `keep`. Raises Absent where it is not served."""
        try:
            return await self.cluster.all(kind.path(namespace), keep, query)
        except Absent:
            other = await self.kinds.served(kind)
            return await self.cluster.all(other.path(namespace), keep, query)

    async def page(
        self,
        kind: Kind,
        namespace: str,
        keep: Callable[[Object], Kept | None],
        query: Query,
    ) -> tuple[Kind, Listing[Kept]]:
        """One page of a kind, and the version of the kind that the cluster serves."""
        try:
            return kind, await self._page(kind, namespace, keep, query)
        except Absent:
            other = await self.kinds.served(kind)
            return other, await self._page(other, namespace, keep, query)

    async def remaining(self, kind: Kind, namespace: str, query: Query) -> int | None:
        """How many objects follow after a page's cursor, where the server did not say so."""
        try:
            listing: Listing[None] = await self.cluster.all(
                kind.path(namespace), _nothing, {**query, "limit": "500"}, METADATA_ONLY
            )
        except ToolFailure:
            return None
        return None if listing.cursor else listing.read

    async def why_empty(self, namespace: str) -> tuple[str, tuple[str, ...]]:
        """Why a namespace shows nothing: it does not exist, or that cannot be told, or ("", ())."""
        if not namespace:
            return "", ()
        try:
            await self.cluster.get(BY_NAME["Namespace"].path(name=namespace))
        except Absent:
            return await self._no_namespace(namespace)
        except ToolFailure as failure:
            return f"whether namespace {namespace!r} exists cannot be told: {failure.reason}", ()
        return "", ()

    async def answer(
        self, data: Data, *, total: int | None, shown: int, namespace: str = "", unseen: str = ""
    ) -> Answer[Data]:
        """An answer holding a list: `empty` says why where the namespace is at fault."""
        reason = unseen
        suggestions: tuple[str, ...] = ()
        if not total:
            why, suggestions = await self.why_empty(namespace)
            reason = "; ".join(part for part in (unseen, why) if part)
        cut = total is None or total > shown
        if cut and total and not reason:
            reason = f"{shown} of {total} are shown"
        return Answer(
            status=Status.OK if shown else Status.EMPTY,
            data=data,
            total=total,
            truncated=cut,
            reason=reason,
            suggestions=list(suggestions),
        )

    async def _page(
        self, kind: Kind, namespace: str, keep: Callable[[Object], Kept | None], query: Query
    ) -> Listing[Kept]:
        try:
            return await self.cluster.page(kind.path(namespace), keep, query)
        except Expired as expired:
            raise ToolFailure(
                Status.ERROR,
                f"this cursor for {kind.plural} has expired: {expired}",
                ("start again without a cursor",),
            ) from expired

    async def _somewhere(self, kind: Kind, name: str) -> Object:
        found = await self._named(kind, name)
        if len(found) == 1:
            return await self.one(kind, namespace_of(found[0]), name)
        if not found:
            raise Absent(f"there is no {kind.name} {name!r} in any namespace")
        places = ", ".join(sorted(namespace_of(item) for item in found))
        raise Absent(
            f"{kind.name} {name!r} exists in several namespaces: {places}", ("name the namespace",)
        )

    async def _named(self, kind: Kind, name: str) -> list[Object]:
        query = {"fieldSelector": f"metadata.name={segment(name, 'name')}"}
        return (await self.cluster.all(kind.path(), lambda item: item, query)).items

    async def _absent(self, kind: Kind, namespace: str, name: str) -> Absent:
        """What to say of an object that is not there."""
        names, elsewhere, why = await side_by_side(
            partial(self.cluster.names, kind.path(namespace)),
            partial(self._named, kind, name),
            partial(self.why_empty, namespace if kind.namespaced else ""),
        )
        place = f" in namespace {namespace!r}" if namespace and kind.namespaced else ""
        suggestions = []
        if isinstance(names, list) and (close := near(name, names)):
            suggestions.append(f"{kind.plural}{place} with a similar name: {', '.join(close)}")
        if isinstance(elsewhere, list) and elsewhere and kind.namespaced:
            places = ", ".join(sorted({namespace_of(item) for item in elsewhere}))
            suggestions.append(f"{kind.name} {name!r} exists in: {places}")
        reason = f"there is no {kind.name} {name!r}{place}"
        if isinstance(why, tuple) and why[0]:
            reason, suggestions = f"{reason}: {why[0]}", [*why[1], *suggestions]
        return Absent(reason, tuple(suggestions))

    async def _no_namespace(self, namespace: str) -> tuple[str, tuple[str, ...]]:
        reason = f"namespace {namespace!r} does not exist"
        try:
            names = await self.cluster.names(BY_NAME["Namespace"].path())
        except (ToolFailure, Absent):
            return reason, ()
        close = near(namespace, names)
        if close:
            return reason, (f"namespaces with a similar name: {', '.join(close)}",)
        return reason, (f"namespaces there are: {', '.join(sorted(names)[:20])}",)


def _nothing(_: Object) -> None:
    """Keep nothing of an object that is only counted."""


def near(wanted: str, names: Iterable[str]) -> list[str]:
    """The few names that somebody who wrote `wanted` may have meant, best first."""
    known = sorted({name for name in names if name})
    holding = [name for name in known if wanted in name or name in wanted]
    similar = difflib.get_close_matches(wanted, known, n=NEAR_NAMES, cutoff=0.6)
    return list(dict.fromkeys([*similar, *holding]))[:NEAR_NAMES]
