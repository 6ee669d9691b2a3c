"""`python -m eval bench`: a word for each bench, and the cold triages where none is said."""

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from eval.bench.commands import app

BENCHES = ("triage", "search", "kills", "embedding", "storm", "threads")


def test_each_bench_is_listed_with_what_it_measures():
    shown = CliRunner().invoke(app, ["--help"]).output
    assert [name for name in BENCHES if f" {name} " not in shown] == []


@pytest.mark.parametrize("name", BENCHES)
def test_each_bench_says_how_it_is_used(name):
    done = CliRunner().invoke(app, [name, "--help"])
    assert done.exit_code == 0
    assert "usage" in done.output.lower()


@pytest.mark.parametrize("words", [[], ["triage"]])
def test_without_a_word_the_options_are_those_of_cold_triages(words):
    done = CliRunner().invoke(app, [*words, "--pods", "3"])
    assert done.exit_code == 2
    assert "--pods" in done.output


def test_what_follows_the_word_is_read_by_the_bench_itself():
    done = CliRunner().invoke(app, ["threads", "--people", "1"])
    assert done.exit_code == 2
    assert "--people" in done.output


@pytest.mark.timeout(300)
def test_people_in_threads_of_two_incidents_never_read_of_the_other(tmp_path):
    file = tmp_path / "threads.json"
    command = [sys.executable, "-m", "eval", "bench", "threads", "--people", "4", "--rounds", "2"]
    done = subprocess.run([*command, "--json", str(file)], check=False, capture_output=True,
                          text=True, timeout=280)  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(file.read_text())
    for way in ("engine", "slack"):
        assert (found[way]["answers"], found[way]["wrong_thread"]) == (8, 0)
        assert found[way]["p95_seconds"] >= found[way]["median_seconds"]
    assert found["slack"]["strays"] == 0
