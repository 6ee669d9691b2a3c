"""Draws a system as Kubernetes objects, the way `kubectl get -o json` prints them. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from eval.cases.kubernetes_cluster import ground
from eval.cases.kubernetes_events import events
from eval.cases.kubernetes_network import network
from eval.cases.kubernetes_pods import owner_of, pod_object, set_name
from eval.cases.plain_objects import thing
from eval.cases.system import Json, Revision, System, Workload, stamp

PROGRESS_DEADLINE = timedelta(seconds=600)


def draw(system: System) -> Json:
    """The whole system as one List."""
    items = [*_items(system)]
    return {"apiVersion": "v1", "kind": "List", "items": items, "metadata": {"resourceVersion": ""}}


def _items(system: System) -> Iterator[Json]:
    yield from ground(system)
    for workload in system.workloads.values():
        yield from _workload(system, workload)
    yield from (pod_object(system, pod) for pod in system.pods)
    yield from network(system)
    yield from events(system)


def _workload(system: System, workload: Workload) -> Iterator[Json]:
    if workload.kind == "Deployment":
        yield _deployment(system, workload)
        yield from (_replica_set(system, workload, revision) for revision in workload.revisions)
    elif workload.kind == "StatefulSet":
        yield _stateful_set(system, workload)
    elif workload.kind == "DaemonSet":
        yield _daemon_set(system, workload)


def _counts(
    system: System, workload: Workload, revision: Revision | None = None
) -> tuple[int, int]:
    """How many pods there are of a workload (or one revision), and how many of them are ready."""
    pods = [
        pod
        for pod in system.pods_of(workload.name)
        if pod.failed is None and revision in (None, pod.revision)
    ]
    return len(pods), sum(pod.ready(system.as_of) for pod in pods)


def _deployment(system: System, workload: Workload) -> Json:
    annotations = {"deployment.kubernetes.io/revision": str(workload.newest.number)}
    total, ready = _counts(system, workload)
    updated, _ = _counts(system, workload, workload.newest)
    status = {
        "availableReplicas": ready,
        "conditions": workload.conditions or _deployment_conditions(system, workload),
        "observedGeneration": len(workload.revisions),
        "readyReplicas": ready,
        "replicas": total,
        "unavailableReplicas": max(total, workload.replicas) - ready,
        "updatedReplicas": updated,
    }
    surge = {"maxSurge": workload.max_surge, "maxUnavailable": workload.max_unavailable}
    spec = {
        "progressDeadlineSeconds": 600,
        "replicas": workload.replicas,
        "revisionHistoryLimit": 10,
        "selector": {"matchLabels": workload.own_label},
        "strategy": {"rollingUpdate": surge, "type": "RollingUpdate"},
        "template": _template(workload, workload.newest),
    }
    item = thing(
        system,
        "Deployment",
        (workload.namespace, workload.name),
        workload.created,
        api_version="apps/v1",
        annotations={**annotations, **workload.newest.annotations},
        labels=workload.own_label,
        spec=spec,
        status={key: value for key, value in status.items() if value},
    )
    item["metadata"]["generation"] = len(workload.revisions)
    return item


def _deployment_conditions(system: System, workload: Workload) -> list[Json]:
    """Available and Progressing, as the pods' readiness over time makes them."""
    newest, name = workload.newest, f"{workload.name}-{workload.newest.digest}"
    settled = newest.created + timedelta(seconds=41)
    _, ready = _counts(system, workload)
    done = _was_complete(system, workload)
    rolled = ("True", "NewReplicaSetAvailable", f'ReplicaSet "{name}" has successfully progressed.')
    late = (
        "False",
        "ProgressDeadlineExceeded",
        f'ReplicaSet "{name}" has timed out progressing.',
    )
    moving = ("True", "ReplicaSetUpdated", f'ReplicaSet "{name}" is progressing.')
    overdue = newest.created + PROGRESS_DEADLINE < system.as_of
    progress = rolled if done else late if overdue else moving
    since = newest.created + PROGRESS_DEADLINE if progress is late else settled
    rows = [_available(system, workload, ready), _condition("Progressing", *progress, since=since)]
    return [*rows, *_refused(newest)]


def _refused(revision: Revision) -> list[Json]:
    """ReplicaFailure, where the API server takes no more pods of a revision."""
    refused = revision.refused
    if refused is None:
        return []
    words = ("True", "FailedCreate", refused.message)
    return [_condition("ReplicaFailure", *words, since=refused.at)]


def _was_complete(system: System, workload: Workload) -> bool:
    """Whether the newest revision ever had all of its pods ready: what came later is no rollout."""
    pods = [pod for pod in system.all_pods() if pod.revision is workload.newest]
    moments = {turn.at for pod in pods for run in pod.runs.values() for turn in run.turns}
    wanted = min(workload.replicas, len(pods))
    return wanted > 0 and any(sum(p.ready(m) for p in pods) >= wanted for m in moments)


def _available(system: System, workload: Workload, ready: int) -> Json:
    text = "Deployment has minimum availability."
    if ready >= _least(workload):
        reason = ("True", "MinimumReplicasAvailable", text)
        return _condition("Available", *reason, since=workload.created)
    lost = "Deployment does not have minimum availability."
    since = _short_since(system, workload)
    return _condition("Available", "False", "MinimumReplicasUnavailable", lost, since=since)


def _least(workload: Workload) -> int:
    """The number of ready pods a Deployment must have to be called available."""
    share = workload.max_unavailable
    if isinstance(share, int):
        return workload.replicas - share
    return workload.replicas - workload.replicas * int(share.removesuffix("%")) // 100


def _short_since(system: System, workload: Workload) -> datetime:
    """When it last fell below that number: the latest moment at which a pod stopped being ready."""
    moments = sorted(
        moment
        for pod in system.all_pods()
        if pod.workload is workload
        for moment in [pod.deleted, *(t.at for run in pod.runs.values() for t in run.turns)]
        if moment is not None and moment <= system.as_of
    )
    short = [m for m in moments if system.ready_pods(workload.name, m) < _least(workload)]
    enough = [m for m in moments if m not in set(short)]
    after = [m for m in short if not enough or m > enough[-1]]
    return after[0] if after else workload.newest.created


def _condition(type_: str, status: str, reason: str, message: str, *, since: datetime) -> Json:
    return {
        "lastTransitionTime": stamp(since),
        "lastUpdateTime": stamp(since),
        "message": message,
        "reason": reason,
        "status": status,
        "type": type_,
    }


def _replica_set(system: System, workload: Workload, revision: Revision) -> Json:
    total, ready = _counts(system, workload, revision)
    annotations = {
        "deployment.kubernetes.io/desired-replicas": str(workload.replicas),
        "deployment.kubernetes.io/max-replicas": str(_most(workload)),
        "deployment.kubernetes.io/revision": str(revision.number),
        **revision.annotations,
    }
    selects = {**workload.own_label, "pod-template-hash": revision.digest}
    labels = {**selects, **revision.pod_labels}
    status = {"availableReplicas": ready, "fullyLabeledReplicas": total, "readyReplicas": ready}
    item = thing(
        system,
        "ReplicaSet",
        (workload.namespace, set_name(workload, revision)),
        revision.created,
        api_version="apps/v1",
        annotations=annotations,
        labels=labels,
        spec={
            "replicas": revision.refused.wanted if revision.refused else total,
            "selector": {"matchLabels": selects},
            "template": _template(workload, revision, labels),
        },
        status={
            **{key: value for key, value in status.items() if value},
            **({"conditions": _refused(revision)} if revision.refused else {}),
            "observedGeneration": 1,
            "replicas": total,
        },
    )
    place = (workload.namespace, workload.name)
    item["metadata"]["ownerReferences"] = [owner_of(system, "Deployment", *place)]
    return item


def _most(workload: Workload) -> int:
    surge = workload.max_surge
    if isinstance(surge, int):
        return workload.replicas + surge
    return workload.replicas + -(-workload.replicas * int(surge.removesuffix("%")) // 100)


def _template(workload: Workload, revision: Revision, labels: Json | None = None) -> Json:
    metadata = {"labels": labels or {**workload.own_label, **revision.pod_labels}}
    if revision.pod_annotations:
        metadata["annotations"] = revision.pod_annotations
    return {"metadata": metadata, "spec": revision.template}


def _stateful_set(system: System, workload: Workload) -> Json:
    total, ready = _counts(system, workload)
    digest = f"{workload.name}-{workload.newest.digest}"
    asked = {"accessModes": ["ReadWriteOnce"], **workload.claim}
    claim = {"metadata": {"name": "data"}, "spec": asked}
    return thing(
        system,
        "StatefulSet",
        (workload.namespace, workload.name),
        workload.created,
        api_version="apps/v1",
        labels=workload.own_label,
        spec={
            "podManagementPolicy": "OrderedReady",
            "replicas": workload.replicas,
            "selector": {"matchLabels": {"app": workload.name}},
            "serviceName": workload.name,
            "template": _template(workload, workload.newest),
            "updateStrategy": {"type": "RollingUpdate"},
            "volumeClaimTemplates": [claim],
        },
        status={
            "availableReplicas": ready,
            "currentReplicas": total,
            "currentRevision": digest,
            "readyReplicas": ready,
            "replicas": total,
            "updateRevision": digest,
            "updatedReplicas": total,
        },
    )


def _daemon_set(system: System, workload: Workload) -> Json:
    total, ready = _counts(system, workload)
    return thing(
        system,
        "DaemonSet",
        (workload.namespace, workload.name),
        workload.created,
        api_version="apps/v1",
        labels=workload.own_label,
        spec={
            "selector": {"matchLabels": {"app": workload.name}},
            "template": _template(workload, workload.newest),
            "updateStrategy": {"rollingUpdate": {"maxUnavailable": 1}, "type": "RollingUpdate"},
        },
        status={
            "currentNumberScheduled": total,
            "desiredNumberScheduled": len(system.nodes),
            "numberAvailable": ready,
            "numberMisscheduled": 0,
            "numberReady": ready,
            "updatedNumberScheduled": total,
        },
    )
