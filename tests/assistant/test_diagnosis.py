"""Diagnosis: the few causes that account for what was found, and by name why the others do not."""

import pytest

from assistant.faults import catalogue
from assistant.incident import Edge, Entity, Verdict
from assistant.topology import Topology
from tests.assistant.diagnosed import (
    NODE,
    PORTAL,
    QUOTES,
    SECRET,
    TARIFFS,
    concluded,
    found,
    rival,
    service,
    ways,
    workload,
)

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


@pytest.mark.parametrize("kind", sorted(catalogue()))
def test_every_kind_can_be_concluded_over(kind):
    diagnosis = concluded([found(kind, PORTAL, 30)])
    assert diagnosis.verdict in Verdict


@pytest.mark.parametrize("blind", [True, False])
def test_metrics_that_tell_where_and_not_why_name_the_workload_and_no_cause(blind):
    slow = [found("slow_dependency", TARIFFS, 25), found("latency_high", PORTAL, 24)]
    diagnosis = concluded(slow, blind=blind)
    assert diagnosis.verdict is Verdict.INCONCLUSIVE
    assert diagnosis.hypotheses[0].entity == TARIFFS


@pytest.mark.parametrize(
    ("blind", "verdict"), [(False, Verdict.CAUSE_FOUND), (True, Verdict.INCONCLUSIVE)]
)
def test_what_is_not_ours_is_found_by_its_answers_unless_too_much_stayed_unseen(blind, verdict):
    partner = Entity(kind="Service", name="api.partner.example")
    slow = [found("slow_dependency", partner, 25), found("latency_high", PORTAL, 24)]
    diagnosis = concluded(slow, ways((partner, PORTAL)), blind=blind)
    assert diagnosis.verdict is verdict
    assert diagnosis.hypotheses[0].entity == partner
