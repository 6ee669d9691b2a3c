"""`python -m eval run` on one of our own worlds, with the real Prometheus."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from rich.console import Console

from assistant.errors import NotFound
from eval.labels import read_labels
from eval.records import Record, append, journal_of, read_journal
from eval.run import Plan, run
from tests.lab.small_world import needs_prometheus


def quiet() -> Console:
    return Console(file=StringIO())


@needs_prometheus
def test_a_world_is_triaged_and_answered_in_the_asked_names(tmp_path):
    out = tmp_path / "out.json"
    records = run(Plan(("birch",), out, "cloudopsbench"), quiet())
    record = records["birch"]
    assert record.failed == ""
    assert record.unsupported == ()
    assert record.calls > 10
    assert record.requests >= record.calls
    first = json.loads(out.read_text())["birch"][0]
    expected = read_labels("builtin")["birch"]
    assert f"{record.ranked[0].kind} {record.ranked[0].entity}" == str(expected)
    assert first["entity"].startswith(("app/", "node/", "namespace/"))


def test_a_world_that_has_a_record_is_not_run_again(tmp_path):
    out = tmp_path / "out.json"
    append(out, Record(world="birch", verdict="kept"))
    records = run(Plan(("birch",), out), quiet())
    assert records["birch"].verdict == "kept"
    assert len(journal_of(out).read_text().splitlines()) == 1


def test_a_broken_world_is_a_record_without_a_report(tmp_path):
    world = tmp_path / "broken"
    world.mkdir()
    (world / "world.json").write_text("{")
    console = quiet()
    records = run(Plan((str(world),), tmp_path / "out.json"), console)
    assert "world.json" in records["broken"].failed
    assert read_journal(tmp_path / "out.json") == records


def test_an_unknown_world_or_vocabulary_is_refused_before_anything_runs(tmp_path):
    with pytest.raises(NotFound, match="birch"):
        run(Plan(("brich",), tmp_path / "out.json"), quiet())
    with pytest.raises(NotFound, match="vocabulary"):
        run(Plan(("birch",), tmp_path / "out.json", "klingon"), quiet())
    assert not journal_of(tmp_path / "out.json").exists()
