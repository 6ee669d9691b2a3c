from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from eval.lab.lab import Lab, serve
from eval.lab.world import World
from tests.lab.small_world import page

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lab(world: World) -> AsyncIterator[Lab]:
    async with serve(world, backends=("pagerduty",)) as lab:
        yield lab


async def ids(lab: Lab, path: str, *query: tuple[str, Any]) -> list[str]:
    response = await page(lab, path, *query)
    assert response.status_code == 200, response.text
    key = path.rpartition("/")[2].removeprefix("related_")
    return [item["id"] for item in response.json()[key]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ([], ["PINC1", "PINC2"]),
        ([("date_range", "all")], ["PINC1", "PINC2", "PINC3"]),
        ([("statuses[]", "triggered"), ("statuses[]", "acknowledged")], ["PINC1"]),
        ([("since", "2025-11-01T00:00:00Z"), ("until", "2025-12-01T00:00:00Z")], ["PINC3"]),
        ([("service_ids[]", "PNONE")], []),
        ([("urgencies[]", "low")], ["PINC2"]),
        ([("user_ids[]", "PUSR1"), ("sort_by", "created_at:asc")], ["PINC2", "PINC1"]),
        ([("sort_by", "incident_number:desc"), ("date_range", "all")], ["PINC3", "PINC2", "PINC1"]),
        ([("limit", 1), ("offset", 1)], ["PINC2"]),
    ],
)
async def test_incidents_are_filtered_ordered_and_paged(
    lab: Lab, query: list[tuple[str, Any]], found: list[str]
) -> None:
    assert await ids(lab, "/incidents", *query) == found


async def test_a_page_tells_whether_there_is_more_and_the_total_only_when_asked(lab: Lab) -> None:
    body = (await page(lab, "/incidents", ("limit", 1))).json()
    assert (body["more"], body["total"], body["limit"], body["offset"]) == (True, None, 1, 0)
    body = (await page(lab, "/incidents", ("offset", 1), ("total", "true"))).json()
    assert (body["more"], body["total"], body["limit"]) == (False, 2, 25)


@pytest.mark.parametrize(
    "query",
    [
        ("offset", 10_000),
        ("limit", "x"),
        ("limit", 0),
        ("since", "yesterday"),
        ("sort_by", "color:asc"),
    ],
)
async def test_parameters_that_make_no_sense_are_refused(lab: Lab, query: tuple[str, Any]) -> None:
    response = await page(lab, "/incidents", query)
    assert (response.status_code, response.json()["error"]["code"]) == (400, 2001)
    assert response.json()["error"]["errors"]


async def test_an_incident_is_found_by_id_and_by_number(lab: Lab) -> None:
    for asked in ("PINC1", "1"):
        assert (await page(lab, f"/incidents/{asked}")).json()["incident"]["id"] == "PINC1"


async def test_what_belongs_to_an_incident_is_listed_with_it(lab: Lab) -> None:
    assert await ids(lab, "/incidents/PINC1/alerts") == ["QALT1"]
    assert await ids(lab, "/incidents/PINC1/notes") == ["PNOT1"]
    assert await ids(lab, "/incidents/PINC1/log_entries") == ["RLOG1"]
    assert await ids(lab, "/incidents/PINC2/alerts") == []
    alert = (await page(lab, "/incidents/PINC1/alerts/QALT1")).json()["alert"]
    assert alert["body"]["details"] == {"namespace": "shop"}
    past = (await page(lab, "/incidents/PINC1/past_incidents", ("total", "true"))).json()
    assert (past["total"], past["past_incidents"][0]["score"]) == (1, 41.5)


@pytest.mark.parametrize(
    "path", ["/incidents/PNONE", "/incidents/PINC1/alerts/QNONE", "/users/PNONE", "/nowhere"]
)
async def test_what_is_not_there_is_a_404_in_pagerdutys_words(lab: Lab, path: str) -> None:
    response = await page(lab, path)
    assert response.status_code == 404
    assert response.json() == {"error": {"message": "Not Found", "code": 2100}}


async def test_change_events_are_of_a_window_a_service_or_an_incident(lab: Lab) -> None:
    window = ("since", "2026-02-03T00:00:00Z"), ("until", "2026-02-03T05:00:00Z")
    assert await ids(lab, "/change_events", *window) == ["C1", "C2"]
    assert await ids(lab, "/services/PSVC1/change_events", *window) == ["C1"]
    assert await ids(lab, "/incidents/PINC1/related_change_events", ("limit", 1)) == ["C1"]
    refused = await page(lab, "/change_events", ("since", "2026-02-03T00:00:00+02:00"))
    assert refused.status_code == 400


async def test_on_calls_are_those_of_the_worlds_now_unless_a_time_is_given(lab: Lab) -> None:
    async def who(*query: tuple[str, Any]) -> list[str]:
        oncalls = (await page(lab, "/oncalls", *query)).json()["oncalls"]
        return [oncall["user"]["id"] for oncall in oncalls]

    assert await who(("escalation_policy_ids[]", "PPOL1")) == ["PUSR1", "PUSR2"]
    later = ("since", "2026-02-03T09:00:00Z"), ("until", "2026-02-03T10:00:00Z")
    assert await who(*later) == ["PUSR2"]
    assert await who(("escalation_policy_ids[]", "PNONE")) == []


async def test_people_and_policies_that_are_only_referred_to_can_be_asked_for(lab: Lab) -> None:
    user = (await page(lab, "/users/PUSR1")).json()["user"]
    assert user["name"] == "Ada Byron"
    policy = (await page(lab, "/escalation_policies/PPOL1")).json()["escalation_policy"]
    assert [rule["targets"][0]["id"] for rule in policy["escalation_rules"]] == ["PSCH1", "PUSR2"]


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Token token=expired"}])
async def test_without_the_right_token_nothing_is_told(lab: Lab, headers: dict[str, str]) -> None:
    async with httpx2.AsyncClient(headers=headers) as client:
        response = await client.get(lab.urls["pagerduty"] + "/incidents")
    assert response.status_code == 401
    assert response.json()["error"]["message"] == "Unauthorized"


async def test_writes_are_denied(lab: Lab) -> None:
    token = lab.environment["PAGERDUTY_TOKEN"]
    async with httpx2.AsyncClient(headers={"Authorization": f"Token token={token}"}) as client:
        response = await client.put(lab.urls["pagerduty"] + "/incidents/PINC1", json={})
    assert (response.status_code, response.json()["error"]["code"]) == (403, 2010)


async def test_a_world_without_pagerduty_is_an_account_without_incidents(world: World) -> None:
    empty = World(id="w", as_of=world.as_of)
    async with serve(empty, backends=("pagerduty",)) as lab:
        assert await ids(lab, "/incidents") == []
        assert await ids(lab, "/users") == []
