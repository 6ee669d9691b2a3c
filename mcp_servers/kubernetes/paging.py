"""Cursors that remember how far a listing has come, so that each page knows the true total."""

from __future__ import annotations

from typing import Any

from mcp_servers.answer import Status, ToolFailure
from mcp_servers.kubernetes.client import Listing, Query
from mcp_servers.kubernetes.kinds import Kind
from mcp_servers.kubernetes.reader import Reader


def asked_page(limit: int, cursor: str, query: Query) -> tuple[int, dict[str, str]]:
    """How many objects came before this page, and the query of the API server for it."""
    asked = {**query, "limit": str(limit)}
    if not cursor:
        return 0, asked
    offset, _, token = cursor.partition(".")
    if not offset.isdecimal() or not token:
        raise ToolFailure(
            Status.ERROR,
            f"cursor={cursor[:80]!r} is not one that this tool gave",
            ("pass next_cursor of the page before, unchanged, or none",),
        )
    return int(offset), {**asked, "continue": token}


async def next_page(
    reader: Reader, kind: Kind, namespace: str, query: Query, page: Listing[Any], offset: int
) -> tuple[int | None, str]:
    """The true total (None where it cannot be known) and the cursor of the page that follows."""
    read = offset + page.read
    if not page.cursor:
        return read, ""
    following = f"{read}.{page.cursor}"
    if page.remaining is not None:
        return read + page.remaining, following
    # With a selector the server does not say how many remain.
    rest = await reader.remaining(kind, namespace, {**query, "continue": page.cursor})
    return (None if rest is None else read + rest), following
