import json

import pytest

from assistant.errors import AssistantError, NotFound
from eval.labels import Label, read_labels
from eval.records import (
    Ranked,
    Record,
    append,
    journal_of,
    predictions,
    read_journal,
    write_predictions,
)
from eval.score import compared, results, scored, share, wilson

LABELS = {
    "w1": {
        "fault_object": "app/cart",
        "root_cause": "oom_killed",
        "fault_taxonomy": "Runtime_Fault",
        "system": "shop",
    },
    "w2": {
        "fault_object": "app/cart",
        "root_cause": "gateway_misroute",
        "fault_taxonomy": "Service_Routing_Fault",
        "system": "shop",
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
        append(out, record)
    write_predictions(out, read_journal(out))
    return out


def hits(answers, label, record=None):
    found = results({"w": answers}, {"w": label}, {"w": record} if record else {})
    return found[0].hits


def test_a_share_comes_with_wilsons_interval():
    assert share(5, 10) == "0.50 [0.24, 0.76]"
    assert share(0, 0) == "-"
    assert wilson(0, 10)[0] == 0.0
    assert wilson(10, 10)[1] == pytest.approx(1.0)


def test_the_right_object_with_the_wrong_fault_counts_for_the_object_alone():
    label = Label("oom_killed", "app/cart", "s", "g")
    answers = [{"fault": "bad_command", "entity": "app/cart"}]
    assert hits(answers, label) == {"A@1": 0, "A@3": 0, "object@1": 1, "object@3": 1}


def test_the_third_answer_counts_and_the_fourth_does_not():
    label, right = Label("a", "x", "s", "g"), {"fault": "a", "entity": "X"}
    wrong = {"fault": "b", "entity": "y"}
    assert hits([wrong, wrong, right], label)["A@3"]
    assert not hits([wrong, wrong, wrong, right], label)["A@3"]


def test_the_names_of_the_prompt_are_right_as_well():
    label = Label("gateway_misroute", "app/cart", "s", "g")
    assert hits([{"fault": "gateway_misrouted", "entity": "app/cart"}], label)["A@1"]


def test_a_label_without_a_fault_asks_for_the_object_alone(tmp_path):
    rows = {"w": {"root_cause": {"node": "PetSite"}, "scenario": "low", "metric": "latency"}}
    label = read_labels(labels_file(tmp_path, rows))["w"]
    assert hits([{"fault": "slow_dependency", "entity": "PetSite"}], label)["A@1"]


def test_a_recovered_world_is_right_by_its_verdict():
    label = Label("k", "e", "s", "g", verdict="recovered")
    assert hits([], label, Record(world="w", verdict="recovered"))["A@1"]
    assert not hits([], label, Record(world="w", verdict="healthy"))["A@1"]
    assert not hits([], label)["A@1"]


def test_the_builtin_labels_are_those_of_the_cases():
    labels = read_labels("builtin")
    assert {str(label) for label in labels.values()} > {"recovered"}
    assert len(labels) >= 6


def test_the_page_tells_shares_cost_and_every_miss(tmp_path):
    out = written(
        tmp_path,
        Record(world="w1", ranked=(ranked("oom_killed", "app/cart"),), seconds=2.0, calls=40),
        Record(world="w2", ranked=(ranked("bad_command", "app/pay", 0.6),), seconds=4.0, calls=50),
    )
    page = scored(out, labels_file(tmp_path))
    assert "shop     2  0.50 [0.09, 0.91]" in page
    assert "0.200      3.0     45" in page  # Brier of 0.8 right and 0.6 wrong; medians
    assert "Misses (1)" in page
    assert "w2  gateway_misroute app/cart  (not said)" in page
    assert "0.60 believed: bad_command app/pay" in page


def test_a_world_that_was_not_run_is_a_miss(tmp_path):
    out = written(tmp_path, Record(world="w1", failed="no metrics.om"))
    page = scored(out, labels_file(tmp_path))
    assert "Misses (2)" in page
    assert "no report: no metrics.om" in page
    assert "not run" in page


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
    assert "worse" in compared(new, old, labels_file(tmp_path))


def test_each_fault_and_entity_is_predicted_once():
    twice = (ranked("a", "x", 0.9), ranked("a", "x", 0.4), ranked("b", "x", 0.3))
    assert [row["confidence"] for row in predictions(Record(world="w", ranked=twice))] == [0.9, 0.3]


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
