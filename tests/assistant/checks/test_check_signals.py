"""Metrics: who left their past, and the deepest that explains it."""

import pytest

from assistant.checks import signals
from assistant.checks.calls import ERRORS, LATENCY, PREFIX
from tests.assistant.checks.cluster import (
    ago,
    case,
    deployment,
    evidence,
    kinds,
    node,
    only,
    range_of,
    service,
)

pytestmark = pytest.mark.anyio
RANGE = "prometheus.query_range"
LONG = 61


def level(seconds):
    """An hour of ordinary life around a level."""
    return [seconds * (1 + 0.02 * ((7 * i) % 5 - 2)) for i in range(LONG)]


def step(before, after, minutes=20, ended=0):
    """A level that is left some minutes ago, and come back to `ended` minutes ago."""
    values = level(before)
    for i in range(LONG - minutes, LONG - ended):
        values[i] = after * (1 + 0.02 * ((3 * i) % 5 - 2))
    return values


def call(client, server):
    return {"client": client, "server": server}


def measured(latency, failures=()):
    """A case in which a service graph is exported, with these calls."""
    graph = evidence("prometheus.query", {"query": f"{PREFIX}_total"}, {"series": [{"labels": {}}]})
    answers = {f"{RANGE} {LATENCY}": range_of(*latency), f"{RANGE} {ERRORS}": range_of(*failures)}
    names = ("front", "orders", "web")
    return case(
        *[deployment(name) for name in names], service("orders-db"), more=[graph], answers=answers
    )


async def test_the_deepest_slow_call_is_the_cause_and_its_callers_are_symptoms():
    given = measured(
        [
            (call("front", "web"), step(0.2, 2.0)),
            (call("web", "orders"), step(0.1, 1.8)),
            (call("orders", "orders-db"), step(0.01, 1.6)),
            (call("orders", "cache"), step(0.001, 0.0011)),
        ]
    )
    found = await signals.check(given)
    causes = [str(f.entity) for f in found if f.kind == "slow_dependency"]
    assert causes == ["Service shop/orders-db"]
    assert sorted(str(f.entity) for f in found if f.kind == "latency_high") == [
        "Deployment shop/orders", "Deployment shop/web", "Service shop/orders-db",
    ]  # fmt: skip
    assert [str(f.entity) for f in found if f.kind == "dependency_steady"] == ["Service cache"]


async def test_the_onset_is_where_the_level_was_left():
    found = await signals.check(measured([(call("front", "web"), step(0.2, 2.0, minutes=20))]))
    assert {f.began.isoformat() for f in found} == {ago(19).replace("Z", "+00:00")}


async def test_a_server_that_fails_and_is_not_slow_is_named_by_its_failures():
    given = measured(
        [(call("front", "web"), level(0.2))], [(call("front", "web"), step(0.001, 0.2))]
    )
    found = {f.kind: f for f in await signals.check(given)}
    assert set(found) == {"errors_high", "failing_dependency"}
    assert "20" in found["errors_high"].statement
    assert "%" in found["errors_high"].statement


async def test_a_peak_that_came_back_down_is_told_as_over():
    given = measured([(call("front", "web"), step(0.2, 2.0, minutes=40, ended=20))])
    assert {f.active for f in await signals.check(given)} == {False}


@pytest.mark.parametrize(
    "latency", [level(0.2), step(0.2, 0.26), [0.2] * LONG, [float("nan")] * LONG, [None] * LONG]
)
async def test_ordinary_life_is_no_finding(latency):
    assert await kinds(signals.check, measured([(call("front", "web"), latency)])) == []


async def test_a_share_of_failures_that_grew_by_less_than_one_in_a_hundred_is_nothing():
    given = measured([], [(call("front", "web"), step(0.0001, 0.004))])
    assert await kinds(signals.check, given) == []


async def test_without_an_exported_graph_nothing_is_asked():
    asked = []
    given = case(deployment())

    async def ask(tool, arguments, reason):
        asked.append(tool)
        return evidence(tool, arguments, None)

    quiet = type(given)(**{**vars(given), "ask": ask})
    assert await signals.check(quiet) == []
    assert asked == []


def anomaly(metric, direction="up", *, strength=12.0, minutes=20, before=1.0, during=5.0, **labels):
    row = {"metric": metric, "labels": labels, "onset": ago(minutes), "direction": direction,
           "strength": strength, "before": before, "during": during}  # fmt: skip
    return evidence("prometheus.find_anomalies", {"namespace": "shop"}, {"anomalies": [row]})


@pytest.mark.parametrize(
    ("metric", "direction", "labels", "kind"),
    [
        ("http_request_duration_seconds_p95", "up", {"service": "web"}, "latency_high"),
        ("http_requests_total", "up", {"service": "web", "code": "503"}, "errors_high"),
        ("http_requests_total", "up", {"service": "web", "code": "200"}, "traffic_high"),
        ("http_requests_total", "down", {"service": "web", "code": "200"}, "traffic_low"),
        ("service_availability", "down", {"service": "web"}, "errors_high"),
        ("container_cpu_usage_seconds_total", "up", {"container": "web"}, "resource_high"),
        ("node_filesystem_avail_bytes", "down", {"instance": "worker-1:9100"}, "disk_low"),
    ],
)
async def test_a_series_that_left_its_past_is_named_by_what_it_measures(
    metric, direction, labels, kind
):
    given = case(deployment(), node(), more=[anomaly(metric, direction, **labels)])
    found = await only(signals.check, given)
    assert found.kind == kind
    assert str(found.entity) in ("Deployment shop/web", "Node worker-1")


@pytest.mark.parametrize(
    "quiet",
    [
        anomaly("kube_pod_status_phase", service="web"),
        anomaly("node_filesystem_avail_bytes", "up", instance="worker-1:9100"),
        anomaly("http_request_duration_seconds_p95", "down", service="web"),
        anomaly("http_request_duration_seconds_p95", strength=2.0, service="web"),
        anomaly("http_request_duration_seconds_p95", minutes=300, service="web"),
        anomaly("http_request_duration_seconds_p95", quantile="0.95"),
    ],
)
async def test_a_series_that_means_no_trouble_is_left_out(quiet):
    assert await kinds(signals.check, case(deployment(), node(), more=[quiet])) == []


@pytest.mark.parametrize(("share", "expected"), [(0.6, ["cpu_saturated"]), (0.1, []), (None, [])])
async def test_throttling_counts_from_a_quarter_of_the_periods_on(share, expected):
    data = {"signals": [{"name": "cpu_throttling", "last": share}]}
    more = [evidence("prometheus.get_metrics", {"workload": "web"}, data)]
    assert await kinds(signals.check, case(deployment(), more=more)) == expected
