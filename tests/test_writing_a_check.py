"""docs/writing-a-check.md does what it says: its files are put into a copy of the project, and its test runs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from assistant.faults import Fault
from tests.lab.small_world import needs_prometheus

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/writing-a-check.md"
BLOCK = re.compile(
    r"<!-- (?P<how>file|add to|in) (?P<path>\S+)(?: after (?P<line>.+?))? -->\n"
    r"```\w+\n(?P<text>.*?)```",
    re.DOTALL,
)
COPIED = ("assistant", "eval", "ingest", "mcp_servers", "tests")


def put(project: Path, block: re.Match[str]) -> None:
    """Do with a block what stands above it."""
    path = project / block["path"]
    if block["how"] == "file":
        assert not path.exists(), f"{block['path']} is there already: take another example"
        path.write_text(block["text"], "utf-8")
        return
    text = path.read_text("utf-8")
    if block["how"] == "add to":
        path.write_text(f"{text}\n{block['text']}", "utf-8")
        return
    before, line, after = text.partition(f"{block['line']}\n")
    assert line, f"{block['path']} has no line {block['line']!r}"
    path.write_text(f"{before}{line}{block['text']}{after}", "utf-8")


@pytest.fixture(scope="module")
def blocks() -> list[re.Match[str]]:
    return list(BLOCK.finditer(PAGE.read_text("utf-8")))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, blocks: list[re.Match[str]]) -> Path:
    """The project with all that the page adds."""
    folder = tmp_path_factory.mktemp("project")
    for package in COPIED:
        kept = shutil.ignore_patterns("__pycache__", "snapshots", "fixtures")
        shutil.copytree(ROOT / package, folder / package, ignore=kept)
    shutil.copy(ROOT / "pyproject.toml", folder)
    for block in blocks:
        put(folder, block)
    return folder


def test_the_row_is_one_of_the_catalogue(blocks: list[re.Match[str]]) -> None:
    (row,) = (block["text"] for block in blocks if block["how"] == "add to")
    for kind, fields in tomllib.loads(row).items():
        assert Fault(kind=kind, group="routing", **fields).verify


def test_what_the_page_adds_is_in_our_style(project: Path, blocks: list[re.Match[str]]) -> None:
    files = [block["path"] for block in blocks if block["how"] == "file"]
    for command in (["check", "--no-cache"], ["format", "--check", "--no-cache"]):
        ruff = [sys.executable, "-m", "ruff", *command, *files]
        done = subprocess.run(
            ruff, cwd=project, check=False, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stdout


@needs_prometheus
def test_the_example_runs(project: Path, blocks: list[re.Match[str]]) -> None:
    (test,) = (block["path"] for block in blocks if "/test_" in block["path"])
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", test],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(project), "XDG_CACHE_HOME": str(project / "cache")},
        check=False,
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("... "), "each of its three tests ran"
