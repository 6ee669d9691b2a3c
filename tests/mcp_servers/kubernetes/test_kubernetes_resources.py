from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kubernetes_objects import NOW, deployment, node, pod, thing

from mcp_servers.answer import Status, ToolFailure
from mcp_servers.kubernetes.kinds import BUILTINS, builtin
from mcp_servers.kubernetes.selectors import selector_text, selects
from mcp_servers.kubernetes.summaries import line
from mcp_servers.kubernetes.trimming import is_secret_name, trimmed

pytestmark = pytest.mark.anyio
WIDGET = thing("example.com/v1", "Widget", "w1", spec={"size": 3}, status={"phase": "Ready"})


@pytest.mark.parametrize("written", ["Deployment", "deployments", "deploy", "deployments.apps"])
async def test_a_builtin_kind_is_found_by_any_of_its_names_without_discovery(cluster, written):
    async with cluster(deployment()) as tools:
        answer = await tools("list_resources", kind=written, namespace="payments")
        assert tools.lab.requests["kubernetes"] == 1
    assert (answer.data.kind, answer.data.api_version) == ("Deployment", "apps/v1")
    assert answer.data.items[0]["status"] == "3/3 ready"


@pytest.mark.parametrize("written", ["Widget", "widgets", "widgets.example.com"])
async def test_a_custom_kind_is_discovered_once(cluster, written):
    async with cluster(WIDGET) as tools:
        answer = await tools("list_resources", kind=written)
        before = tools.lab.requests["kubernetes"]
        await tools("list_resources", kind="widget")
        assert tools.lab.requests["kubernetes"] == before + 1
    assert answer.data.api_version == "example.com/v1"
    assert answer.data.items[0]["status"] == "Ready"


async def test_an_unknown_kind_is_empty_and_names_near_ones(cluster):
    async with cluster(WIDGET) as tools:
        answer = await tools("list_resources", kind="widgetz")
    assert answer.status is Status.EMPTY
    assert "widgets" in answer.suggestions[0]


async def test_a_group_that_the_cluster_does_not_serve_is_empty_with_the_reason(cluster):
    async with cluster(pod("a")) as tools:
        answer = await tools("list_resources", kind="metrics.k8s.io")
        assert answer.status is Status.EMPTY
        assert "serves no kind" in answer.reason


async def test_an_older_version_of_a_builtin_kind_is_read_where_only_that_is_served(cluster):
    old = thing("apiregistration.k8s.io/v1beta1", "APIService", "v1.metrics", "", spec={})
    async with cluster(old) as tools:
        answer = await tools("list_resources", kind="apiservices")
    assert answer.data.items[0]["name"] == "v1.metrics"
    assert answer.data.api_version == "apiregistration.k8s.io/v1beta1"


async def test_a_builtin_kind_whose_group_is_not_served_is_empty_with_the_reason(cluster):
    async with cluster(pod("a")) as tools:
        answer = await tools("list_resources", kind="apiservices")
    assert answer.status is Status.EMPTY
    assert "does not serve apiservices.apiregistration.k8s.io/v1" in answer.reason


async def test_the_full_view_is_the_raw_object_without_bookkeeping(cluster):
    item = deployment()
    item["metadata"]["managedFields"] = [{"manager": "kubectl"}]
    item["metadata"]["annotations"] = {
        "kubectl.kubernetes.io/last-applied-configuration": "{}", "team": "pay",
    }  # fmt: skip
    async with cluster(item) as tools:
        full = await tools("list_resources", kind="deploy", view="full", name="checkout")
    (shown,) = full.data.items
    assert shown["spec"] == item["spec"]
    assert shown["status"] == item["status"]
    assert shown["kind"] == "Deployment"
    assert shown["metadata"]["annotations"] == {"team": "pay"}
    assert "managedFields" not in shown["metadata"]


async def test_a_name_without_namespace_is_looked_for_in_all(cluster):
    async with cluster(pod("a"), pod("b"), pod("b", namespace="shop")) as tools:
        one = await tools("list_resources", kind="pod", name="a")
        two = await tools("list_resources", kind="pod", name="b")
        none = await tools("list_resources", kind="pod", name="c")
    assert one.data.items[0]["namespace"] == "payments"
    assert "several namespaces: payments, shop" in two.reason
    assert (none.status, none.reason) == (Status.EMPTY, "there is no Pod 'c' in any namespace")


async def test_field_selectors_and_pages_go_to_the_server(cluster):
    pods = [pod(f"p{n}", spec={"nodeName": f"n{n % 2}"}) for n in range(6)]
    async with cluster(*pods) as tools:
        first = await tools("list_resources", kind="po", field_selector="spec.nodeName=n1", limit=2)
        rest = await tools(
            "list_resources", kind="po", field_selector="spec.nodeName=n1", limit=2,
            cursor=first.data.next_cursor,
        )  # fmt: skip
    names = [item["name"] for page in (first, rest) for item in page.data.items]
    assert names == ["p1", "p3", "p5"]
    assert first.total == rest.total == 3


async def test_a_wrong_selector_is_an_error_in_the_servers_own_words(cluster):
    async with cluster(pod("a")) as tools:
        with pytest.raises(ToolFailure, match="HTTP 400") as failure:
            await tools("list_resources", kind="po", label_selector="app in (")
    assert failure.value.status is Status.ERROR


async def test_a_page_too_large_for_one_answer_is_cut_where_its_cursor_goes_on(cluster):
    large = [thing("v1", "ConfigMap", f"c{n}", data={"text": "x" * 900_000}) for n in range(6)]
    async with cluster(*large) as tools:
        names, cursor = [], ""
        while True:
            page = await tools("list_resources", kind="cm", view="full", cursor=cursor)
            assert len(page.model_dump_json()) < 4_000_000
            assert page.total == 6
            names += [item["metadata"]["name"] for item in page.data.items]
            cursor = page.data.next_cursor
            if not cursor:
                break
    assert names == [f"c{n}" for n in range(6)]


async def test_an_address_shows_one_object_of_a_namespace_or_of_the_cluster(cluster):
    async with cluster(deployment(), node("worker-1")) as tools:
        read = tools.server.resources[0].function
        assert json.loads(await read("payments", "Deployment", "checkout"))["spec"]["replicas"] == 3
        assert json.loads(await read("-", "Node", "worker-1"))["metadata"]["name"] == "worker-1"
        with pytest.raises(ToolFailure, match="there is no Deployment 'chekout'"):
            await read("payments", "Deployment", "chekout")


async def test_the_listing_tells_health_with_the_worst_first(cluster):
    async with cluster(deployment("fine"), deployment(ready=2)) as tools:
        entries = await tools.server.listing()
        place = json.loads(await tools.server.resources[1].function("payments"))
    assert entries[0].description == "checkout (2/3 ready) in payments"
    assert entries[0].uri == "k8s://payments/Deployment/checkout"
    assert len(place["workloads"]) == len(entries) == 2


async def test_namespaces_kinds_and_names_are_completed(cluster):
    async with cluster(deployment(), pod("checkout-1")) as tools:
        complete = tools.server.complete
        assert await complete("namespace", "pay") == ["payments"]
        assert "Deployment" in await complete("kind", "dep")
        assert await complete("name", "che") == ["checkout"]
        assert await complete("pod", "1") == ["checkout-1"]
        assert await complete("limit", "1") == []
        await tools.lab.misbehave("kubernetes", "500")
        assert await complete("namespace", "pay") == []


async def test_the_prompts_name_the_workload_and_the_tools(cluster):
    async with cluster() as tools:
        diagnose, summarize = (prompt.function for prompt in tools.server.prompts)
        text = await diagnose("payments", "checkout")
        assert 'get_workload(namespace="payments", name="checkout"' in text
        assert "cluster" in await summarize()


EXAMPLES = {
    "Job": ({"status": {"conditions": [{"type": "Failed", "status": "True", "reason": "DeadlineExceeded"}]}}, "Failed: DeadlineExceeded"),
    "CronJob": ({"spec": {"schedule": "* * * * *", "suspend": True}}, "suspended"),
    "Service": ({"spec": {"ports": [{"port": 80, "targetPort": "http"}], "selector": {"app": "w"}}}, "80->http/TCP; selects app=w"),
    "Endpoints": ({"subsets": [{"notReadyAddresses": [{"ip": "1"}]}]}, "0 ready, 1 not ready"),
    "Secret": ({"type": "Opaque", "data": {"a": "x"}}, "Opaque, 1 keys: a"),
    "PersistentVolumeClaim": ({"status": {"phase": "Pending"}, "spec": {"storageClassName": "fast"}}, "Pending, , class fast"),
    "ResourceQuota": ({"status": {"hard": {"pods": "10"}, "used": {"pods": "10"}}}, "pods 10/10 (full)"),
    "NetworkPolicy": ({"spec": {"podSelector": {}, "policyTypes": ["Ingress"]}}, "all pods; Ingress; no rules"),
    "HorizontalPodAutoscaler": ({"spec": {"maxReplicas": 5}, "status": {"conditions": [{"type": "ScalingActive", "status": "False", "reason": "NoMetrics"}]}}, "ScalingActive=False NoMetrics"),
    "Widget": ({"status": {"conditions": [{"type": "Synced", "status": "False", "reason": "Auth"}]}}, "Synced=False Auth"),
}  # fmt: skip


@pytest.mark.parametrize("kind", EXAMPLES)
def test_the_state_of_a_kind_is_put_in_words(kind):
    item, said = EXAMPLES[kind]
    assert said in line(kind, item, NOW)["status"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ("conditions", "rules", "http", "hard", "used", "ports", "subsets", "endpoints", "env",
             "selector", "data", "metadata", "annotations", "command", "claimRef", "subjects")
        ),
        inner, max_size=3,
    ),
    max_leaves=10,
)  # fmt: skip


@given(
    st.sampled_from([kind.name for kind in BUILTINS]),
    st.dictionaries(
        st.sampled_from(("metadata", "spec", "status", "data", "subsets", "endpoints", "rules")),
        JSON,
    ),
)
def test_no_shape_of_object_breaks_its_line_or_its_full_view(kind, item):
    assert isinstance(line(kind, item, NOW)["status"], str)
    assert isinstance(trimmed({"kind": kind, **item}), dict)


@pytest.mark.parametrize(
    "name",
    ["DB_PASSWORD", "password", "API_KEY", "STRIPE_SECRET_KEY", "SECRET_KEY_BASE", "GITHUB_TOKEN",
     "spring.datasource.password", "AWS_SECRET_ACCESS_KEY", "MYSQL_PWD", "DATABASE_DSN", "TOKEN_2"],
)  # fmt: skip
def test_names_of_secrets_are_known(name):
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name", ["PWD", "PASSWORD_FILE", "TOKEN_URL", "KEYCLOAK_HOST", "DB_HOST", "TTL"]
)
def test_names_that_only_speak_of_secrets_are_not(name):
    assert not is_secret_name(name)


def test_a_label_selector_is_written_as_the_server_takes_it_and_means_the_same():
    selector = {
        "matchLabels": {"app": "web"},
        "matchExpressions": [
            {"key": "tier", "operator": "In", "values": ["a", "b"]},
            {"key": "old", "operator": "DoesNotExist"},
        ],
    }
    assert selector_text(selector) == "app=web,tier in (a,b),!old"
    assert selects(selector, {"app": "web", "tier": "a"})
    assert not selects(selector, {"app": "web", "tier": "c"})
    assert not selects(selector, {"app": "web", "tier": "a", "old": "1"})


def test_every_builtin_kind_is_found_by_each_of_its_own_names_alone():
    for kind in BUILTINS:
        for name in (kind.name, kind.plural, *kind.short_names):
            assert builtin(name) is kind
