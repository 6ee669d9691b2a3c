"""A toolbox on real MCP servers; the factory is found by name, as the real one is."""

import sys
from collections.abc import Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from mcp.server import MCPServer
from toolbox_servers import Seen, build

from assistant.settings import Settings, load_settings
from assistant.toolbox import Session, Toolbox

IN_PROCESS = {
    f"servers.{name}.factory": "fixture_factory:open_server"
    for name in ("kubernetes", "prometheus", "pagerduty", "runbooks")
}
NOW = datetime(2026, 11, 3, 2, 10, tzinfo=UTC)


def clock() -> datetime:
    return NOW


class Bench:
    """Opens toolboxes on servers that a test may change between two openings."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.seen = Seen()
        self.build: Callable[[str], MCPServer] = lambda name: build(name, self.seen)
        self.opened: list[tuple[str, dict[str, str]]] = []
        self.set()

    @asynccontextmanager
    async def factory(self, name, environment, _clock):
        self.opened.append((name, dict(environment)))
        yield self.build(name)

    def set(self, **changes) -> None:
        self.settings: Settings = load_settings(
            {"home": self.home, "backoff_seconds": 0, **IN_PROCESS, **changes}, {}
        )

    def open(self, environment=None, **session):
        return Toolbox.open(self.settings, environment or {}, clock, Session(**session))


@pytest.fixture(params=["auto", "legacy"])
def mode(request):
    return request.param


@pytest.fixture
def bench(tmp_path, monkeypatch):
    made = Bench(tmp_path / "home")
    monkeypatch.setitem(sys.modules, "fixture_factory", SimpleNamespace(open_server=made.factory))
    return made
