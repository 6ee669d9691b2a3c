"""What counts as right: several causes, silent worlds, other names, ties."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.labels import Label, Named
from eval.records import Ranked, Record, predictions
from eval.results import Result, expected_hit

CART, PAY = Named("oom_killed", "app/cart"), Named("bad_command", "app/pay")
BOTH = Label(*CART, "s", "g", verdict="several causes", further=(PAY,))
QUIET = Label("", "", "s", "g", verdict="recovered", or_else=("healthy",))


def said(*named, verdict="cause found", confidence=0.8, **more):
    ranked = tuple(
        Ranked(kind=fault, entity=entity, confidence=confidence, fault=fault, named=entity, **more)
        for fault, entity in named
    )
    return Record(world="w", verdict=verdict, ranked=ranked)


def result(label, record):
    return Result("w", label, predictions(record), record)


def answers(*rows):
    return [dict(zip(("entity", "confidence"), row, strict=True)) for row in rows]


def test_the_right_object_with_the_wrong_fault_counts_for_the_object_alone():
    label = Label("oom_killed", "app/cart", "s", "g")
    wrong = result(label, said(("bad_command", "app/cart")))
    assert wrong.hits == {"A@1": 0, "A@3": 0, "object@1": 1, "object@3": 1}


def test_the_third_answer_counts_and_the_fourth_does_not():
    label, wrong = Label("a", "x", "s", "g"), [("b", "y"), ("c", "y"), ("d", "y")]
    assert result(label, said(*wrong[:2], ("a", "X"))).hits["A@3"] == 1
    assert result(label, said(*wrong, ("a", "x"))).hits["A@3"] == 0


def test_the_names_of_the_prompt_are_right_as_well():
    label = Label("gateway_misroute", "app/cart", "s", "g")
    assert result(label, said(("gateway_misrouted", "app/cart"))).right


def test_another_name_of_the_same_cause_is_right_where_the_label_says_so():
    label = Label(*CART, "s", "g", as_right=(PAY,))
    assert result(label, said(PAY)).right


def test_of_several_causes_all_are_to_be_named_in_any_order():
    assert result(BOTH, said(PAY, CART, verdict="several causes")).right
    alone = result(BOTH, said(CART, ("noisy", "x"), PAY, verdict="several causes"))
    assert (alone.hits["A@1"], alone.hits["A@3"]) == (0, 1)
    assert not result(BOTH, said(CART, verdict="several causes")).right


def test_the_right_cause_under_the_wrong_verdict_is_not_right():
    assert not result(BOTH, said(CART, PAY)).right
    assert result(BOTH, said(CART, PAY)).hits["A@1"] == 1


@pytest.mark.parametrize(
    ("verdict", "right", "false"),
    [
        ("recovered", True, False),
        ("healthy", True, False),
        ("inconclusive", False, False),
        ("cause found", False, True),
    ],
)
def test_a_silent_world_is_right_by_its_verdict_and_accused_by_a_belief(verdict, right, false):
    one = result(QUIET, said(CART, verdict=verdict))
    assert (one.right, one.accuses_falsely) == (right, false)


def test_a_silent_world_that_was_not_run_is_not_right():
    assert not Result("w", QUIET, [], None).right


def test_a_claim_in_a_silent_world_is_a_wrong_claim():
    assert result(QUIET, said(CART)).claim == (0.8, 0)
    assert result(QUIET, said(CART, ruled_out=True, verdict="recovered")).claim is None


def test_a_decoy_is_accused_ruled_out_or_not_named():
    label = Label(*CART, "s", "g", decoys=("app/pay", "app/web", "app/db"))
    record = said(CART, PAY).model_copy(
        update={"ranked": (*said(CART, PAY).ranked, *said(("b", "app/web"), ruled_out=True).ranked)}
    )
    found = dict(result(label, record).decoys())
    assert found == {"app/pay": "accused", "app/web": "ruled out", "app/db": "not named"}


def test_equal_confidence_is_a_tie_where_the_thing_alone_is_asked_for():
    tied = answers(("a", 0.9), ("b", 0.9), ("c", 0.5), ("d", 0.4))
    hits = Result("w", Label("", "b", "s", "g"), tied, None).hits
    assert (hits["object@1"], hits["object@3"]) == (0.5, 1)
    named = Result("w", Label("oom", "b", "s", "g"), tied, None).hits
    assert named["object@1"] == 0, "where the fault counts as well, the order is the answer"


def test_answers_without_a_confidence_are_in_their_order():
    rows = [{"entity": "a"}, {"entity": "b"}]
    assert Result("w", Label("", "b", "s", "g"), rows, None).hits["object@1"] == 0


@given(st.lists(st.lists(st.booleans(), min_size=1, max_size=3), max_size=3), st.integers(1, 4))
def test_the_expected_hit_is_the_mean_over_all_orders_of_the_ties(groups, depth):
    flat = [one for group in groups for one in group]
    orders = [[]]
    for group in groups:
        orders = [[*order, *way] for order in orders for way in permutations(group)]
    mean = sum(any(order[:depth]) for order in orders) / len(orders)
    assert expected_hit(flat, [len(group) for group in groups], depth) == pytest.approx(mean)
