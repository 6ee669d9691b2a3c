from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.errors import NotFound
from eval.lab.world import BrokenWorld, Denial, LogName, load_world

NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
HEAD = {"id": "w", "as_of": "2026-02-03T04:05:06Z"}


def folder_with(path: Path, head: Any = None, **files: Any) -> Path:
    """A world folder; the files' names have `__` for `/` and no suffix."""
    names = {
        "objects": "kubernetes/objects.json",
        "pager": "pagerduty/incidents.json",
        "metrics": "prometheus/metrics.om",
        "log": "kubernetes/logs/shop/cart-1/app.previous.log",
    }
    for name, content in {"world.json": HEAD if head is None else head, **files}.items():
        target = path / names.get(name, name)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return path


def test_every_file_but_world_json_may_be_absent(tmp_path: Path) -> None:
    world = load_world(folder_with(tmp_path))
    assert world.as_of == datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
    assert (world.objects, world.logs, world.metrics, world.pager) == ((), {}, None, {})


def test_logs_are_found_by_namespace_pod_container_and_run(tmp_path: Path) -> None:
    world = load_world(folder_with(tmp_path, log="2026-02-03T04:05:06Z died\n"))
    assert list(world.logs) == [LogName("shop", "cart-1", "app", previous=True)]


def test_a_folder_without_world_json_is_no_world(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"no world at .* world\.json"):
        load_world(tmp_path)


BROKEN = [
    ({"head": "{"}, r"world\.json: not JSON at line 1 column 2"),
    ({"head": []}, r"world\.json: holds list"),
    ({"head": {"id": "w"}}, r"world\.json: key 'as_of' is None"),
    ({"head": {"id": "w", "as_of": "yesterday"}}, r"world\.json: key 'as_of' is 'yesterday'"),
    ({"head": {"id": "w", "as_of": "2026-02-03T04:05:06"}}, r"names no zone; add Z"),
    ({"head": HEAD | {"told_": "x"}}, r"world\.json: unknown key 'told_'"),
    ({"head": HEAD | {"denied": [{"what": 1}]}}, r"world\.json: key 'denied'"),
    (
        {"head": HEAD | {"down": ["grafana"]}},
        r"world\.json: key 'down' is \['grafana'\]; a list of",
    ),
    ({"head": HEAD | {"down": "prometheus"}}, r"world\.json: key 'down' is 'prometheus'"),
    ({"objects": []}, r"objects\.json: key 'items' is missing"),
    ({"objects": {"items": [3]}}, r"objects\.json: items\[0\]: int is no object"),
    ({"objects": {"items": [{"kind": "Pod"}]}}, r"items\[0\]: key 'apiVersion' is missing"),
    (
        {"objects": {"items": [{"kind": "Pod", "apiVersion": "v1", "metadata": {}}]}},
        r"items\[0\]: key 'metadata\.name' of this Pod is missing",
    ),
    ({"pager": {"incidents": {}}}, r"incidents\.json: key 'incidents' is no list"),
    ({"pager": {"pages": []}}, r"incidents\.json: unknown key 'pages'"),
    ({"pager": {"alerts": {"P": [{}]}}}, r"alerts\[0\]: key 'id' is missing"),
]


@pytest.mark.parametrize(("files", "said"), BROKEN)
def test_a_broken_world_names_the_file_and_the_key(
    tmp_path: Path, files: dict[str, Any], said: str
) -> None:
    with pytest.raises(BrokenWorld, match=said):
        load_world(folder_with(tmp_path, **files))


def test_a_file_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    (folder_with(tmp_path) / "reactions.json").write_bytes(b"\xff\xfe")
    with pytest.raises(BrokenWorld, match=r"reactions\.json: cannot be read"):
        load_world(tmp_path)


def test_a_world_of_now_gets_its_times_filled_in(tmp_path: Path) -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "creationTimestamp": {"$ago": 300}},
    }
    folder = folder_with(
        tmp_path,
        {"id": "w", "as_of": "now"},
        objects={"items": [pod]},
        pager={"incidents": [{"id": "P", "created_at": {"$ago": 60}}]},
        metrics='up{a="-7"} -1 -60\nup{a="-7"} 1 -0.5 # {trace_id="a"} -3\n# EOF\n',
        log="-90 died of -90\n",
    )
    world = load_world(folder, NOW)
    assert world.as_of == NOW
    assert world.objects[0]["metadata"]["creationTimestamp"] == "2030-01-02T02:59:05Z"
    assert world.pager["incidents"][0]["created_at"] == "2030-01-02T03:03:05Z"
    stamp = int(NOW.timestamp())
    assert isinstance(world.metrics, bytes)
    first, second, _ = world.metrics.decode().splitlines()
    assert first == f'up{{a="-7"}} -1 {stamp - 60}'
    assert second.startswith(f'up{{a="-7"}} 1 {stamp - 0.5}')
    assert list(world.logs.values()) == [b"2030-01-02T03:02:35Z died of -90\n"]


def test_an_offset_that_is_no_number_is_named(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, pager={"incidents": [{"id": "P", "created_at": {"$ago": "1h"}}]})
    with pytest.raises(BrokenWorld, match=r"incidents\.json: '\$ago' is '1h'"):
        load_world(folder)


@given(seconds=st.integers(min_value=0, max_value=10**8))
def test_an_offset_is_that_many_seconds_before_now(
    tmp_path_factory: pytest.TempPathFactory, seconds: int
) -> None:
    folder = folder_with(
        tmp_path_factory.mktemp("world"),
        {"id": "w", "as_of": "now"},
        pager={"incidents": [{"id": "P", "created_at": {"$ago": seconds}}]},
    )
    moment = datetime.fromisoformat(load_world(folder, NOW).pager["incidents"][0]["created_at"])
    assert (NOW - moment).total_seconds() == seconds


def test_a_denial_covers_what_its_stars_and_names_say() -> None:
    rule = Denial("list", "secrets")
    assert rule.covers("list", "secrets", "shop")
    assert not rule.covers("get", "secrets", "shop")
    assert Denial(namespace="shop").covers("get", "pods/log", "shop")
    assert not Denial(namespace="shop").covers("list", "pods", "")
