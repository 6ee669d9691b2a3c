"""The page of `score`, and of `diff`: what a run is worth, and what changed."""

import json

import pytest

from assistant.errors import AssistantError, NotFound
from eval.calibration import brier, reliability
from eval.compare import compared
from eval.labels import read_labels
from eval.published import benchmarks
from eval.records import (
    Ranked,
    Record,
    append,
    journal_of,
    predictions,
    read_journal,
    write_predictions,
)
from eval.score import scored
from eval.tables import interval, quantile, share, wilson

LABELS = {
    "w1": {
        "fault_object": "app/cart",
        "root_cause": "oom_killed",
        "fault_taxonomy": "Runtime_Fault",
        "system": "boutique",
    },
    "w2": {
        "fault_object": "app/cart",
        "root_cause": "gateway_misroute",
        "fault_taxonomy": "Service_Routing_Fault",
        "system": "boutique",
    },
}


def ranked(fault, entity, confidence=0.8, **more):
    return Ranked(
        kind=fault, entity=entity, confidence=confidence, fault=fault, named=entity, **more
    )


def labels_file(folder, rows=LABELS):
    path = folder / "labels.json"
    path.write_text(json.dumps(rows))
    return str(path)


def written(folder, *records, name="out.json"):
    out = folder / name
    for record in records:
        append(journal_of(out), record)
    write_predictions(out, read_journal(out))
    return out


def two(folder):
    return written(
        folder,
        Record(world="w1", ranked=(ranked("oom_killed", "app/cart"),), seconds=2.0, calls=40),
        Record(
            world="w2",
            verdict="cause found",
            ranked=(ranked("bad_command", "app/pay", 0.6),),
            seconds=4.0,
            calls=50,
        ),
    )


def test_a_share_comes_with_wilsons_interval():
    assert share(interval(5, 10)) == "0.50 [.24 .76]"
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(0, 10)[0] == 0.0
    assert wilson(10, 10)[1] == pytest.approx(1.0)


def test_a_quantile_is_one_of_the_values():
    assert quantile(range(1, 101), 0.95) == 95
    assert quantile([3], 0.95) == 3


def test_a_label_without_a_fault_asks_for_the_object_alone(tmp_path):
    rows = {"w": {"root_cause": {"node": "PetSite"}, "scenario": "low", "metric": "latency"}}
    label = read_labels(labels_file(tmp_path, rows))["w"]
    assert label.causes[0][0].is_met_by({"fault": "slow_dependency", "entity": "PetSite"})


def test_a_label_in_our_names_may_say_that_nothing_is_wrong(tmp_path):
    label = read_labels(labels_file(tmp_path, {"w": {"verdict": "healthy"}}))["w"]
    assert label.silent
    assert str(label) == "healthy"


def test_the_builtin_labels_are_those_of_the_cases():
    labels = read_labels("builtin")
    assert {str(label) for label in labels.values()} > {"recovered"}
    assert any(" + " in str(label) for label in labels.values())


def test_the_page_tells_shares_cost_and_every_miss(tmp_path):
    page = scored(two(tmp_path), labels_file(tmp_path))
    words = [line.split() for line in page.splitlines()]
    assert ["boutique", "2", *["0.50", "[.09", ".91]"] * 4, "0"] in words
    assert "Brier score (0 is perfect): boutique 0.200" in page  # 0.8 right and 0.6 wrong
    assert ["boutique", "2", "3.00", "4.00", "45", "50", "0", "0"] in words
    assert "Misses (1, 0 of them said to be unsure)" in page
    assert "w2  gateway_misroute app/cart  (not said, verdict: cause found)" in page
    assert "0.60 believed: bad_command app/pay" in page


def test_published_figures_stand_beside_ours_with_their_source(tmp_path):
    page = scored(two(tmp_path), labels_file(tmp_path))
    assert "this run         0.50 / 0.50" in page
    assert "DeepSeek-V3.2    0.73 / 0.79" in page
    assert "arXiv 2603.00468" in page


def test_more_cells_than_names_are_lines_of_their_own(tmp_path):
    rows = {
        f"w{n}": {"root_cause": {"node": "x"}, "scenario": scenario, "metric": metric}
        for n, (scenario, metric) in enumerate(
            (s, m) for s in ("low_traffic", "high_traffic") for m in ("latency", "availability")
        )
    }
    page = scored(written(tmp_path, Record(world="w0")), labels_file(tmp_path, rows))
    words = [line.split() for line in page.splitlines()]
    assert ["this", "run", "traversal"] in words
    assert ["high", "traffic", "availability", "0.00", "/", "0.00", "0.67", "/", "1.00"] in words
    assert max(map(len, page.splitlines())) <= 100


def test_every_published_figure_is_a_share_for_each_column():
    for benchmark in benchmarks():
        for row in benchmark.figures.values():
            assert set(row) == set(benchmark.cells)
            for values in row.values():
                assert len(values) == len(benchmark.columns)
                assert all(0 <= value <= 1 for value in values)


def test_no_line_of_the_page_is_wider_than_a_terminal(tmp_path):
    long = Record(world="w2", ranked=(ranked("bad_command", "app/pay", statement="so " * 90),))
    page = scored(written(tmp_path, long), labels_file(tmp_path))
    assert max(map(len, page.splitlines())) <= 100


def test_the_same_figures_are_there_for_a_machine(tmp_path):
    found = json.loads(scored(two(tmp_path), labels_file(tmp_path), as_json=True))
    assert found["all"]["A@1"]["share"] == 0.5
    assert [miss["world"] for miss in found["misses"]] == ["w2"]
    assert found["calibration"][-1]["brier"] == pytest.approx(0.2)


def test_a_silent_world_with_a_believed_cause_is_a_false_accusation(tmp_path):
    rows = {"w1": {"verdict": "healthy"}, "w2": {"verdict": "recovered"}}
    page = scored(two(tmp_path), labels_file(tmp_path, rows))
    assert "False accusations: 1 of 2 worlds without a cause: w2" in page
    assert "Verdict 'recovered': right in 0 of 1: not in w2" in page


def test_decoys_are_counted_and_the_accused_are_named(tmp_path):
    row = {"fault": "oom_killed", "entity": "app/cart", "decoys": ["app/pay", "app/web"]}
    page = scored(two(tmp_path), labels_file(tmp_path, {"w2": row}))
    assert "Decoys: 1 of 2 acquitted, 0 of them by name" in page
    assert "accused in w2: app/pay" in page
    assert "not named in w2: app/web" in page


def test_a_world_that_was_not_run_is_a_miss_unless_it_is_left_out(tmp_path):
    out = written(tmp_path, Record(world="w1", failed="no metrics.om"))
    page = scored(out, labels_file(tmp_path))
    assert "Misses (2" in page
    assert "no report: no metrics.om" in page
    assert "not run" in page
    assert "Misses (1" in scored(out, labels_file(tmp_path), ran=True)


def test_a_confidence_that_holds_has_a_low_brier_score():
    assert brier([(1.0, 1.0), (0.0, 0.0)]) == 0
    assert brier([(0.5, 1.0), (0.5, 0.0)]) == 0.25
    assert brier([(0.5, 0.5)]) == 0.25
    assert brier([]) is None


def test_every_claim_stands_in_one_bin():
    rows = list(reliability([(0.0, 0), (0.55, 1), (0.95, 1), (1.0, 1)]))
    assert [(row["from"], row["n"]) for row in rows] == [(0.0, 1), (0.55, 1), (0.95, 2)]
    assert rows[-1]["claimed"] == pytest.approx(0.975)


def test_a_difference_says_whether_it_is_better(tmp_path):
    old = written(
        tmp_path, Record(world="w1", ranked=(ranked("bad_command", "app/cart"),)), name="a.json"
    )
    new = written(
        tmp_path, Record(world="w1", ranked=(ranked("oom_killed", "app/cart"),)), name="b.json"
    )
    assert compared(old, old) == "0 of 1 differ\n"
    said = "w1  better: bad_command app/cart -> oom_killed app/cart"
    assert said in compared(old, new, labels_file(tmp_path))
    assert "1 of 1 differ: 1 worse" in compared(new, old, labels_file(tmp_path))


def test_a_verdict_that_changed_is_a_difference(tmp_path):
    rows = (ranked("oom_killed", "app/cart"),)
    old = written(tmp_path, Record(world="w1", verdict="inconclusive", ranked=rows), name="a.json")
    new = written(tmp_path, Record(world="w1", verdict="cause found", ranked=rows), name="b.json")
    assert "(inconclusive) -> oom_killed app/cart (cause found)" in compared(old, new)


def test_each_fault_and_entity_is_predicted_once():
    twice = (ranked("a", "x", 0.9), ranked("a", "x", 0.4), ranked("b", "x", 0.3))
    assert [row["confidence"] for row in predictions(Record(world="w", ranked=twice))] == [0.9, 0.3]


def test_where_ties_count_the_score_stands_beside_the_answer():
    rows = (ranked("a", "x", 0.9), ranked("b", "y", 0.1, ruled_out=True))
    record = Record(world="w", vocabulary="petshop", ranked=rows)
    assert [(row["score"], "ruled_out" in row) for row in predictions(record)] == [
        (0.9, False),
        (0.1, True),
    ]


def test_files_that_are_no_predictions_or_labels_are_said_so(tmp_path):
    with pytest.raises(NotFound, match="python -m eval run"):
        scored(tmp_path / "none.json", labels_file(tmp_path))
    broken = tmp_path / "broken.json"
    broken.write_text('{"w": 1}')
    with pytest.raises(AssistantError, match="no predictions"):
        scored(broken, labels_file(tmp_path))
    with pytest.raises(AssistantError, match="no labels"):
        read_labels(labels_file(tmp_path, {"w": {"answer": 42}}))
    journal_of(tmp_path / "cut.json").write_text('{"world": "w1", "verd')
    with pytest.raises(AssistantError, match=r"cut.records.jsonl:1 .* --fresh"):
        read_journal(tmp_path / "cut.json")
