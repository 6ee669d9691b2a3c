"""`python -m eval bench`: how long a cold triage takes beside the bare import of its libraries.

Figures are medians of interleaved runs, told as they are: nothing here fails for being slow.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import anyio
from rich.console import Console

from eval.bench.measure import Measured, Plan, Run, measure

__all__ = ["Plan", "figures", "measured", "page"]

AIMS = (
    ("triage / bare import", "triage", "imports", 2.5),
    ("servers as children / bare import", "children", "imports", None),
    ("large / small cluster", "large", "triage", 3.0),
)
"""Name, case, the case it is held against, and the ratio aimed at."""
MEMORY_AIM_MEGABYTES = 400


def measured(plan: Plan, json_file: Path | None, console: Console) -> str:
    """The page of figures; they go into `json_file` as well."""
    found = figures(anyio.run(measure, plan, console))
    if json_file:
        json_file.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return "\n".join(page(found)) + "\n"


def figures(measured: Measured) -> dict[str, Any]:
    """Medians by case, and the ratios of wall time and of CPU time."""
    cases = {name: _case(measured.titles[name], runs) for name, runs in measured.runs.items()}
    return {
        "runs": measured.plan.runs,
        "libraries": sorted(measured.libraries),
        "cases": cases,
        "ratios": {name: _ratio(cases[one], cases[other]) for name, one, other, _ in AIMS},
    }


def _case(title: str, runs: list[Run]) -> dict[str, Any]:
    return {
        "title": title,
        "seconds": round(median(run.seconds for run in runs), 3),
        "fastest_seconds": round(min(run.seconds for run in runs), 3),
        "cpu_seconds": round(median(run.cpu_seconds for run in runs), 3),
        "peak_megabytes": round(max(run.peak_megabytes for run in runs), 1),
        "calls": median(run.calls for run in runs),
        "requests": median(run.requests for run in runs),
        "blind_spots": any(run.exit_code for run in runs),
    }


def _ratio(one: dict[str, Any], other: dict[str, Any]) -> dict[str, float]:
    return {unit: round(one[unit] / other[unit], 2) for unit in ("seconds", "cpu_seconds")}


def page(found: dict[str, Any]) -> Iterator[str]:
    """The figures as a person reads them."""
    width = max(len(case["title"]) for case in found["cases"].values())
    yield f"Median of {found['runs']} interleaved runs, each a fresh process"
    yield (
        f"{'':<{width}}  {'wall s':>7}  {'fastest':>7}  {'CPU s':>6}  {'calls':>5}"
        f"  {'requests':>8}  {'peak MB':>7}"
    )
    for case in found["cases"].values():
        blind = "  with blind spots" if case["blind_spots"] else ""
        yield (
            f"{case['title']:<{width}}  {case['seconds']:>7.2f}  {case['fastest_seconds']:>7.2f}"
            f"  {case['cpu_seconds']:>6.2f}  {case['calls']:>5.0f}  {case['requests']:>8.0f}"
            f"  {case['peak_megabytes']:>7.0f}{blind}"
        )
    yield ""
    for name, _, _, aim in AIMS:
        ratio, hoped = found["ratios"][name], f"  (aim: at most {aim})" if aim else ""
        yield f"{name}: {ratio['seconds']:.2f} wall, {ratio['cpu_seconds']:.2f} CPU{hoped}"
    peak = found["cases"]["large"]["peak_megabytes"]
    yield f"peak memory, large cluster: {peak:.0f} MB  (aim: under {MEMORY_AIM_MEGABYTES})"
    yield f"bare import of: {', '.join(found['libraries'])}"
