"""What holds of every diagnosis, whatever was found."""

from hypothesis import given
from hypothesis import strategies as st

from assistant.diagnosis import BELIEVED, MOST_GUESSES, SUSPECTED
from assistant.diagnosis.changes import CLOCK_SLACK
from assistant.diagnosis.seen import Seen
from assistant.diagnosis.weighing import candidates
from assistant.faults import Role, catalogue, fault
from assistant.incident import Verdict
from tests.assistant.diagnosed import (
    CHAIN,
    NODE,
    PORTAL,
    QUOTES,
    SECRET,
    TARIFFS,
    concluded,
    found,
    incident,
    service,
    workload,
)

PLACES = [NODE, SECRET, PORTAL, QUOTES, TARIFFS, service("tariffs"), workload("other")]
OFTEN = ("recent_rollout", "recent_change", "errors_high", "missing_key", "oom_killed", "evicted")
SEVERAL = Verdict.SEVERAL_CAUSES
ILL = sorted(k for k, entry in catalogue().items() if entry.role in (Role.CAUSE, Role.SYMPTOM))
TOUCHED = (
    {},
    {"containers[web].image": "web:1 -> web:2"},
    {"containers[web].resources.limits.memory": "512Mi -> 128Mi"},
    {"containers[web].env[TARIFFS_URL]": "http://tariffs -> http://tarifs"},
    {"spec.replicas": "3 -> 1"},
)


def lists_of(kinds):
    """Findings of these kinds, anywhere in the shop and at any time."""
    one = st.builds(
        found,
        kinds,
        st.sampled_from(PLACES),
        st.none() | st.integers(0, 120),
        strength=st.floats(0, 1),
        active=st.booleans(),
        about=st.lists(st.sampled_from(PLACES), max_size=2).map(tuple),
        details=st.sampled_from(TOUCHED),
    )
    return st.lists(one, max_size=9, unique_by=lambda finding: finding.id)


FINDINGS = lists_of(st.sampled_from(OFTEN) | st.sampled_from(sorted(catalogue())))
CAUSES = lists_of(st.sampled_from(ILL))


@given(
    FINDINGS,
    st.randoms(use_true_random=False),
    st.booleans(),
    st.lists(st.sampled_from(PLACES), max_size=2, unique=True),
)
def test_the_order_of_findings_says_nothing(findings, chance, quiet, entities):
    shuffled = list(findings)
    chance.shuffle(shuffled)
    one = concluded(findings, entities=entities, quiet=quiet)
    assert one == concluded(shuffled, entities=entities, quiet=quiet)


@given(
    FINDINGS,
    st.booleans(),
    st.booleans(),
    st.lists(st.sampled_from(PLACES), max_size=2, unique=True),
)
def test_every_conclusion_stands_on_findings_that_are_there(findings, quiet, blind, entities):
    diagnosis = concluded(findings, entities=entities, quiet=quiet, blind=blind)
    known = {finding.id for finding in findings}
    cited = {citation for finding in findings for citation in finding.citations}
    for row in (*diagnosis.hypotheses, *diagnosis.rivals):
        assert 0 <= row.confidence <= 1
        assert set(row.findings) <= known
        assert set(row.explains) <= known
        assert set(row.citations) <= cited
        assert all(set(reason.citations) <= cited for reason in row.against)
    assert all(row.ruled_out and row.against for row in diagnosis.rivals)
    assert not any(row.ruled_out for row in diagnosis.hypotheses)


@given(FINDINGS, st.booleans())
def test_no_finding_is_counted_twice_and_no_thing_is_both_guilty_and_innocent(findings, quiet):
    diagnosis = concluded(findings, quiet=quiet)
    noise = [finding.id for finding in diagnosis.noise]
    assert len(noise) == len(set(noise))
    things = [row.entity for row in diagnosis.rivals]
    assert len(things) == len(set(things))
    assert not {row.entity for row in diagnosis.hypotheses} & set(things)


@given(FINDINGS, st.booleans())
def test_a_verdict_fits_its_hypotheses(findings, quiet):
    diagnosis = concluded(findings, quiet=quiet)
    count = len(diagnosis.hypotheses)
    fits = {
        Verdict.CAUSE_FOUND: count >= 1,
        Verdict.SEVERAL_CAUSES: count > 1,
        Verdict.RECOVERED: count == 0,
        Verdict.HEALTHY: count == 0,
        Verdict.INCONCLUSIVE: True,
    }
    assert fits[diagnosis.verdict]


@given(FINDINGS, st.booleans(), st.sampled_from(PLACES))
def test_what_was_looked_at_and_is_well_changes_no_conclusion(findings, quiet, place):
    clear = found("dependency_steady", place, None)
    one, other = concluded(findings, quiet=quiet), concluded([*findings, clear], quiet=quiet)
    assert (one.verdict, one.hypotheses) == (other.verdict, other.hypotheses)


@given(CAUSES, st.lists(st.sampled_from(PLACES), max_size=2, unique=True), st.data())
def test_without_one_finding_no_other_cause_is_believed_that_was_not_before(
    findings, entities, data
):
    gone = data.draw(st.sampled_from(findings)) if findings else None
    before = believed(findings, entities)
    after = believed([finding for finding in findings if finding is not gone], entities)
    causes = fault(gone.kind).role is Role.CAUSE if gone else False
    assert not causes or after <= before


def believed(findings, entities):
    """The findings that would be called the cause, were they the best."""
    seen = Seen.of(incident(entities)[1], findings, CHAIN)
    return {item.finding.id for item in candidates(seen) if item.confidence >= BELIEVED}


@given(FINDINGS, st.booleans())
def test_a_change_is_blamed_only_where_something_is_ill_that_began_after_it(findings, quiet):
    for row in concluded(findings, quiet=quiet).hypotheses:
        change = next(finding for finding in findings if finding.id == row.findings[0])
        if fault(change.kind).role is not Role.CHANGE:
            continue
        after = [
            finding
            for finding in findings
            if finding.began and change.began and finding.began >= change.began - CLOCK_SLACK
        ]
        assert any(fault(finding.kind).role in (Role.CAUSE, Role.SYMPTOM) for finding in after)
        restart = change.kind == "recent_rollout" and not change.details
        assert not restart, "a restart changes nothing"


@given(FINDINGS, st.booleans())
def test_nothing_that_is_hardly_believed_is_put_forward(findings, quiet):
    diagnosis = concluded(findings, quiet=quiet)
    assert all(row.confidence >= SUSPECTED for row in diagnosis.hypotheses)
    assert len(diagnosis.hypotheses) <= MOST_GUESSES or diagnosis.verdict is SEVERAL
