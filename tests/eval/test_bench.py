"""The bench with one run: its shape and its counts. Wall time is never asserted."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from rich.console import Console

from eval.bench.measure import Measured, Run
from eval.bench.modules import loaded
from eval.bench.triage import Plan, figures, measured, page
from tests.lab.small_world import needs_prometheus

CASES = ("imports", "triage", "children", "large")


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    file = tmp_path_factory.mktemp("bench") / "bench.json"
    plan = Plan(runs=1, pods=150, events=300, embedding="none", warm_up=False)
    text = measured(plan, file, Console(file=StringIO()))
    return text, json.loads(file.read_text())


@needs_prometheus
@pytest.mark.timeout(600)
def test_one_run_measures_every_case(found):
    _, figures = found
    assert tuple(figures["cases"]) == CASES
    for case in figures["cases"].values():
        assert case["seconds"] > 0
        assert case["cpu_seconds"] > 0
        assert case["peak_megabytes"] > 10
        assert not case["blind_spots"]
    assert set(figures["ratios"]) == {
        "triage / bare import",
        "servers as children / bare import",
        "large / small cluster",
    }


@needs_prometheus
@pytest.mark.timeout(600)
def test_the_same_calls_are_made_whatever_process_the_servers_are_in(found):
    cases = found[1]["cases"]
    assert cases["imports"]["calls"] == cases["imports"]["requests"] == 0
    assert 10 < cases["triage"]["calls"] <= 150
    assert cases["triage"]["calls"] == cases["children"]["calls"]
    assert cases["triage"]["requests"] == cases["children"]["requests"]
    assert cases["large"]["requests"] >= cases["large"]["calls"] // 2


@needs_prometheus
@pytest.mark.timeout(600)
def test_a_triage_loads_no_library_that_it_does_not_need(found):
    libraries = set(found[1]["libraries"])
    assert {"mcp", "kubernetes", "prometheus_api_client", "pdpyras", "langgraph"} <= libraries
    assert not libraries & {"torch", "pandas", "matplotlib", "transformers", "sklearn", "openai"}


def test_the_page_names_the_aims():
    run = Run(seconds=2.0, cpu_seconds=1.0, peak_megabytes=100.0, calls=7, requests=9)
    runs = {name: [run] for name in CASES}
    made = Measured(Plan(runs=1), {name: name for name in CASES}, runs, {"mcp"})
    text = "\n".join(page(figures(made)))
    assert "triage / bare import: 1.00 wall, 1.00 CPU  (aim: at most 2.5)" in text
    assert "peak memory, large cluster: 100 MB  (aim: under 400)" in text


def test_only_other_peoples_modules_count_as_libraries():
    names = loaded()
    assert "rich.console" in names
    assert not any(name.partition(".")[0] in ("eval", "json", "sys") for name in names)
