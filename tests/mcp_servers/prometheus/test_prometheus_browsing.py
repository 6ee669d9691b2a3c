from __future__ import annotations

import json

import anyio
import pytest
from mcp import Client, MCPError
from mcp.types import PromptReference, ResourceTemplateReference
from prometheus_bed import NOW

from mcp_servers import prometheus
from mcp_servers.prometheus.inventory import described
from mcp_servers.serve import open_server

pytestmark = pytest.mark.anyio
ALERT = ResourceTemplateReference(uri="prometheus://alerts/{alert}")
METRIC = ResourceTemplateReference(uri="prometheus://metrics/{metric}")


@pytest.fixture(params=["auto", "legacy"])
async def client(request, shop, tmp_path):
    environment = {"PROMETHEUS_URL": shop, "MCP_AUDIT_FILE": str(tmp_path / "audit.jsonl")}
    async with (
        open_server("prometheus", environment, lambda: NOW) as server,
        Client(server, mode=request.param) as connected,
    ):
        yield connected


async def read(client, uri):
    [part] = (await client.read_resource(uri)).contents
    return json.loads(part.text)


async def completed(client, reference, name, value):
    return (await client.complete(reference, {"name": name, "value": value})).completion.values


async def test_firing_alerts_are_listed_with_how_many_since_when_and_where(client):
    entries = {str(one.uri): one for one in (await client.list_resources()).resources}
    assert set(entries) == {"prometheus://alerts", "prometheus://alerts/ErrorsHigh"}
    assert entries["prometheus://alerts/ErrorsHigh"].description == (
        "1 firing, since 2026-03-01T13:40:00Z, service=checkout"
    )


async def test_an_alert_is_read_by_its_address(client):
    alert = await read(client, "prometheus://alerts/ErrorsHigh")
    assert [one["labels"] for one in alert["alerts"]] == [{"service": "checkout"}]
    assert alert["rules"] == []
    assert (await read(client, "prometheus://alerts"))["data"]["alerts"]
    with pytest.raises(MCPError, match="has no alert 'Nothing'"):
        await client.read_resource("prometheus://alerts/Nothing")


async def test_an_alert_comes_with_its_rule_where_there_is_one(ruled):
    server = prometheus.build({"PROMETHEUS_URL": ruled}, lambda: NOW)
    by_uri = {resource.uri: resource.function for resource in server.resources}
    rule = json.loads(await by_uri["prometheus://alerts/{alert}"]("ErrorsHigh"))["rules"][0]
    assert (rule["type"], rule["annotations"]) == ("alerting", {"summary": "bad"})
    assert server.complete is not None
    assert await server.complete("alert", "errors") == ["ErrorsHigh"]
    assert await server.complete("alert", "broken") == []
    assert server.close is not None
    await server.close()


async def test_a_metric_is_read_with_how_many_series_and_its_labels(client):
    metric = await read(client, "prometheus://metrics/http_requests_total")
    assert metric["series"] == 3
    assert metric["labels"]["service"] == {"values": 2, "examples": ["cart", "checkout"]}
    assert "__name__" not in metric["labels"]
    with pytest.raises(MCPError, match="has no metric 'nothing'"):
        await client.read_resource("prometheus://metrics/nothing")


async def test_names_of_metrics_and_alerts_are_completed_each_in_their_place(client):
    assert await completed(client, METRIC, "metric", "requests_t") == ["http_requests_total"]
    assert await completed(client, ALERT, "alert", "err") == ["ErrorsHigh"]
    prompt = PromptReference(name="explain_alert")
    assert await completed(client, prompt, "alert", "") == ["ErrorsHigh", "Slow"]
    assert await completed(client, prompt, "at", "2026") == []


async def test_prompts_are_filled_in(client):
    alert = await client.get_prompt("explain_alert", {"alert": "ErrorsHigh"})
    assert "'ErrorsHigh'" in alert.messages[0].content.text
    window = {"start": "2026-03-01T13:00:00Z", "end": "2026-03-01T14:00:00Z"}
    service = await client.get_prompt("check_service", {"service": "checkout", **window})
    assert "service='checkout' from 2026-03-01T13:00:00Z" in service.messages[0].content.text


async def test_without_prometheus_the_fixed_addresses_stay_and_say_what_is_wrong(tmp_path):
    environment = {"MCP_AUDIT_FILE": str(tmp_path / "audit.jsonl")}
    async with (
        open_server("prometheus", environment, lambda: NOW) as server,
        Client(server) as client,
    ):
        [only] = (await client.list_resources()).resources
        assert str(only.uri) == "prometheus://alerts"
        with anyio.fail_after(5), pytest.raises(MCPError, match="PROMETHEUS_URL is not set"):
            await client.read_resource("prometheus://alerts")


def test_a_bucket_is_described_as_the_histogram_it_belongs_to():
    known = {"latency_seconds": [{"type": "histogram", "help": "how long", "unit": ""}]}
    assert described("latency_seconds_bucket", known).type == "histogram"
    assert described("other_total", known).model_dump() == {
        "name": "other_total",
        "type": "",
        "unit": "",
        "help": "",
    }
