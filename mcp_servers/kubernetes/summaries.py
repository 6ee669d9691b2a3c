"""The state of an object of any kind, in a few words. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from mcp_servers.kubernetes.events import row as event_row
from mcp_servers.kubernetes.fields import (
    Object,
    as_list,
    as_object,
    condition,
    metadata,
    name_of,
    namespace_of,
    number_at,
    object_at,
    objects_at,
    text_at,
    words,
)
from mcp_servers.kubernetes.models import Row
from mcp_servers.kubernetes.nodes import amount, node_row, problem_of
from mcp_servers.kubernetes.pods import summary as pod_summary
from mcp_servers.kubernetes.selectors import selector_text
from mcp_servers.kubernetes.workloads import WORKLOAD_KINDS, replicas

NAMES_SHOWN = 12


def line(kind: str, item: Object, now: datetime) -> Row:
    """One object on one line: where it is, when it was made, and how it is."""
    return {
        "namespace": namespace_of(item),
        "name": name_of(item),
        "status": words(_status(kind, item, now)),
        "created_at": text_at(metadata(item), "creationTimestamp"),
    }


def _status(kind: str, item: Object, now: datetime) -> str:
    leaving = metadata(item).get("deletionTimestamp")
    said = _words(kind, item, now)
    return f"terminating; {said}" if leaving and kind != "Pod" else said


def _words(kind: str, item: Object, now: datetime) -> str:
    if kind == "Pod":
        return _pod(item, now)
    if kind in WORKLOAD_KINDS:
        return _workload(kind, item)
    return WORDS.get(kind, _anything)(item)


def _pod(item: Object, now: datetime) -> str:
    pod = pod_summary(item, now)
    state = pod.reason or pod.phase or "no status"
    place = f" on {pod.node}" if pod.node else ", on no node"
    return f"{state}, {pod.ready} ready, {pod.restarts} restarts{place}"


def _workload(kind: str, item: Object) -> str:
    count = replicas(kind, item)
    said = f"{count['ready']}/{count['desired']} ready"
    if count["updated"] < count["desired"]:
        said += f", {count['updated']} updated"
    progressing = condition(item, "Progressing")
    if progressing.get("status") == "False":
        said += f", not progressing: {text_at(progressing, 'reason')}"
    return said


def _replica_set(item: Object) -> str:
    wanted = number_at(item, "spec", "replicas")
    return f"{number_at(item, 'status', 'readyReplicas')}/{wanted} ready"


def _job(item: Object) -> str:
    for kind in ("Complete", "Failed", "Suspended"):
        found = condition(item, kind)
        if found.get("status") == "True":
            reason = text_at(found, "reason")
            return kind + (f": {reason} {text_at(found, 'message')}" if reason else "")
    status = object_at(item, "status")
    return (
        f"{number_at(status, 'active')} active, {number_at(status, 'succeeded')} succeeded, "
        f"{number_at(status, 'failed')} failed"
    )


def _cron_job(item: Object) -> str:
    suspended = "suspended, " if object_at(item, "spec").get("suspend") else ""
    last = text_at(item, "status", "lastScheduleTime") or "never"
    good = text_at(item, "status", "lastSuccessfulTime") or "never"
    schedule = text_at(item, "spec", "schedule")
    return f"{suspended}schedule {schedule!r}, last run {last}, last success {good}"


def _service(item: Object) -> str:
    ports = ", ".join(
        f"{text_at(port, 'port')}->{text_at(port, 'targetPort') or text_at(port, 'port')}"
        f"/{text_at(port, 'protocol') or 'TCP'}"
        for port in objects_at(item, "spec", "ports")
    )
    selector = selector_text({"matchLabels": object_at(item, "spec", "selector")})
    kind = text_at(item, "spec", "type") or "ClusterIP"
    return (
        f"{kind} {text_at(item, 'spec', 'clusterIP')} ports {ports}; selects {selector or 'none'}"
    )


def _endpoints(item: Object) -> str:
    subsets = objects_at(item, "subsets")
    ready = sum(len(objects_at(subset, "addresses")) for subset in subsets)
    unready = sum(len(objects_at(subset, "notReadyAddresses")) for subset in subsets)
    return f"{ready} ready, {unready} not ready"


def _slice(item: Object) -> str:
    endpoints = objects_at(item, "endpoints")
    unready = sum(object_at(one, "conditions").get("ready") is False for one in endpoints)
    service = text_at(item, "metadata", "labels", "kubernetes.io/service-name")
    return f"of service {service}: {len(endpoints) - unready} ready, {unready} not ready"


def _ingress(item: Object) -> str:
    routes = [
        f"{text_at(rule, 'host') or '*'}{text_at(path, 'path')} -> "
        f"{text_at(path, 'backend', 'service', 'name')}"
        for rule in objects_at(item, "spec", "rules")
        for path in objects_at(rule, "http", "paths")
    ]
    return f"class {text_at(item, 'spec', 'ingressClassName') or 'none'}; {', '.join(routes)}"


def _keys(item: Object) -> str:
    keys = sorted({**as_object(item.get("data")), **as_object(item.get("binaryData"))})
    kind = text_at(item, "type")
    shown = ", ".join(keys[:NAMES_SHOWN]) + (", …" if len(keys) > NAMES_SHOWN else "")
    return f"{kind + ', ' if kind else ''}{len(keys)} keys: {shown}"


def _claim(item: Object) -> str:
    asked = text_at(item, "spec", "resources", "requests", "storage")
    bound = text_at(item, "spec", "volumeName")
    storage = text_at(item, "spec", "storageClassName") or "none"
    phase = text_at(item, "status", "phase")
    return f"{phase}{' to ' + bound if bound else ''}, {asked}, class {storage}, {_modes(item)}"


def _volume(item: Object) -> str:
    claim = object_at(item, "spec", "claimRef")
    used = f"{text_at(claim, 'namespace')}/{text_at(claim, 'name')}" if claim else "no claim"
    size = text_at(item, "spec", "capacity", "storage")
    storage = text_at(item, "spec", "storageClassName") or "none"
    return f"{text_at(item, 'status', 'phase')}, {used}, {size}, class {storage}, {_modes(item)}"


def _modes(item: Object) -> str:
    return ",".join(str(mode) for mode in as_list(object_at(item, "spec").get("accessModes")))


def _node(item: Object) -> str:
    problem = problem_of(node_row(item, None))
    return problem or "ready"


def _scaler(item: Object) -> str:
    spec, status = object_at(item, "spec"), object_at(item, "status")
    target = object_at(spec, "scaleTargetRef")
    bad = [
        f"{text_at(one, 'type')}={text_at(one, 'status')} {text_at(one, 'reason')}"
        for one in objects_at(status, "conditions")
        if (one.get("type") == "ScalingLimited") == (one.get("status") == "True")
    ]
    return (
        f"{text_at(target, 'kind')} {text_at(target, 'name')}: "
        f"{number_at(status, 'currentReplicas')} replicas of {spec.get('minReplicas', 1)} to "
        f"{number_at(spec, 'maxReplicas')}{'; ' + ', '.join(bad) if bad else ''}"
    )


def _budget(item: Object) -> str:
    status = object_at(item, "status")
    return (
        f"{number_at(status, 'disruptionsAllowed')} disruptions allowed, "
        f"{number_at(status, 'currentHealthy')}/{number_at(status, 'desiredHealthy')} healthy"
    )


def _quota(item: Object) -> str:
    hard = object_at(item, "status", "hard") or object_at(item, "spec", "hard")
    used = object_at(item, "status", "used")
    parts = [
        f"{name} {used.get(name, '0')}/{limit}"
        f"{' (full)' if amount(used.get(name, '0')) >= amount(limit) else ''}"
        for name, limit in hard.items()
    ]
    return ", ".join(parts)


def _policy(item: Object) -> str:
    spec = object_at(item, "spec")
    selected = selector_text(object_at(spec, "podSelector")) or "all pods"
    rules = [
        f"{len(as_list(spec[way]))} {way} rules" for way in ("ingress", "egress") if way in spec
    ]
    types = ", ".join(str(kind) for kind in as_list(spec.get("policyTypes")))
    return f"selects {selected}; {types}; {', '.join(rules) or 'no rules'}"


def _event(item: Object) -> str:
    event = event_row(item)
    return (
        f"{event.type} {event.reason} of {event.kind} {event.name} "
        f"x{event.count}, last {event.last_seen}: {event.message}"
    )


def _lease(item: Object) -> str:
    spec = object_at(item, "spec")
    return f"held by {text_at(spec, 'holderIdentity')}, renewed {text_at(spec, 'renewTime')}"


def _account(item: Object) -> str:
    secrets = [text_at(one, "name") for one in objects_at(item, "imagePullSecrets")]
    return f"pull secrets: {', '.join(secrets) or 'none'}"


def _binding(item: Object) -> str:
    role = object_at(item, "roleRef")
    subjects = ", ".join(
        f"{text_at(one, 'kind')} {text_at(one, 'name')}" for one in objects_at(item, "subjects")
    )
    return f"{text_at(role, 'kind')} {text_at(role, 'name')} to {subjects or 'nobody'}"


def _storage_class(item: Object) -> str:
    annotations = object_at(item, "metadata", "annotations")
    default = annotations.get("storageclass.kubernetes.io/is-default-class") == "true"
    mode = text_at(item, "volumeBindingMode") or "Immediate"
    return f"{text_at(item, 'provisioner')}, {mode}{', default' if default else ''}"


def _anything(item: Object) -> str:
    """Phase or conditions, which most kinds have."""
    phase = text_at(item, "status", "phase")
    told = [
        f"{text_at(one, 'type')}={text_at(one, 'status')}"
        f"{' ' + text_at(one, 'reason') if one.get('status') != 'True' else ''}"
        for one in objects_at(item, "status", "conditions")
    ]
    return ", ".join(part for part in (phase, *told) if part)


WORDS: dict[str, Callable[[Object], str]] = {
    "ReplicaSet": _replica_set,
    "ReplicationController": _replica_set,
    "Job": _job,
    "CronJob": _cron_job,
    "Service": _service,
    "Endpoints": _endpoints,
    "EndpointSlice": _slice,
    "Ingress": _ingress,
    "ConfigMap": _keys,
    "Secret": _keys,
    "PersistentVolumeClaim": _claim,
    "PersistentVolume": _volume,
    "Node": _node,
    "HorizontalPodAutoscaler": _scaler,
    "PodDisruptionBudget": _budget,
    "ResourceQuota": _quota,
    "NetworkPolicy": _policy,
    "Event": _event,
    "Lease": _lease,
    "ServiceAccount": _account,
    "RoleBinding": _binding,
    "ClusterRoleBinding": _binding,
    "StorageClass": _storage_class,
}
