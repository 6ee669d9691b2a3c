from __future__ import annotations

from collections import Counter

import anyio
import pytest
from kubernetes import client, config

from eval.lab.lab import serve
from eval.lab.large import NAMESPACE, large_world
from tests.lab.small_world import ask

pytestmark = pytest.mark.anyio


def test_the_large_world_has_the_size_it_promises() -> None:
    world = large_world()
    count = Counter(item["kind"] for item in world.objects)
    assert (count["Pod"], count["Event"], count["Node"]) == (5000, 10_000, 100)
    names = Counter(
        (o["kind"], o["metadata"].get("namespace"), o["metadata"]["name"]) for o in world.objects
    )
    assert names.most_common(1)[0][1] == 1


def test_the_large_world_is_always_the_same() -> None:
    assert large_world(50, 100, 5) == large_world(50, 100, 5)


async def test_the_official_client_reads_the_large_world_page_by_page() -> None:
    async with serve(large_world(400, 700, 20), backends=("kubernetes",)) as lab:

        def read() -> tuple[int, int]:
            with config.new_client_from_config(lab.environment["KUBECONFIG"]) as api:
                core, apps = client.CoreV1Api(api), client.AppsV1Api(api)
                page = core.list_pod_for_all_namespaces(limit=150)
                count = len(page.items) + page.metadata.remaining_item_count
                assert core.list_event_for_all_namespaces().items
                assert core.list_node().items
                broken = [
                    deployment
                    for deployment in apps.list_deployment_for_all_namespaces().items
                    if deployment.status.ready_replicas < deployment.spec.replicas
                ]
                return count, len(broken)

        with anyio.fail_after(30):
            assert await anyio.to_thread.run_sync(read) == (400, 1)
        pending = await ask(lab, "/api/v1/pods", fieldSelector="status.phase=Pending")
        found = pending.json()["items"]
        assert {item["metadata"]["namespace"] for item in found} == {NAMESPACE}
