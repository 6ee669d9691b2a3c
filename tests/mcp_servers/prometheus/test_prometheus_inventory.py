import shutil
import subprocess

import anyio
import pytest
from prometheus_bed import NOW, ONSET

from mcp_servers import prometheus
from mcp_servers.answer import Status

pytestmark = pytest.mark.anyio


async def until(ask, good):
    """The first data that is `good`: a real Prometheus scrapes and evaluates in its own time."""
    with anyio.fail_after(20):
        for _ in range(400):
            data = (await ask()).data
            if good(data):
                return data
            await anyio.sleep(0.05)
    raise AssertionError("never")


async def test_alerts_come_from_the_recorded_series_where_there_are_no_rules(shop_tools):
    answer = await shop_tools["list_alerts"]()
    (alert,) = answer.data.alerts
    assert (alert.name, alert.state, alert.labels) == (
        "ErrorsHigh",
        "firing",
        {"service": "checkout"},
    )
    assert alert.active_since == "2026-03-01T13:40:00Z"


async def test_alerts_of_a_moment_before_the_onset_are_none(shop_tools):
    at = ONSET.replace(minute=30).isoformat()
    assert (await shop_tools["list_alerts"](at=at)).status is Status.EMPTY


async def test_pending_alerts_are_told_apart(shop_tools):
    pending = await shop_tools["list_alerts"](state="pending")
    assert [alert.name for alert in pending.data.alerts] == ["Slow"]
    assert (await shop_tools["list_alerts"](state="all")).total == 2


async def test_metrics_are_listed_by_a_part_of_their_name(shop_tools):
    answer = await shop_tools["list_metrics"](match="http_requests")
    assert [metric.name for metric in answer.data.metrics] == ["http_requests_total"]
    cut = await shop_tools["list_metrics"](limit=2)
    assert (len(cut.data.metrics), cut.truncated) == (2, True)
    assert cut.total > 2


async def test_a_target_that_is_down_is_listed(shop_tools):
    listing = await until(
        lambda: shop_tools["get_targets"](state="down"), lambda data: data.targets
    )
    down = listing.targets
    assert (down[0].instance, down[0].job) == ("127.0.0.1:1", "gone")
    assert "refused" in down[0].last_error
    assert (await shop_tools["get_targets"](state="up")).status is Status.EMPTY


async def test_rules_and_current_alerts_of_a_server_that_has_rules(ruled):
    server = prometheus.build({"PROMETHEUS_URL": ruled}, lambda: NOW)
    tools = {tool.function.__name__: tool.function for tool in server.tools}
    alerts = (
        await until(tools["list_alerts"], lambda data: data.alerts[0:] and data.alerts[0].value)
    ).alerts
    assert alerts[0].annotations == {"summary": "bad"}
    rules = await tools["list_rules"](name="errors")
    assert (rules.total, rules.data.rules[0].type) == (1, "alerting")
    assert rules.data.rules[0].query == "vector(1) > 0"
    assert server.close is not None
    await server.close()


def test_the_bed_is_made_with_the_real_tools():
    if not shutil.which("promtool"):
        pytest.skip("needs the program promtool on PATH")
    said = subprocess.run(["promtool", "--version"], capture_output=True, text=True, check=True)
    assert "promtool" in said.stdout + said.stderr
