"""The MCP conformance suite against our own server factory and guard, on both revisions.

Needs Node 24 and `@modelcontextprotocol/conformance` 0.2.0-alpha.12: CONFORMANCE_BIN names its
`dist/index.js` (or `conformance` is on PATH), NODE_BIN names node (or it is on PATH).
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mcp_servers.guard import audit
from tests.contract.mcp_processes import SERVERS, node_program, over_http, run_node

REVISIONS = ("2025-11-25", "2026-07-28")
EXPECTED_FAILURES = "tasks-"
"""Scenarios that the SDK does not implement begin so."""
FEWEST_SCENARIOS = {"2025-11-25": 33, "2026-07-28": 40}
WITHOUT_FIXTURES = {
    "tools-list", "prompts-list", "dns-rebinding-protection",
    "http-header-validation", "sep-2164-resource-not-found",
}  # fmt: skip
"""Neither `resources-list` nor `caching`: the listing is live, so without a backend an error is the
right answer. The handshake era is the factory's, and the fixture server shows it.
"""
SUMMARY = re.compile(r"^[✓✗] ([\w-]+): (\d+) passed, (\d+) failed", re.MULTILINE)


@pytest.fixture
def suite() -> list[str]:
    program = node_program("CONFORMANCE_BIN", "conformance")
    if program is None:
        pytest.skip("the conformance suite is not here: set CONFORMANCE_BIN and NODE_BIN")
    return program


def failures(suite: list[str], url: str, revision: str, folder: Path) -> dict[str, int]:
    """How many checks of each scenario failed."""
    said = run_node(
        suite, "server", "--url", url, "--suite", "all", "--spec-version", revision, "-o", str(folder)
    )  # fmt: skip
    found = {name: int(failed) for name, _, failed in SUMMARY.findall(said)}
    assert found, said[-2000:]
    return found


@pytest.mark.parametrize("revision", REVISIONS)
def test_the_fixture_server_conforms(suite: list[str], revision: str, tmp_path: Path) -> None:
    with over_http("conformance", tmp_path) as url:
        found = failures(suite, url, revision, tmp_path / "results")
    wrong = {
        name: count
        for name, count in found.items()
        if count and not name.startswith(EXPECTED_FAILURES)
    }
    assert wrong == {}
    assert len(found) >= FEWEST_SCENARIOS[revision]
    assert audit.verify(tmp_path / "audit.jsonl") == []


@pytest.mark.parametrize("name", SERVERS)
def test_each_server_conforms_where_no_fixture_is_needed(
    suite: list[str], name: str, tmp_path: Path
) -> None:
    with over_http(name, tmp_path) as url:
        found = failures(suite, url, REVISIONS[-1], tmp_path / "results")
    checked = {one: count for one, count in found.items() if one in WITHOUT_FIXTURES}
    assert checked
    assert not any(checked.values()), checked
