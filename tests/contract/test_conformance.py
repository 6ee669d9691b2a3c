"""The MCP conformance suite against our own server factory and guard, and against each server.

Needs Node 24 and `@modelcontextprotocol/conformance` 0.2.0-alpha.12: CONFORMANCE_BIN names its
`dist/index.js` (or `conformance` is on PATH), NODE_BIN names node (or it is on PATH).
"""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from mcp_servers.guard import audit
from tests.contract.mcp_processes import SERVERS, Scene, node_program, over_http, run_node

HANDSHAKE, STATELESS = REVISIONS = ("2025-11-25", "2026-07-28")
EXPECTED_FAILURES = "tasks-"
"""Scenarios that the SDK does not implement begin so."""
FEWEST_SCENARIOS = {HANDSHAKE: 33, STATELESS: 40}
ANY_REVISION = {
    "completion-complete", "tools-list", "resources-list", "prompts-list",
    "dns-rebinding-protection",
}  # fmt: skip
WITHOUT_FIXTURES = {
    HANDSHAKE: ANY_REVISION | {"server-initialize", "server-session-lifecycle", "ping"},
    STATELESS: ANY_REVISION
    | {"server-stateless", "caching", "http-header-validation", "sep-2164-resource-not-found"},
}
NEED_A_FIXTURE_TOOL = {
    "sep-2575-server-rejects-undeclared-capability",
    "sep-2575-missing-capability-http-400",
}
"""Two of the 28 checks of `server-stateless` call the tool `test_missing_capability`."""
SUMMARY = re.compile(r"^[✓✗] ([\w-]+): \d+ passed, \d+ failed", re.MULTILINE)
Failed = dict[str, set[str]]


@pytest.fixture
def suite() -> list[str]:
    program = node_program("CONFORMANCE_BIN", "conformance")
    if program is None:
        pytest.skip("the conformance suite is not here: set CONFORMANCE_BIN and NODE_BIN")
    return program


def failures(suite: list[str], url: str, folder: Path, revision: str) -> Failed:
    """Each scenario of a revision, and which of its checks failed."""
    results = folder / revision
    said = run_node(
        suite, "server", "--url", url, "--suite", "all", "--spec-version", revision,
        "-o", str(results),
    )  # fmt: skip
    summary = SUMMARY.findall(said.stdout)
    assert summary, (said.stdout + said.stderr)[-2000:]
    return {scenario: _failed_checks(results, scenario) for scenario in summary}


def _failed_checks(results: Path, scenario: str) -> set[str]:
    [folder] = results.glob(f"server-{scenario}-2[0-9]*-*T*")
    checks = json.loads((folder / "checks.json").read_text("utf-8"))
    assert checks, scenario
    return {check["id"] for check in checks if check["status"] == "FAILURE"}


@pytest.mark.parametrize("revision", REVISIONS)
def test_the_fixture_server_conforms(suite: list[str], revision: str, tmp_path: Path) -> None:
    with over_http("conformance", tmp_path, {}) as url:
        found = failures(suite, url, tmp_path, revision)
    wrong = {
        scenario: checks
        for scenario, checks in found.items()
        if checks and not scenario.startswith(EXPECTED_FAILURES)
    }
    assert wrong == {}
    assert len(found) >= FEWEST_SCENARIOS[revision]
    assert audit.verify(tmp_path / "audit.jsonl") == []


@pytest.mark.parametrize("name", SERVERS)
def test_each_server_conforms_where_no_fixture_is_needed(
    suite: list[str], name: str, scene: Scene, tmp_path: Path
) -> None:
    with over_http(name, tmp_path, scene.environment) as url, ThreadPoolExecutor() as both:
        look = partial(failures, suite, url, tmp_path)
        found = dict(zip(REVISIONS, both.map(look, REVISIONS), strict=True))
    for revision, scenarios in WITHOUT_FIXTURES.items():
        assert set(found[revision]) >= scenarios, revision
        failed = {one: found[revision][one] - NEED_A_FIXTURE_TOOL for one in scenarios}
        assert not any(failed.values()), (revision, failed)
