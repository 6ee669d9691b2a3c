from __future__ import annotations

import pytest
from kubernetes_objects import ago, deployment, event, node, owned_by, pod, template, thing

from mcp_servers.answer import Status

pytestmark = pytest.mark.anyio
CHECKOUT = {"namespace": "payments", "name": "checkout"}
LABELS = {"labels": {"app": "checkout", "pod-template-hash": "7d"}}


def reference(field: str, name: str, key: str, **more):
    return {"name": key.upper(), "valueFrom": {field: {"name": name, "key": key, **more}}}


def surroundings():
    env = [
        reference("secretKeyRef", "db", "password"),
        reference("secretKeyRef", "db", "user"),
        reference("configMapKeyRef", "flags", "beta", optional=True),
        {"name": "API_TOKEN", "value": "abc123def"},
    ]
    claim = {"name": "data", "persistentVolumeClaim": {"claimName": "orders"}}
    lost = {"name": "more", "persistentVolumeClaim": {"claimName": "gone"}}
    pods = template(
        container={"env": env, "envFrom": [{"configMapRef": {"name": "settings"}}]},
        volumes=[claim, lost],
        serviceAccountName="checkout",
    )
    meta = {**LABELS, **owned_by("ReplicaSet", "checkout-7d")}
    return [
        deployment(template=pods, wanted=2, ready=1),
        pod("checkout-7d-a", metadata=meta),
        thing("v1", "Secret", "db", data={"password": "c2VjcmV0", "username": "eA=="}),
        thing("v1", "ConfigMap", "settings", data={"MODE": "on"}, metadata={
            "managedFields": [{"time": ago(30)}], "creationTimestamp": ago(900)}),
        thing("v1", "PersistentVolumeClaim", "orders", spec={}, status={"phase": "Pending"}),
        thing("v1", "Service", "checkout", spec={"selector": {"app": "checkout"}, "ports": []}),
        thing("v1", "Service", "other", spec={"selector": {"app": "other"}}),
        thing("v1", "Service", "by-hand", spec={}),
        thing("discovery.k8s.io/v1", "EndpointSlice", "checkout-x",
            metadata={"labels": {"kubernetes.io/service-name": "checkout"}},
            endpoints=[
                {"addresses": ["10.0.0.1"], "conditions": {"ready": True}},
                {"addresses": ["10.0.0.2"], "conditions": {"ready": False}},
            ]),
        thing("autoscaling/v2", "HorizontalPodAutoscaler", "checkout",
            spec={"scaleTargetRef": {"kind": "Deployment", "name": "checkout"}, "maxReplicas": 4},
            status={"currentReplicas": 2}),
        thing("policy/v1", "PodDisruptionBudget", "checkout",
            spec={"selector": {"matchLabels": {"app": "checkout"}}, "minAvailable": 2},
            status={"disruptionsAllowed": 0}),
    ]  # fmt: skip


async def test_a_workload_comes_with_all_that_it_hangs_together_with(cluster):
    async with cluster(*surroundings()) as tools:
        answer = await tools("get_workload", **CHECKOUT)
    data = answer.data
    assert [row.owner for row in data.pods] == ["Deployment checkout"]
    (service,) = data.services
    assert (service["ready_addresses"], service["not_ready_addresses"]) == (
        ["10.0.0.1"],
        ["10.0.0.2"],
    )
    assert [(row["claim"], row["phase"]) for row in data.volumes] == [
        ("orders", "Pending"), ("gone", "missing"),
    ]  # fmt: skip
    assert data.autoscalers[0]["max"] == 4
    assert data.budgets[0]["disruptions_allowed"] == 0
    assert answer.reason == ""


async def test_configs_tell_what_is_missing_and_when_they_changed(cluster):
    async with cluster(*surroundings()) as tools:
        rows = (await tools("get_workload", **CHECKOUT)).data.configs
    configs = {(row["kind"], row["name"]): row for row in rows}
    assert configs["Secret", "db"]["keys"] == ["password", "username"]
    assert configs["Secret", "db"]["missing_keys"] == ["user"]
    assert configs["ConfigMap", "settings"]["changed_at"] == ago(30)
    assert configs["ConfigMap", "flags"]["exists"] is False
    assert configs["ConfigMap", "flags"]["optional"] is True
    assert configs["ServiceAccount", "checkout"]["exists"] is False
    assert configs["Secret", "db"]["used_by"] == [
        "containers[checkout].env[PASSWORD]", "containers[checkout].env[USER]",
    ]  # fmt: skip


async def test_no_secret_value_leaves(cluster):
    async with cluster(*surroundings()) as tools:
        workload = await tools("get_workload", **CHECKOUT)
        secret = await tools("get_workload", **CHECKOUT | {"name": "db", "kind": "Secret"})
        listed = await tools("list_resources", kind="secrets", view="full")
        read = await tools.server.resources[0].function("payments", "Secret", "db")
    for text in (*(one.model_dump_json() for one in (workload, secret, listed)), read):
        assert "c2VjcmV0" not in text
        assert "abc123def" not in text
    assert listed.data.items[0]["data"] == {"password": "[redacted]", "username": "[redacted]"}


async def test_forbidden_secrets_are_unknown_not_missing(cluster):
    async with cluster(*surroundings()) as tools:
        tools.lab.deny("get", "secrets")
        answer = await tools("get_workload", **CHECKOUT)
    row = next(row for row in answer.data.configs if row["kind"] == "Secret")
    assert row["exists"] is None
    assert "Secret db" in answer.reason


async def test_a_service_that_bears_the_name_but_selects_other_pods_is_shown(cluster):
    service = thing("v1", "Service", "checkout", spec={"selector": {"app": "checkuot"}})
    empty = thing("v1", "Endpoints", "checkout", subsets=[])
    async with cluster(deployment(), service, empty) as tools:
        (row,) = (await tools("get_workload", **CHECKOUT)).data.services
    assert (row["matches"], row["ready_addresses"]) == (False, [])


async def test_a_pod_shows_the_chain_of_its_owners(cluster):
    replica_set = thing(
        "apps/v1", "ReplicaSet", "checkout-7d", metadata=owned_by("Deployment", "checkout")
    )
    item = pod("checkout-7d-a", metadata={**LABELS, **owned_by("ReplicaSet", "checkout-7d")})
    async with cluster(deployment(), replica_set, item) as tools:
        data = (
            await tools("get_workload", namespace="payments", name="checkout-7d-a", kind="pod")
        ).data
    assert [(row["kind"], row["name"], row["exists"]) for row in data.owners] == [
        ("ReplicaSet", "checkout-7d", True), ("Deployment", "checkout", True),
    ]  # fmt: skip


async def test_a_cron_job_shows_the_pods_of_its_jobs(cluster):
    cron = thing("batch/v1", "CronJob", "report", spec={"jobTemplate": {"spec": {"template": {}}}})
    job = thing("batch/v1", "Job", "report-1", metadata=owned_by("CronJob", "report"))
    item = pod("report-1-x", metadata=owned_by("Job", "report-1"))
    async with cluster(cron, job, item, pod("other")) as tools:
        data = (
            await tools("get_workload", namespace="payments", name="report", kind="CronJob")
        ).data
    assert [row.name for row in data.pods] == ["report-1-x"]


async def test_workloads_with_something_missing_come_first(cluster):
    objects = [
        deployment("fine"),
        deployment("short", ready=1),
        deployment("off", wanted=0, ready=0),
    ]
    async with cluster(*objects) as tools:
        answer = await tools("list_deployments")
    assert [row.name for row in answer.data.workloads] == ["short", "fine", "off"]


async def test_one_forbidden_kind_does_not_hide_the_others(cluster):
    async with cluster(deployment()) as tools:
        tools.lab.deny("list", "statefulsets")
        answer = await tools("list_deployments")
        tools.lab.deny("list", "*")
        with pytest.raises(Exception, match="HTTP 403") as failure:
            await tools("list_deployments")
    assert (answer.status, answer.total) == (Status.OK, 1)
    assert "StatefulSets" in answer.reason
    assert failure.value.status is Status.DENIED


async def test_nodes_tell_pressure_taints_and_what_is_requested(cluster):
    spec = {"nodeName": "worker-1", "containers": [
        {"name": "a", "resources": {"requests": {"cpu": "250m", "memory": "1Gi"}}},
        {"name": "b", "resources": {"requests": {"cpu": "0.5", "memory": "512Mi"}}},
    ], "initContainers": [{"name": "i", "resources": {"requests": {"cpu": "2"}}}]}  # fmt: skip
    done = pod("done", phase="Succeeded", spec=spec)
    tainted = node("worker-2", disk="True", unschedulable=True, taints=[
        {"key": "disk", "value": "full", "effect": "NoSchedule"}])  # fmt: skip
    async with cluster(node("worker-1"), tainted, pod("a", spec=spec), done) as tools:
        answer = await tools("list_nodes")
        health = (await tools("check_cluster_health")).data.nodes
    bad, good = answer.data.nodes
    assert bad["taints"] == ["disk=full:NoSchedule"]
    assert good["requested"] == {"cpu": "2000m", "memory": "1536Mi"}
    assert good["pods"] == 1
    assert health == {
        "total": 2, "ready": 2,
        "problems": [{"name": "worker-2", "problem": "DiskPressure=True: disk; cordoned"}],
    }  # fmt: skip


async def test_nodes_are_shown_though_pods_may_not_be_listed(cluster):
    async with cluster(node("worker-1")) as tools:
        tools.lab.deny("list", "pods")
        answer = await tools("list_nodes")
    assert answer.data.nodes[0]["requested"] is None
    assert "pods" in answer.reason


async def test_the_health_of_a_cluster_is_told_in_numbers(cluster):
    objects = [
        deployment(ready=1),
        pod("a"),
        pod("b", phase="Failed"),
        node("worker-1", ready="Unknown"),
    ]
    made = event("BackOff", "b", first=90, last=9, count=5)
    async with cluster(*objects, made) as tools:
        data = (await tools("check_cluster_health")).data
    assert data.pods == {"total": 2, "by_phase": {"Running": 1, "Failed": 1}, "failing": 1}
    assert data.workloads["unavailable"] == ["Deployment payments/checkout: 1/3 ready, 3 updated"]
    assert data.nodes["ready"] == 0
    assert (data.warnings[0]["reason"], data.warnings[0]["count"]) == ("BackOff", 5)


async def test_a_part_of_the_health_that_cannot_be_seen_is_null_and_said(cluster):
    async with cluster(deployment(), pod("a")) as tools:
        tools.lab.deny("list", "nodes")
        tools.lab.deny("list", "daemonsets")
        answer = await tools("check_cluster_health")
    assert answer.data.nodes is None
    assert answer.data.workloads is None
    assert answer.data.pods["total"] == 1
    assert "nodes" in answer.reason
    assert "DaemonSets" in answer.reason
