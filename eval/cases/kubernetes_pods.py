"""Draws one pod as it prints: spec, conditions and container statuses, all from its turns."""

from __future__ import annotations

import copy
import hashlib
from datetime import datetime, timedelta

from eval.cases.plain_objects import thing
from eval.cases.runs import Run
from eval.cases.system import Json, Pod, Revision, System, Workload, stamp

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
    """An owner reference to a controller."""
    return {
        "apiVersion": {"Job": "batch/v1", "Node": "v1"}.get(kind, "apps/v1"),
        "blockOwnerDeletion": True,
        "controller": True,
        "kind": kind,
        "name": name,
        "uid": system.uid(kind, namespace, name),
    }


def pod_object(system: System, pod: Pod) -> Json:
    """The pod as the API server shows it at the system's moment."""
    workload = pod.workload
    labels = dict(pod.labels)
    deployed = workload.kind == "Deployment"
    if deployed:
        labels["pod-template-hash"] = pod.revision.digest
    elif workload.kind == "Node":
        labels = {"component": workload.name, "tier": "control-plane"}
    elif workload.kind == "Job":
        labels |= {"batch.kubernetes.io/job-name": workload.name, "job-name": workload.name}
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
    owners = [owner_of(system, kind, pod.namespace, owner)]
    if kind == "Node":
        owners[0] |= {"name": pod.node, "uid": system.uid("Node", "", pod.node)}
    item["metadata"]["ownerReferences"] = owners
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
    last = pod.main.turn(system.as_of)
    ended = last and pod.workload.kind == "Job" and last.state.get("terminated")
    status: Json = {
        "conditions": _conditions(system, pod),
        "containerStatuses": statuses,
        "hostIP": system.nodes[pod.node].ip,
        "phase": _ended_phase(ended) if ended else "Running" if started else "Pending",
        "podIP": pod.ip,
        "podIPs": [{"ip": pod.ip}],
        "qosClass": "Burstable",
        "startTime": stamp(pod.created),
    }
    if pod.init:
        rows = [container_status(system, pod, name, run) for name, run in pod.init.items()]
        status["initContainerStatuses"] = rows
    return status


def _ended_phase(ended: Json) -> str:
    return "Failed" if ended["exitCode"] else "Succeeded"


def initialized(pod: Pod, at: datetime) -> bool:
    """Whether all init containers of a pod had ended well by then."""
    turns = [run.turn(at) for run in pod.init.values()]
    return all(t and t.state.get("terminated", {}).get("exitCode") == 0 for t in turns)


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
    moments = [turn.at for run in pod.runs.values() for turn in run.turns]
    changes = [
        at
        for at in [*moments, *(pod.unready or ())]
        if at <= system.as_of
        and pod.ready(at) == ready
        and pod.ready(at - timedelta(seconds=1)) != ready
    ]
    return ready, max(changes, default=pod.created)


def _conditions(system: System, pod: Pod) -> list[Json]:
    ready, since = ready_since(system, pod)
    unready = {} if ready else _unready(pod)
    up = pod.created + timedelta(seconds=2)
    rows: list[tuple[str, bool, datetime, dict[str, str]]] = [
        ("PodReadyToStartContainers", pod.failed is None, up, {}),
        ("Initialized", initialized(pod, system.as_of), pod.created, _waiting_init(system, pod)),
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


def _waiting_init(system: System, pod: Pod) -> dict[str, str]:
    if initialized(pod, system.as_of):
        return {}
    message = f"containers with incomplete status: [{' '.join(pod.init)}]"
    return {"message": message, "reason": "ContainersNotInitialized"}


def _unready(pod: Pod) -> dict[str, str]:
    if pod.failed:
        return {"reason": "PodFailed"}
    names = " ".join(n for n, run in pod.runs.items() if not run.turns or not run.turns[-1].ready)
    message = f"containers with unready status: [{names}]"
    return {"message": message, "reason": "ContainersNotReady"}


def container_status(system: System, pod: Pod, name: str, run: Run) -> Json:
    """One row of `containerStatuses`."""
    now = system.as_of
    turn = run.turn(now)
    container = pod.revision.container(name)
    ran = bool(run.last_before) or any("running" in t.state for t in run.turns)
    before = "ContainerCreating" if initialized(pod, now) else "PodInitializing"
    state = turn.state if turn else {"waiting": {"reason": before}}
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
