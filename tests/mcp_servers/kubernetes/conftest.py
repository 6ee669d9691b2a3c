"""A cluster for the tests: the lab's Kubernetes API over objects, and the tools pointed at it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from kubernetes_objects import NOW

from eval.lab.lab import Lab, serve
from eval.lab.world import LogName, World
from mcp_servers.answer import Answer
from mcp_servers.kubernetes import build
from mcp_servers.spec import Server


class Tools:
    """The tool functions of the server, by name, and the lab behind them."""

    def __init__(self, server: Server, lab: Lab) -> None:
        self.server = server
        self.lab = lab
        self.functions = {tool.function.__name__: tool.function for tool in server.tools}

    async def __call__(self, name: str, /, **arguments: Any) -> Answer[Any]:
        return await self.functions[name](**arguments)


@asynccontextmanager
async def cluster_of(
    *objects: dict[str, Any], logs: dict[LogName, bytes] | None = None
) -> AsyncIterator[Tools]:
    world = World(id="test", as_of=NOW, objects=list(objects), logs=logs or {})
    async with serve(world, backends=("kubernetes",)) as lab:
        server = build(lab.environment, lab.clock)
        try:
            yield Tools(server, lab)
        finally:
            await server.close()


@pytest.fixture
def cluster() -> Callable[..., AbstractAsyncContextManager[Tools]]:
    return cluster_of
