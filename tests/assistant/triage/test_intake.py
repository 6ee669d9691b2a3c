"""Intake: the alert, and what it speaks of."""

from datetime import timedelta

import pytest

from assistant.errors import NotFound
from assistant.incident import Alert, Status
from assistant.triage.intake import measured_entities, narrow, take_in
from tests.assistant.checks.cluster import NOW, ago, evidence
from tests.assistant.triage.recorded import desk_of

pytestmark = pytest.mark.anyio
GET = "pagerduty.get_incident"


def incident(**fields):
    row = {"id": "Q1", "number": 7, "title": "Portal: checkout answers 503", "status": "triggered",
           "created_at": ago(15), "service": "Portal"}  # fmt: skip
    return row | fields


def answered(*alerts, **fields):
    return {GET: {"incident": incident(**fields), "alerts": list(alerts)}}


def workload(name, namespace="shop", kind="Deployment"):
    return {"kind": kind, "name": name, "namespace": namespace}


async def test_an_alert_takes_the_labels_that_mean_something():
    labels = {
        "namespace": "shop",
        "alertname": "PortalErrors",
        "instance": "10.0.0.1:9090",
        "prometheus": "a/b",
    }
    alert = await take_in(desk_of(answered({"summary": "5xx above 5%", "labels": labels})), "Q1")
    assert alert.labels == {"namespace": "shop", "alertname": "PortalErrors"}
    assert "5xx above 5%" in alert.details
    assert alert.created_at == NOW - timedelta(minutes=15)


@pytest.mark.parametrize("answer", [None, {"incident": {}}, {}])
async def test_an_alert_that_does_not_exist_is_said_with_its_id(answer):
    desk = desk_of({GET: answer} if answer is not None else {})
    with pytest.raises(NotFound, match="'Q404'"):
        await take_in(desk, "Q404")


@pytest.mark.parametrize("status", [Status.ERROR, Status.DENIED, Status.TIMEOUT, Status.LIMITED])
async def test_a_pagerduty_that_cannot_be_asked_does_not_end_the_triage(status):
    failed = evidence(GET, {"id": "Q1"}, None, status=status, reason="HTTP 500")
    alert = await take_in(desk_of({GET: failed}), "Q1")
    assert alert.status == "unknown"
    assert "could not be read" in alert.title
    assert alert.created_at == NOW


@pytest.mark.parametrize("created", ["", "yesterday", None, 5])
async def test_an_incident_without_a_readable_time_is_taken_as_of_now(created):
    alert = await take_in(desk_of(answered(created_at=created)), "Q1")
    assert alert.created_at == NOW


async def scoped(labels=None, workloads=(), pods=(), **fields):
    answers = answered({"labels": labels or {}}, **fields) | {
        "kubernetes.list_deployments": {"workloads": list(workloads)},
        "kubernetes.list_failing_pods": {"pods": list(pods)},
    }
    desk = desk_of(answers)
    return await narrow(desk, await take_in(desk, "Q1"))


async def test_labels_name_the_namespace_and_the_workload():
    rows = [workload("portal"), workload("portal", "preview"), workload("quotes")]
    scope = await scoped({"namespace": "shop", "service": "portal"}, rows)
    assert scope.namespaces == ("shop",)
    assert [str(entity) for entity in scope.entities] == ["Deployment shop/portal"]


async def test_without_labels_the_words_of_the_title_name_them():
    scope = await scoped(workloads=[workload("portal"), workload("ledger", "finance")])
    assert scope.namespaces == ("shop",)
    assert [entity.name for entity in scope.entities] == ["portal"]


async def test_a_pods_name_names_its_workload():
    scope = await scoped(
        {"namespace": "shop", "pod": "orders-7c9f-abcde"}, [workload("orders"), workload("or")]
    )
    assert [entity.name for entity in scope.entities] == ["orders"]


async def test_where_nothing_is_named_one_looks_where_pods_fail():
    pods = [{"namespace": "finance"}, {"namespace": "finance"}, {"namespace": "kube-system"}]
    scope = await scoped(
        workloads=[workload("a", "x")], pods=pods, title="Something is wrong", service=""
    )
    assert scope.namespaces == ("finance",)


async def test_where_nothing_fails_either_one_looks_where_workloads_are():
    rows = [
        workload("a", "x"),
        workload("b", "y"),
        workload("c", "y"),
        workload("d", "kube-system"),
    ]
    scope = await scoped(workloads=rows, title="Something is wrong", service="")
    assert scope.namespaces == ("y", "x")


async def test_the_window_reaches_back_from_the_alert_and_ends_now():
    scope = await scoped(workloads=[workload("portal")])
    assert scope.window.start == NOW - timedelta(minutes=75)
    assert scope.window.end == NOW
    assert scope.began == NOW - timedelta(minutes=15)


async def test_a_node_that_the_labels_name_is_what_the_alert_speaks_of():
    scope = await scoped(
        {"node": "worker-1"}, [workload("portal")], title="Disk is filling", service=""
    )
    assert "Node worker-1" in map(str, scope.entities)


async def test_a_cluster_that_cannot_be_read_leaves_an_empty_scope_and_no_error():
    desk = desk_of(answered())
    scope = await narrow(desk, await take_in(desk, "Q1"))
    assert (scope.namespaces, scope.entities) == ((), ())


async def test_an_alert_that_is_open_for_weeks_is_asked_about_over_days():
    desk = desk_of(answered(created_at=ago(0, days=40)))
    scope = await narrow(desk, await take_in(desk, "Q1"))
    assert timedelta(days=5) < scope.window.end - scope.window.start < timedelta(days=7)


@pytest.mark.parametrize(
    ("alert", "named"),
    [
        ({"labels": {"service": "PetSite"}}, ["PetSite"]),
        ({"service": "petsite"}, ["PetSite"]),
        ({"title": "Latency of PetSite is high"}, ["PetSite"]),
        ({"title": "Something is slow", "service": "Shop"}, []),
        ({"labels": {"alertname": "PetSite"}, "title": "slow"}, []),
    ],
)
def test_a_service_that_only_metrics_know_is_found_by_labels_words_or_service(alert, named):
    rows = [{"labels": {"service": "PetSite"}}, {"labels": {"service": "PetSearch"}}]
    calls = [{"client": "PetSite", "server": "PetSearch"}]
    known = evidence("prometheus.list_services", {}, {"signals": rows, "calls": calls})
    spoken = Alert(id="Q1", created_at=NOW, **{"title": "alert", **alert})
    assert [entity.name for entity in measured_entities(spoken, [known])] == named
