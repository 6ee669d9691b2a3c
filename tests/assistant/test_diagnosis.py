"""Diagnosis: the few causes that account for what was found, and by name why the others do not."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.diagnosis import Diagnosis, diagnose
from assistant.faults import catalogue
from assistant.incident import (
    Alert,
    Citation,
    Edge,
    Entity,
    Finding,
    Scope,
    Verdict,
    Window,
)
from assistant.topology import Topology

NOW = datetime(2026, 3, 14, 2, 26, tzinfo=UTC)
BEGAN = NOW - timedelta(minutes=15)
SECRET = Entity(kind="Secret", name="tariffs-db", namespace="shop")
NODE = Entity(kind="Node", name="worker-1")


def workload(name):
    return Entity(kind="Deployment", name=name, namespace="shop")


def service(name):
    return Entity(kind="Service", name=name, namespace="shop")


PORTAL, QUOTES, TARIFFS = workload("portal"), workload("quotes"), workload("tariffs")


def ways(*pairs, relation="called by"):
    return Topology(tuple(Edge(source=a, relation=relation, target=b) for a, b in pairs))


CHAIN = Topology(
    (
        Edge(source=SECRET, relation="needed by", target=TARIFFS),
        Edge(source=TARIFFS, relation="serves", target=service("tariffs")),
        Edge(source=service("tariffs"), relation="called by", target=QUOTES),
        Edge(source=QUOTES, relation="called by", target=PORTAL),
    )
)


def found(kind, entity, minutes=20, **fields):
    """A finding that began so many minutes ago."""
    began = None if minutes is None else NOW - timedelta(minutes=minutes)
    quote = f"{kind} {entity}"
    given_ = {"statement": f"{entity} shows {kind}", "began": began, **fields}
    citation = Citation(evidence=f"e-{kind}-{entity.name}", quote=quote)
    return Finding(kind=kind, entity=entity, citations=(citation,), **given_)


def concluded(findings, topology=CHAIN, *, entities=(PORTAL,), quiet=False, **more) -> Diagnosis:
    window = Window(start=NOW - timedelta(hours=1, minutes=15), end=NOW)
    scope = Scope(namespaces=("shop",), entities=tuple(entities), window=window, began=BEGAN)
    alert = Alert(id="Q1", title="portal answers 503", created_at=BEGAN)
    return diagnose(alert, scope, findings, topology, quiet=quiet, **more)


def rival(diagnosis, entity):
    return next(row for row in diagnosis.rivals if row.entity == entity)


BROKEN = [
    found("missing_key", SECRET, 30, about=(TARIFFS,)),
    found("service_without_endpoints", service("tariffs"), 29),
    found("errors_high", QUOTES, 27),
    found("errors_high", PORTAL, 26),
]


def test_a_bad_secret_explains_the_service_and_its_callers():
    diagnosis = concluded(BROKEN)
    best = diagnosis.hypotheses[0]
    assert diagnosis.verdict is Verdict.CAUSE_FOUND
    assert (best.kind, best.entity) == ("missing_key", SECRET)
    assert set(best.explains) == {f.id for f in BROKEN[1:]}
    assert (best.chain[0], best.chain[-1]) == (SECRET, PORTAL)
    assert best.confidence > 0.9
    assert best.against == ()


def test_what_follows_from_the_cause_is_told_so():
    reason = rival(concluded(BROKEN), QUOTES).against[0].text
    assert reason.startswith("it follows from Secret shop/tariffs-db")


def test_a_cause_that_began_after_its_effect_is_doubted():
    early = concluded([found("oom_killed", TARIFFS, 30), found("errors_high", PORTAL, 26)])
    late = concluded([found("oom_killed", TARIFFS, 5), found("errors_high", PORTAL, 26)])
    assert late.hypotheses[0].confidence < early.hypotheses[0].confidence
    assert late.hypotheses[0].explains == ()
    assert "after the alert began" in late.hypotheses[0].against[0].text


def test_clocks_may_differ_by_two_minutes():
    diagnosis = concluded([found("oom_killed", TARIFFS, 25), found("errors_high", PORTAL, 26)])
    assert len(diagnosis.hypotheses[0].explains) == 1


def test_a_deploy_after_the_onset_is_acquitted_by_name():
    deploy = found("recent_rollout", QUOTES, 8, details={"image": "quotes:1 -> quotes:2"})
    diagnosis = concluded([*BROKEN, deploy])
    assert [h.entity for h in diagnosis.hypotheses] == [SECRET]
    assert rival(diagnosis, QUOTES).ruled_out


def test_a_deploy_of_something_that_is_well_is_acquitted_by_name():
    other = workload("notices")
    deploy = found("recent_rollout", other, 40, details={"image": "notices:1 -> notices:2"})
    row = rival(concluded([*BROKEN, deploy]), other)
    assert row.against[0].text == f"nothing that was seen is wrong with {other} since"
    assert row.ruled_out


def test_a_deploy_just_before_of_what_is_ill_without_a_better_reason_is_suspected():
    deploy = found("recent_rollout", PORTAL, 28, details={"image": "portal:1 -> portal:2"})
    diagnosis = concluded([deploy, found("errors_high", PORTAL, 26)])
    best = diagnosis.hypotheses[0]
    assert (best.kind, best.entity) == ("bad_release", PORTAL)
    assert deploy.id in best.findings, "it cites the finding that a check made"


def test_a_change_of_the_thing_just_before_is_named_with_the_cause():
    change = found("recent_change", SECRET, 33)
    best = concluded([*BROKEN, change]).hypotheses[0]
    assert change.id in best.findings
    assert change.citations[0] in best.citations
    assert "Just before" in best.statement
    assert best.confidence > concluded(BROKEN).hypotheses[0].confidence - 0.01


def test_noise_from_before_the_window_is_set_apart():
    other = workload("notices")
    old = found("oom_killed", other, 60 * 30)
    over = found("restarted", PORTAL, 30, active=False)
    diagnosis = concluded([*BROKEN, old, over])
    assert {f.id for f in diagnosis.noise} == {old.id, over.id}
    assert [h.entity for h in diagnosis.hypotheses] == [SECRET]
    assert "before the alert began" in rival(diagnosis, other).against[0].text


def test_two_unrelated_faults_are_two_causes():
    orders, payments = workload("orders"), workload("payments")
    built = ways((orders, PORTAL), (payments, PORTAL))
    diagnosis = concluded(
        [
            found("oom_killed", orders, 30),
            found("missing_secret", payments, 29),
            found("errors_high", PORTAL, 26),
        ],
        built,
    )
    assert diagnosis.verdict is Verdict.SEVERAL_CAUSES
    assert {h.entity for h in diagnosis.hypotheses} == {orders, payments}


def test_one_node_behind_three_workloads_is_the_node():
    rows = [workload(name) for name in ("a", "b", "c")]
    built = Topology(
        (
            *(Edge(source=NODE, relation="runs", target=row) for row in rows),
            *(Edge(source=row, relation="called by", target=PORTAL) for row in rows),
        )
    )
    findings = [
        found("kubelet_unavailable", NODE, 30, about=tuple(rows)),
        *(found("volume_full", row, 27, strength=0.95) for row in rows),
        found("errors_high", PORTAL, 26),
    ]
    diagnosis = concluded(findings, built)
    assert diagnosis.verdict is Verdict.CAUSE_FOUND
    assert [h.entity for h in diagnosis.hypotheses] == [NODE]
    assert all(
        "follows from Node worker-1" in rival(diagnosis, row).against[0].text for row in rows
    )


def test_a_quiet_alert_has_recovered_although_something_unrelated_is_broken():
    other = workload("banner")
    diagnosis = concluded([found("incorrect_image_reference", other, 30)], quiet=True)
    assert diagnosis.verdict is Verdict.RECOVERED
    assert diagnosis.hypotheses == ()
    assert rival(diagnosis, other).ruled_out


def test_a_quiet_alert_whose_own_thing_is_still_broken_has_not_recovered():
    diagnosis = concluded([found("oom_killed", PORTAL, 30)], quiet=True)
    assert diagnosis.verdict is Verdict.CAUSE_FOUND


def test_nothing_found_is_healthy():
    diagnosis = concluded([])
    assert (diagnosis.verdict, diagnosis.hypotheses) == (Verdict.HEALTHY, ())


def test_nothing_found_where_too_little_was_seen_is_not_healthy():
    assert concluded([], blind=True).verdict is Verdict.INCONCLUSIVE


def test_a_symptom_without_a_cause_is_inconclusive_and_never_healthy():
    assert concluded([found("errors_high", PORTAL, 26)]).verdict is Verdict.INCONCLUSIVE


def test_weak_signs_are_inconclusive_and_the_next_check_names_the_rival():
    orders = workload("orders")
    weak = [
        found("pool_exhausted", TARIFFS, 25, strength=0.5),
        found("pool_exhausted", orders, 25, strength=0.4),
    ]
    diagnosis = concluded([*weak, found("errors_high", PORTAL, 26)])
    assert diagnosis.verdict is Verdict.INCONCLUSIVE
    best = diagnosis.hypotheses[0]
    assert str(TARIFFS) in best.next_check
    assert str(orders) in best.next_check


def test_a_cause_that_cannot_reach_the_alert_is_doubted_for_it():
    far = workload("batch")
    diagnosis = concluded([found("oom_killed", far, 30)])
    assert "no way is known" in diagnosis.hypotheses[0].against[0].text


def test_a_cause_that_is_found_says_how_its_fix_is_verified():
    assert concluded(BROKEN).hypotheses[0].next_check.startswith("after the fix: ")


PLACES = [NODE, SECRET, PORTAL, QUOTES, TARIFFS, service("tariffs"), workload("other")]
OFTEN = ("recent_rollout", "recent_change", "errors_high", "missing_key", "oom_killed", "evicted")
FINDINGS = st.lists(
    st.builds(
        found,
        st.sampled_from(OFTEN) | st.sampled_from(sorted(catalogue())),
        st.sampled_from(PLACES),
        st.none() | st.integers(0, 120),
        strength=st.floats(0, 1),
        active=st.booleans(),
        about=st.lists(st.sampled_from(PLACES), max_size=2).map(tuple),
    ),
    max_size=9,
    unique_by=lambda finding: finding.id,
)


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
    kinds = {(row.kind, row.entity) for row in diagnosis.hypotheses}
    assert not kinds & {(row.kind, row.entity) for row in diagnosis.rivals}


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


@pytest.mark.parametrize("kind", sorted(catalogue()))
def test_every_kind_can_be_concluded_over(kind):
    diagnosis = concluded([found(kind, PORTAL, 30)])
    assert diagnosis.verdict in Verdict


@pytest.mark.parametrize(
    ("blind", "verdict"), [(False, Verdict.CAUSE_FOUND), (True, Verdict.INCONCLUSIVE)]
)
def test_a_cause_known_by_its_callers_alone_is_not_found_where_nobody_could_look_inside(
    blind, verdict
):
    slow = [found("slow_dependency", TARIFFS, 25), found("latency_high", PORTAL, 24)]
    diagnosis = concluded(slow, blind=blind)
    assert diagnosis.verdict is verdict
    assert diagnosis.hypotheses[0].entity == TARIFFS
