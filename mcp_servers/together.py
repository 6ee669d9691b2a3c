"""Several questions at once, a bounded number at a time, without one failure hiding the rest."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import anyio

from mcp_servers.answer import ToolFailure

Got = TypeVar("Got")
AT_ONCE = 6


async def outcomes(
    calls: Sequence[Callable[[], Awaitable[Got]]], at_once: int = AT_ONCE
) -> list[Got | ToolFailure]:
    """What each call gave, in their order: its value, or the failure it met."""
    met: dict[int, Got | ToolFailure] = {}
    places = anyio.CapacityLimiter(at_once)

    async def one(index: int, call: Callable[[], Awaitable[Got]]) -> None:
        async with places:
            try:
                met[index] = await call()
            except ToolFailure as failure:
                met[index] = failure

    async with anyio.create_task_group() as group:
        for index, call in enumerate(calls):
            group.start_soon(one, index, call)
    return [met[index] for index in range(len(calls))]


async def together(
    calls: Sequence[Callable[[], Awaitable[Got]]], at_once: int = AT_ONCE
) -> list[Got]:
    """What each call gave, in their order. Raises the first failure, by that order."""
    values: list[Got] = []
    for outcome in await outcomes(calls, at_once):
        if isinstance(outcome, ToolFailure):
            raise outcome
        values.append(outcome)
    return values
