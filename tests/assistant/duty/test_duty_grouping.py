"""Grouping: what belongs together is one, what does not stays apart, and either is explained."""

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.duty.grouping import ALONE, explained, group
from assistant.duty.links import Calls, Placed
from assistant.duty.subject import family, subject
from assistant.settings import Terms
from tests.assistant.duty.told import alert, incident

TERMS = Terms()
SHOP = Calls.of([("storefront", "checkout"), ("storefront", "search"), ("checkout", "payments")])


def grouped(*alerts, placed=(), calls=SHOP, terms=TERMS):
    return [
        {member.alert.fingerprint or member.alert.key for member in one.members}
        for one in group(list(alerts), list(placed), calls, terms)
    ]


def only(*alerts, **options):
    (one,) = group(list(alerts), options.get("placed", ()), options.get("calls", SHOP), TERMS)
    return one


def test_alerts_of_one_service_are_one_incident_and_it_is_said_why():
    one = only(
        alert("errors", service="checkout", namespace="shop"),
        alert("crash", 60, pod="checkout-7c9f8d6b5-abcde", namespace="shop"),
        alert("slow", 280, deployment="checkout", namespace="shop"),
    )
    whys = [member.why for member in one.members]
    assert explained(whys, timedelta(seconds=280)) == "same service checkout; 3 alerts within 5 min"


def test_a_caller_in_trouble_joins_the_one_it_calls():
    one = only(alert("a", service="checkout"), alert("b", 30, service="payments"))
    assert {member.why for member in one.members} == {"checkout calls payments"}


def test_a_chain_of_callers_is_one_incident_however_it_is_ordered():
    alerts = [alert("f", service="storefront"), alert("c", 20, service="checkout"),
              alert("p", 40, service="payments")]  # fmt: skip
    assert grouped(*alerts) == grouped(*reversed(alerts)) == [{"f", "c", "p"}]


def test_a_caller_that_suffers_from_two_never_ties_them_together():
    found = group(
        [alert("s", 30, service="storefront"), alert("c", service="checkout"),
         alert("q", 10, service="search")], [], SHOP, TERMS,
    )  # fmt: skip
    names = [{member.alert.fingerprint for member in one.members} for one in found]
    assert names == [{"c", "s"}, {"q"}]
    assert found[0].beside == ("storefront calls search",)


def test_the_same_kind_of_alert_in_a_namespace_is_one_incident():
    pods = [alert(f"p{n}", n, kind="PodCrashLooping", pod=f"web-{n}-x", namespace="shop", app=f"a{n}")
            for n in range(3)]  # fmt: skip
    assert grouped(*pods) == [{"p0", "p1", "p2"}]
    assert "same kind of alert PodCrashLooping in namespace shop" in only(*pods).members[0].why


def test_the_same_kind_of_alert_at_services_known_to_be_far_apart_stays_two():
    far = Calls.of([("a", "b"), ("c", "d")])
    alerts = [alert("1", kind="HighErrorRate", namespace="shop", service="a"),
              alert("2", kind="HighErrorRate", namespace="shop", service="c")]  # fmt: skip
    assert grouped(*alerts, calls=far) == [{"1"}, {"2"}]
    assert grouped(*alerts, calls=Calls()) == [{"1", "2"}]


def test_the_same_kind_of_alert_at_two_callers_ties_their_causes_together_only_if_they_share_one():
    slow = [
        alert("s", kind="Slow", namespace="shop", service="storefront"),
        alert("c", kind="Slow", namespace="shop", service="checkout"),
    ]
    causes = [alert("q", -5, service="search"), alert("p", 1, service="payments")]
    assert grouped(*slow, *causes) == [{"q", "s"}, {"c", "p"}]
    shared = Calls.of([("storefront", "cache"), ("checkout", "cache")])
    assert grouped(*slow, calls=shared) == [{"s", "c"}]


def test_what_runs_on_a_node_belongs_to_what_is_said_of_the_node_itself():
    node = alert("disk", kind="NodeDiskFull", node="worker-3")
    pods = [alert(f"p{n}", n, service=f"s{n}", namespace="x", node="worker-3") for n in range(2)]
    assert grouped(node, *pods) == [{"disk", "p0", "p1"}]
    assert grouped(*pods) == [{"p0"}, {"p1"}]


@pytest.mark.parametrize(
    "other",
    [
        alert("b", 400, service="checkout", namespace="shop"),
        alert("b", service="checkout", namespace="preview"),
        alert("b", service="checkout", namespace="shop", cluster="eu-2"),
        alert("b", service="ledger", namespace="shop"),
        alert("b", kind="Watch"),
    ],
    ids=["much later", "another namespace", "another cluster", "another service", "no subject"],
)
def test_what_only_looks_alike_stays_apart(other):
    one = alert("a", service="checkout", namespace="shop", cluster="eu-1")
    assert grouped(one, other.model_copy(update={"labels": {"cluster": "eu-1", **other.labels}}),
                   calls=Calls()) == [{"a"}, {"b"}]  # fmt: skip


def test_an_alert_alone_says_that_it_is_alone():
    one = only(alert("a", service="checkout"))
    assert one.members[0].why == ALONE
    assert explained([ALONE], timedelta()) == f"1 alert; {ALONE}"


def test_the_scrapers_own_name_is_no_service():
    ksm = {"service": "prom-kube-state-metrics", "namespace": "shop"}
    assert subject(alert("a", pod="cart-5d4f8c7b9-x2x4z", **ksm)).service == "cart"
    assert subject(alert("a", **ksm)).service == ""


def test_pagerdutys_service_stands_in_where_labels_name_none():
    assert subject(incident("P1", service="Payments API")).service == "payments-api"
    named = incident("P1", service="Kubernetes", labels={"deployment": "cart"})
    assert subject(named).service == "cart"


@pytest.mark.parametrize(
    ("rule", "same"),
    [
        ("BudgetBurnFast", "BudgetBurnSlow"),
        ("DiskFullWarning", "DiskFullCritical"),
        ("Up", "up_5m"),
    ],
)
def test_rules_that_differ_in_degree_are_one_family(rule, same):
    assert family(rule) == family(same)


def test_a_later_alert_joins_the_incident_that_is_known():
    known = [
        Placed(alert("a", service="checkout"), "i1"),
        Placed(alert("x", service="search"), "i2"),
    ]
    found = group([alert("b", 200, service="payments")], known, SHOP, TERMS)
    assert [one.incident for one in found] == ["i1"]


def test_what_stands_in_two_incidents_is_never_tied_together():
    known = [
        Placed(alert("c", service="checkout"), "i1"),
        Placed(alert("p", service="payments"), "i2"),
    ]
    found = group([alert("b", 10, service="checkout")], known, SHOP, TERMS)
    assert [one.incident for one in found] == ["i1"]


def test_the_same_alert_again_within_the_cooldown_joins_its_incident():
    known = [Placed(alert("a", service="checkout"), "i1")]
    assert [
        g.incident for g in group([alert("a", 1500, service="checkout")], known, SHOP, TERMS)
    ] == ["i1"]
    assert [
        g.incident for g in group([alert("a", 2500, service="checkout")], known, SHOP, TERMS)
    ] == [""]


SERVICES = ("storefront", "checkout", "payments", "search", "ledger", "")
ALERTS = st.lists(
    st.builds(
        lambda name, seconds, service, namespace, node, kind: alert(
            f"f{name}", seconds, service=service, namespace=namespace, node=node, kind=kind
        ),
        st.integers(0, 12),
        st.integers(0, 1200),
        st.sampled_from(SERVICES),
        st.sampled_from(("shop", "pay", "")),
        st.sampled_from(("n1", "n2", "", "")),
        st.sampled_from(("Errors", "ErrorsCritical", "Slow", "")),
    ),
    max_size=14,
    unique_by=lambda one: one.id,
)


@settings(max_examples=150)
@given(alerts=ALERTS, data=st.data())
def test_grouping_does_not_depend_on_the_order_of_arrival(alerts, data):
    shuffled = data.draw(st.permutations(alerts))
    assert group(alerts, [], SHOP, TERMS) == group(shuffled, [], SHOP, TERMS)


@settings(max_examples=150)
@given(alerts=ALERTS, data=st.data())
def test_each_alert_is_in_exactly_one_group_and_has_a_reason(alerts, data):
    incidents = data.draw(st.lists(st.sampled_from(("", "", "i1", "i2")), min_size=len(alerts),
                                   max_size=len(alerts)))  # fmt: skip
    pairs = list(zip(alerts, incidents, strict=True))
    waiting = [one for one, name in pairs if not name]
    placed = [Placed(one, name) for one, name in pairs if name]
    found = group(waiting, placed, SHOP, TERMS)
    members = [member for one in found for member in one.members]
    assert sorted(member.alert.id for member in members) == sorted(one.id for one in waiting)
    assert all(member.why for member in members)
    known = [one.incident for one in found if one.incident]
    assert len(known) == len(set(known))


@settings(max_examples=100)
@given(alerts=ALERTS)
def test_alerts_far_apart_in_time_are_never_one_unless_others_stand_between(alerts):
    for one in group(alerts, [], SHOP, TERMS):
        times = sorted(member.alert.starts_at for member in one.members)
        assert all(b - a <= TERMS.window for a, b in pairwise(times))


@settings(max_examples=100)
@given(alerts=ALERTS)
def test_two_clusters_are_never_one_incident(alerts):
    two = [one.model_copy(update={"labels": {**one.labels, "cluster": "ab"[n % 2]}})
           for n, one in enumerate(alerts)]  # fmt: skip
    by_value = [one for one in two if one.fingerprint]
    for found in group(
        [one.model_copy(update={"fingerprint": ""}) for one in by_value], [], SHOP, TERMS
    ):
        assert len({member.alert.labels["cluster"] for member in found.members}) == 1
