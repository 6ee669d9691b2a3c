"""Draws Services with the Endpoints and EndpointSlices that follow from the pods they select."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from eval.cases.kubernetes_pods import ready_since
from eval.cases.plain_objects import thing
from eval.cases.system import Json, Pod, System, Workload, stamp


def network(system: System) -> Iterator[Json]:
    """A Service with its endpoints for each workload that listens."""
    for workload in system.workloads.values():
        if workload.port is not None:
            yield _service(system, workload)
            yield _endpoints(system, workload)
            yield _slice(system, workload)


def cluster_ip(system: System, workload: Workload) -> str:
    """The address of a workload's Service."""
    return system.address("10.96", "service", workload.namespace, workload.name)


def _service(system: System, workload: Workload) -> Json:
    ip = "None" if workload.headless else cluster_ip(system, workload)
    port = {
        "name": _target_name(workload),
        "port": workload.service_port or workload.port,
        "protocol": "TCP",
        "targetPort": _target_name(workload),
    }
    return thing(
        system,
        "Service",
        (workload.namespace, workload.name),
        workload.created,
        labels=workload.own_label,
        spec={
            "clusterIP": ip,
            "clusterIPs": [ip],
            "internalTrafficPolicy": "Cluster",
            "ipFamilies": ["IPv4"],
            "ipFamilyPolicy": "SingleStack",
            "ports": [port],
            "selector": dict(workload.selector),
            "sessionAffinity": "None",
            "type": "ClusterIP",
        },
        status={"loadBalancer": {}},
    )


def _selected(system: System, workload: Workload) -> list[Pod]:
    """The pods a Service selects that have an address: neither unscheduled nor failed."""
    return [
        pod
        for pod in system.pods
        if pod.namespace == workload.namespace
        and pod.node
        and pod.failed is None
        and workload.selector.items() <= pod.labels.items()
    ]


def _target(pod: Pod) -> Json:
    return {"kind": "Pod", "name": pod.name, "namespace": pod.namespace, "uid": pod.uid}


def _endpoints(system: System, workload: Workload) -> Json:
    pods = _selected(system, workload)
    rows = {
        name: [
            {"ip": pod.ip, "nodeName": pod.node, "targetRef": _target(pod)}
            for pod in pods
            if pod.ready(system.as_of) is wanted
        ]
        for name, wanted in (("addresses", True), ("notReadyAddresses", False))
    }
    ports = _ports(workload)
    subset = {name: value for name, value in rows.items() if value}
    changed = max((ready_since(system, pod)[1] for pod in pods), default=workload.created)
    trigger = {"endpoints.kubernetes.io/last-change-trigger-time": stamp(changed)}
    place = (workload.namespace, workload.name)
    item = thing(
        system,
        "Endpoints",
        place,
        workload.created,
        annotations=trigger,
        labels=workload.own_label,
    )
    return {**item, "subsets": [{**subset, "ports": ports}]} if subset and ports else item


def _target_name(workload: Workload) -> str:
    return workload.target_port or workload.port_name


def _ports(workload: Workload) -> list[Json]:
    """The port that endpoints lead to; none where no container port has the name asked for."""
    ports = workload.newest.template["containers"][0].get("ports", [])
    return [
        {"name": port["name"], "port": port["containerPort"], "protocol": "TCP"}
        for port in ports
        if port["name"] == _target_name(workload)
    ]


def _slice(system: System, workload: Workload) -> Json:
    rows = [
        {
            "addresses": [pod.ip],
            "conditions": {
                "ready": pod.ready(system.as_of),
                "serving": pod.ready(system.as_of),
                "terminating": False,
            },
            "nodeName": pod.node,
            "targetRef": _target(pod),
        }
        for pod in _selected(system, workload)
    ]
    name = f"{workload.name}-{system.suffix(5, 'slice', workload.name)}"
    item = thing(
        system,
        "EndpointSlice",
        (workload.namespace, name),
        workload.created + timedelta(seconds=1),
        api_version="discovery.k8s.io/v1",
        labels={**workload.own_label, "kubernetes.io/service-name": workload.name},
    )
    owner = {
        "apiVersion": "v1",
        "blockOwnerDeletion": True,
        "controller": True,
        "kind": "Service",
        "name": workload.name,
        "uid": system.uid("Service", workload.namespace, workload.name),
    }
    item["metadata"]["ownerReferences"] = [owner]
    return {**item, "addressType": "IPv4", "endpoints": rows, "ports": _ports(workload)}
