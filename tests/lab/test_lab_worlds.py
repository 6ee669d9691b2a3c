from __future__ import annotations

from pathlib import Path

import pytest

from assistant.errors import NotFound
from eval.lab.lab import serve
from eval.lab.world import load_world
from eval.lab.worlds import find_world, world_names
from tests.lab.small_world import ask, extra_worlds, needs_prometheus, page

RECORDED = extra_worlds()


def test_a_given_folder_is_the_world(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "world.json").write_text("{}")
    assert find_world(str(tmp_path), cache) == tmp_path
    assert not cache.exists()


def test_a_builtin_world_is_built_once_and_can_be_served(cache: Path) -> None:
    name = world_names()[0]
    folder = find_world(name, cache)
    assert load_world(folder).id == name
    made = (folder / "world.json").stat().st_mtime_ns
    assert find_world(name, cache) == folder
    assert (folder / "world.json").stat().st_mtime_ns == made


@pytest.mark.parametrize("change", [str.upper, lambda name: name + "s", lambda name: name[:-1]])
def test_an_unknown_name_is_told_the_nearest_ones(change: object, cache: Path) -> None:
    name = world_names()[0]
    wrong = change(name)  # type: ignore[operator]
    with pytest.raises(NotFound, match=r"no world .* did you mean .*assistant lab list"):
        find_world(wrong, cache)


@pytest.mark.parametrize("name", ["", ".", "..", "../worlds", "/nonexistent/x"])
def test_a_path_without_a_world_is_not_found(name: str, cache: Path) -> None:
    with pytest.raises(NotFound):
        find_world(name, cache)


@pytest.mark.anyio
@needs_prometheus
@pytest.mark.skipif(not RECORDED, reason="LAB_WORLDS names no folders of recorded worlds")
@pytest.mark.parametrize("folder", RECORDED, ids=lambda path: path.name)
async def test_a_recorded_world_is_served(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    cache = tmp_path_factory.getbasetemp() / "recorded"
    async with serve(folder, cache=cache) as lab:
        assert (await ask(lab, "/api/v1/pods")).status_code == 200
        incident = (await page(lab, f"/incidents/{lab.world.alert_id}")).json()["incident"]
    assert incident["title"] == lab.world.told
