from __future__ import annotations

import json
import logging

import pytest
from mcp import Client, MCPError
from mcp.types import PromptReference, ResourceTemplateReference
from pagerduty_account import NOW, TOKEN, incident, stamp

from mcp_servers.serve import open_server

pytestmark = pytest.mark.anyio
TEMPLATE = ResourceTemplateReference(uri="pagerduty://incidents/{id}")


@pytest.fixture(params=["auto", "legacy"])
async def client(request, account, tmp_path):
    environment = {
        "PAGERDUTY_API_URL": account.url,
        "PAGERDUTY_TOKEN": TOKEN,
        "MCP_AUDIT_FILE": str(tmp_path / "audit.jsonl"),
    }
    async with (
        open_server("pagerduty", environment, lambda: NOW) as server,
        Client(server, mode=request.param, cache=None) as connected,
    ):
        yield connected


async def completed(client, reference, name, value):
    return (await client.complete(reference, {"name": name, "value": value})).completion.values


async def test_open_incidents_are_listed_with_how_bad_where_and_since_when(client):
    entries = {str(one.uri): one for one in (await client.list_resources()).resources}
    assert set(entries) == {"pagerduty://incidents", "pagerduty://incidents/PONE"}
    assert entries["pagerduty://incidents/PONE"].name == "incident 1"
    assert entries["pagerduty://incidents/PONE"].description == (
        f"triggered, high urgency, checkout, since {stamp(20)}"
    )


@pytest.mark.parametrize("id", ["PONE", "1"])
async def test_an_incident_is_read_by_its_address_with_alerts_and_notes(client, id):
    [part] = (await client.read_resource(f"pagerduty://incidents/{id}")).contents
    answer = json.loads(part.text)
    assert answer["data"]["incident"]["id"] == "PONE"
    assert answer["data"]["alerts"][0]["labels"]["alertname"] == "ErrorsHigh"
    assert answer["data"]["notes"][0]["text"] == "on it"


async def test_what_of_an_incident_could_not_be_read_is_said_in_it(client, account):
    account.forbidden = "/notes"
    [part] = (await client.read_resource("pagerduty://incidents/PONE")).contents
    answer = json.loads(part.text)
    assert (answer["truncated"], answer["data"]["notes"]) == (True, [])
    assert "HTTP 403" in answer["reason"]


async def test_an_unknown_incident_is_not_an_empty_document(client):
    with pytest.raises(MCPError, match="found nothing for 'PNONE'"):
        await client.read_resource("pagerduty://incidents/PNONE")


async def test_a_listing_that_fails_leaves_what_is_fixed_and_is_logged(client, account, caplog):
    account.refuse(500)
    with caplog.at_level(logging.WARNING, "mcp_servers.serve"):
        [only] = (await client.list_resources()).resources
    assert str(only.uri) == "pagerduty://incidents"
    assert "lists only what is fixed" in caplog.text
    with pytest.raises(MCPError, match="HTTP 500"):
        await client.read_resource("pagerduty://incidents")


@pytest.mark.parametrize("typed", ["", "po", "1", "CHECKOUT", "incident"])
async def test_an_incident_is_completed_by_whatever_it_is_known_by(client, typed):
    assert await completed(client, TEMPLATE, "id", typed) == ["PONE"]


async def test_only_open_incidents_are_offered(client, account):
    account.incidents.append(incident("PTHREE", 3, status="resolved"))
    assert await completed(client, TEMPLATE, "id", "PT") == []


async def test_a_service_is_completed_by_its_name(client, account):
    prompt = PromptReference(name="review_service")
    assert await completed(client, prompt, "service_id", "check") == ["PSVC"]
    assert await completed(client, prompt, "since", "2026") == []
    account.forbidden = "/services"
    assert await completed(client, prompt, "service_id", "check") == []


async def test_prompts_are_filled_in(client):
    arguments = {"service_id": "PSVC", "since": stamp(60), "until": stamp(0)}
    review = await client.get_prompt("review_service", arguments)
    assert "service_id='PSVC'" in review.messages[0].content.text
    summary = await client.get_prompt("summarize_incident", {"id": "PONE"})
    assert "'PONE'" in summary.messages[0].content.text
