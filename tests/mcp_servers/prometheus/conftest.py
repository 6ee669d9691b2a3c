from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_bed import NOW, Misbehaving, misbehaving, running, write_shop

from mcp_servers import prometheus
from mcp_servers.spec import Server

Tools = dict[str, Callable[..., Awaitable[Any]]]

RULES = """
groups:
- name: shop
  rules:
  - {alert: ErrorsHigh, expr: vector(1) > 0, labels: {service: checkout}, annotations: {summary: bad}}
  - {record: shop:broken, expr: 'label_replace(vector(1), "a", "$1", "", "") * on(b) group_left vector(1)'}
"""


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Prometheus with the shop's series and without rules."""
    if not (shutil.which("prometheus") and shutil.which("promtool")):
        pytest.skip("needs the programs prometheus and promtool on PATH")
    folder: Path = tmp_path_factory.mktemp("shop")
    write_shop(folder / "metrics.om")
    with running(folder) as url:
        yield url


@pytest.fixture(scope="session")
def ruled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Prometheus with rules that it evaluates now."""
    if not (shutil.which("prometheus") and shutil.which("promtool")):
        pytest.skip("needs the programs prometheus and promtool on PATH")
    folder: Path = tmp_path_factory.mktemp("ruled")
    write_shop(folder / "metrics.om")
    with running(folder, RULES) as url:
        yield url


@pytest.fixture
def backend() -> Iterator[Misbehaving]:
    with misbehaving() as server:
        yield server


def tools_of(server: Server) -> Tools:
    return {tool.function.__name__: tool.function for tool in server.tools}


@pytest.fixture
async def shop_tools(shop: str) -> AsyncIterator[Tools]:
    server = prometheus.build({"PROMETHEUS_URL": shop}, lambda: NOW)
    yield tools_of(server)
    assert server.close is not None
    await server.close()


@pytest.fixture
async def broken_tools(backend: Misbehaving) -> AsyncIterator[Tools]:
    environment = {"PROMETHEUS_URL": backend.url, "PROMETHEUS_TOKEN": "s3cret-token"}
    server = prometheus.build(environment, lambda: NOW)
    yield tools_of(server)
    assert server.close is not None
    await server.close()
