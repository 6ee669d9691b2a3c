from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kubernetes_objects import NOW, pod

from mcp_servers.answer import Status, ToolFailure
from mcp_servers.kubernetes import build
from mcp_servers.kubernetes.client import Cluster
from mcp_servers.kubernetes.events import Events
from mcp_servers.kubernetes.pods import Pods
from mcp_servers.kubernetes.reader import Reader
from mcp_servers.kubernetes.refusals import grant, message, refusal

pytestmark = pytest.mark.anyio
EXPECTED = {
    "401": (Status.DENIED, "HTTP 401"),
    "403": (Status.DENIED, "HTTP 403"),
    "429": (Status.LIMITED, "HTTP 429"),
    "500": (Status.ERROR, "HTTP 500"),
    "html": (Status.ERROR, "a web page titled '502 Bad Gateway'"),
    "nonsense": (Status.ERROR, "not JSON"),
    "down": (Status.ERROR, "cannot be reached"),
}
CALLS = {
    "check_cluster_health": {},
    "list_failing_pods": {},
    "list_pods": {"namespace": "payments"},
    "get_pod_status": {"namespace": "payments", "name": "a"},
    "get_pod_logs": {"namespace": "payments", "pod": "a"},
    "get_recent_events": {},
    "list_deployments": {},
    "get_rollout_history": {"namespace": "payments", "name": "a"},
    "get_workload": {"namespace": "payments", "name": "a"},
    "list_nodes": {},
    "list_resources": {"kind": "widgets"},
}


@pytest.mark.parametrize("how", EXPECTED)
async def test_every_tool_says_what_went_wrong_with_the_server(cluster, how):
    status, words = EXPECTED[how]
    async with cluster(pod("a")) as tools:
        await tools.lab.misbehave("kubernetes", how)
        for name, arguments in CALLS.items():
            with pytest.raises(ToolFailure) as failure:
                await tools(name, **arguments)
            assert failure.value.status is status, name
            assert words in failure.value.reason, name
            assert "GET /" in failure.value.reason
        health = await tools.server.probe()
        assert not health.reachable
        assert words in health.detail


async def test_a_server_that_does_not_answer_is_a_timeout_that_names_the_question(cluster):
    async with cluster(pod("a")) as tools:
        await tools.lab.misbehave("kubernetes", "slow")
        slow = Cluster(tools.lab.environment, seconds=0.2)
        reader = Reader(slow)
        with pytest.raises(ToolFailure, match=r"no complete answer within 0\.2 s") as failure:
            await Pods(reader, Events(reader), lambda: NOW).list_failing_pods()
        await tools.lab.misbehave("kubernetes", "ok")
        await slow.close()
    assert failure.value.status is Status.TIMEOUT
    assert "/api/v1/pods" in failure.value.reason


async def test_a_server_that_comes_back_is_asked_again(cluster):
    async with cluster(pod("a")) as tools:
        await tools("list_pods", namespace="payments")
        await tools.lab.misbehave("kubernetes", "down")
        with pytest.raises(ToolFailure):
            await tools("list_pods", namespace="payments")
        await tools.lab.misbehave("kubernetes", "ok")
        assert (await tools("list_pods", namespace="payments")).total == 1


async def test_a_refused_verb_is_denied_with_the_rule_that_grants_it(cluster):
    async with cluster(pod("a")) as tools:
        tools.lab.deny("list", "pods", "payments")
        with pytest.raises(ToolFailure, match="cannot list resource") as failure:
            await tools("list_pods", namespace="payments")
    rule, command = failure.value.suggestions
    assert 'resources: ["pods"], verbs: ["list"]' in rule
    assert "kubectl create role incident-assistant-read -n payments --verb=list" in command
    assert failure.value.source.startswith("lab (http://127.0.0.1")


def test_a_refusal_of_a_service_account_is_granted_to_that_account():
    said = (
        'deployments.apps is forbidden: User "system:serviceaccount:ops:reader" cannot list '
        'resource "deployments" in API group "apps" at the cluster scope'
    )
    assert "kubectl create clusterrole " in grant(said)[1]
    assert "--resource=deployments.apps" in grant(said)[1]
    assert grant(said)[1].endswith("--serviceaccount=ops:reader")
    assert grant("no")[0].startswith("ask an administrator")


async def test_the_probe_names_what_is_missing_and_how_to_grant_it(cluster):
    async with cluster(pod("a")) as tools:
        assert (await tools.server.probe()).missing == ()
        tools.lab.deny("get", "pods/log")
        tools.lab.deny("list", "replicasets")
        health = await tools.server.probe()
    assert health.reachable
    assert health.missing == ("get pods/log", "list replicasets.apps")
    assert "kubectl create clusterrole" in health.fix


async def failing(environment):
    server = build(environment, lambda: NOW)
    with pytest.raises(ToolFailure) as failure:
        await server.tools[1].function()
    await server.close()
    return failure.value


@pytest.mark.parametrize(
    "text",
    ["", "][", "just words", "clusters: 7", "apiVersion: v1\nkind: Config\n", "\x00", "- a\n- b",
     "contexts: []\nclusters: []\nusers: []\ncurrent-context: gone"],
)  # fmt: skip
async def test_a_broken_kubeconfig_is_named_with_what_is_wrong(tmp_path: Path, text: str):
    path = tmp_path / "kubeconfig"
    path.write_text(text)
    failure = await failing({"KUBECONFIG": str(path)})
    assert failure.status is Status.ERROR
    assert str(path) in failure.reason
    assert "cannot be used" in failure.reason


async def test_a_missing_kubeconfig_an_unknown_context_and_no_cluster_are_told_apart(
    cluster, tmp_path: Path
):
    assert "there is no such file" in (await failing({"KUBECONFIG": str(tmp_path / "x")})).reason
    assert "no cluster is configured" in (await failing({})).reason
    inside = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}
    assert "the in-cluster account cannot be used" in (await failing(inside)).reason
    async with cluster() as tools:
        found = await failing({**tools.lab.environment, "KUBERNETES_CONTEXT": "nowhere"})
    assert "with context 'nowhere'" in found.reason


async def test_a_server_with_an_unknown_certificate_is_a_tls_failure_or_unreachable(
    cluster, tmp_path
):
    async with cluster() as tools:
        text = Path(tools.lab.environment["KUBECONFIG"]).read_text()  # noqa: ASYNC240
        path = tmp_path / "kubeconfig"
        path.write_text(text.replace("http://", "https://"))
        found = await failing({"KUBECONFIG": str(path)})
    assert found.status is Status.ERROR
    assert "TLS with the API server failed" in found.reason


@given(st.binary(max_size=200), st.sampled_from([400, 401, 403, 409, 429, 500, 502, 503, 504]))
def test_any_body_of_a_refusal_becomes_a_failure_with_words(body, status):
    failure = refusal(status, body, "GET /x")
    assert isinstance(failure, ToolFailure)
    assert f"HTTP {status}" in failure.reason
    assert message(body)
