"""What is seen from outside says where; what is seen inside says why, and is held to be the cause."""

import pytest

from assistant.incident import Edge, Entity
from assistant.topology import Topology
from tests.assistant.diagnosed import PORTAL, QUOTES, TARIFFS, concluded, found, service, workload

LEDGER = Entity(kind="StatefulSet", name="ledger", namespace="shop")
BILLS = workload("bills")
SHARED = Topology(
    (
        Edge(source=LEDGER, relation="serves", target=service("ledger")),
        Edge(source=service("ledger"), relation="called by", target=QUOTES),
        Edge(source=service("ledger"), relation="called by", target=BILLS),
        Edge(source=QUOTES, relation="called by", target=PORTAL),
        Edge(source=BILLS, relation="called by", target=PORTAL),
    )
)
FAILS = found("failing_dependency", LEDGER, details={"client": "quotes"})
REFUSED = found(
    "credentials_refused",
    QUOTES,
    strength=0.8,
    statement="quotes logs: db host ledger: password authentication failed",
)
SICK = (found("errors_high", LEDGER), found("errors_high", QUOTES), found("errors_high", PORTAL))


def first(*findings, topology=SHARED):
    best = concluded(findings, topology).hypotheses[0]
    return best.kind, best.entity


def test_the_one_caller_that_says_why_it_is_refused_outweighs_what_it_measures():
    assert first(FAILS, REFUSED, *SICK) == ("credentials_refused", QUOTES)


def test_a_server_that_fails_others_too_is_not_the_fault_of_one_caller():
    assert first(FAILS, REFUSED, *SICK, found("errors_high", BILLS)) == (
        "failing_dependency",
        LEDGER,
    )


def test_a_caller_that_speaks_of_something_else_explains_nothing_of_it():
    other = REFUSED.model_copy(
        update={"kind": "bad_config", "statement": "quotes logs: no value for currency"}
    )
    assert first(FAILS, other, *SICK)[0] == "failing_dependency"


@pytest.mark.parametrize("outside", ["failing_dependency", "slow_dependency"])
def test_a_clear_cause_at_the_same_thing_outweighs_that_it_fails(outside):
    kinds = [found(outside, LEDGER), found("lock_contention", LEDGER)]
    assert first(*kinds, *SICK) == ("lock_contention", LEDGER)


def test_a_stray_line_in_a_log_does_not_outweigh_what_was_measured():
    stray = found("lock_contention", LEDGER, strength=0.4)
    assert first(FAILS, stray, *SICK)[0] == "failing_dependency"


def test_a_cause_that_began_after_the_failures_does_not_explain_them():
    late = found("lock_contention", LEDGER, minutes=5)
    assert first(FAILS, late, *SICK)[0] == "failing_dependency"


def test_a_change_is_no_better_reason_than_the_service_that_selects_nothing_since():
    change = found(
        "recent_rollout",
        TARIFFS,
        minutes=21,
        details={"labels[tier]": "back -> rear"},
    )
    wrong = found("service_selector_mismatch", service("tariffs"), None, about=(TARIFFS,))
    ill = (found("failing_dependency", TARIFFS), found("errors_high", TARIFFS))
    made = concluded([change, wrong, *ill], entities=(TARIFFS,))
    assert [h.kind for h in made.hypotheses] == ["service_selector_mismatch"]


def test_a_limit_that_a_load_reached_is_the_cause_and_the_load_is_told_beside_it():
    scaler = Entity(kind="HorizontalPodAutoscaler", name="portal", namespace="shop")
    limit = found("hpa_at_max", scaler, None, about=(PORTAL,))
    load = found("load_spike", PORTAL, 16, strength=0.9)
    made = concluded([limit, load, found("latency_high", PORTAL, 15)])
    best = made.hypotheses[0]
    assert (best.kind, len(made.hypotheses)) == ("hpa_at_max", 1)
    assert best.statement.endswith("Under more load: Deployment shop/portal shows load_spike")
    assert load.id in best.findings
    assert set(load.citations) <= set(best.citations)
    assert "load_spike" not in {row.kind for row in made.rivals}, "it is told beside the cause"


def test_a_load_elsewhere_is_not_what_reached_the_limit():
    scaler = Entity(kind="HorizontalPodAutoscaler", name="portal", namespace="shop")
    limit = found("hpa_at_max", scaler, None, about=(PORTAL,))
    made = concluded([limit, found("load_spike", BILLS), found("latency_high", PORTAL, 15)])
    assert "load" not in made.hypotheses[0].statement
