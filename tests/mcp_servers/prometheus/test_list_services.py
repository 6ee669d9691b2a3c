"""Every service at once, whatever the convention: meshes, service graphs, clients, gauges."""

import shutil
from datetime import datetime, timedelta

import pytest
from conftest import tools_of
from prometheus_bed import NOW, ONSET, after, counter, gauge, openmetrics, running

from mcp_servers import prometheus
from mcp_servers.answer import Status
from mcp_servers.prometheus.recorded import meaning, naming, statistic

pytestmark = pytest.mark.anyio
WINDOW = {"start": NOW - timedelta(minutes=60), "end": NOW}


def graph(client, server, failed=0.0):
    labels = {"client": client, "server": server}
    name = "traces_service_graph_request"
    return [counter(name, labels, 10), counter(f"{name}_failed", labels, 0, failed)]


def called(client, server, later):
    """What an instrumented HTTP client counts and times."""
    labels = {"job": client, "server_address": server, "http_response_status_code": "200"}
    name = "http_client_request_duration_seconds"
    parts = [counter(f"{name}_count", labels, 5), counter(f"{name}_sum", labels, 0.5, later)]
    return [(name, "gauge", labels, points) for name, _, labels, points in parts]


def recorded(service, seconds, share):
    """Gauges as a cloud's own monitoring gives them: five-minute figures, availability in per cent."""
    latency = gauge("latency", {"service": service, "statistic": "Average"}, seconds)
    availability = gauge("availability", {"service": service}, share)
    return [sparse(latency), sparse(availability)]


def sparse(family):
    name, kind, labels, points = family
    return name, kind, labels, points[::20]


@pytest.fixture(scope="module")
def mesh(tmp_path_factory):
    """A real Prometheus with one service of each convention, ill since twenty minutes."""
    if not (shutil.which("prometheus") and shutil.which("promtool")):
        pytest.skip("needs the programs prometheus and promtool on PATH")
    families = [
        *graph("front", "cart", failed=4.0),
        *graph("cart", "cart-db"),
        *called("mailer", "api.post.example", later=15.0),
        *recorded("search", after(0.006, 0.030), after(100, 100)),
        *recorded("adopt", after(0.2, 0.2), after(100, 95)),
        gauge("edge_p90latency_ms", {"app": "edge", "namespace": "shop"}, after(40, 900)),
        gauge("idle_success_rate", {"app": "idle"}, after(1, 0)),
        gauge("idle_rps", {"app": "idle"}, after(3, 0)),
        gauge("latency_threshold_seconds", {"app": "edge"}, lambda _: 1),
    ]
    folder = tmp_path_factory.mktemp("mesh")
    (folder / "metrics.om").write_text(openmetrics(families), encoding="utf-8")
    with running(folder) as url:
        yield url


@pytest.fixture
async def listed(mesh):
    """What the tool answers: (service, signal) -> its row; and the whole answer."""
    server = prometheus.build({"PROMETHEUS_URL": mesh}, lambda: NOW)
    answer = await tools_of(server)["list_services"](**WINDOW, service="adopt")
    await server.close()
    rows = {(one.labels["service"], one.labels["signal"]): one for one in answer.data.signals}
    return rows, answer


def about(text, minutes=6):
    return abs(datetime.fromisoformat(text) - ONSET) <= timedelta(minutes=minutes)


async def test_a_service_graph_gives_failures_of_each_call_and_who_calls_whom(listed):
    rows, answer = listed
    row = rows["cart", "errors"]
    assert row.labels["client"] == "front"
    assert (row.before, row.during) == (0, pytest.approx(0.4, rel=0.1))
    assert about(row.onset)
    assert rows["cart-db", "errors"].strength == 0
    assert {"client": "cart", "server": "cart-db"} in answer.data.calls


async def test_clients_speak_for_what_exports_nothing_itself(listed):
    row = listed[0]["api.post.example", "latency"]
    assert row.labels["client"] == "mailer"
    assert row.during == pytest.approx(3.0, rel=0.1)
    assert {"client": "mailer", "server": "api.post.example"} in listed[1].data.calls


async def test_gauges_are_read_at_their_own_samples_in_ratios_and_seconds(listed):
    rows, _ = listed
    assert rows["search", "latency"].during == pytest.approx(0.03)
    assert (rows["adopt", "errors"].before, rows["adopt", "errors"].during) == (
        0,
        pytest.approx(0.05),
    )
    assert about(rows["adopt", "errors"].onset)
    edge = rows["edge", "latency"]
    assert (edge.labels["statistic"], edge.during) == ("p90", pytest.approx(0.9))
    assert edge.labels["namespace"] == "shop"


async def test_where_nobody_asks_nothing_fails(listed):
    assert listed[0]["idle", "errors"].strength == 0


async def test_the_strongest_come_first_and_the_asked_service_has_its_course(listed):
    rows, answer = listed
    strengths = [abs(one.strength) for one in answer.data.signals]
    assert strengths == sorted(strengths, reverse=True)
    assert rows["adopt", "latency"].course
    assert not rows["cart-db", "traffic"].course
    assert len(rows["search", "latency"].course) <= 48


async def test_histograms_of_servers_are_read_with_their_quantiles(shop_tools):
    answer = await shop_tools["list_services"](**WINDOW)
    rows = {(one.labels["service"], one.labels["signal"]): one for one in answer.data.signals}
    took = [one for one in answer.data.signals if one.labels["signal"] == "latency"]
    slow = {one.labels["statistic"]: one for one in took if one.labels["service"] == "checkout"}
    assert max(one.strength for one in slow.values()) > 20
    assert slow["p95"].during == pytest.approx(1.9, rel=0.1)
    assert rows["checkout", "errors"].during == pytest.approx(1 / 6, rel=0.1)
    assert about(rows["checkout", "errors"].onset, minutes=3)
    assert rows["cart", "latency"].strength == 0


async def test_another_namespace_or_time_knows_no_services(shop_tools):
    elsewhere = await shop_tools["list_services"](**WINDOW, namespace="elsewhere")
    assert elsewhere.status is Status.EMPTY
    long_ago = {"start": NOW - timedelta(days=6), "end": NOW - timedelta(days=5)}
    assert (await shop_tools["list_services"](**long_ago)).status is Status.EMPTY


async def test_a_server_that_is_down_says_so(broken_tools, backend):
    backend.status = 503
    with pytest.raises(Exception, match="list_services"):
        await broken_tools["list_services"](**WINDOW)


@pytest.mark.parametrize(
    ("name", "signal", "ill", "seconds"),
    [
        ("latency", "latency", "up", 0.0),
        ("p50latency", "latency", "up", 0.0),
        ("service:request_latency_seconds:p99", "latency", "up", 1.0),
        ("response_time_ms", "latency", "up", 0.001),
        ("availability", "errors", "down", 0.0),
        ("success_rate", "errors", "down", 0.0),
        ("job:request_errors:ratio", None, "", 0.0),
        ("job:request_error_ratio:rate5m", "errors", "up", 0.0),
        ("rps", "traffic", "both", 0.0),
        ("requests", "traffic", "both", 0.0),
        ("http_requests_total", None, "", 0.0),
        ("apiserver_request_latency", None, "", 0.0),
        ("latency_slo_seconds", None, "", 0.0),
        ("queue_depth", None, "", 0.0),
    ],
)
def test_a_gauge_is_read_by_the_words_of_its_name(name, signal, ill, seconds):
    found = meaning(name)
    assert (
        (found.signal, found.ill, found.seconds) == (signal, ill, seconds) if found else not signal
    )


def test_the_label_that_tells_services_apart_names_them():
    exporter = [{"service": "exporter", "app": "web"}, {"service": "exporter", "app": "cart"}]
    assert naming(exporter) == "app"
    assert naming([{"job": "web"}]) == "job"
    assert naming([{"pod": "web-1"}]) == ""


def test_quantiles_are_named_as_percentiles():
    assert statistic({"quantile": "0.95"}) == "p95"
    assert statistic({"statistic": "Average"}) == "average"
    assert statistic({}) == ""
