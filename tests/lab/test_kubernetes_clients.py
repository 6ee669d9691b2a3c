"""The programs people use, against the lab's cluster: the official client and kubectl."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeVar

import anyio
import pytest
from kubernetes import client, config, watch
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic import DynamicClient

from eval.lab.lab import Lab, serve
from eval.lab.world import World
from tests.lab.small_world import needs

pytestmark = pytest.mark.anyio
Result = TypeVar("Result")


@pytest.fixture
async def lab(world: World) -> AsyncIterator[Lab]:
    async with serve(world, backends=("kubernetes",)) as lab:
        yield lab


async def with_client(lab: Lab, work: Callable[[client.ApiClient], Result]) -> Result:
    def run() -> Result:
        path, context = lab.environment["KUBECONFIG"], lab.environment["KUBERNETES_CONTEXT"]
        with config.new_client_from_config(path, context) as api:
            return work(api)

    with anyio.fail_after(20):
        return await anyio.to_thread.run_sync(run)


async def test_the_official_client_lists_pages_and_reads_logs(lab: Lab) -> None:
    def work(api: client.ApiClient) -> None:
        core = client.CoreV1Api(api)
        pods = core.list_namespaced_pod("shop", label_selector="app=cart", limit=1)
        assert [pod.metadata.name for pod in pods.items] == ["cart-1"]
        rest = core.list_namespaced_pod(
            "shop", label_selector="app=cart", limit=1, _continue=pods.metadata._continue
        )
        assert [pod.metadata.name for pod in rest.items] == ["cart-2"]
        assert core.read_namespaced_pod_log("cart-1", "shop", tail_lines=1) == "line 4\n"
        assert client.VersionApi(api).get_code().git_version == "v1.29.4"
        assert client.AppsV1Api(api).read_namespaced_deployment("cart", "shop").spec.replicas == 2

    await with_client(lab, work)


async def test_the_official_client_raises_what_the_status_says(lab: Lab) -> None:
    lab.deny("list", "secrets")

    def work(api: client.ApiClient) -> list[int]:
        core, failures = client.CoreV1Api(api), []
        for call in (
            lambda: core.read_namespaced_pod("nope", "shop"),
            core.list_secret_for_all_namespaces,
            lambda: core.delete_namespaced_pod("cart-1", "shop"),
        ):
            with pytest.raises(ApiException) as raised:
                call()
            failures.append(raised.value.status)
        return failures

    assert await with_client(lab, work) == [404, 403, 403]


async def test_the_official_client_discovers_and_watches(lab: Lab, tmp_path: Path) -> None:
    def work(api: client.ApiClient) -> None:
        dynamic = DynamicClient(api, cache_file=str(tmp_path / "discovery"))
        sprockets = dynamic.resources.get(kind="Sprocket").get(namespace="shop")
        assert [item.metadata.name for item in sprockets.items] == ["odd"]
        stream = watch.Watch().stream(
            client.CoreV1Api(api).list_pod_for_all_namespaces, timeout_seconds=1
        )
        assert [event["type"] for event in stream] == ["ADDED"] * 4

    await with_client(lab, work)


async def kubectl(lab: Lab, tmp_path: Path, *arguments: str) -> str:
    command = ["kubectl", "--kubeconfig", lab.environment["KUBECONFIG"]]
    with anyio.fail_after(30):
        done = await anyio.run_process(
            [*command, "--cache-dir", str(tmp_path), *arguments], check=False, stderr=-2
        )
    return done.stdout.decode()


@needs("kubectl")
async def test_kubectl_gets_describes_reads_logs_and_is_refused(lab: Lab, tmp_path: Path) -> None:
    listed = await kubectl(lab, tmp_path, "get", "pods", "-A")
    assert [line.split()[:2] for line in listed.splitlines()[1:]] == [
        ["shop", "cart-1"],
        ["shop", "cart-2"],
        ["shop", "mail-1"],
        ["ops", "tool-1"],
    ]
    described = await kubectl(lab, tmp_path, "describe", "pod", "cart-1", "-n", "shop")
    assert "message 5" in described
    assert (await kubectl(lab, tmp_path, "logs", "cart-1", "-n", "shop", "--tail=1")) == "line 4\n"
    gone = await kubectl(lab, tmp_path, "get", "deploy", "nope", "-n", "shop")
    assert gone.strip() == 'Error from server (NotFound): deployments.apps "nope" not found'
    assert "no" in await kubectl(lab, tmp_path, "auth", "can-i", "delete", "pods")
    deleted = await kubectl(lab, tmp_path, "delete", "pod", "cart-1", "-n", "shop")
    assert "Forbidden" in deleted
