"""Changes in a diagnosis: which is convicted, which set a cause off, and why the others are innocent."""

import pytest

from assistant.changed import DORMANT, NEW_PODS, OLD_PODS, RETURNS_TO, SUMMARY
from assistant.diagnosis.touched import Fit, fit
from assistant.diagnosis.words import shared_words
from assistant.incident import Edge, Entity, Verdict
from assistant.topology import Topology
from tests.assistant.diagnosed import (
    CHAIN,
    PORTAL,
    QUOTES,
    SECRET,
    TARIFFS,
    concluded,
    found,
    service,
    why_not,
    workload,
)

IMAGE = {"containers[app].image": "app:1 -> app:2"}
SETTINGS = Entity(kind="ConfigMap", name="tariffs-config", namespace="shop")
WITH_SETTINGS = Topology(
    (*CHAIN.edges, Edge(source=SETTINGS, relation="needed by", target=TARIFFS))
)
FAILING = [
    found("failing_dependency", TARIFFS, 27),
    found("errors_high", TARIFFS, 27),
    found("errors_high", QUOTES, 27),
    found("errors_high", PORTAL, 26),
]


def rollout(entity, minutes, touched=IMAGE, **fields):
    return found("recent_rollout", entity, minutes, details=touched, **fields)


def best(findings, topology=CHAIN, **more):
    return concluded(findings, topology, **more).hypotheses[0]


def test_a_release_where_the_failing_begins_is_the_cause_and_says_what_speaks_for_it():
    diagnosis = concluded([*FAILING, rollout(TARIFFS, 29)])
    guilty = diagnosis.hypotheses[0]
    assert diagnosis.verdict is Verdict.CAUSE_FOUND
    assert (guilty.kind, guilty.entity) == ("bad_release", TARIFFS)
    assert "by the calls that were measured it begins here" in guilty.statement


def test_new_pods_that_are_ill_beside_old_ones_that_are_well_convict_a_release():
    torn = {**IMAGE, NEW_PODS: "0 of 2 Ready", OLD_PODS: "2 of 2 Ready"}
    one = best([rollout(PORTAL, 28, torn), found("readiness_failing", PORTAL, 27)])
    whole = {**IMAGE, NEW_PODS: "0 of 2 Ready"}
    other = best([rollout(PORTAL, 28, whole), found("readiness_failing", PORTAL, 27)])
    assert one.kind == other.kind == "bad_release"
    assert one.confidence > other.confidence


def test_with_nothing_but_its_time_against_it_a_release_is_a_guess():
    diagnosis = concluded([rollout(PORTAL, 28), found("errors_high", PORTAL, 26)])
    assert diagnosis.verdict is Verdict.INCONCLUSIVE
    assert diagnosis.hypotheses[0].kind == "bad_release"
    assert "rollout history deployment/portal" in diagnosis.hypotheses[0].next_check


@pytest.mark.parametrize(
    ("minutes", "touched", "why"),
    [
        (8, IMAGE, "it was made 19 min after the trouble had begun"),
        (29, {}, "it changed nothing: the same template was started again"),
        (29, {**IMAGE, DORMANT: "nothing reads it"}, "it is not in effect: nothing reads it"),
        (70, IMAGE, "43 min went well between it and the first trouble there"),
    ],
)
def test_a_change_at_a_victim_is_acquitted_by_the_first_reason_that_holds(minutes, touched, why):
    lonely = [found("failing_dependency", TARIFFS, 27), found("errors_high", QUOTES, 27)]
    apart = Topology(())
    diagnosis = concluded([*lonely, rollout(QUOTES, minutes, touched)], apart, entities=())
    assert why_not(diagnosis, QUOTES) == why


def test_a_release_of_a_caller_is_acquitted_because_the_trouble_comes_to_it():
    diagnosis = concluded([*FAILING, rollout(PORTAL, 28)])
    assert diagnosis.hypotheses[0].entity == TARIFFS
    assert "depends on" in why_not(diagnosis, PORTAL)
    assert "tariffs" in why_not(diagnosis, PORTAL)


def test_an_acquittal_cites_what_it_rests_on():
    deploy = rollout(PORTAL, 28)
    diagnosis = concluded([*FAILING, deploy])
    row = next(row for row in diagnosis.rivals if row.entity == PORTAL)
    assert set(FAILING[0].citations) <= set(row.against[0].citations)


def test_a_change_that_could_not_bring_this_about_is_acquitted_by_its_content():
    labels = {"labels[team]": "a -> b"}
    broken = [found("oom_killed", PORTAL, 20), found("errors_high", QUOTES, 26)]
    diagnosis = concluded([*broken, rollout(QUOTES, 28, labels)], Topology(()), entities=())
    assert why_not(diagnosis, QUOTES).startswith("what it touched (labels[team]) does not")


def test_a_return_to_an_earlier_revision_weighs_less_than_a_new_one():
    back = {**IMAGE, RETURNS_TO: "3"}
    new, old = (best([*FAILING, rollout(TARIFFS, 29, t)]) for t in (IMAGE, back))
    assert new.kind == "bad_release"
    assert old.kind == "failing_dependency"


def test_what_was_ill_before_it_was_not_made_ill_by_it():
    diagnosis = concluded([*FAILING, rollout(TARIFFS, 20)])
    assert diagnosis.hypotheses[0].kind == "failing_dependency"


def test_a_more_specific_cause_at_the_same_thing_takes_the_change_as_its_trigger():
    killed = found("oom_killed", TARIFFS, 26)
    smaller = {"containers[app].resources.limits.memory": "512Mi -> 128Mi"}
    guilty = best([*FAILING, killed, rollout(TARIFFS, 29, smaller)])
    assert guilty.kind == "oom_killed"
    assert "Just before" in guilty.statement


@pytest.mark.parametrize(
    "touched",
    [
        {},
        {"containers[app].resources.limits.memory": "128Mi -> 512Mi"},
        {"containers[app].readinessProbe.httpGet.port": "80 -> 81"},
    ],
)
def test_a_change_that_cannot_have_set_a_cause_off_is_not_its_trigger(touched):
    killed = found("oom_killed", TARIFFS, 26)
    guilty = best([killed, rollout(TARIFFS, 29, touched)])
    assert "Just before" not in guilty.statement


def test_of_two_changes_the_one_whose_content_fits_is_the_trigger():
    missing = found(
        "missing_env", TARIFFS, 27, statement="tariffs logs: RATE_TABLE is not set", strength=0.9
    )
    env = {"containers[app].env[RATE_TABLE]": "v3 -> None"}
    fits, later = rollout(TARIFFS, 30, env), found("recent_change", TARIFFS, 28)
    assert fits.id in best([*FAILING, missing, fits, later]).findings


def test_a_written_configmap_whose_user_fails_since_is_the_cause():
    written = found("recent_config_change", SETTINGS, 29, details={"data.PAGE_SIZE": "written"})
    says = found(
        "noisy_log", TARIFFS, 27, statement="tariffs logs: page size 400 out of range", strength=0.3
    )
    guilty = best([*FAILING, says, written], WITH_SETTINGS)
    assert (guilty.kind, guilty.entity) == ("config_changed", SETTINGS)


def test_a_configmap_that_no_pod_has_read_since_is_innocent():
    written = found(
        "recent_config_change",
        SETTINGS,
        29,
        details={"data.PAGE_SIZE": "written", DORMANT: "no pod that reads it was started since"},
    )
    diagnosis = concluded([*FAILING, written], WITH_SETTINGS)
    assert diagnosis.hypotheses[0].kind == "failing_dependency"
    assert "no pod that reads it" in why_not(diagnosis, SETTINGS)


def test_two_changes_that_nothing_tells_apart_are_a_tie_and_are_given_as_one():
    written = found("recent_config_change", SETTINGS, 29, details={"data": "written"})
    image = found("recent_rollout", TARIFFS, 29, details={"containers[app].env[A_B]": "1 -> 2"})
    diagnosis = concluded([*FAILING, written, image], WITH_SETTINGS)
    assert diagnosis.verdict is Verdict.INCONCLUSIVE
    assert {row.entity for row in diagnosis.hypotheses} == {SETTINGS, TARIFFS}
    assert all(row.confidence <= 0.5 for row in diagnosis.hypotheses)
    assert all("whether" in row.next_check for row in diagnosis.hypotheses)


def test_a_release_at_an_ill_thing_is_innocent_of_what_a_named_cause_below_it_explains():
    key = found("missing_key", SECRET, 28, about=(TARIFFS,))
    diagnosis = concluded([*FAILING, key, rollout(QUOTES, 29)])
    assert [row.entity for row in diagnosis.hypotheses] == [SECRET]
    assert "depends on Secret shop/tariffs-db" in why_not(diagnosis, QUOTES)


def test_the_thing_whose_change_set_a_cause_off_is_not_called_innocent_beside_it():
    change = found("recent_change", SECRET, 33, details={SUMMARY: "Rotated tariffs-db"})
    again = found("recent_config_change", SECRET, 33, details={"data": "written"})
    key = found("missing_key", SECRET, 30, about=(TARIFFS,))
    diagnosis = concluded([*FAILING, key, change, again])
    assert SECRET not in {row.entity for row in diagnosis.rivals}


def test_an_announcement_of_something_else_is_at_most_a_guess():
    mail = found("recent_change", PORTAL, 28, details={SUMMARY: "Newsletter sent"})
    diagnosis = concluded([mail, found("errors_high", PORTAL, 26)])
    assert diagnosis.verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("path", "value", "kind", "expected"),
    [
        ("containers[a].livenessProbe.httpGet.port", "80 -> 81", "liveness_failing", Fit.KIND),
        ("containers[a].readinessProbe.httpGet.port", "80 -> 81", "oom_killed", Fit.NONE),
        ("containers[a].resources.limits.memory", "1Gi -> 256Mi", "oom_killed", Fit.KIND),
        ("containers[a].resources.limits.memory", "256Mi -> 1Gi", "oom_killed", Fit.NONE),
        ("containers[a].resources.limits.memory", "None -> 256Mi", "oom_killed", Fit.KIND),
        ("containers[a].resources.requests.cpu", "2 -> 250m", "cpu_capacity_mismatch", Fit.NONE),
        ("containers[a].resources.requests.cpu", "250m -> 2", "cpu_capacity_mismatch", Fit.KIND),
        ("containers[a].command", "run -> rum", "bad_command", Fit.KIND),
        ("containers[a].image", "a:1 -> a:2", "errors_high", Fit.OPEN),
        ("containers[a].env[A_B]", "1 -> 2", "errors_high", Fit.OPEN),
        ("labels[team]", "a -> b", "errors_high", Fit.NONE),
        ("spec.replicas", "3 -> 0", "deployment_zero_replicas", Fit.KIND),
        ("nodeSelector[disk]", "ssd -> nvme", "node_selector_mismatch", Fit.KIND),
        ("serviceAccountName", "a -> b", "missing_service_account", Fit.KIND),
        ("something.new", "a -> b", "errors_high", Fit.OPEN),
    ],
)
def test_what_was_touched_is_compared_with_what_is_wrong(path, value, kind, expected):
    change = found("recent_rollout", PORTAL, 30, details={path: value})
    assert fit(change, found(kind, PORTAL)) is expected


@pytest.mark.parametrize(
    ("path", "value", "said", "named"),
    [
        ("containers[a].env[DB_HOST]", "a -> b", "variable DB_HOST is not set", {"db_host"}),
        ("data.PLAN_CACHE_MB", "written", "plan cache 441 of 448 MiB", {"plan_cache"}),
        ("containers[a].env[URL]", "x -> http://rates-v2.shop", "lookup rates-v2.shop", {"rates_v2_shop"}),
        ("containers[a].env[TTL]", "5 -> 6", "the ttl of this entry is over", set()),
        ("containers[portal].image", "portal:1 -> portal:2", "portal answers 503", set()),
    ],
)  # fmt: skip
def test_a_trouble_that_speaks_of_what_was_changed_is_heard(path, value, said, named):
    change = found("recent_rollout", PORTAL, 30, details={path: value})
    assert set(shared_words(change, found("errors_high", PORTAL, statement=said))) == named


def test_a_release_of_a_bystander_counts_its_pods():
    other = workload("notices")
    well = rollout(other, 40, {**IMAGE, NEW_PODS: "3 of 3 Ready"})
    assert why_not(concluded([*FAILING, well]), other).endswith("since; of its pods 3 of 3 Ready")


def test_the_service_of_a_changed_workload_is_the_workload_s_own_place():
    silent = found("service_without_endpoints", service("tariffs"), 27)
    guilty = best([silent, rollout(TARIFFS, 29)])
    assert guilty.entity == TARIFFS
