from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kubernetes_objects import deployment, owned_by, replica_set, template, thing

from mcp_servers.answer import Status
from mcp_servers.kubernetes.changes import changes

pytestmark = pytest.mark.anyio
CHECKOUT = {"namespace": "payments", "name": "checkout"}


def env(**values):
    return {"container": {"env": [{"name": k, "value": v} for k, v in values.items()]}}


async def test_what_changed_between_revisions_is_told_by_path(cluster):
    old, new = (
        template("checkout:1", **env(DB_HOST="db-1")),
        template("checkout:2", **env(DB_HOST="db-2")),
    )
    objects = [deployment(template=new), replica_set(1, old), replica_set(2, new, replicas=3)]
    stranger = replica_set(9, template("other:1"), name="other")
    stranger["metadata"]["labels"] = {"app": "checkout"}
    async with cluster(*objects, stranger) as tools:
        answer = await tools("get_rollout_history", **CHECKOUT)
    newest, oldest = answer.data.revisions
    assert newest["changes"] == [
        {"path": "containers[checkout].image", "before": "checkout:1", "after": "checkout:2"},
        {"path": "containers[checkout].env[DB_HOST]", "before": "db-1", "after": "db-2"},
    ]
    assert (newest["revision"], newest["replicas"], newest["images"]) == (2, 3, ["checkout:2"])
    assert oldest["changes"] == []
    assert (answer.total, answer.reason) == (2, "")


async def test_a_change_that_was_written_but_not_rolled_out_is_told(cluster):
    objects = [deployment(template=template("checkout:2"), paused=True), replica_set(1, template())]
    async with cluster(*objects) as tools:
        answer = await tools("get_rollout_history", **CHECKOUT)
    assert "not rolled out (it is paused): containers[checkout].image" in answer.reason


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet"])
async def test_controller_revisions_tell_the_history_of_the_other_kinds(cluster, kind):
    item = {**deployment(), "kind": kind}
    item["metadata"]["uid"] = f"uid-{kind}-payments-checkout"
    item["status"] = {"updateRevision": "checkout-2", "updatedReplicas": 1}
    recorded = [
        thing(
            "apps/v1", "ControllerRevision", f"checkout-{n}",
            metadata={"labels": {"app": "checkout"}, **owned_by(kind, "checkout")},
            revision=n,
            data={"spec": {"template": {"$patch": "replace", **template(f"checkout:{n}")}}},
        )
        for n in (1, 2)
    ]  # fmt: skip
    async with cluster(item, *recorded) as tools:
        answer = await tools("get_rollout_history", **CHECKOUT, kind=kind)
    assert [row["revision"] for row in answer.data.revisions] == [2, 1]
    assert [change["path"] for change in answer.data.revisions[0]["changes"]] == [
        "containers[checkout].image"
    ]


async def test_a_workload_without_any_kept_revision_is_empty_and_says_so(cluster):
    async with cluster(deployment()) as tools:
        answer = await tools("get_rollout_history", **CHECKOUT)
    assert (answer.status, answer.total) == (Status.EMPTY, 0)
    assert "no revision that is still kept" in answer.reason


async def test_an_unknown_workload_is_empty_and_names_a_near_one(cluster):
    async with cluster(deployment("checkout-api")) as tools:
        answer = await tools("get_rollout_history", **CHECKOUT)
    assert answer.status is Status.EMPTY
    assert "checkout-api" in answer.suggestions[0]


def test_a_changed_secret_is_told_and_not_shown():
    found = changes(
        template(**env(DB_PASSWORD="hunter2")), template(**env(DB_PASSWORD="swordfish"))
    )
    assert found == [
        {
            "path": "containers[checkout].env[DB_PASSWORD]",
            "before": "[redacted]",
            "after": "[redacted, another value]",
        }
    ]


def test_a_renamed_key_and_a_new_config_reference_are_told():
    def variable(key):
        source = {"secretKeyRef": {"name": "db", "key": key}}
        return {"container": {"env": [{"name": "DB_PASSWORD", "valueFrom": source}]}}

    after = template(**variable("pass"))
    after["spec"]["volumes"] = [{"name": "conf", "configMap": {"name": "checkout-conf"}}]
    found = {change["path"]: change for change in changes(template(**variable("password")), after)}
    assert found["containers[checkout].env[DB_PASSWORD]"]["after"] == "from secret db key pass"
    assert found["volumes[conf].configMap.name"]["after"] == "checkout-conf"


def test_order_hashes_and_creation_stamps_are_no_change():
    one, other = template(**env(A="1", B="2")), template(**env(B="2", A="1"))
    other["metadata"]["labels"] = {"app": "checkout", "pod-template-hash": "abc"}
    other["metadata"]["creationTimestamp"] = None
    assert changes(one, other) == []


def test_what_the_api_server_fills_in_is_no_change():
    written = template(container={"ports": [{"containerPort": 80}], "readinessProbe": {}})
    filled = template(container={
        "ports": [{"containerPort": 80, "protocol": "TCP"}],
        "readinessProbe": {"timeoutSeconds": 1},
        "terminationMessagePath": "/dev/termination-log",
    })  # fmt: skip
    assert changes(written, filled) == changes(filled, written) == []
    slower = template(
        container={"ports": [{"containerPort": 80}], "readinessProbe": {"timeoutSeconds": 5}}
    )
    assert [change["after"] for change in changes(filled, slower)] == [5]


def test_probes_resources_ports_command_and_annotations_are_compared():
    before = template(container={
        "ports": [{"containerPort": 80, "protocol": "TCP"}],
        "resources": {"limits": {"memory": "256Mi"}},
        "readinessProbe": {"httpGet": {"port": 80, "path": "/"}},
        "command": ["run", "--token=abcdef"],
    })  # fmt: skip
    after = template(container={
        "ports": [{"containerPort": 8080, "protocol": "TCP"}],
        "resources": {"limits": {"memory": "64Mi"}},
        "readinessProbe": {"httpGet": {"port": 8080, "path": "/"}},
        "command": ["run", "--token=ghijkl", "-v"],
    })  # fmt: skip
    after["metadata"]["annotations"] = {"kubectl.kubernetes.io/restartedAt": "2026-03-01T00:00:00Z"}
    paths = {change["path"]: change["after"] for change in changes(before, after)}
    assert paths == {
        "containers[checkout].command": "run --token=[redacted] -v",
        "containers[checkout].resources.limits.memory": "64Mi",
        "containers[checkout].readinessProbe.httpGet.port": 8080,
        "containers[checkout].ports[80/TCP]": None,
        "containers[checkout].ports[8080/TCP]": "present",
        "annotations[kubectl.kubernetes.io/restartedAt]": "2026-03-01T00:00:00Z",
    }


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(("env", "envFrom", "labels", "containers", "ports", "name", "command")),
            inner,
            max_size=3,
        )
    ),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(("metadata", "spec")), JSON))
def test_no_shape_of_template_breaks_the_comparison_and_none_differs_from_itself(item):
    assert changes(item, item) == []
    assert changes({}, item) is not None
