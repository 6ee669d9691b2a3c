"""A run held against the baseline: what was right must still be right."""

import pytest

from assistant.errors import AssistantError, NotFound
from eval.gate import BASELINES, baseline_of, located, read, regressions, write
from eval.labels import Label
from eval.records import Ranked, Record, predictions
from eval.results import Result

LABEL = Label("oom_killed", "app/cart", "shop", "runtime", verdict="cause found")


def result(world, fault="oom_killed"):
    ranked = Ranked(kind=fault, entity="app/cart", confidence=0.9, fault=fault, named="app/cart")
    record = Record(world=world, verdict="cause found", ranked=(ranked,))
    return Result(world, LABEL, predictions(record), record)


def whole(*rows):
    return baseline_of(rows, whole=True)


def counted(*rows):
    return baseline_of(rows, whole=False)


def test_the_same_run_is_no_regression():
    for made in (whole, counted):
        assert list(regressions(made(result("a")), made(result("a")))) == []


def test_a_world_that_was_right_and_is_wrong_is_one():
    now = whole(result("a", "bad_command"))
    assert list(regressions(whole(result("a")), now)) == [
        "a: wrong: bad_command app/cart (cause found); was: oom_killed app/cart (cause found)"
    ]


def test_a_world_that_was_wrong_before_is_none_and_a_new_one_that_is_wrong_is():
    wrong = result("a", "bad_command")
    assert list(regressions(whole(wrong), whole(wrong))) == []
    assert "not in the baseline" in next(regressions(whole(), whole(wrong)))


def test_a_world_that_was_not_run_is_one_unless_a_part_was_asked_for():
    before, now = whole(result("a"), result("b")), whole(result("a"))
    assert list(regressions(before, now)) == ["b: was not run"]
    assert list(regressions(before, now, part=True)) == []


def test_of_a_benchmark_a_count_that_fell_is_one():
    before = counted(result("a"), result("b"))
    now = counted(result("a"), result("b", "bad_command"))
    assert list(regressions(before, now)) == [
        "shop runtime: A@1 1 of 2, was 2",
        "shop runtime: A@3 1 of 2, was 2",
    ]
    assert list(regressions(now, before)) == []


def test_of_a_benchmark_no_world_and_no_answer_is_kept():
    made = counted(result("cob_0001"))
    assert made.worlds == {}
    assert "cob_0001" not in made.model_dump_json()
    assert "app/cart" not in made.model_dump_json()


def test_another_number_of_worlds_is_no_comparison():
    before = counted(result("a"), result("b"))
    assert list(regressions(before, counted(result("a")))) == [
        "shop runtime: 1 worlds, in the baseline 2"
    ]


def test_what_is_written_is_what_is_read(tmp_path):
    for made in (whole(result("a"), result("b")), counted(result("a"))):
        path = tmp_path / "kept" / "made.json"
        write(path, made)
        assert read(path) == made


def test_a_file_that_is_no_baseline_is_said_so(tmp_path):
    with pytest.raises(NotFound, match="--update"):
        read(tmp_path / "none.json")
    (tmp_path / "odd.json").write_text("[]")
    with pytest.raises(AssistantError, match="no baseline"):
        read(tmp_path / "odd.json")


def test_a_name_is_a_committed_baseline_and_a_path_is_a_file():
    assert located("builtin") == BASELINES / "builtin.json"
    assert str(located("x/y.json")) == "x/y.json"


def test_the_committed_baselines_hold_answers_of_our_own_worlds_alone():
    from eval.cases import CASES  # noqa: PLC0415 - read where it is needed

    for path in BASELINES.glob("*.json"):
        assert set(read(path).worlds) <= set(CASES), path.name
