import pytest
from prometheus_bed import BEGAN, NOW, ONSET

from mcp_servers.answer import Status, ToolFailure

pytestmark = pytest.mark.anyio
WINDOW = {"start": BEGAN, "end": NOW}


async def signals(tools, **scope):
    answer = await tools["get_metrics"](**WINDOW, **scope, onset=ONSET.isoformat())
    return {signal.name: signal for signal in answer.data.signals}


async def test_errors_and_latency_of_a_service_before_and_during(shop_tools):
    found = await signals(shop_tools, namespace="shop", service="checkout")
    assert found["request_rate"].during == pytest.approx(12, rel=0.05)
    assert found["error_ratio"].before == 0
    assert found["error_ratio"].during == pytest.approx(2 / 12, rel=0.05)
    assert found["latency_p95"].before < 0.05
    assert found["latency_p95"].during > 0.5
    assert found["error_ratio"].convention == "HTTP requests"
    assert 'service="checkout"' in found["error_ratio"].query


async def test_memory_stands_beside_its_limit_without_the_pods_own_total(shop_tools):
    found = await signals(shop_tools, namespace="shop", workload="checkout")
    memory = found["memory_usage"]
    assert (memory.labels, memory.limit) == ({"container": "app"}, 2.5e8)
    assert (memory.before, memory.during, memory.max) == (1e8, 2.4e8, 2.4e8)
    assert found["cpu_usage"].during == pytest.approx(0.2, rel=0.05)
    assert found["cpu_usage"].limit == 0.5
    assert found["restarts"].last == 0


async def test_another_services_series_are_not_mixed_in(shop_tools):
    found = await signals(shop_tools, service="cart")
    assert found["request_rate"].during == pytest.approx(5, rel=0.05)
    assert found["error_ratio"].during == 0
    assert "memory_usage" not in found


async def test_a_pod_of_a_workload_with_a_longer_name_is_not_taken_in(shop_tools):
    assert await signals(shop_tools, workload="check") == {}


async def test_a_whole_namespace_is_summed(shop_tools):
    found = await signals(shop_tools, namespace="shop")
    assert found["request_rate"].during == pytest.approx(17, rel=0.05)


async def test_an_unknown_service_is_empty_and_says_what_is_there(shop_tools):
    answer = await shop_tools["get_metrics"](**WINDOW, service='no "such" {one}')
    assert answer.status is Status.EMPTY
    assert "http_requests_total" in answer.reason
    assert answer.suggestions


async def test_no_scope_at_all_is_refused(shop_tools):
    with pytest.raises(ToolFailure, match="no namespace, workload or service"):
        await shop_tools["get_metrics"](**WINDOW)
