"""What runbooks leave open is filled in from the incident, and never guessed."""

import pytest

from assistant.incident import Alert, Entity
from assistant.triage.steps.slots import Known, filled, is_open, known_of
from tests.assistant.checks.cluster import NOW, deployment, pod, replica_set, snapshot

WEB = Entity(kind="Deployment", name="web", namespace="shop")
SEEN = snapshot(deployment(), replica_set(), pod())


def known(cause=None, workload=WEB, seen=SEEN, suffering=(), **labels):
    alert = Alert(id="Q1", title="t", created_at=NOW, labels=labels)
    causes = [cause, *suffering] if cause else []
    return known_of(alert, [workload] if workload else [], causes, seen)


SECRET = Entity(kind="Secret", name="web-db", namespace="shop")
ELSEWHERE = Entity(kind="ConfigMap", name="coredns", namespace="kube-system")
NODE = Entity(kind="Node", name="worker-1")


@pytest.mark.parametrize(
    ("line", "filled_in"),
    [
        ("kubectl -n <namespace> rollout restart deployment/$DEPLOYMENT", "kubectl -n shop rollout restart deployment/web"),
        ("kubectl -n NAMESPACE rollout undo deployment/SERVICE", "kubectl -n shop rollout undo deployment/web"),
        ("kubectl -n ${NS} describe pod <your-pod-name>", "kubectl -n shop describe pod web-6d4b9-x2x7p"),
        ("kubectl -n <ns> logs <POD_NAME> -c <container>", "kubectl -n shop logs web-6d4b9-x2x7p -c web"),
        ("kubectl -n {{ $labels.namespace }} get pods", "kubectl -n {{ $labels.namespace }} get pods"),
        ("kubectl describe deployment <name>", "kubectl describe deployment web"),
        ("kubectl describe secret <name>", "kubectl describe secret web-db"),
        ("kubectl describe node <name>", "kubectl describe node <name>"),
        ("kubectl describe statefulset SERVICE", "kubectl describe statefulset SERVICE"),
        ("kubectl --from=<elsewhere>", "kubectl --from=<elsewhere>"),
        ('rate(http_requests_total{method="GET"}[5m])', 'rate(http_requests_total{method="GET"}[5m])'),
    ],
)  # fmt: skip
def test_slots_are_filled_by_what_they_ask_for(line, filled_in):
    assert filled(line, known(SECRET)) == filled_in


def test_labels_of_the_alert_fill_the_slots_that_name_them():
    line = "kubectl -n {{ $labels.namespace }} describe pod {{ .Labels.pod }}"
    told = known(namespace="shop", pod="web-1")
    assert filled(line, told) == "kubectl -n shop describe pod web-1"
    assert filled("kubectl logs $POD", told) == "kubectl logs web-1"


def test_a_pod_is_not_chosen_among_several():
    two = snapshot(deployment(), replica_set(), pod(), pod("web-6d4b9-aaaaa"))
    assert filled("kubectl logs <pod>", known(seen=two)) == "kubectl logs <pod>"


def test_no_line_mixes_the_names_of_two_namespaces():
    told = known(ELSEWHERE)
    assert filled("kubectl -n <namespace> edit cm <configmap>", told) == (
        "kubectl -n kube-system edit cm coredns"
    )
    assert filled("kubectl -n <namespace> describe deploy <deployment>", told) == (
        "kubectl -n shop describe deploy web"
    )
    both = "kubectl -n <namespace> describe deploy/<deployment> cm/<configmap>"
    assert filled(both, told) == both


def test_a_label_of_another_namespace_is_not_joined_with_the_workload():
    told = known(namespace="data")
    assert filled("kubectl -n NAMESPACE get deploy <deployment>", told) == (
        "kubectl -n data get deploy <deployment>"
    )


DB = Entity(kind="StatefulSet", name="db", namespace="data")
API = Entity(kind="Deployment", name="api", namespace="back")


def test_the_alert_s_own_names_go_before_those_of_a_cause_elsewhere():
    line = "kubectl -n NAMESPACE logs deploy/<deployment>"
    told = known(cause=API, service="web", namespace="shop")
    assert filled(line, told) == "kubectl -n shop logs deploy/web"
    assert filled("kubectl -n NAMESPACE get svc SERVICE", told) == "kubectl -n shop get svc web"
    assert filled("kubectl -n NAMESPACE get sts <statefulset>", known(cause=DB)) == (
        "kubectl -n data get sts db"
    )


def test_a_label_that_names_another_service_is_not_joined_with_the_namespace_of_the_cause():
    told = known(cause=API, workload=None, service="portal")
    line = "kubectl -n NAMESPACE get endpointslice -l service-name=SERVICE"
    assert "portal" not in filled(line, told)


def test_a_line_of_another_namespace_is_not_filled_with_the_names_of_this_one():
    told = known(cause=API)
    assert (
        filled("kubectl -n back get deploy <deployment>", told) == "kubectl -n back get deploy api"
    )
    other = "kubectl -n other get deploy <deployment>"
    assert filled(other, told) == other
    query = 'sum(kube_pod_info{namespace="back",pod=~"$DEPLOYMENT-.*"})'
    assert 'pod=~"api-' in filled(query, told)


def test_a_node_goes_with_every_namespace():
    assert filled("kubectl -n NAMESPACE get pods --node NODE", known(NODE)) == (
        "kubectl -n shop get pods --node worker-1"
    )


@pytest.mark.parametrize(
    ("page", "filled_in"),
    [
        ('export NAMESPACE="$(kubectl get kubevirt -A)"', "kubectl -n $NAMESPACE get pods"),
        ("NAMESPACE=kube-system", "kubectl -n kube-system get pods"),
        ("export NAMESPACE=<namespace>", "kubectl -n shop get pods"),
        ("for NAMESPACE in a b; do", "kubectl -n $NAMESPACE get pods"),
        ("nothing is set", "kubectl -n shop get pods"),
    ],
)
def test_a_variable_that_the_page_sets_itself_is_never_the_incident_s(page, filled_in):
    assert filled("kubectl -n $NAMESPACE get pods", known().on_page(page)) == filled_in


def test_without_an_incident_nothing_is_filled():
    line = "kubectl -n <namespace> describe pod $POD"
    assert filled(line, Known()) == line
    assert filled(line, known(workload=None)) == line
    assert is_open(line)
