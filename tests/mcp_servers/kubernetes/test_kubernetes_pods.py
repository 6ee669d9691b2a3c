from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kubernetes_objects import NOW, ago, event, owned_by, pod, status_of, thing

from mcp_servers.answer import Status
from mcp_servers.kubernetes.pods import owner, summary
from mcp_servers.kubernetes.troubles import trouble

pytestmark = pytest.mark.anyio


def waiting(reason: str, **more):
    return status_of(ready=False, state={"waiting": {"reason": reason, "message": "why"}}, **more)


def ended(code: int, seconds_ago: float, reason: str = "Error"):
    return {"terminated": {"exitCode": code, "reason": reason, "finishedAt": ago(seconds_ago)}}


UNSCHEDULED = [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]
FAILING = {
    "pulling": (pod("a", waiting("ImagePullBackOff"), phase="Pending", ready=False), "ImagePull"),
    "crashing": (pod("a", waiting("CrashLoopBackOff", restarts=4), ready=False), "CrashLoop"),
    "no config": (pod("a", waiting("CreateContainerConfigError"), ready=False), "CreateContainerC"),
    "unschedulable": (
        pod("a", phase="Pending", spec={"nodeName": ""}, status={"conditions": UNSCHEDULED}),
        "Unschedulable",
    ),
    "ignored by the scheduler": (
        pod("a", phase="Pending", spec={"nodeName": ""}, status={"conditions": []}),
        "Pending",
    ),
    "long not ready": (pod("a", status_of(ready=False), ready=False, since=300), "NotReady"),
    "failed": (pod("a", status_of(ready=False, state=ended(3, 50)), phase="Failed"), "Error"),
    "evicted": (pod("a", phase="Failed", status={"reason": "Evicted"}), "Evicted"),
    "node gone": (pod("a", phase="Unknown"), "Unknown"),
    "killed lately": (pod("a", status_of(restarts=1, lastState=ended(137, 600, "OOMKilled"))), "OOM"),
    "clean ends again and again": (pod("a", status_of(restarts=3, lastState=ended(0, 60))), "Rest"),
    "init fails": (
        pod("a", phase="Pending", ready=False, status={
            "initContainerStatuses": [waiting("CrashLoopBackOff") | {"name": "migrate"}],
            "containerStatuses": [waiting("PodInitializing")],
        }),
        "Init:CrashLoopBackOff",
    ),
    "init hangs": (
        pod("a", phase="Pending", ready=False, since=500, status={
            "initContainerStatuses": [status_of("wait-for-db", ready=False)],
            "containerStatuses": [waiting("PodInitializing")],
        }),
        "Init:0/1",
    ),
    "creating too long": (
        pod("a", waiting("ContainerCreating"), phase="Pending", ready=False, since=500),
        "ContainerCreating",
    ),
    "held by a finalizer": (
        pod("a", metadata={"deletionTimestamp": ago(900), "finalizers": ["x/y"]}),
        "StuckTerminating",
    ),
    "without status": (thing("v1", "Pod", "a", spec={"containers": [{"name": "main"}]}), "NoStatus"),
}  # fmt: skip
WELL = {
    "ready": pod("a"),
    "restarted days ago": pod("a", status_of(restarts=9, lastState=ended(1, 200_000))),
    "handed over once": pod("a", status_of(restarts=1, lastState=ended(0, 60))),
    "completed": pod(
        "a", status_of(ready=False, state=ended(0, 60)), phase="Succeeded", ready=False
    ),
    "just starting": pod("a", waiting("ContainerCreating"), phase="Pending", ready=False, since=20),
    "leaving": pod("a", metadata={"deletionTimestamp": ago(-20)}),
    "job done but for its phase": pod(
        "a", status_of(ready=False, state=ended(0, 60)), ready=False, since=400
    ),
}


@pytest.mark.parametrize("case", FAILING)
def test_a_pod_in_trouble_is_failing_with_the_telling_reason(case):
    item, reason = FAILING[case]
    found = trouble(item, NOW)
    assert found
    assert found.reason.startswith(reason)


@pytest.mark.parametrize("case", WELL)
def test_a_pod_that_is_as_it_should_be_is_not_failing(case):
    assert trouble(WELL[case], NOW) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
FIELDS = (
    "phase",
    "conditions",
    "containerStatuses",
    "initContainerStatuses",
    "startTime",
    "reason",
)


@given(
    spec=st.dictionaries(st.sampled_from(("containers", "nodeName", "initContainers")), JSON),
    status=st.dictionaries(st.sampled_from(FIELDS), JSON) | JSON,
    metadata=st.dictionaries(st.sampled_from(("name", "labels", "ownerReferences")), JSON),
)
def test_no_shape_of_pod_breaks_its_summary(spec, status, metadata):
    assert summary({"metadata": metadata, "spec": spec, "status": status}, now=NOW)


def test_a_pod_of_a_deployment_is_owned_by_the_deployment_not_its_replica_set():
    hashed = {"labels": {"pod-template-hash": "7d9f"}, **owned_by("ReplicaSet", "checkout-7d9f")}
    assert owner(pod("checkout-7d9f-x", metadata=hashed)) == "Deployment checkout"


async def test_failing_pods_of_all_namespaces_are_listed_with_reason_owner_and_node(cluster):
    bad = pod("web-1", waiting("ImagePullBackOff"), phase="Pending", ready=False, namespace="shop")
    async with cluster(pod("a"), bad) as tools:
        answer = await tools("list_failing_pods")
    assert answer.status is Status.OK
    assert answer.total == 1
    row = answer.data.pods[0]
    assert (row.namespace, row.reason, row.ready, row.node) == (
        "shop", "ImagePullBackOff", "0/1", "worker-1",
    )  # fmt: skip
    assert answer.source.startswith("lab (http://127.0.0.1")


async def test_no_failing_pod_is_an_empty_answer_without_a_reason(cluster):
    async with cluster(pod("a")) as tools:
        answer = await tools("list_failing_pods", namespace="payments")
    assert (answer.status, answer.total, answer.reason) == (Status.EMPTY, 0, "")


async def test_a_namespace_that_does_not_exist_is_said_with_near_names(cluster):
    async with cluster(pod("a")) as tools:
        answer = await tools("list_failing_pods", namespace="payment")
    assert answer.status is Status.EMPTY
    assert "does not exist" in answer.reason
    assert "payments" in answer.suggestions[0]


async def test_pods_are_paged_with_the_true_total_on_every_page(cluster):
    pods = [pod(f"p-{n:02d}", metadata={"labels": {"app": "web"}}) for n in range(25)]
    async with cluster(*pods) as tools:
        for selector in ("", "app=web"):
            names, cursor = [], ""
            while True:
                page = await tools(
                    "list_pods",
                    namespace="payments",
                    label_selector=selector,
                    limit=10,
                    cursor=cursor,
                )
                assert page.total == 25
                names += [row.name for row in page.data.pods]
                cursor = page.data.next_cursor
                if not cursor:
                    break
            assert names == sorted(names)
            assert len(set(names)) == 25


async def test_an_expired_cursor_says_to_start_again(cluster):
    async with cluster(*[pod(f"p-{n}") for n in range(5)]) as tools:
        page = await tools("list_pods", namespace="payments", limit=2)
        tools.lab.expire_pages()
        with pytest.raises(Exception, match="expired") as failure:
            await tools("list_pods", namespace="payments", limit=2, cursor=page.data.next_cursor)
    assert failure.value.status is Status.ERROR
    assert "without a cursor" in failure.value.suggestions[0]


async def test_a_made_up_cursor_is_refused(cluster):
    async with cluster(pod("a")) as tools:
        with pytest.raises(Exception, match="not one that this tool gave"):
            await tools("list_pods", namespace="payments", cursor="../../secrets")


async def test_pod_status_tells_each_container_its_conditions_and_events(cluster):
    crashed = status_of(
        ready=False, restarts=4,
        state={"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s"}},
        lastState=ended(137, 90, "OOMKilled"),
    )  # fmt: skip
    item = pod("web-1", crashed, ready=False)
    item["spec"]["containers"][0]["resources"] = {"limits": {"memory": "64Mi"}}
    async with cluster(item, event("BackOff", "web-1", first=90, last=9, count=7)) as tools:
        data = (await tools("get_pod_status", namespace="payments", name="web-1")).data
    container = data.containers[0]
    assert container["last_reason"] == "OOMKilled"
    assert container["last_exit_code"] == 137
    assert container["limits"] == {"memory": "64Mi"}
    assert data.events[0]["count"] == 7
    assert data.pod.reason == "CrashLoopBackOff"
    assert "exit 137 (OOMKilled)" in data.pod.message


async def test_a_pod_is_shown_though_its_events_may_not_be_seen(cluster):
    async with cluster(pod("web-1")) as tools:
        tools.lab.deny("list", "events")
        answer = await tools("get_pod_status", namespace="payments", name="web-1")
    assert answer.status is Status.OK
    assert "not everything could be seen" in answer.reason
    assert "events" in answer.reason
    assert any("--verb=list" in hint for hint in answer.suggestions)


async def test_a_missing_pod_is_empty_and_names_near_ones_and_other_namespaces(cluster):
    async with cluster(pod("checkout-1"), pod("checkout", namespace="shop")) as tools:
        answer = await tools("get_pod_status", namespace="payments", name="checkout")
    assert answer.status is Status.EMPTY
    assert answer.total == 0
    assert "checkout-1" in answer.suggestions[0]
    assert "shop" in answer.suggestions[1]


@pytest.mark.parametrize("name", ["../secrets", "a/b", "-x", "a%2fb", "a b", "a?limit=1", ""])
async def test_a_name_that_cannot_be_one_never_reaches_the_server(cluster, name):
    async with cluster(pod("a")) as tools:
        with pytest.raises(Exception, match="cannot be a name"):
            await tools("get_pod_status", namespace="payments", name=name or ".")
        assert tools.lab.requests["kubernetes"] <= 1  # the events of that name, at most
