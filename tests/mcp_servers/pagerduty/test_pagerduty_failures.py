import json
import warnings

import pytest
from mcp import Client
from pagerduty_account import NOW, TOKEN

from mcp_servers import pagerduty
from mcp_servers.answer import Status, ToolFailure
from mcp_servers.credentials import Credential
from mcp_servers.pagerduty import client
from mcp_servers.serve import open_server

pytestmark = pytest.mark.anyio
LARGEST_LISTING = 16_000


async def failure_of(call):
    with pytest.raises(ToolFailure) as failure:
        await call
    said = failure.value.reason + "".join(failure.value.suggestions)
    assert TOKEN not in said
    assert TOKEN[-4:] not in said
    return failure.value


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (401, Status.DENIED),
        (403, Status.DENIED),
        (404, Status.EMPTY),
        (500, Status.ERROR),
        (503, Status.ERROR),
    ],
)
async def test_each_refusal_has_its_status_and_is_not_repeated(tools, account, status, expected):
    account.refuse(status)
    failure = await failure_of(tools["get_active_incidents"]())
    assert failure.status is expected
    assert f"HTTP {status}" in failure.reason
    assert len(account.asked) == 1


async def test_a_denial_names_the_permission_that_is_missing(tools, account):
    account.refuse(403)
    failure = await failure_of(tools["get_oncall"]())
    assert "lacks oncalls.read" in failure.suggestions[0]
    account.refuse(403)
    failure = await failure_of(tools["list_log_entries"]("PONE"))
    assert "incidents.read" in failure.suggestions[0]


async def test_a_short_rate_limit_is_waited_out(tools, account):
    account.refuse(429, times=1, **{"Retry-After": "0"})
    assert (await tools["get_active_incidents"]()).status is Status.OK
    assert len(account.asked) == 2


async def test_a_long_rate_limit_is_an_answer_that_says_when_to_come_back(tools, account):
    account.refuse(429, **{"Retry-After": "55"})
    failure = await failure_of(tools["get_active_incidents"]())
    assert (failure.status, failure.suggestions) == (
        Status.LIMITED,
        ("try again after 55 seconds",),
    )
    assert len(account.asked) == 1


@pytest.mark.parametrize("body", [b"<html>Sign in</html>", b"{broken", b"[1]", b"{}", b"\xff\xfe"])
async def test_nonsense_is_an_error_and_no_crash(tools, account, body):
    account.refuse(200, body)
    failure = await failure_of(tools["get_active_incidents"]())
    assert failure.status is Status.ERROR
    assert "not PagerDuty's JSON" in failure.reason


async def test_a_page_of_a_gateway_is_quoted(tools, account):
    account.refuse(502, b"<html>Bad Gateway</html>", **{"Content-Type": "text/html"})
    assert "(text/html) <html>Bad Gateway" in (await failure_of(tools["get_oncall"]())).reason


async def test_a_server_that_hangs_is_a_timeout(account):
    account.hangs = True
    hasty = client.PagerDuty(account.url, Credential(TOKEN), read_seconds=0.2)
    failure = await failure_of(hasty.get("/oncalls", "oncalls", "get_oncall"))
    assert failure.status is Status.TIMEOUT
    account.released.set()
    await hasty.close()


async def test_a_server_that_is_down_is_named():
    environment = {"PAGERDUTY_API_URL": "http://127.0.0.1:1", "PAGERDUTY_TOKEN": TOKEN}
    server = pagerduty.build(environment, lambda: NOW)
    failure = await failure_of(server.tools[1].function())
    assert (
        "127.0.0.1:1 cannot be reached (ConnectionRefusedError: Connection refused)"
        in failure.reason
    )
    assert server.close is not None
    await server.close()


async def test_no_token_is_a_denial_that_names_the_variable():
    failure = await failure_of(pagerduty.build({}, lambda: NOW).tools[1].function())
    assert failure.status is Status.DENIED
    assert "neither PAGERDUTY_TOKEN nor PAGERDUTY_TOKEN_FILE is set" in failure.reason


async def test_a_token_is_read_from_a_file_and_registered_as_secret(account, tmp_path):
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    environment = {
        "PAGERDUTY_API_URL": account.url,
        "PAGERDUTY_TOKEN_FILE": str(tmp_path / "token"),
    }
    server = pagerduty.build(environment, lambda: NOW)
    assert server.secrets == (TOKEN,)
    assert TOKEN not in repr(server)
    assert (await server.tools[1].function()).status is Status.OK
    assert server.close is not None
    await server.close()


def test_the_library_s_warning_of_its_own_age_is_not_passed_on():
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        assert client.pdpyras.__version__.startswith("5.")
    assert seen == []


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_over_mcp_every_tool_answers_and_the_list_is_small(account, tmp_path, mode):
    environment = {
        "PAGERDUTY_API_URL": account.url,
        "PAGERDUTY_TOKEN": TOKEN,
        "MCP_AUDIT_FILE": str(tmp_path / "audit.jsonl"),
    }
    window = {"since": "2026-03-01T12:00:00Z", "until": "2026-03-01T14:00:00Z"}
    calls = {
        "get_incident": {"id": "https://acme.pagerduty.com/alerts/QONE"},
        "get_active_incidents": {},
        "get_recent_alerts": window,
        "list_change_events": window,
        "list_log_entries": {"incident_id": "PONE"},
        "get_oncall": {},
        "get_past_incidents": {"incident_id": "PONE"},
    }
    async with (
        open_server("pagerduty", environment, lambda: NOW) as server,
        Client(server, mode=mode) as connected,
    ):
        listed = (await connected.list_tools()).tools
        answers = {
            tool: (await connected.call_tool(tool, arguments)).structured_content
            for tool, arguments in calls.items()
        }
    wire = [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in listed]
    assert {tool["name"] for tool in wire} == set(calls)
    assert len(json.dumps(wire)) < LARGEST_LISTING
    assert {answer["status"] for answer in answers.values()} == {"ok"}
    assert TOKEN not in json.dumps(answers)
