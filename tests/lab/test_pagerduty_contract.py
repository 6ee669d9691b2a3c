"""Every answer of the lab's PagerDuty against PagerDuty's published OpenAPI contract."""

from __future__ import annotations

import json
import lzma
import os
from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

from eval.lab.lab import Lab, serve
from eval.lab.world import World, load_world
from tests.lab.small_world import extra_worlds, page, small_world

CONTRACT = os.environ.get("PAGERDUTY_OPENAPI", "")
pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(not CONTRACT, reason="PAGERDUTY_OPENAPI names no contract file"),
]
WORLDS = ["small", *(str(path) for path in extra_worlds())]
PATHS = [
    "/incidents",
    "/incidents/{id}",
    "/incidents/{id}/alerts",
    "/incidents/{id}/alerts/{alert_id}",
    "/incidents/{id}/notes",
    "/incidents/{id}/log_entries",
    "/incidents/{id}/past_incidents",
    "/incidents/{id}/related_change_events",
    "/log_entries",
    "/change_events",
    "/services",
    "/services/{id}",
    "/services/{id}/change_events",
    "/oncalls",
    "/users",
    "/users/{id}",
    "/escalation_policies",
    "/escalation_policies/{id}",
    "/schedules",
    "/abilities",
]


@cache
def contract() -> dict[str, Any]:
    data = Path(CONTRACT).read_bytes()
    spec = json.loads(lzma.decompress(data) if CONTRACT.endswith(".xz") else data)
    return plain(spec)


def plain(schema: Any) -> Any:
    """OpenAPI 3.0 as JSON Schema: `nullable` becomes a type, and of a choice one or more may fit.

    The contract's own choices overlap: a log entry's channel of `{"type": "api"}` fits several.
    """
    if isinstance(schema, list):
        return [plain(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    whole = {
        key: plain(value) for key, value in schema.items() if key not in ("example", "examples")
    }
    if whole.pop("nullable", False) is True and isinstance(whole.get("type"), str):
        whole["type"] = [whole["type"], "null"]
    if isinstance(whole.get("oneOf"), list):
        whole["anyOf"] = whole.pop("oneOf")
    return whole


def faults(path: str, status: str, body: Any) -> list[str]:
    """What in an answer is against the contract."""
    response = contract()["paths"][path]["get"]["responses"][status]
    while "$ref" in response:
        response = pointed(response["$ref"])
    schema = response["content"]["application/json"]["schema"]
    root = {**contract(), "allOf": [schema]}
    registry = Registry().with_resource("", Resource(root, DRAFT4))
    errors = Draft4Validator(root, registry=registry).iter_errors(body)
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}" for error in errors]


def pointed(reference: str) -> Any:
    node: Any = contract()
    for step in reference.removeprefix("#/").split("/"):
        node = node[step.replace("~1", "/").replace("~0", "~")]
    return node


def world_of(name: str) -> World:
    return small_world() if name == "small" else load_world(Path(name))


@pytest.fixture(params=WORLDS, ids=lambda name: Path(name).name)
async def lab(request: pytest.FixtureRequest) -> AsyncIterator[Lab]:
    async with serve(world_of(request.param), backends=("pagerduty",)) as lab:
        yield lab


def filled(lab: Lab, path: str) -> str | None:
    """The path with ids of the world, or None where the world has none for it."""
    pager = lab.world.pager
    incident = lab.world.alert_id
    alerts = pager.get("alerts", {}).get(incident, [])
    oncalls = pager.get("oncalls", [])
    ids = {
        "incidents": incident,
        "services": next((item["id"] for item in pager.get("services", [])), ""),
        "users": next((item["user"]["id"] for item in oncalls if item.get("user")), ""),
        "escalation_policies": next(
            (item["escalation_policy"]["id"] for item in pager.get("services", [])), ""
        ),
    }
    own = ids.get(path.split("/")[1], "")
    if "{alert_id}" in path and not alerts:
        return None
    whole = path.replace("{alert_id}", alerts[0]["id"] if alerts else "").replace("{id}", own)
    return whole if own or "{id}" not in path else None


async def test_every_answer_is_as_the_contract_says(lab: Lab) -> None:
    wrong = {}
    for path in PATHS:
        if address := filled(lab, path):
            response = await page(lab, address)
            assert response.status_code == 200, (address, response.text)
            if found := faults(path, "200", response.json()):
                wrong[address] = found
    assert wrong == {}


async def test_the_contract_check_sees_what_is_wrong() -> None:
    assert faults("/incidents/{id}", "200", {"incident": {"id": 7}})
    assert faults("/incidents", "200", {"limit": 25})
    assert faults("/users/{id}", "200", {"user": {"type": "user", "name": "x"}})


async def test_refusals_are_as_the_contract_says() -> None:
    async with serve(small_world(), backends=("pagerduty",)) as lab:
        answers = {("/change_events", "400"): await page(lab, "/change_events", ("since", "x"))}
        answers["/incidents/{id}", "404"] = await page(lab, "/incidents/PNONE")
        for status in ("401", "429"):
            await lab.misbehave("pagerduty", status)
            answers["/incidents/{id}", status] = await page(lab, "/incidents/PINC1")
        for (path, status), response in answers.items():
            assert str(response.status_code) == status
            assert faults(path, status, response.json()) == []
