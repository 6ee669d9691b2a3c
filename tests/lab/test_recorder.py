from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest

from assistant.errors import SettingsError
from eval.lab.lab import Lab, serve
from eval.lab.recorder import Recorded, record
from eval.lab.world import LogName, World
from tests.lab.small_world import AS_OF, ask, needs_prometheus, page, pod, thing
from tests.lab.test_prometheus import metrics

pytestmark = [pytest.mark.anyio, needs_prometheus]
SCOPE = Recorded("PINC1", ("shop",), AS_OF - timedelta(minutes=30), AS_OF)


@pytest.fixture
def world(world: World) -> World:
    applied = {"kubectl.kubernetes.io/last-applied-configuration": '{"data":{"K":"aHVudGVyMg=="}}'}
    world.objects.extend(  # type: ignore[attr-defined]
        [
            thing(
                "Secret",
                "full",
                "shop",
                data={"K": "aHVudGVyMg=="},
                metadata={"annotations": applied},
            ),
            thing(
                "PersistentVolume", "theirs", spec={"claimRef": {"namespace": "ops", "name": "x"}}
            ),
            pod("fell-1", container={"lastState": {"terminated": {"exitCode": 1}}}),
        ]
    )
    world.logs[LogName("shop", "fell-1", "app", previous=True)] = b"2026-02-03T03:00:00Z died\n"  # type: ignore[index]
    return world


async def answers(lab: Lab) -> dict[str, Any]:
    """What the main questions about the incident are answered with."""
    end = AS_OF.timestamp()
    window = {"start": end - 1200, "end": end, "step": 60}
    listed = {
        path: (await ask(lab, path)).json()["items"]
        for path in (
            "/api/v1/namespaces/shop/pods",
            "/api/v1/namespaces/shop/events",
            "/api/v1/nodes",
            "/apis/apps/v1/namespaces/shop/deployments",
            "/apis/acme.example/v1/namespaces/shop/sprockets",
        )
    }
    logs = {
        query: (await ask(lab, f"/api/v1/namespaces/shop/pods/{query}")).text
        for query in ("cart-1/log?timestamps=true", "fell-1/log?previous=true", "mail-1/log")
    }
    series = [
        (await metrics(lab, "query_range", query=query, **window)).json()["data"]["result"]
        for query in ("up", "jobs_total")
    ]
    pages = {
        path: (await page(lab, path)).json()
        for path in (
            "/incidents/PINC1",
            "/incidents/PINC1/alerts",
            "/incidents/PINC1/notes",
            "/incidents/PINC1/log_entries",
            "/incidents/PINC1/past_incidents",
            "/incidents/PINC1/related_change_events",
            "/oncalls",
            "/services/PSVC1",
        )
    }
    return {**listed, **logs, **pages, "series": series}


async def test_a_recording_answers_as_the_recorded_systems_did(
    world: World, cache: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "recording"
    async with serve(world, cache=cache) as lab:
        missed = await record(lab.environment, folder, SCOPE)
        before = await answers(lab)
    async with serve(folder, cache=cache) as lab:
        after = await answers(lab)
        assert (lab.world.as_of, lab.world.alert_id) == (AS_OF, "PINC1")
        assert lab.world.told == "cart: errors"
    assert missed == ()
    before["/incidents/PINC1/related_change_events"]["change_events"].pop()  # a month old
    assert after == before


async def test_a_recording_holds_no_secret_and_nothing_of_other_namespaces(
    world: World, cache: Path, tmp_path: Path
) -> None:
    async with serve(world, cache=cache, backends=("kubernetes",)) as lab:
        await record(lab.environment, tmp_path, SCOPE)
    files = [path async for path in anyio.Path(tmp_path).rglob("*") if await path.is_file()]
    assert not [path for path in files if b"aHVudGVyMg" in await path.read_bytes()]
    objects = json.loads((tmp_path / "kubernetes" / "objects.json").read_text())["items"]
    kept = {item["metadata"]["name"]: item for item in objects}
    assert kept["full"]["data"] == {"K": ""}
    assert not {"tool-1", "ops", "theirs"} & set(kept)


async def test_what_cannot_be_read_is_told_and_the_rest_is_recorded(
    world: World, cache: Path, tmp_path: Path
) -> None:
    async with serve(world, cache=cache) as lab:
        lab.deny("list", "events")
        await lab.misbehave("prometheus", "500")
        await lab.misbehave("pagerduty", "down")
        missed = await record(lab.environment, tmp_path, SCOPE)
    told = "\n".join(missed)
    assert "/api/v1/namespaces/shop/events: 403" in told
    assert "prometheus: " in told
    assert "pagerduty /incidents/PINC1: " in told
    assert (tmp_path / "kubernetes" / "objects.json").exists()
    assert not (tmp_path / "pagerduty").exists()


async def test_a_cluster_that_does_not_answer_is_told(
    world: World, cache: Path, tmp_path: Path
) -> None:
    async with serve(world, cache=cache, backends=("kubernetes", "pagerduty")) as lab:
        await lab.misbehave("kubernetes", "down")
        (missed,) = await record(lab.environment, tmp_path, SCOPE)
    assert missed.startswith("kubernetes: /apis: no answer")


async def test_a_list_whose_pages_expire_is_read_again_in_one_piece(
    world: World, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eval.lab.record_cluster._PAGE", 3)
    async with serve(world, cache=cache, backends=("kubernetes",)) as lab:
        assert lab._kubernetes
        store = lab._kubernetes.store
        page_of = store.page

        def expiring(*arguments: Any, **more: Any) -> Any:
            answer = page_of(*arguments, **more)
            store.compact()
            return answer

        store.page = expiring  # type: ignore[method-assign]
        assert await record(lab.environment, tmp_path, SCOPE) == ()
    objects = json.loads((tmp_path / "kubernetes" / "objects.json").read_text())["items"]
    assert sum(item["kind"] == "Event" for item in objects) == 7


async def test_a_folder_that_holds_a_world_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "world.json").write_text("{}")
    with pytest.raises(SettingsError, match="already holds a world"):
        await record({}, tmp_path, SCOPE)
