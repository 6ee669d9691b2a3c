"""Leave-one-out: one of our own worlds without each family, and what is made of it."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from assistant.checks import CHECKS
from eval.ablate import Ablation, ablated
from eval.labels import Label, read_labels
from eval.losses import losses, page
from eval.records import Ranked, Record, append
from eval.run import Plan
from tests.lab.small_world import needs_prometheus

LABEL = Label("oom_killed", "app/cart", "s", "g")


def said(*named, verdict="cause found"):
    ranked = tuple(
        Ranked(kind=fault, entity=entity, confidence=0.9, fault=fault, named=entity)
        for fault, entity in named
    )
    return Record(world="w", verdict=verdict, ranked=ranked)


def without(record, whole=None):
    right = whole or said(("oom_killed", "app/cart"))
    return Ablation(world="w", whole=right, without={"crashes": record})


def only_loss(record, labels, whole=None):
    (loss,) = losses([without(record, whole)], labels)
    return loss.lost, loss.accused, loss.elsewhere


@needs_prometheus
def test_without_the_family_that_knows_the_fault_a_world_is_answered_otherwise(tmp_path):
    plan = Plan(("amber",), tmp_path / "out.jsonl")
    rows = ablated(plan, Console(file=StringIO()))
    (amber,) = rows
    assert set(amber.without) == set(CHECKS)
    assert amber.whole.ranked[0].kind == "incorrect_image_reference"
    assert amber.without["storage"].ranked[0].kind == "incorrect_image_reference"
    assert amber.without["images"].ranked[0].kind != "incorrect_image_reference"
    assert "images" in {loss.family for loss in losses(rows, read_labels("builtin"))}
    assert ablated(plan, Console(file=StringIO())) == rows, "what was done is not done again"


def test_another_answer_that_is_believed_is_a_new_accusation():
    assert only_loss(said(("bad_command", "app/pay")), {"w": LABEL}) == (True, True, True)
    assert only_loss(said(("bad_command", "app/cart")), {"w": LABEL}) == (True, True, False)


def test_to_be_unsure_is_a_loss_and_no_accusation():
    unsure = said(("bad_command", "app/pay"), verdict="inconclusive")
    assert only_loss(unsure, {"w": LABEL}) == (True, False, False)


def test_an_accusation_that_all_families_make_is_not_a_new_one():
    wrong = said(("bad_command", "app/pay"))
    assert only_loss(said(("noisy", "app/x")), {"w": LABEL}, wrong) == (False, False, False)


def test_a_belief_in_a_silent_world_is_a_new_accusation():
    quiet = Label("", "", "s", "g", verdict="healthy")
    healthy = said(verdict="healthy")
    assert only_loss(said(("a", "x")), {"w": quiet}, healthy) == (True, True, True)


@pytest.mark.parametrize("whole", [None, said(verdict="healthy")])
def test_without_labels_the_answer_of_all_families_is_taken_for_right(whole):
    assert only_loss(said(("a", "x")), {}, whole)[:2] == (True, True)
    same = whole or said(("oom_killed", "app/cart"))
    assert list(losses([without(same, whole)], {})) == []


def test_the_page_fits_a_terminal_and_names_each_accusation():
    text = list(page([without(said(("bad_command", "app/pay" * 9)))], {"w": LABEL}))
    assert max(map(len, text)) <= 100
    assert any("without crashes, w: oom_killed app/cart" in line for line in text)


def test_a_world_in_the_file_is_not_run_again(tmp_path):
    out = tmp_path / "out.jsonl"
    kept = without(said(("a", "x"))).model_copy(update={"world": "birch"})
    append(out, kept)
    assert ablated(Plan(("birch",), out), Console(file=StringIO())) == [kept]
