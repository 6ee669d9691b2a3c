from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest

from eval.lab.lab import BACKENDS, Lab, serve
from eval.lab.world import World
from tests.lab.small_world import needs_prometheus

pytestmark = [pytest.mark.anyio, needs_prometheus]
PATHS = {
    "kubernetes": "/api/v1/pods",
    "prometheus": "/api/v1/query?query=up",
    "pagerduty": "/incidents",
}


@pytest.fixture
async def lab(world: World, cache: Path) -> AsyncIterator[Lab]:
    async with serve(world, cache=cache) as lab:
        yield lab


async def get(lab: Lab, backend: str, patience: float = 5) -> httpx2.Response:
    headers = {"Authorization": f"Token token={lab.environment['PAGERDUTY_TOKEN']}"}
    async with httpx2.AsyncClient(
        headers=headers if backend == "pagerduty" else {}, timeout=patience
    ) as client:
        return await client.get(lab.urls[backend] + PATHS[backend])


@pytest.mark.parametrize("backend", BACKENDS)
async def test_a_backend_errs_as_told_until_told_to_be_well(lab: Lab, backend: Any) -> None:
    for how in ("401", "403", "429", "500"):
        await lab.misbehave(backend, how)  # type: ignore[arg-type]
        response = await get(lab, backend)
        assert response.status_code == int(how)
        assert response.json()
    await lab.misbehave(backend, "html", html_status=502)
    assert (await get(lab, backend)).text.startswith("<!DOCTYPE html>")
    await lab.misbehave(backend, "nonsense")
    with pytest.raises(ValueError, match="Unterminated"):
        (await get(lab, backend)).json()
    await lab.misbehave(backend, "ok")
    assert (await get(lab, backend)).status_code == 200


@pytest.mark.parametrize("backend", BACKENDS)
async def test_a_backend_that_is_down_refuses_and_comes_back_where_it_was(
    lab: Lab, backend: Any
) -> None:
    url = lab.urls[backend]
    await lab.misbehave(backend, "down")
    with pytest.raises(httpx2.ConnectError):
        await get(lab, backend)
    await lab.misbehave(backend, "down")
    await lab.misbehave(backend, "ok")
    assert lab.urls[backend] == url
    assert (await get(lab, backend)).status_code == 200


async def test_a_world_may_say_that_a_backend_is_down_from_the_start(
    world: World, cache: Path
) -> None:
    async with serve(replace(world, down=("prometheus",)), cache=cache) as lab:
        with pytest.raises(httpx2.ConnectError):
            await get(lab, "prometheus")
        assert (await get(lab, "pagerduty")).status_code == 200


async def test_a_slow_backend_answers_late_and_never_holds_up_the_end(lab: Lab) -> None:
    await lab.misbehave("pagerduty", "slow", slow_seconds=0.05)
    assert (await get(lab, "pagerduty")).status_code == 200
    await lab.misbehave("pagerduty", "slow", slow_seconds=600)
    with pytest.raises(httpx2.ReadTimeout):
        await get(lab, "pagerduty", patience=0.05)


async def test_an_unknown_misbehaviour_is_refused(lab: Lab) -> None:
    with pytest.raises(ValueError, match="no misbehaviour 'sulk'; known: ok, down"):
        await lab.misbehave("pagerduty", "sulk")  # type: ignore[arg-type]


async def test_a_throttled_pagerduty_says_when_to_come_again(lab: Lab) -> None:
    await lab.misbehave("pagerduty", "429")
    assert (await get(lab, "pagerduty")).headers["ratelimit-reset"] == "30"


async def test_requests_are_counted_for_each_backend(lab: Lab) -> None:
    for backend in (*BACKENDS, "kubernetes"):
        await get(lab, backend)
    assert lab.requests == {"kubernetes": 2, "prometheus": 1, "pagerduty": 1}


async def test_the_environment_names_all_backends_and_the_clock_is_the_worlds(lab: Lab) -> None:
    assert set(lab.environment) == {
        "KUBECONFIG",
        "KUBERNETES_CONTEXT",
        "PROMETHEUS_URL",
        "PROMETHEUS_TOKEN",
        "PAGERDUTY_API_URL",
        "PAGERDUTY_TOKEN",
    }
    kubeconfig = await anyio.Path(lab.environment["KUBECONFIG"]).stat()
    assert kubeconfig.st_mode & 0o777 == 0o600
    assert timedelta() <= lab.clock() - lab.world.as_of < timedelta(minutes=1)


async def test_when_the_lab_ends_nothing_of_it_is_left(world: World, cache: Path) -> None:
    async with serve(world, cache=cache) as lab:
        folder, urls = lab.folder, dict(lab.urls)
    assert not folder.exists()
    for url in urls.values():
        port = int(re.findall(r":(\d+)", url)[0])
        with pytest.raises(OSError, match="connect"):
            await anyio.connect_tcp("127.0.0.1", port)


async def test_two_labs_stand_side_by_side(world: World, cache: Path) -> None:
    async with serve(world, cache=cache) as one, serve(world, cache=cache) as other:
        assert not set(one.urls.values()) & set(other.urls.values())
        await one.misbehave("kubernetes", "down")
        assert (await get(other, "kubernetes")).status_code == 200
