"""What holds for the project as a whole: sizes, imports, packaging, and that the docs tell the truth."""

from __future__ import annotations

import ast
import importlib.util
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PACKAGES = ("assistant", "mcp_servers", "ingest", "eval")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
LINES_OF_A_FILE = 400
LINES_OF_A_FUNCTION = 50
HEAVY = (
    "aiohttp",
    "chromadb",
    "itsdangerous",
    "kubernetes",
    "langgraph",
    "mcp",
    "numpy",
    "onnxruntime",
    "slack_bolt",
    "slack_sdk",
    "torch",
)


def sources(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_a_file_holds_one_thought() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines())
        for path in sources(*PACKAGES, "scripts")
    }
    assert {name: lines for name, lines in lengths.items() if lines > LINES_OF_A_FILE} == {}


def test_a_function_fits_on_a_screen() -> None:
    lengths = {
        f"{path.relative_to(ROOT)}:{node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path in sources(*PACKAGES, "scripts")
        for node in functions(path)
    }
    assert {name: lines for name, lines in lengths.items() if lines > LINES_OF_A_FUNCTION} == {}


def test_no_test_patches_our_own_code() -> None:
    banned = re.compile(r"unittest\.mock|from unittest import mock|mocker\b")
    found = [path.name for path in sources("tests") if banned.search(path.read_text("utf-8"))]
    assert found == [Path(__file__).name]


def test_no_two_test_files_share_a_name() -> None:
    """Pytest takes them for the same module where folders are no packages."""
    names = [path.name for path in sources("tests") if path.name != "conftest.py"]
    assert sorted({name for name in names if names.count(name) > 1}) == []


@pytest.mark.parametrize("arguments", [["--help"], ["triage", "--help"], ["version"]])
def test_help_answers_without_loading_what_a_triage_needs(arguments: list[str]) -> None:
    program = f"""
import sys
sys.argv = ["assistant", *{arguments!r}]
from assistant.cli import main
try:
    main()
finally:
    print(*sorted({{name.partition(".")[0] for name in sys.modules}} & set({HEAVY!r})), file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr.strip()) == (0, "")
    assert done.stdout


@pytest.mark.parametrize("package", PACKAGES)
def test_importing_a_module_prints_nothing_and_asks_nothing_of_the_machine(package: str) -> None:
    program = f"""
import builtins, importlib, os, pkgutil, socket, sys
package = importlib.import_module("{package}")
before = dict(os.environ)
socket.socket.connect = None
for found in pkgutil.walk_packages(package.__path__, "{package}."):
    if not found.name.endswith("__main__"):
        importlib.import_module(found.name)
assert dict(os.environ) == before
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        check=False, capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


def code(page: Path) -> str:
    """What a page shows as something to type."""
    shown = re.findall(
        r"```(?:sh|console)\n(.*?)```|`([^`\n]+)`", page.read_text("utf-8"), re.DOTALL
    )
    return "\n".join("".join(one) for one in shown)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_names_only_words_that_make_knows(page: Path) -> None:
    named = set(re.findall(r"(?m)^(?:\S+=\S+ )*make ([a-z]+)", code(page)))
    assert named <= make_targets()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_names_only_commands_that_there_are(page: Path) -> None:
    from typer.main import get_command  # noqa: PLC0415 - Typer's own view of the commands

    from assistant.cli.app import app  # noqa: PLC0415

    known = set(get_command(app).commands)  # type: ignore[attr-defined]
    named = set(re.findall(r"(?m)^(?:\S*/|.* --rm )?assistant ([a-z]+)", code(page)))
    assert named <= known


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_links_only_to_files_that_there_are(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_two_words_to_begin_with_stand_at_the_top_of_the_readme() -> None:
    top = "\n".join((ROOT / "README.md").read_text("utf-8").splitlines()[:40])
    assert "make demo" in top
    assert "make test" in top


def test_ci_runs_the_readmes_own_words() -> None:
    lines = (ROOT / ".ci/run").read_text("utf-8").splitlines()
    assert "make lint types" in lines
    assert lines[-1].endswith(" make test")


def test_the_lock_of_the_node_tools_names_no_registry() -> None:
    assert '"resolved"' not in (ROOT / "package-lock.json").read_text("utf-8")


def test_a_hooks_tool_is_in_the_project_or_pinned() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    for repository in hooks["repos"]:
        if repository["repo"] == "local":
            programs = {hook["entry"].split()[0] for hook in repository["hooks"]}
            assert all(program.startswith(".venv/bin/") for program in programs)
        else:
            assert re.fullmatch(r"v\d+\.\d+\.\d+", repository["rev"])


def test_every_dependency_is_bounded() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    wanted = [one for group in groups for one in group]
    assert [one for one in wanted if not re.search(r">=[\d.]+,<\d", one)] == []


def test_the_wheel_holds_every_file_that_the_program_reads(tmp_path: Path) -> None:
    if not importlib.util.find_spec("hatchling"):
        pytest.skip("hatchling is not installed")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    done = subprocess.run(build, check=False, capture_output=True, text=True, cwd=ROOT, timeout=100)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert packed == {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
