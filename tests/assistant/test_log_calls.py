"""Calls that logs tell join the graph, in the direction in which trouble travels."""

import pytest

from assistant.engines import served_engine
from assistant.log_calls import told_calls
from tests.assistant.checks.cluster import (
    container,
    deployment,
    evidence,
    logs,
    pod,
    replica_set,
    service,
    snapshot,
)

LOGS = "kubernetes.get_pod_logs"


def shop():
    database = container("db", image="docker.io/library/mysql:8.0", ports=[{"containerPort": 3306}])
    return snapshot(
        deployment("web"),
        replica_set(),
        pod(),
        deployment("db", database, kind="StatefulSet"),
        pod("db-0", database, owner=("StatefulSet", "db"), labels={"app": "db"}, status={"podIP": "10.1.0.9"}),
        service("db", spec={"clusterIP": "10.96.0.4"}),
    )  # fmt: skip


def heard(name, *errors):
    rows = [{"time": "", "text": text} for text in errors]
    return evidence(LOGS, {"namespace": "shop", "pod": name}, {**logs(), "errors": rows})


def edges(*items):
    return {f"{e.source} -> {e.target}" for e in told_calls(shop(), items)}


@pytest.mark.parametrize("host", ["db", "db.shop.svc.cluster.local", "10.96.0.4"])
def test_an_error_tells_whom_its_program_calls(host):
    item = heard("web-6d4b9-x2x7p", f"dial tcp {host}:3306: connect: connection refused")
    assert edges(item) == {"Service shop/db -> Deployment shop/web"}


def test_the_address_of_a_pod_means_its_workload():
    item = heard("web-6d4b9-x2x7p", "connect ECONNREFUSED 10.1.0.9:3306")
    assert edges(item) == {"StatefulSet shop/db -> Deployment shop/web"}


def test_what_a_database_says_of_itself_others_can_only_have_from_it():
    said = [heard("db-0", "[Warning] Too many connections"), heard("web-6d4b9-x2x7p", "too many connections")]  # fmt: skip
    assert edges(*said) == {"StatefulSet shop/db -> Deployment shop/web"}


def test_a_name_that_is_no_service_and_a_log_of_nobody_tell_nothing():
    lookup = "dial tcp: lookup elsewhere: no such host"
    assert (
        edges(heard("web-6d4b9-x2x7p", lookup), heard("gone", "dial tcp db:3306: refused")) == set()
    )


@pytest.mark.parametrize(
    ("image", "ports", "name"),
    [
        ("mysql:8.0", [], "mysql"),
        ("radondb/percona:5.7.34", [3306], "mysql"),
        ("registry.example/data/postgres@sha256:aa", [5432], "postgres"),
        ("redis:7-alpine", [6379], "redis"),
        ("oliver006/redis_exporter:v1", [9121], ""),
        ("redis:7-alpine", [8080], ""),
        ("shop/mysqlclient:1", [], ""),
        ("shop/web:1.4.2", [3306], ""),
    ],
)
def test_a_database_is_one_by_its_image_and_its_port(image, ports, name):
    one = container("c", image=image, ports=[{"containerPort": number} for number in ports])
    (workload,) = snapshot(deployment("x", one)).of("Deployment")
    assert served_engine(workload) == name
