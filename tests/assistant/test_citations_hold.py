"""A claim whose evidence is not there is seen in the report, whoever made it up."""

import pytest

from assistant.incident import Citation, Cost
from assistant.triage.compose import Parts, compose, unsupported
from assistant.triage.view import View
from tests.assistant.checks.cluster import evidence
from tests.assistant.diagnosed import NOW, PORTAL, concluded, found, incident

SEEN = evidence("kubernetes.list_resources", {"kind": "Pod"}, {"items": ["OOMKilled, 5 restarts"]})


def report(*citations):
    finding = found("oom_killed", PORTAL, 20).model_copy(update={"citations": citations})
    alert, scope = incident()
    parts = Parts(
        id="t1",
        alert=alert,
        scope=scope,
        diagnosis=concluded([finding]),
        findings=(finding,),
        runbooks=(),
        failures=(),
    )
    return compose(parts, View((SEEN,)), Cost(seconds=1, calls=1), NOW)


def test_what_stands_in_the_evidence_is_supported():
    made = report(SEEN.cite("OOMKilled"))
    assert made.hypotheses
    assert unsupported(made) == []


@pytest.mark.parametrize(
    "forged",
    [
        Citation(evidence="e00000000", quote="OOMKilled"),
        Citation(evidence=SEEN.id, quote="7 restarts"),
    ],
)
def test_a_citation_of_unknown_evidence_or_of_words_that_are_not_in_it_is_found_out(forged):
    assert unsupported(report(SEEN.cite("OOMKilled"), forged)) != []


def test_words_that_are_not_there_cannot_be_cited_in_the_first_place():
    with pytest.raises(ValueError, match="does not hold '7 restarts'"):
        SEEN.cite("7 restarts")
