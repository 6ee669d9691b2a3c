"""`python -m eval run` on one of our own worlds, with the real Prometheus."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from rich.console import Console

from assistant.errors import AssistantError, NotFound
from eval.lab.worlds import world_names
from eval.labels import read_labels
from eval.records import Record, append, journal_of, read_journal
from eval.run import Plan, run, worlds
from tests.lab.small_world import needs_prometheus


def quiet() -> Console:
    return Console(file=StringIO())


def folder_of_worlds(folder, *names):
    for name in names:
        (folder / name).mkdir(parents=True)
        (folder / name / "world.json").write_text("{")
    return folder


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
    append(journal_of(out), Record(world="birch", verdict="kept"))
    records = run(Plan(("birch",), out), quiet())
    assert records["birch"].verdict == "kept"
    assert len(journal_of(out).read_text().splitlines()) == 1


def test_broken_worlds_are_records_without_a_report_and_not_the_end(tmp_path):
    out = tmp_path / "out.json"
    inside = folder_of_worlds(tmp_path / "set", "one", "two")
    records = run(Plan((str(inside),), out), quiet())
    assert sorted(records) == ["one", "two"]
    assert all("world.json" in record.failed for record in records.values())
    assert read_journal(out) == records


def test_a_world_that_failed_is_tried_again(tmp_path):
    out = tmp_path / "out.json"
    inside = folder_of_worlds(tmp_path / "set", "one")
    append(journal_of(out), Record(world="one", failed="somebody pulled the plug"))
    assert "world.json" in run(Plan((str(inside),), out), quiet())["one"].failed


def test_an_unknown_world_or_vocabulary_is_refused_before_anything_runs(tmp_path):
    with pytest.raises(NotFound, match="birch"):
        run(Plan(("brich",), tmp_path / "out.json"), quiet())
    with pytest.raises(NotFound, match="vocabulary"):
        run(Plan(("birch",), tmp_path / "out.json", "klingon"), quiet())
    assert not journal_of(tmp_path / "out.json").exists()


def test_answers_in_two_vocabularies_are_not_mixed(tmp_path):
    out = tmp_path / "out.json"
    append(journal_of(out), Record(world="birch", vocabulary="petshop"))
    with pytest.raises(AssistantError, match=r"petshop.*--fresh"):
        run(Plan(("birch",), out, "cloudopsbench"), quiet())


def test_builtin_means_all_of_them_and_a_folder_all_inside(tmp_path):
    inside = folder_of_worlds(tmp_path / "set", "one", "two")
    (inside / "notes").mkdir()
    assert sorted(worlds(["builtin"])) == world_names()
    assert worlds([str(inside), "birch"]) == {
        "one": str(inside / "one"),
        "two": str(inside / "two"),
        "birch": "birch",
    }
    with pytest.raises(NotFound, match="nor folders that do"):
        worlds([str(inside / "notes")])


def test_two_worlds_of_one_name_are_not_run_together(tmp_path):
    one, other = (folder_of_worlds(tmp_path / name, "same") for name in "ab")
    with pytest.raises(AssistantError, match="both called same"):
        worlds([str(one), str(other)])
