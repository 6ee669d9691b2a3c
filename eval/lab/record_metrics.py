"""Reads raw samples from a live Prometheus and writes them as the OpenMetrics text of a world."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import anyio
import httpx2

_WORKERS = 4
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
_SHARED = (
    "node_.+|kube_node_.+|probe_.+|up|ALERTS|ALERTS_FOR_STATE|traces_service_graph_.+|"
    "traces_spanmetrics_.+|container_.+|kube_.+"
)


def selectors(namespaces: Sequence[str]) -> tuple[str, ...]:
    """Which series bear on an incident: those of its namespaces, and those of nobody's."""
    if not namespaces:
        return ('{__name__!=""}',)
    inside = "|".join(namespaces)
    return (f'{{namespace=~"{inside}"}}', f'{{__name__=~"{_SHARED}",namespace=""}}')


async def read_metrics(
    client: httpx2.AsyncClient, match: Sequence[str], start: datetime, end: datetime
) -> tuple[bytes, list[str]]:
    """OpenMetrics text of all samples in the window, and in words what could not be read."""
    missed: list[str] = []
    try:
        names = await _names(client, match, start, end)
    except (httpx2.HTTPError, ValueError) as error:
        return b"", [f"prometheus: {error}"]
    texts: dict[str, list[str]] = {}
    limiter = anyio.CapacityLimiter(_WORKERS)

    async def read(name: str) -> None:
        async with limiter:
            try:
                texts[name] = await _samples(client, name, match, start, end)
            except (httpx2.HTTPError, ValueError) as error:
                missed.append(f"prometheus: {name}: {error}")

    async with anyio.create_task_group() as group:
        for name in names:
            group.start_soon(read, name)
    lines = [line for name in names for line in texts.get(name, [])]
    return "\n".join([*lines, "# EOF\n"]).encode(), missed


async def _names(
    client: httpx2.AsyncClient, match: Sequence[str], start: datetime, end: datetime
) -> list[str]:
    window = {"start": start.timestamp(), "end": end.timestamp()}
    query = [*window.items(), *(("match[]", selector) for selector in match)]
    return sorted(await _data(client, "/api/v1/label/__name__/values", dict_or_list=query))


async def _samples(
    client: httpx2.AsyncClient, name: str, match: Sequence[str], start: datetime, end: datetime
) -> list[str]:
    """The lines of one metric; a series that two selectors find is written once."""
    # One second more than the window: from Prometheus 3 on a range leaves its left end out.
    seconds = int((end - start).total_seconds()) + 1
    found: dict[tuple[tuple[str, str], ...], Any] = {}
    for selector in match:
        named = f'{{__name__="{name}",{selector[1:]}'
        query = {"query": f"{named}[{seconds}s]", "time": end.timestamp()}
        data = await _data(client, "/api/v1/query", dict_or_list=list(query.items()))
        for series in data["result"]:
            found[tuple(sorted(series["metric"].items()))] = series.get("values", [])
    return list(_lines(name, found))


def _lines(name: str, found: Mapping[tuple[tuple[str, str], ...], Any]) -> Iterator[str]:
    for labels, values in sorted(found.items()):
        inner = ",".join(
            f'{key}="{value.translate(_ESCAPES)}"' for key, value in labels if key != "__name__"
        )
        for stamp, value in values:
            yield f"{name}{{{inner}}} {value} {stamp}"


async def _data(client: httpx2.AsyncClient, path: str, dict_or_list: Any) -> Any:
    response = await client.get(path, params=dict_or_list)
    response.raise_for_status()
    return response.json()["data"]
