"""Every world, built once and read back from its folder as the lab would read it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from eval.cases import CASES, DEMO, Case, write_world


@dataclass(frozen=True)
class Written:
    """A world folder, and the case it was made from."""

    case: Case
    folder: Path

    @cached_property
    def about(self) -> dict[str, str]:
        return json.loads((self.folder / "world.json").read_text())

    @cached_property
    def as_of(self) -> datetime:
        return datetime.fromisoformat(self.about["as_of"])

    @cached_property
    def objects(self) -> list[dict[str, Any]]:
        path = self.folder / "kubernetes" / "objects.json"
        return json.loads(path.read_text())["items"] if path.exists() else []

    @cached_property
    def pagerduty(self) -> dict[str, Any]:
        return json.loads((self.folder / "pagerduty" / "incidents.json").read_text())

    @cached_property
    def metrics(self) -> str:
        path = self.folder / "prometheus" / "metrics.om"
        return path.read_text() if path.exists() else ""

    @cached_property
    def rows(self) -> dict[str, list[str]]:
        """The lines of each metric."""
        found: dict[str, list[str]] = defaultdict(list)
        for line in self.metrics.splitlines():
            found[line.partition("{")[0]].append(line)
        return found

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [item for item in self.objects if item["kind"] == kind]

    def last(self, metric: str) -> dict[tuple[tuple[str, str], ...], tuple[int, float]]:
        """The newest sample of each series of a metric: labels -> (time, value)."""
        found: dict[tuple[tuple[str, str], ...], tuple[int, float]] = {}
        for line in self.rows[metric]:
            inner, _, rest = line[len(metric) + 1 :].rpartition("} ")
            value, _, at = rest.partition(" ")
            pairs = [part.split("=", 1) for part in inner.split(",")]
            labels = tuple(sorted((key, text.strip('"')) for key, text in pairs))
            found[labels] = (int(at), float(value))
        return found


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Written]:
    folder = tmp_path_factory.mktemp("worlds")
    built: dict[str, Written] = {}

    def get(name: str) -> Written:
        if name not in built:
            built[name] = Written(CASES[name], write_world(CASES[name], folder))
        return built[name]

    return get


@pytest.fixture(params=sorted(CASES))
def world(request: pytest.FixtureRequest, written: Callable[[str], Written]) -> Written:
    return written(request.param)


@pytest.fixture(params=DEMO)
def demo(request: pytest.FixtureRequest, written: Callable[[str], Written]) -> Written:
    """One of the worlds that are shown to people."""
    return written(request.param)
