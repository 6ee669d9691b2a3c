"""Measures cold triages: each run is a fresh process with a fresh home, against a lab that stays up.

The cases take turns, so that whatever else the machine does meets all of them alike. Wall time is
told, never asserted.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import anyio.to_thread
from rich.console import Console

from assistant.errors import AssistantError
from eval.bench.modules import IMPORT_ALL
from eval.lab.lab import Lab, serve
from eval.lab.large import large_world
from eval.lab.worlds import default_cache, find_world
from mcp_servers.serve import NAMES

LAUNCH = Path(__file__).with_name("launch.py")
RUNBOOKS = Path(__file__).parents[2] / "examples" / "runbooks"
COMMAND_LINE = (sys.executable, "-c", "from assistant.cli import main; main()")
REPORTED = (0, 3)
"""Exit codes of a triage that made its report."""


@dataclass(frozen=True)
class Plan:
    """What to measure."""

    world: str = "amber"
    runs: int = 5
    pods: int = 5000
    events: int = 10_000
    embedding: str = ""
    """Of the runbook index; empty for what the ingestion takes by itself."""
    warm_up: bool = True
    """Run each case once before it counts, so that the disk's cache is warm for all."""


@dataclass(frozen=True)
class Run:
    """What one process took."""

    seconds: float
    cpu_seconds: float
    peak_megabytes: float
    exit_code: int = 0
    calls: int = 0
    requests: int = 0


@dataclass(frozen=True)
class Bed:
    """What all runs share: a folder, the runbook index, the modules of a bare import."""

    folder: Path
    index: Path

    @property
    def modules(self) -> Path:
        """Where the names of the loaded modules stand."""
        return self.folder / "modules.json"


@dataclass(frozen=True)
class Case:
    """One thing that is measured; without a lab it is the bare import."""

    name: str
    title: str
    lab: Lab | None = None
    servers: Mapping[str, object] = field(default_factory=dict)


CHILDREN = {
    name: {"command": sys.executable, "args": ["-m", "mcp_servers", name]} for name in NAMES
}
"""Settings under which each server is a process of its own."""


@dataclass(frozen=True)
class Measured:
    """All runs by case, and the libraries of the bare import."""

    plan: Plan
    titles: Mapping[str, str]
    runs: Mapping[str, list[Run]]
    libraries: set[str]


async def measure(plan: Plan, console: Console) -> Measured:
    """The runs of every case, by its name. Raises AssistantError for one that made no report."""
    async with _bed(plan) as (bed, cases):
        await _watched(bed, cases["triage"])
        if plan.warm_up:
            for case in cases.values():
                await _run(bed, case)
        runs: dict[str, list[Run]] = {name: [] for name in cases}
        for number in range(plan.runs):
            for case in cases.values():
                console.print(f"run {number + 1} of {plan.runs}: {case.title}", highlight=False)
                runs[case.name].append(await _run(bed, case))
        libraries = {name.partition(".")[0] for name in json.loads(bed.modules.read_text())}
        return Measured(plan, {case.name: case.title for case in cases.values()}, runs, libraries)


@asynccontextmanager
async def _bed(plan: Plan) -> AsyncIterator[tuple[Bed, dict[str, Case]]]:
    """Both labs up and the runbooks ingested."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        bed = Bed(folder, await _ingested(plan))
        small = await stack.enter_async_context(serve(find_world(plan.world, default_cache())))
        large = await stack.enter_async_context(serve(large_world(plan.pods, plan.events)))
        cases = (
            Case("imports", "bare import of its libraries"),
            Case("triage", f"triage of {plan.world}", small),
            Case(
                "children", f"triage of {plan.world}, servers as child processes", small, CHILDREN
            ),
            Case("large", f"triage of {plan.pods} pods, {plan.events} events", large),
        )
        yield bed, {case.name: case for case in cases}


async def _ingested(plan: Plan) -> Path:
    """The index of the sample runbooks; one that is there already is only brought up to date."""
    index = default_cache() / f"bench-runbooks-{plan.embedding or 'default'}"
    command = [sys.executable, "-m", "ingest", "--source", str(RUNBOOKS), "--index", str(index)]
    command += ["--embedding", plan.embedding] if plan.embedding else []
    done = await anyio.run_process(command, check=False)
    if done.returncode not in REPORTED:
        raise AssistantError(f"the runbooks cannot be ingested: {done.stderr.decode()[-500:]}")
    return index


async def _watched(bed: Bed, case: Case) -> None:
    """One triage that is not measured: which modules does it load?"""
    command = [sys.executable, "-m", "eval.bench.modules", str(bed.modules), *_triage(case)]
    await _launched(bed, case, command)


async def _run(bed: Bed, case: Case) -> Run:
    if case.lab is None:
        command = [sys.executable, "-c", IMPORT_ALL, str(bed.modules)]
        return await _launched(bed, case, command)
    return await _launched(bed, case, [*COMMAND_LINE, *_triage(case)])


def _triage(case: Case) -> list[str]:
    return ["triage", case.lab.world.alert_id] if case.lab else []


async def _launched(bed: Bed, case: Case, command: list[str]) -> Run:
    """Run a command in a home of its own, and count what it asked."""
    before = case.lab.requests.total() if case.lab else 0
    with tempfile.TemporaryDirectory(prefix="home-", dir=bed.folder) as home:
        done = await anyio.run_process(
            [sys.executable, "-I", "-S", str(LAUNCH), *command],
            env=_environment(case, bed, home),
            cwd=home,
        )
        took = json.loads(done.stdout)
        said = took.pop("said")
        if took["exit_code"] not in REPORTED:
            raise AssistantError(f"{case.title} ended with {took['exit_code']}: {said[-500:]}")
        calls = await anyio.to_thread.run_sync(_audited, Path(home, "audit.jsonl"))
    requests = case.lab.requests.total() - before if case.lab else 0
    return Run(**took, calls=calls, requests=requests)


def _audited(audit: Path) -> int:
    """Tool calls: each leaves one line in the audit."""
    return len(audit.read_bytes().splitlines()) if audit.exists() else 0


def _environment(case: Case, bed: Bed, home: str) -> dict[str, str]:
    """The machine's own variables without any setting of ours, and those of the case's lab."""
    own = {key: text for key, text in os.environ.items() if not key.startswith("ASSISTANT_")}
    environment = {**own, "HOME": home, "ASSISTANT_HOME": home, "RUNBOOKS_INDEX": str(bed.index)}
    if case.lab:
        environment |= case.lab.environment
        environment["ASSISTANT_AS_OF"] = case.lab.world.as_of.isoformat()
    if case.servers:
        environment["ASSISTANT_SERVERS"] = json.dumps(case.servers)
    return environment
