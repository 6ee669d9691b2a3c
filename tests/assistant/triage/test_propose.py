"""Actions: safest first, each with the way back; nothing reads a Secret's value."""

import pytest

from assistant.diagnosis import diagnose
from assistant.faults import Role, catalogue
from assistant.incident import Alert, Citation, Entity, Finding, Risk, Scope, Window
from assistant.topology import Topology
from assistant.triage.propose import FIXES, look, propose
from tests.assistant.checks.cluster import NOW

WINDOW = Window(start=NOW, end=NOW)
CAUSES = sorted(kind for kind, entry in catalogue().items() if entry.role is Role.CAUSE)
PLACES = {
    "Node": Entity(kind="Node", name="worker-1"),
    "Secret": Entity(kind="Secret", name="web-db", namespace="shop"),
    "Deployment": Entity(kind="Deployment", name="web", namespace="shop"),
    "Component": Entity(kind="Component", name="kube-scheduler", namespace="kube-system"),
    "Address": Entity(kind="Address", name="192.0.2.7"),
}


def actions(kind, entity, **details):
    finding = Finding(
        kind=kind,
        entity=entity,
        statement="x",
        citations=(Citation(evidence="e1"),),
        details=details,
    )
    alert = Alert(id="Q1", title="x", created_at=NOW)
    made = diagnose(alert, Scope(window=WINDOW, began=NOW), [finding], Topology(()), quiet=False)
    return propose(made, (finding,), WINDOW)


def place_of(kind):
    """What a finding of this kind is about."""
    if (
        kind.startswith(("node_", "kubelet", "containerd", "cni", "kube_proxy"))
        and "mismatch" not in kind
    ):
        return PLACES["Node"]
    if kind.endswith("_dependency"):
        return PLACES["Address"]
    return PLACES["Secret" if kind in ("missing_secret", "missing_key") else "Deployment"]


@pytest.mark.parametrize("kind", CAUSES)
def test_every_cause_has_a_safe_first_step_and_a_way_back_for_the_rest(kind):
    rows = actions(kind, place_of(kind))
    assert rows[0].risk is Risk.NONE
    assert rows[0].command.startswith(("kubectl ", "curl "))
    order = list(Risk)
    assert [order.index(row.risk) for row in rows] == sorted(order.index(row.risk) for row in rows)
    for row in rows[1:]:
        assert row.rollback, row.command
        assert row.verify, row.command
        assert "  " not in row.command
        assert "-n  " not in row.command


def test_a_bad_image_is_undone():
    assert actions("incorrect_image_reference", PLACES["Deployment"])[1].command == (
        "kubectl -n shop rollout undo deployment/web"
    )


def test_more_memory_names_the_container_and_the_present_limit_as_the_way_back():
    fix = actions("oom_killed", PLACES["Deployment"], container="web", limit="256Mi")[1]
    assert "-c web --limits=memory=<more than 256Mi>" in fix.command
    assert fix.rollback.endswith("--limits=memory=256Mi")


def test_a_full_node_is_cordoned_by_name():
    assert actions("node_disk_pressure", PLACES["Node"])[1].command == "kubectl cordon worker-1"


def test_nothing_shows_the_values_of_a_secret():
    for kind in CAUSES:
        for row in actions(kind, PLACES["Secret"]):
            assert "-o yaml" not in row.command
            assert "-o json" not in row.command
    assert look(PLACES["Secret"], WINDOW) == "kubectl -n shop describe secret web-db"


def test_a_thing_outside_the_cluster_is_asked_itself():
    assert look(PLACES["Address"], WINDOW).endswith("https://192.0.2.7")
    assert "kubectl" not in look(Entity(kind="Service", name="api.paygrid.example"), WINDOW)


def test_a_name_from_a_label_or_a_log_line_cannot_become_a_command():
    assert look(Entity(kind="Service", name="x; rm -rf /"), WINDOW).endswith(
        "'service=x; rm -rf /'"
    )


def test_no_cause_no_action():
    alert = Alert(id="Q1", title="x", created_at=NOW)
    made = diagnose(alert, Scope(window=WINDOW, began=NOW), [], Topology(()), quiet=False)
    assert propose(made, (), WINDOW) == ()


def test_every_fix_belongs_to_a_cause():
    assert set(FIXES) <= set(CAUSES)


def test_a_service_that_only_metrics_know_is_looked_at_there():
    command = look(Entity(kind="Service", name="search::fargate"), WINDOW)
    assert command.startswith("assistant ask prometheus.list_services start=")
    assert command.endswith(" service=search::fargate")


def test_a_service_of_somebody_else_is_looked_at_by_its_address():
    command = look(Entity(kind="Service", name="api.example.com"), WINDOW)
    assert command.startswith("curl ")
    assert command.endswith(" https://api.example.com")
