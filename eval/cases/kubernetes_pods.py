"""Draws one pod as it prints: spec, conditions and container statuses, all from its turns."""

from __future__ import annotations

import copy
import hashlib
from datetime import datetime, timedelta

from eval.cases.plain_objects import thing
from eval.cases.system import Json, Pod, Revision, Run, System, Workload, stamp

TOLERATIONS = [
    {
        "effect": "NoExecute",
        "key": f"node.kubernetes.io/{key}",
        "operator": "Exists",
        "tolerationSeconds": 300,
    }
    for key in ("not-ready", "unreachable")
]


def set_name(workload: Workload, revision: Revision) -> str:
    """The name of the ReplicaSet of a revision."""
    return f"{workload.name}-{revision.digest}"


def owner_of(system: System, kind: str, namespace: str, name: str) -> Json:
    """An owner reference to an apps/v1 object."""
    return {
        "apiVersion": "apps/v1",
        "blockOwnerDeletion": True,
        "controller": True,
        "kind": kind,
        "name": name,
        "uid": system.uid(kind, namespace, name),
    }


def pod_object(system: System, pod: Pod) -> Json:
    """The pod as the API server shows it at the system's moment."""
    workload = pod.workload
    labels = {"app": workload.name}
    deployed = workload.kind == "Deployment"
    if deployed:
        labels["pod-template-hash"] = pod.revision.digest
    elif workload.kind == "StatefulSet":
        labels["statefulset.kubernetes.io/pod-name"] = pod.name
    item = thing(
        system,
        "Pod",
        (pod.namespace, pod.name),
        pod.created,
        labels=labels,
        annotations=dict(pod.revision.pod_annotations),
        spec=_spec(system, pod),
        status=_status(system, pod),
    )
    owner = set_name(workload, pod.revision) if deployed else workload.name
    kind = "ReplicaSet" if deployed else workload.kind
    item["metadata"]["uid"] = pod.uid
    item["metadata"]["ownerReferences"] = [owner_of(system, kind, pod.namespace, owner)]
    return item


def _spec(system: System, pod: Pod) -> Json:
    spec = copy.deepcopy(pod.revision.template)
    token = f"kube-api-access-{system.suffix(5, 'token', pod.name)}"
    mount = {
        "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount",
        "name": token,
        "readOnly": True,
    }
    for container in spec["containers"]:
        container["volumeMounts"] = [*container.get("volumeMounts", []), mount]
    volumes = [*spec.get("volumes", []), _token_volume(token)]
    if pod.workload.kind == "StatefulSet":
        claim = {"claimName": f"data-{pod.name}"}
        volumes.insert(0, {"name": "data", "persistentVolumeClaim": claim})
    spec |= {"tolerations": TOLERATIONS, "volumes": volumes, "priority": 0}
    if pod.node:
        spec["nodeName"] = pod.node
    return dict(sorted(spec.items()))


def _token_volume(name: str) -> Json:
    sources = [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {"items": [{"key": "ca.crt", "path": "ca.crt"}], "name": "kube-root-ca.crt"}},
    ]
    return {"name": name, "projected": {"defaultMode": 420, "sources": sources}}


def _status(system: System, pod: Pod) -> Json:
    if pod.failed:
        return _failed_status(system, pod)
    if not pod.node:
        return _unscheduled_status(pod)
    statuses = [container_status(system, pod, name, run) for name, run in pod.runs.items()]
    started = any("running" in turn.state for run in pod.runs.values() for turn in run.turns)
    status: Json = {
        "conditions": _conditions(system, pod),
        "containerStatuses": statuses,
        "hostIP": system.nodes[pod.node].ip,
        "phase": "Running" if started else "Pending",
        "podIP": pod.ip,
        "podIPs": [{"ip": pod.ip}],
        "qosClass": "Burstable",
        "startTime": stamp(pod.created),
    }
    return status


def _failed_status(system: System, pod: Pod) -> Json:
    at, reason, message = pod.failed or (system.as_of, "", "")
    row = {
        "lastProbeTime": None,
        "lastTransitionTime": stamp(at),
        "message": message,
        "reason": "TerminationByKubelet",
        "status": "True",
        "type": "DisruptionTarget",
    }
    return {
        "conditions": [row, *_conditions(system, pod)],
        "message": message,
        "phase": "Failed",
        "qosClass": "Burstable",
        "reason": reason,
        "startTime": stamp(pod.created),
    }


def _unscheduled_status(pod: Pod) -> Json:
    row = {
        "lastProbeTime": None,
        "lastTransitionTime": stamp(pod.created),
        "message": pod.unscheduled,
        "reason": "Unschedulable",
        "status": "False",
        "type": "PodScheduled",
    }
    return {"conditions": [row], "phase": "Pending", "qosClass": "Burstable"}


def ready_since(system: System, pod: Pod) -> tuple[bool, datetime]:
    """Whether a pod is ready now, and since when that is so."""
    ready = pod.ready(system.as_of)
    if pod.failed:
        return False, pod.failed[0]
    changes = [
        turn.at
        for run in pod.runs.values()
        for turn in run.turns
        if turn.at <= system.as_of
        and pod.ready(turn.at) == ready
        and pod.ready(turn.at - timedelta(seconds=1)) != ready
    ]
    return ready, changes[-1] if changes else pod.created


def _conditions(system: System, pod: Pod) -> list[Json]:
    ready, since = ready_since(system, pod)
    unready = {} if ready else _unready(pod)
    up = pod.created + timedelta(seconds=2)
    rows: list[tuple[str, bool, datetime, dict[str, str]]] = [
        ("PodReadyToStartContainers", pod.failed is None, up, {}),
        ("Initialized", True, pod.created, {}),
        ("Ready", ready, since, unready),
        ("ContainersReady", ready, since, unready),
        ("PodScheduled", True, pod.created, {}),
    ]
    return [
        {
            "lastProbeTime": None,
            "lastTransitionTime": stamp(at),
            **more,
            "status": str(holds),
            "type": type_,
        }
        for type_, holds, at, more in rows
    ]


def _unready(pod: Pod) -> dict[str, str]:
    if pod.failed:
        return {"reason": "PodFailed"}
    names = " ".join(name for name, run in pod.runs.items() if not run.turns[-1].ready)
    message = f"containers with unready status: [{names}]"
    return {"message": message, "reason": "ContainersNotReady"}


def container_status(system: System, pod: Pod, name: str, run: Run) -> Json:
    """One row of `containerStatuses`."""
    now = system.as_of
    turn = run.turn(now)
    container = next(c for c in pod.revision.template["containers"] if c["name"] == name)
    ran = bool(run.last_before) or any("running" in t.state for t in run.turns)
    state = turn.state if turn else {"waiting": {"reason": "ContainerCreating"}}
    status = {
        "image": container["image"],
        "imageID": _image_id(container["image"]) if ran else "",
        "lastState": run.last_state(now),
        "name": name,
        "ready": bool(turn and turn.ready),
        "restartCount": run.restarts(now),
        "started": "running" in state,
        "state": state,
    }
    if ran:
        identity = f"{pod.uid}/{name}/{run.restarts(now)}"
        status["containerID"] = "containerd://" + hashlib.sha256(identity.encode()).hexdigest()
    return dict(sorted(status.items()))


def _image_id(image: str) -> str:
    repository = image.rpartition(":")[0]
    return f"{repository}@sha256:{hashlib.sha256(image.encode()).hexdigest()}"
