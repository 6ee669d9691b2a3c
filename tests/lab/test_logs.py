from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.lab.kubernetes.logs import LogRequest, read_log
from eval.lab.lab import Lab, serve
from eval.lab.world import LogName, World
from tests.lab.small_world import ask, pod

pytestmark = pytest.mark.anyio
WAITING = {"waiting": {"reason": "ImagePullBackOff"}}
CREATING = {"waiting": {"reason": "ContainerCreating"}}


@pytest.fixture
async def lab(world: World) -> AsyncIterator[Lab]:
    two = {"containers": [{"name": "a"}, {"name": "b"}], "initContainers": [{"name": "i"}]}
    more = [
        pod("pulling", state=WAITING),
        pod("creating", state=CREATING),
        pod("two", spec=two),
        pod("unplaced", state=CREATING, spec={"nodeName": ""}),
        pod("rotated", container={"containerID": "containerd://abc"}),
    ]
    async with serve(
        replace(world, objects=[*world.objects, *more]), backends=("kubernetes",)
    ) as lab:
        yield lab


async def log(lab: Lab, name: str, **query: Any) -> str:
    response = await ask(lab, f"/api/v1/namespaces/shop/pods/{name}/log", **query)
    return response.text if response.status_code == 200 else response.json()["message"]


async def test_a_log_is_sent_without_its_stamps_unless_they_are_asked_for(lab: Lab) -> None:
    assert await log(lab, "cart-1", tailLines=2) == "line 3\nline 4\n"
    stamped = await log(lab, "cart-1", tailLines=1, timestamps="true")
    assert stamped == "2026-02-03T04:04:00Z line 4\n"


async def test_a_log_is_cut_by_age_against_the_worlds_clock(lab: Lab) -> None:
    assert await log(lab, "cart-1", sinceSeconds=150) == "line 3\nline 4\n"
    assert await log(lab, "cart-1", sinceTime="2026-02-03T04:04:00Z") == "line 4\n"
    assert await log(lab, "cart-1", sinceSeconds=1) == ""


async def test_a_log_is_cut_to_bytes_and_to_no_lines(lab: Lab) -> None:
    assert await log(lab, "cart-1", limitBytes=8) == "line 0\nl"
    assert await log(lab, "cart-1", tailLines=0) == ""


@pytest.mark.parametrize(
    ("name", "query", "said"),
    [
        (
            "pulling",
            {},
            'container "app" in pod "pulling" is waiting to start: trying and failing to pull image',
        ),
        (
            "creating",
            {},
            'container "app" in pod "creating" is waiting to start: ContainerCreating',
        ),
        (
            "cart-1",
            {"previous": "true"},
            'previous terminated container "app" in pod "cart-1" not found',
        ),
        ("cart-1", {"container": "x"}, "container x is not valid for pod cart-1"),
        (
            "two",
            {},
            "a container name must be specified for pod two, choose one of: [a b] "
            "or one of the init containers: [i]",
        ),
        ("two", {"container": "i"}, 'container "i" in pod "two" is not available'),
        ("rotated", {}, "unable to retrieve container logs for containerd://abc"),
        ("nope", {}, 'pods "nope" not found'),
        (
            "cart-1",
            {"tailLines": "-1"},
            'PodLogOptions "cart-1" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0',
        ),
        ("cart-1", {"tailLines": "x"}, 'strconv.ParseInt: parsing "x": invalid syntax'),
        (
            "cart-1",
            {"sinceSeconds": "1", "sinceTime": "2026-02-03T04:04:00Z"},
            'PodLogOptions "cart-1" is invalid: at most one of `sinceTime` or `sinceSeconds` may be specified',
        ),
    ],
)
async def test_a_log_that_is_not_there_is_refused_in_the_kubelets_words(
    lab: Lab, name: str, query: dict[str, str], said: str
) -> None:
    assert await log(lab, name, **query) == said


async def test_a_pod_without_a_node_has_an_empty_log(lab: Lab) -> None:
    assert await log(lab, "unplaced") == ""


async def test_a_log_of_any_bytes_and_any_length_is_sent_as_it_is(
    world: World, tmp_path: Path
) -> None:
    path = tmp_path / "app.log"
    noise = os.urandom(1000).replace(b"\n", b"") + b"\r" + b"x" * 5_000_000
    path.write_bytes(b"2026-02-03T04:00:00Z first\n2026-02-03T04:01:00Z " + noise + b"\n")
    odd = replace(world, logs={LogName("shop", "cart-1", "app"): path})
    async with serve(odd, backends=("kubernetes",)) as lab:
        response = await ask(lab, "/api/v1/namespaces/shop/pods/cart-1/log", tailLines=1)
    assert response.content == noise + b"\n"


words = st.lists(st.binary(max_size=20).filter(lambda text: b"\n" not in text), max_size=12)


@given(words, st.integers(0, 15))
def test_the_tail_is_the_end_of_the_whole(lines: list[bytes], count: int) -> None:
    text = b"".join(line + b"\n" for line in lines)
    logs = {LogName("shop", "p", "app"): text}
    whole = read_log(pod("p"), LogRequest(timestamps=True), logs)
    tail = read_log(pod("p"), LogRequest(timestamps=True, tail_lines=count), logs)
    assert whole == text
    assert text.endswith(tail)
    assert tail.count(b"\n") == min(count, len(lines))
