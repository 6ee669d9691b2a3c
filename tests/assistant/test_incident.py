"""The nouns: nothing can be claimed without a citation, and nothing cited that was not seen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from assistant.incident import (
    Citation,
    Entity,
    Finding,
    Hypothesis,
    Reason,
    Status,
    evidence_id,
    scalars,
)
from tests.assistant.checks.cluster import evidence

WEB = Entity(kind="Deployment", name="web", namespace="shop")
SAID = (Citation(evidence="e1", quote="x"),)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


def test_a_finding_without_a_citation_cannot_be_made():
    with pytest.raises(ValidationError, match="citations"):
        Finding(kind="oom_killed", entity=WEB, statement="it was killed", citations=())


def test_a_hypothesis_without_a_citation_or_without_a_finding_cannot_be_made():
    given_ = {"kind": "oom_killed", "entity": WEB, "statement": "x", "confidence": 0.9}
    with pytest.raises(ValidationError, match="citations"):
        Hypothesis(**given_, findings=("f1",), citations=())
    with pytest.raises(ValidationError, match="findings"):
        Hypothesis(**given_, findings=(), citations=SAID)


def test_a_reason_against_something_is_cited_too():
    with pytest.raises(ValidationError, match="citations"):
        Reason(text="it began later", citations=())


@pytest.mark.parametrize("confidence", [-0.1, 1.1, float("nan")])
def test_a_confidence_outside_nought_and_one_cannot_be_given(confidence):
    with pytest.raises(ValidationError, match="confidence"):
        Hypothesis(
            kind="oom_killed",
            entity=WEB,
            statement="x",
            confidence=confidence,
            findings=("f1",),
            citations=SAID,
        )


def test_nothing_is_changed_after_it_was_made():
    with pytest.raises(ValidationError, match="frozen"):
        WEB.name = "other"


def test_words_that_do_not_stand_in_the_evidence_cannot_be_cited():
    seen = evidence("t", {}, {"items": [{"reason": "OOM\nKilled", "count": 3}]})
    assert seen.cite("OOM Killed").quote == "OOM Killed", "white space is folded"
    assert seen.cite(3)
    assert seen.cite("reason"), "keys count as words"
    with pytest.raises(ValueError, match="does not hold 'Evicted'"):
        seen.cite("Evicted")


def test_a_quote_never_runs_from_one_value_into_the_next():
    seen = evidence("t", {}, ["not", "found"])
    assert not seen.holds("not found")


def test_what_is_absent_is_cited_by_the_whole_answer():
    assert evidence("t", {}, None).cite_absence().quote == ""


@given(JSON)
def test_every_value_of_an_answer_can_be_cited(data):
    seen = evidence("t", {}, data)
    for leaf in scalars(data):
        assert seen.holds(leaf)


@given(st.dictionaries(st.text(max_size=6), st.integers() | st.text(max_size=6), max_size=6))
def test_the_same_question_has_the_same_id_in_any_order(arguments):
    turned = dict(reversed(list(arguments.items())))
    assert evidence_id("t", arguments) == evidence_id("t", turned)


def test_another_tool_or_another_argument_is_another_question():
    ids = {
        evidence_id("a", {}),
        evidence_id("b", {}),
        evidence_id("a", {"x": 1}),
        evidence_id("a", {"x": "1"}),
    }
    assert len(ids) == 4


def test_the_id_of_a_finding_is_made_of_what_it_says_and_not_of_when_it_was_seen():
    one = Finding(
        kind="oom_killed", entity=WEB, statement="x", citations=SAID, details={"a": "1", "b": "2"}
    )
    same = one.model_copy(
        update={"statement": "y", "details": {"b": "2", "a": "1"}, "strength": 0.2}
    )
    other = one.model_copy(update={"details": {"a": "2"}})
    assert one.id == same.id
    assert one.id != other.id


def test_only_answers_say_anything_of_the_world():
    assert {s for s in Status if s.seen} == {Status.OK, Status.EMPTY, Status.STALE}


def test_an_entity_reads_as_kubectl_users_say_it():
    assert str(WEB) == "Deployment shop/web"
    assert str(Entity(kind="Node", name="worker-1")) == "Node worker-1"
