"""What is asked at the start of every triage, all at once, over the incident's own window."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from assistant.incident import Alert, Entity, Scope
from assistant.snapshot import dig, listing
from assistant.toolbox import Call
from assistant.topology import GRAPH_METRIC, addresses, workloads
from assistant.triage.desk import Desk, utc
from assistant.triage.intake import measured_entities

NAMESPACED = ("Pod", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Service", "ConfigMap",
              "Secret", "ServiceAccount", "PersistentVolumeClaim", "ResourceQuota", "Ingress",
              "NetworkPolicy", "HorizontalPodAutoscaler", "Job", "CronJob")  # fmt: skip
CLUSTER_WIDE = ("Node", "PersistentVolume", "StorageClass")
ON_DEMAND = ("PodDisruptionBudget", "Lease", "ValidatingWebhookConfiguration",
             "MutatingWebhookConfiguration", "EndpointSlice", "IngressClass", "Role", "RoleBinding",
             "ClusterRole", "ClusterRoleBinding")  # fmt: skip
"""What checks read besides, only where something points there."""

SERVICE_WORDS = ("service", "workload", "app", "deployment", "statefulset")
LONGEST_NAME = 253
NOT_REQUESTS = (
    '{__name__=~".+",__name__!~"(http|https|grpc|rpc|db|messaging)_(client|server)_.+|https?_requests?_.+|traces_.+|'
    "calls_total|istio_.+|envoy_.+|response_.+|nginx_ingress_.+|go_.+|prometheus_.+|promhttp_.+|"
    'process_.+|python_.+|net_conntrack_.+"}'
)
"""What services do for each other is asked of `list_services`: here it would crowd out the rest."""
PAGE = 500
_ELSEWHERE = re.compile(
    r"(?<![\w.-])[a-z0-9-]+\.(?P<namespace>[a-z0-9-]+)(?:\.svc)?(?=[.:/\"'\s]|$)"
)


async def gather(desk: Desk, alert: Alert, scope: Scope) -> Scope:
    """Ask the first round, then the namespaces that the first round's workloads call.

    Returns the scope, widened by those namespaces.
    """
    first = [call for namespace in scope.namespaces for call in _namespace(namespace)]
    metrics = _metrics(alert, scope)
    await desk.toolbox.collect([*first, *_cluster(), *metrics, *_pager(alert, scope)])
    further = tuple(sorted(_called_namespaces(desk, scope)))
    entities = scope.entities or measured_entities(alert, desk.toolbox.evidence)
    signals = _signals(scope, entities if not scope.entities else ())
    elsewhere = [call for name in further for call in _namespace(name)]
    await desk.toolbox.collect([*elsewhere, *signals])
    namespaces = (*scope.namespaces, *further)
    return scope.model_copy(update={"namespaces": namespaces, "entities": entities})


def _namespace(namespace: str) -> Iterator[Call]:
    for kind in NAMESPACED:
        yield _objects(kind, namespace)
    arguments = {"namespace": namespace, "limit": PAGE}
    yield Call("kubernetes.get_recent_events", arguments, f"events in {namespace}")


def _objects(kind: str, namespace: str = "") -> Call:
    arguments = {"kind": kind, "namespace": namespace, "view": "full", "limit": PAGE}
    where = f" in {namespace}" if namespace else ""
    return Call("kubernetes.list_resources", arguments, f"every {kind}{where}")


def _cluster() -> Iterator[Call]:
    for kind in CLUSTER_WIDE:
        yield _objects(kind)
    yield _objects("Pod", "kube-system")
    yield _objects("Namespace")
    events = {"kind": "Node", "limit": PAGE}
    yield Call("kubernetes.get_recent_events", events, "events of the nodes")


def _metrics(alert: Alert, scope: Scope) -> Iterator[Call]:
    start, end = utc(scope.window.start), utc(scope.window.end)
    span = {"start": start, "end": end}
    yield Call(
        "prometheus.query_range",
        {"query": 'ALERTS{alertstate="firing"}', **span},
        "which alerts fired, and until when",
    )
    seconds = int((scope.window.end - scope.window.start).total_seconds())
    graph = f"sum by (client, server) (last_over_time({GRAPH_METRIC}[{seconds}s]))"
    yield Call("prometheus.query", {"query": graph, "time": end}, "who calls whom")
    units = 'node_systemd_unit_state{state="active"} == 0'
    yield Call("prometheus.query", {"query": units, "time": end}, "system services that are down")
    for namespace in scope.namespaces or ("",):
        arguments = {**span, "namespace": namespace, "match": NOT_REQUESTS, "limit": 100}
        yield Call(
            "prometheus.find_anomalies",
            arguments,
            f"which series of {namespace or 'all'} left their past",
        )
        arguments = {**span, "namespace": namespace, "service": _named_service(alert, scope)}
        yield Call(
            "prometheus.list_services", arguments, "how every service answers, and whom it calls"
        )
    yield from _signals(scope, scope.entities)


def _signals(scope: Scope, entities: Iterable[Entity]) -> Iterator[Call]:
    for entity in list(entities)[:2]:
        arguments = {
            "start": utc(scope.window.start),
            "end": utc(scope.window.end),
            "namespace": entity.namespace,
            "workload": entity.name,
            "onset": utc(scope.began),
        }
        yield Call("prometheus.get_metrics", arguments, f"golden signals of {entity}")


def _named_service(alert: Alert, scope: Scope) -> str:
    """The service whose course is wanted in any case: what the alert is about."""
    named = [alert.labels.get(word, "") for word in SERVICE_WORDS]
    named += [entity.name for entity in scope.entities] + [alert.service]
    return next((name for name in named if name), "")[:LONGEST_NAME]


def _pager(alert: Alert, scope: Scope) -> Iterator[Call]:
    span = {"since": utc(scope.window.start), "until": utc(scope.window.end)}
    yield Call("pagerduty.list_change_events", span, "what was changed")
    yield Call("pagerduty.get_oncall", {}, "who is on call")
    if alert.id.startswith("alertmanager:"):
        return  # PagerDuty knows nothing of it by this id
    yield Call("pagerduty.list_log_entries", {"incident_id": alert.id}, "what was done so far")
    yield Call(
        "pagerduty.get_past_incidents", {"incident_id": alert.id}, "whether this was seen before"
    )


def _called_namespaces(desk: Desk, scope: Scope) -> set[str]:
    """Namespaces that configured addresses of the workloads in scope name, and that exist."""
    snapshot, evidence = desk.view().snapshot, desk.toolbox.evidence
    there = {item.name for item in snapshot.of("Namespace")}
    there |= {  # who may not list namespaces still sees in which ones there are workloads
        str(dig(row, "namespace"))
        for item in evidence
        if item.tool == "kubernetes.list_deployments"
        for row in listing(item.data, "workloads")
    }
    return {
        match["namespace"]
        for workload in workloads(snapshot)
        if workload.namespace in scope.namespaces
        for text in addresses(snapshot, workload)
        for match in _ELSEWHERE.finditer(text[:20_000])
        if match["namespace"] in there
    } - set(scope.namespaces)
