"""Metrics: who left their past, and the deepest that explains it."""

import pytest

from assistant.checks import signals
from assistant.incident import Entity
from tests.assistant.checks.cluster import (
    case,
    deployment,
    evidence,
    kinds,
    node,
    only,
    pod,
    replica_set,
    service,
)
from tests.assistant.checks.traffic import (
    anomalies,
    anomaly,
    calm,
    failing,
    firing,
    services,
    signal,
    slow,
)

pytestmark = pytest.mark.anyio
WEB = Entity(kind="Deployment", name="web", namespace="shop")
CAUSES = ("slow_dependency", "failing_dependency", "pod_network_delay")


def shop(*signals_seen, calls="", more=(), entities=(WEB,), answers=None):
    """Three workloads and a database's Service, and what metrics say of them."""
    names = ("web", "orders", "stock")
    known = [services(*signals_seen, calls=calls), *more]
    objects = [*map(deployment, names), service("orders-db")]
    return case(*objects, more=known, entities=entities, answers=answers)


async def causes(given):
    """Where the trouble begins, as the check says."""
    return {f.entity.name: f for f in await signals.check(given) if f.kind in CAUSES}


async def test_the_deepest_slow_service_is_the_cause_and_its_callers_are_symptoms():
    given = shop(
        slow("web"), slow("orders"), slow("orders-db"), calm("stock"),
        calls="web>orders orders>orders-db orders>stock",
    )  # fmt: skip
    found = await signals.check(given)
    assert list(await causes(given)) == ["orders-db"]
    assert sorted(f.entity.name for f in found if f.kind == "latency_high") == [
        "orders", "orders-db", "web",
    ]  # fmt: skip
    assert [f.entity.name for f in found if f.kind == "dependency_steady"] == ["stock"]


async def test_an_ill_service_that_the_alert_cannot_come_from_is_no_cause():
    given = shop(slow("web"), slow("orders"), slow("stock"), calls="web>orders")
    assert list(await causes(given)) == ["orders"]


async def test_where_nothing_is_ill_there_is_no_culprit():
    given = shop(calm("web"), calm("orders"), calls="web>orders")
    assert await kinds(signals.check, given) == []


async def test_without_any_metric_nothing_is_found():
    assert await kinds(signals.check, case(deployment())) == []


async def test_a_callee_that_became_ill_later_than_its_caller_does_not_explain_it():
    given = shop(slow("web"), slow("orders", minutes=8), calls="web>orders")
    assert list(await causes(given)) == ["web"]


async def test_a_callee_too_quick_to_matter_does_not_explain_a_slow_caller():
    given = shop(slow("web"), slow("orders", 0.001, 0.004), calls="web>orders")
    assert list(await causes(given)) == ["web"]


async def test_a_quick_callee_that_is_asked_often_does_explain_it():
    often = signal("orders", "traffic", 500, 500, unit="/s")
    seldom = signal("web", "traffic", 1, 1, unit="/s")
    given = shop(slow("web"), slow("orders", 0.001, 0.004), often, seldom, calls="web>orders")
    assert list(await causes(given)) == ["orders"]


async def test_the_way_leads_through_a_service_of_which_nothing_is_measured():
    given = shop(slow("web"), slow("orders-db"), calls="web>orders orders>orders-db")
    assert list(await causes(given)) == ["orders-db"]


async def test_of_services_that_call_each_other_in_a_circle_the_first_ill_one_is_suspected():
    given = shop(slow("web"), slow("orders", minutes=21), calls="web>orders orders>web")
    assert list(await causes(given)) == ["orders"]


async def test_equal_suspects_are_a_tie_and_say_so():
    found = await causes(
        shop(slow("web"), slow("orders"), slow("stock"), calls="web>orders web>stock")
    )
    assert set(found) == {"orders", "stock"}
    assert len({one.strength for one in found.values()}) == 1
    assert "metrics do not tell it from stock" in found["orders"].statement


async def test_a_cause_that_is_ill_in_the_way_of_the_alert_is_preferred():
    given = shop(failing("web"), slow("stock"), failing("orders"), calls="web>orders web>stock")
    found = await causes(given)  # the alert says that web answers 503
    assert found["orders"].strength > found["stock"].strength


async def test_what_went_as_the_alert_did_is_preferred_to_what_moved_otherwise():
    given = shop(
        failing("web"), failing("orders"), failing("stock", minutes=50),
        calls="web>orders web>stock",
    )  # fmt: skip
    found = await causes(given)
    assert found["orders"].strength > found["stock"].strength


async def test_a_load_balancer_is_suspected_less_than_the_service_beside_it():
    balancer = "internal-stock-123.eu-west-1.elb.example.com"
    given = shop(
        failing("web"), failing("stock"), failing(balancer, strength=90.0),
        calls=f"web>stock web>{balancer} stock>orders-db",
    )  # fmt: skip
    found = await causes(given)
    assert found["stock"].strength > found[balancer].strength


async def test_an_outside_service_that_alone_is_ill_is_the_cause():
    given = shop(slow("web"), slow("api.pay.example"), calls="web>api.pay.example")
    found = await causes(given)
    assert found["api.pay.example"].entity.kind == "Service"


async def test_where_no_calls_are_known_likeness_to_the_alert_decides():
    given = shop(failing("web", strength=2.0), failing("orders"), failing("stock", minutes=58))
    assert list(await causes(given)) == ["orders"]


async def test_an_alert_that_names_nothing_begins_at_the_services_on_which_alerts_fire():
    more = [firing(10, alertname="LatencyHigh", service="web")]
    given = shop(
        slow("web"), slow("orders"), slow("stock"), calls="web>orders", more=more, entities=()
    )
    assert list(await causes(given)) == ["orders"]


async def test_an_alert_that_fired_before_the_window_is_of_another_incident():
    more = [firing(60, alertname="LatencyHigh", service="stock")]
    assert await kinds(signals.check, shop(calm("web"), more=more, entities=())) == []


async def test_a_service_on_which_an_alert_fires_is_ill_though_no_figure_says_so():
    more = [firing(10, alertname="LatencyHigh", service="orders")]
    found = await causes(shop(slow("web"), calls="web>orders", more=more))
    assert "the alert LatencyHigh fires on it" in found["orders"].statement


async def test_an_alert_on_a_service_that_is_measured_and_as_ever_makes_nobody_ill():
    more = [firing(10, alertname="LatencyHigh", service="web")]
    assert await kinds(signals.check, shop(calm("web"), more=more)) == []


async def test_an_alert_of_something_low_is_not_one_of_something_slow():
    more = [firing(10, alertname="CheckoutsLow", service="web")]
    assert await kinds(signals.check, shop(more=more)) == []


async def test_of_a_service_that_fails_most_requests_the_failures_are_told():
    seen = [slow("web"), slow("orders", 0.1, 14.0, strength=90.0), failing("orders", 0.0, 0.9)]
    given = shop(*seen, calls="web>orders")
    assert (await causes(given))["orders"].kind == "failing_dependency"


async def test_a_spell_that_passed_is_told_as_over_unless_its_alert_fires():
    over = slow("web", minutes=40, ended=20)
    assert {f.active for f in await signals.check(shop(over))} == {False}
    more = [firing(10, alertname="LatencyHigh", service="web")]
    assert {f.active for f in await signals.check(shop(over, more=more))} == {True}


@pytest.mark.parametrize(
    "quiet",
    [slow("web", 0.2, 0.26), slow("web", strength=2.0), failing("web", 0.0001, 0.004),
     signal("web", "traffic", 10, 40, unit="/s")],
)  # fmt: skip
async def test_ordinary_life_is_no_finding(quiet):
    assert await kinds(signals.check, shop(quiet)) == []


async def test_a_workload_whose_every_answer_is_later_by_as_much_waits_on_the_wire():
    middle, tail = (
        slow("orders", 0.02, 1.0, statistic="p50"),
        slow("orders", 0.05, 1.2, statistic="p95"),
    )
    found = await causes(shop(slow("web"), middle, tail, calls="web>orders"))
    assert found["orders"].kind == "pod_network_delay"


@pytest.mark.parametrize(
    "otherwise",
    [
        [slow("orders", 0.02, 0.1, statistic="p50"), slow("orders", 0.05, 5.0, statistic="p95")],
        [slow("orders", 0.02, 1.0, statistic="p50"), slow("orders", 0.05, 1.2, statistic="p95"),
         failing("orders")],
        [slow("orders", 0.02, 1.0, statistic="p50"), slow("orders", 0.05, 1.2, statistic="p95"),
         signal("orders", "traffic", 10, 40, unit="/s")],
    ],
)  # fmt: skip
async def test_a_long_tail_failures_or_more_requests_speak_against_the_wire(otherwise):
    found = await causes(shop(slow("web"), *otherwise, calls="web>orders"))
    assert found["orders"].kind != "pod_network_delay"


async def test_clients_that_wait_for_answers_made_as_fast_as_ever_wait_on_the_wire():
    seen = [calm("orders"), slow("orders", client="web"), slow("web")]
    found = await causes(shop(*seen, calls="web>orders"))
    assert found["orders"].kind == "pod_network_delay"


@pytest.mark.parametrize(
    ("metric", "direction", "labels", "kind"),
    [
        ("shop_duration_seconds_p95", "up", {"service": "web"}, "latency_high"),
        ("http_requests_total", "up", {"service": "web", "code": "503"}, "errors_high"),
        ("http_requests_total", "up", {"service": "web", "code": "200"}, "traffic_high"),
        ("http_requests_total", "down", {"service": "web", "code": "200"}, "traffic_low"),
        ("service_availability", "down", {"service": "web"}, "errors_high"),
        ("container_cpu_usage_seconds_total", "up", {"container": "web"}, "resource_high"),
        ("node_filesystem_avail_bytes", "down", {"instance": "worker-1:9100"}, "disk_low"),
    ],
)
async def test_where_no_service_is_measured_a_series_is_named_by_what_it_measures(
    metric, direction, labels, kind
):
    row = anomaly(metric, direction, **labels)
    given = case(deployment(), node(), more=[anomalies(row)])
    found = await only(signals.check, given)
    assert found.kind == kind
    assert str(found.entity) in ("Deployment shop/web", "Node worker-1")


async def test_where_no_service_is_measured_every_series_is_asked_for():
    row = anomaly("shop_duration_seconds_p95", service="web")
    answers = {"prometheus.find_anomalies": {"anomalies": [row]}}
    given = case(deployment(), more=[anomalies()], answers=answers)
    assert await kinds(signals.check, given) == ["latency_high"]


@pytest.mark.parametrize(
    "quiet",
    [
        anomaly("kube_pod_status_phase", service="web"),
        anomaly("node_filesystem_avail_bytes", "up", instance="worker-1:9100"),
        anomaly("shop_duration_seconds_p95", "down", service="web"),
        anomaly("shop_duration_seconds_p95", strength=2.0, service="web"),
        anomaly("shop_duration_seconds_p95", minutes=300, service="web"),
        anomaly("shop_duration_seconds_p95", quantile="0.95"),
    ],
)
async def test_a_series_that_means_no_trouble_is_left_out(quiet):
    given = case(deployment(), node(), more=[anomalies(quiet)])
    assert await kinds(signals.check, given) == []


def golden(name="web", **signals_of):
    rows = [{"name": key, **value} for key, value in signals_of.items()]
    return evidence("prometheus.get_metrics", {"workload": name}, {"signals": rows})


@pytest.mark.parametrize(("share", "expected"), [(0.6, ["cpu_saturated"]), (0.1, []), (None, [])])
async def test_throttling_counts_from_a_quarter_of_the_periods_on(share, expected):
    more = [golden(cpu_throttling={"last": share})]
    assert await kinds(signals.check, case(deployment(), more=more)) == expected


@pytest.mark.parametrize(
    ("before", "last", "expected"), [(40, 95, ["memory_near_limit"]), (91, 95, []), (10, 50, [])]
)
async def test_memory_near_its_limit_counts_where_it_was_not_there_before(before, last, expected):
    use = {"before": float(before), "last": float(last), "limit": 100.0}
    given = case(deployment(), more=[golden(memory_usage=use)])
    assert await kinds(signals.check, given) == expected


async def test_the_suspect_itself_is_asked_what_it_uses_and_outside_signs_then_count_half():
    answers = {"prometheus.get_metrics": {"signals": [{"name": "cpu_throttling", "last": 0.9}]}}
    asked = shop(slow("web"), slow("orders"), calls="web>orders", answers=answers)
    found = {f.kind: f for f in await signals.check(asked) if f.entity.name == "orders"}
    alone = (await causes(shop(slow("web"), slow("orders"), calls="web>orders")))["orders"]
    assert "cpu_saturated" in found
    assert found["slow_dependency"].strength == alone.strength / 2


async def test_a_suspect_asked_twice_as_often_before_it_became_ill_has_a_load_of_its_own():
    more = signal("orders", "traffic", 10, 40, minutes=22, unit="/s")
    late = signal("orders", "traffic", 10, 40, minutes=5, unit="/s")
    for asked, expected in ((more, True), (late, False)):
        given = shop(slow("web"), slow("orders"), asked, calls="web>orders")
        assert ("load_spike" in await kinds(signals.check, given)) is expected


async def test_whoever_takes_the_cores_of_a_suspects_node_is_a_noisy_neighbour():
    taken = {"namespace": "batch", "pod": "tiler-7f9c-abcde", "created_by_kind": "ReplicaSet",
             "created_by_name": "tiler-7f9c"}  # fmt: skip
    answers = {"prometheus.query": {"series": [{"labels": taken, "value": 3.4, "time": ""}]}}
    busy = anomaly("node_cpu_seconds_total", node="worker-1", mode="user", before=0.5, during=3.9)
    given = case(
        deployment(), replica_set(), pod(), node(),
        more=[services(slow("web")), anomalies(busy)], entities=(WEB,), answers=answers,
    )  # fmt: skip
    found = {f.kind: f for f in await signals.check(given)}
    assert found["noisy_neighbour"].entity == Entity(kind="Node", name="worker-1")
    assert "Deployment batch/tiler takes 3.4 cores" in found["noisy_neighbour"].statement
