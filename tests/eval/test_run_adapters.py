from datetime import UTC, datetime

import pytest

from assistant.errors import NotFound
from assistant.faults import catalogue
from assistant.incident import (
    Alert,
    Citation,
    Cost,
    Edge,
    Entity,
    Evidence,
    Finding,
    Hypothesis,
    Report,
    Scope,
    Status,
    Verdict,
    Window,
)
from eval.adapters import CLOUDOPSBENCH, Case, vocabulary
from eval.run import record

NOW = datetime(2026, 2, 3, 4, 5, tzinfo=UTC)
NODES = Evidence(
    id="e1",
    tool="kubernetes.list_resources",
    arguments={"kind": "Node", "view": "full"},
    status=Status.OK,
    data={
        "kind": "Node",
        "items": [
            {"kind": "Node", "metadata": {"name": "green-1", "labels": {}}},
            {
                "kind": "Node",
                "metadata": {"name": "blue-1", "labels": {"kubernetes.io/role": "master"}},
            },
        ],
    },
    taken_at=NOW,
)
SHOP = Entity(kind="Deployment", name="shop", namespace="web")
SERVICE = Entity(kind="Service", name="shop-front", namespace="web")


def finding(kind, entity, *about, statement="said", **details):
    said = (Citation(evidence="e1"),)
    return Finding(
        kind=kind, entity=entity, statement=statement, citations=said, about=about, details=details
    )


def believed(found, *chain, confidence=0.9, ruled_out=False):
    return Hypothesis(
        kind=found.kind,
        entity=found.entity,
        statement=found.statement,
        confidence=confidence,
        findings=(found.id,),
        citations=found.citations,
        chain=chain,
        ruled_out=ruled_out,
    )


def report(found, *hypotheses, rivals=(), edges=()):
    return Report(
        id="t1",
        alert=Alert(id="A", title="told", created_at=NOW),
        scope=Scope(window=Window(start=NOW, end=NOW), began=NOW),
        verdict=Verdict.CAUSE_FOUND,
        summary="",
        hypotheses=hypotheses,
        rivals=rivals,
        findings=found,
        topology=edges,
        evidence=(NODES,),
        cost=Cost(seconds=1.5, calls=12),
        made_at=NOW,
    )


def named(found, *chain, edges=(), words="cloudopsbench"):
    answer = believed(found, *chain)
    spoken, case = vocabulary(words), Case.of(report((found,), answer, edges=edges))
    return spoken.fault(case, answer), spoken.entity(case, answer)


def test_a_missing_secret_is_told_as_the_workload_that_needs_it():
    secret = Entity(kind="Secret", name="shop-db", namespace="web")
    found = finding("missing_key", secret, SHOP)
    assert named(found) == ("missing_secret_binding", "app/shop")


def test_a_claim_is_told_as_the_workload_on_its_way_to_the_alert():
    claim = Entity(kind="PersistentVolumeClaim", name="data", namespace="web")
    pod = Entity(kind="Pod", name="shop-abc", namespace="web")
    found = finding("pvc_capacity_mismatch", claim)
    assert named(found, claim, pod, SHOP) == ("pvc_capacity_mismatch", "app/shop")


def test_a_quota_is_told_as_its_namespace():
    quota = Entity(kind="ResourceQuota", name="limits", namespace="web")
    found = finding("namespace_pod_quota_exceeded", quota, SHOP)
    assert named(found) == ("namespace_pod_quota_exceeded", "namespace/web")


def test_a_service_is_told_as_the_workload_behind_it_and_not_as_its_caller():
    caller = Entity(kind="Deployment", name="portal", namespace="web")
    edges = (
        Edge(source=SERVICE, relation="called by", target=caller),
        Edge(source=SHOP, relation="serves", target=SERVICE),
    )
    found = finding("service_selector_mismatch", SERVICE)
    assert named(found, SERVICE, caller, edges=edges)[1] == "app/shop"
    assert named(found, SERVICE, caller)[1] == "app/shop-front"


def test_the_scheduler_is_told_as_the_node_of_the_control_plane():
    scheduler = Entity(kind="Component", name="kube-scheduler", namespace="kube-system")
    found = finding("kube_scheduler_unavailable", scheduler, SHOP)
    assert named(found) == ("kube_scheduler_unavailable", "node/blue-1")


def test_a_component_whose_node_is_known_is_told_as_that_node():
    proxy = Entity(kind="Component", name="kube-proxy", namespace="kube-system")
    found = finding("kube_proxy_unavailable", proxy, Entity(kind="Node", name="green-1"))
    assert named(found)[1] == "node/green-1"


def test_a_wrong_address_of_a_database_has_a_name_of_its_own():
    kind = "service_env_var_address_mismatch"
    assert named(finding(kind, SHOP, address="catalog:9090"))[0] == kind
    assert named(finding(kind, SHOP, address="orders-mysql:3307"))[0] == "mysql_invalid_port"


def test_a_kind_without_a_name_there_keeps_ours():
    assert named(finding("certificate_expired", SHOP)) == ("certificate_expired", "app/shop")


def test_every_kind_in_the_table_is_one_of_the_catalogue():
    assert set(CLOUDOPSBENCH) <= set(catalogue())


def test_an_unknown_vocabulary_is_named_with_those_there_are():
    with pytest.raises(NotFound, match="petshop"):
        vocabulary("klingon")


def test_a_record_ranks_what_is_believed_before_what_is_ruled_out():
    cause, rival = finding("oom_killed", SHOP), finding("noisy_log", SERVICE)
    made = record(
        "w1",
        report(
            (cause, rival),
            believed(cause),
            rivals=(believed(rival, confidence=0.05, ruled_out=True),),
        ),
        "petshop",
        requests=7,
    )
    assert [(one.fault, one.named, one.ruled_out) for one in made.ranked] == [
        ("oom_killed", "shop", False),
        ("noisy_log", "shop-front", True),
    ]
    assert (made.calls, made.requests, made.unsupported) == (12, 7, ())
