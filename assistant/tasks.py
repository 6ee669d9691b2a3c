"""Work beside other work. It knows of neither."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from anyio.abc import TaskGroup

from assistant.errors import first


@asynccontextmanager
async def background() -> AsyncIterator[TaskGroup]:
    """A task group; a failure comes out as it is, not wrapped into a group."""
    try:
        async with anyio.create_task_group() as tasks:
            yield tasks
    except BaseExceptionGroup as group:
        raise first(group) from group
