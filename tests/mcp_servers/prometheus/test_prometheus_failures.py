import json
from dataclasses import replace
from datetime import timedelta

import pytest
from prometheus_bed import NOW, free_port

from mcp_servers import prometheus
from mcp_servers.answer import Status, ToolFailure
from mcp_servers.prometheus import client

pytestmark = pytest.mark.anyio
WINDOW = {"start": NOW - timedelta(hours=1), "end": NOW}


async def failure_of(call):
    with pytest.raises(ToolFailure) as failure:
        await call
    assert "s3cret" not in failure.value.reason + "".join(failure.value.suggestions)
    return failure.value


def refusal(backend, status, body, **headers):
    backend.status, backend.body = (
        status,
        body if isinstance(body, bytes) else json.dumps(body).encode(),
    )
    backend.headers = {"Content-Type": "application/json"} | headers


@pytest.mark.parametrize(
    ("status", "expected"),
    [(401, Status.DENIED), (403, Status.DENIED), (429, Status.LIMITED), (500, Status.ERROR)],
)
async def test_each_refusal_has_its_status(backend, broken_tools, status, expected):
    refusal(backend, status, {"status": "error", "errorType": "x", "error": "no, thanks"})
    failure = await failure_of(broken_tools["query"]("up"))
    assert failure.status is expected
    assert f"HTTP {status}" in failure.reason
    assert "no, thanks" in failure.reason
    assert "'up'" in failure.reason


async def test_a_refusal_says_when_to_try_again(backend, broken_tools):
    refusal(backend, 429, b"slow down", **{"Content-Type": "text/plain", "Retry-After": "17"})
    failure = await failure_of(broken_tools["query"]("up"))
    assert failure.suggestions == ("try again after 17 seconds",)


async def test_an_evaluation_that_took_too_long_is_a_timeout(backend, broken_tools):
    said = {"status": "error", "errorType": "timeout", "error": "query timed out"}
    refusal(backend, 503, said)
    assert (await failure_of(broken_tools["query"]("up"))).status is Status.TIMEOUT


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<html><body>Sign in</body></html>", "text/html"),
        (b"{not json", "application/json"),
        (b'{"status":"success"}', "application/json"),
        (b"[]", "application/json"),
        (b"\xff\xfe\x00", "application/json"),
    ],
)
@pytest.mark.parametrize("tool", ["query", "list_alerts", "get_targets", "list_rules"])
async def test_nonsense_is_an_error_and_no_crash(backend, broken_tools, body, kind, tool):
    refusal(backend, 200, body, **{"Content-Type": kind})
    arguments = {"query": "up"} if tool == "query" else {}
    assert (await failure_of(broken_tools[tool](**arguments))).status is Status.ERROR


@pytest.mark.parametrize("tool", ["get_metrics", "find_anomalies"])
async def test_a_tool_of_many_requests_fails_as_one(backend, broken_tools, tool):
    refusal(backend, 500, b"<html>oops</html>", **{"Content-Type": "text/html"})
    failure = await failure_of(broken_tools[tool](**WINDOW, namespace="shop"))
    assert failure.status is Status.ERROR
    assert "text/html, not JSON" in failure.reason


async def test_a_server_that_is_down_is_named(broken_tools):
    url = f"http://user:s3cret-pass@127.0.0.1:{free_port()}"
    server = prometheus.build({"PROMETHEUS_URL": url}, lambda: NOW)
    failure = await failure_of(server.tools[0].function("up"))
    assert "Connection refused" in failure.reason
    assert failure.source.startswith("http://127.0.0.1:")
    assert "s3cret-pass" in server.secrets
    health = await server.probe()
    assert not health.reachable
    assert server.close is not None
    await server.close()


async def test_a_server_that_hangs_is_a_timeout(backend):
    backend.hangs = True
    where = client.connection({"PROMETHEUS_URL": backend.url})
    hasty = client.Prometheus(replace(where, read_seconds=0.2))
    failure = await failure_of(hasty.instant("up", NOW, "query"))
    assert failure.status is Status.TIMEOUT
    backend.released.set()
    await hasty.close()


async def test_the_token_goes_to_prometheus_and_nowhere_else(backend, broken_tools):
    await broken_tools["query"]("up")
    assert all(headers["Authorization"] == "Bearer s3cret-token" for _, _, headers in backend.asked)


async def test_queries_are_parsed_before_they_are_sent_and_only_once(backend, broken_tools):
    await broken_tools["query"]("up")
    await broken_tools["query"]("up")
    paths = [path for path, _, _ in backend.asked]
    assert paths == ["/api/v1/format_query", "/api/v1/query", "/api/v1/query"]


async def test_an_older_server_without_the_parser_is_still_asked(backend, broken_tools):
    refusal(backend, 404, b"404 page not found", **{"Content-Type": "text/plain"})
    failure = await failure_of(broken_tools["query"]("up"))
    assert [path for path, _, _ in backend.asked] == ["/api/v1/format_query", "/api/v1/query"]
    assert failure.status is Status.ERROR


async def test_a_query_of_too_many_series_is_refused_before_it_is_read(backend, broken_tools):
    counted = {"metric": {}, "values": [[NOW.timestamp(), "50000"]]}
    refusal(backend, 200, {"status": "success", "data": {"result": [counted]}})
    failure = await failure_of(broken_tools["query_range"]("everything", **WINDOW))
    assert failure.status is Status.LIMITED
    assert "50000 series" in failure.reason


async def test_no_address_and_an_unreadable_token_are_said(tmp_path):
    nowhere = prometheus.build({}, lambda: NOW)
    assert "PROMETHEUS_URL is not set" in (await failure_of(nowhere.tools[0].function("up"))).reason
    missing = {"PROMETHEUS_URL": "http://127.0.0.1:9", "PROMETHEUS_TOKEN_FILE": str(tmp_path / "t")}
    server = prometheus.build(missing, lambda: NOW)
    assert (
        "PROMETHEUS_TOKEN_FILE names" in (await failure_of(server.tools[0].function("up"))).reason
    )
