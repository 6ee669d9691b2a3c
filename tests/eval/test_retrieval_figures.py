"""Rankings and abstentions in numbers."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.retrieval_figures import auroc, averaged, risk_coverage, scores

NOTHING: frozenset[int] = frozenset()


def hit(*places):
    return frozenset(places)


def test_an_answer_in_the_first_slot_is_a_perfect_ranking():
    assert scores([hit(0), NOTHING], 1) == {
        "R@1": 1.0,
        "R@3": 1.0,
        "R@5": 1.0,
        "MRR": 1.0,
        "nDCG@10": 1.0,
    }


def test_an_answer_in_the_fourth_slot_counts_by_its_rank():
    found = scores([NOTHING, NOTHING, NOTHING, hit(0)], 1)
    assert (found["R@1"], found["R@3"], found["R@5"], found["MRR"]) == (0.0, 0.0, 1.0, 0.25)
    assert found["nDCG@10"] == pytest.approx(1 / math.log2(5))


def test_an_answer_counts_once_where_it_first_stands():
    assert scores([hit(0), hit(0)], 1)["nDCG@10"] == 1.0
    assert scores([NOTHING, hit(0), hit(0)], 1)["nDCG@10"] == pytest.approx(1 / math.log2(3))


def test_two_answers_folded_into_one_slot_need_one_slot():
    assert scores([hit(0, 1)], 2)["nDCG@10"] == 1.0


def test_a_missing_second_answer_is_missed():
    assert scores([hit(0)], 2)["nDCG@10"] == pytest.approx(1 / (1 + 1 / math.log2(3)))


def test_what_stands_below_the_tenth_slot_is_not_found():
    assert scores([NOTHING] * 10 + [hit(0)], 1)["nDCG@10"] == 0.0


def test_an_empty_ranking_scores_nothing():
    assert set(scores([], 1).values()) == {0.0}


@given(st.lists(st.frozensets(st.integers(0, 3), max_size=2), max_size=15))
def test_every_figure_lies_between_0_and_1(slots):
    assert all(0 <= value <= 1 + 1e-9 for value in scores(slots, 4).values())


def test_means_come_with_half_of_their_interval():
    assert averaged([{"a": 0.0}, {"a": 1.0}])["a"] == {"mean": 0.5, "half": pytest.approx(0.98)}
    assert averaged([{"a": 0.5}])["a"] == {"mean": 0.5, "half": 0.0}


def test_auroc_counts_pairs_and_ties_half():
    assert auroc([0.9, 0.8], [0.1, 0.2]) == 1.0
    assert auroc([0.5], [0.5]) == 0.5
    assert auroc([0.1], [0.9]) == 0.0


def test_the_risk_coverage_table_tells_who_is_refused_and_how_often_the_first_is_wrong():
    answerable = [(0.9, True), (0.8, False), (0.7, True), (0.1, True)]
    whole, *_, half = risk_coverage(answerable, [0.75, 0.05])
    assert (whole["threshold"], whole["refused"], whole["wrong_first"]) == (0.1, 0.5, 0.25)
    assert (half["kept"], half["refused"], half["wrong_or_stranger"]) == (0.5, 1.0, 0.5)
