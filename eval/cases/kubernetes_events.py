"""Draws core/v1 Events: those that follow from pods' lives, and those a trouble adds."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby

from eval.cases.plain_objects import thing
from eval.cases.runs import Run, Turn
from eval.cases.system import Happening, Json, Pod, System, Workload, stamp

KEPT = timedelta(hours=72)
"""How long this cluster's API server keeps events."""

GROUPS = {
    "Deployment": "apps/v1",
    "ReplicaSet": "apps/v1",
    "StatefulSet": "apps/v1",
    "DaemonSet": "apps/v1",
    "HorizontalPodAutoscaler": "autoscaling/v2",
    "PodDisruptionBudget": "policy/v1",
    "ValidatingWebhookConfiguration": "admissionregistration.k8s.io/v1",
    "CronJob": "batch/v1",
    "Job": "batch/v1",
}


def events(system: System) -> Iterator[Json]:
    """Every event that is still kept, oldest first."""
    rows = [*system.happenings, *_scalings(system)]
    for pod in system.all_pods():
        rows += _life(pod)
    kept = [
        row for row in rows if system.ago(seconds=KEPT.total_seconds()) <= row.last <= system.as_of
    ]
    for row in sorted(kept, key=lambda r: (r.last, r.kind, r.name, r.reason, r.message)):
        yield _event(system, row)


def about(pod: Pod, reason: str, message: str, turn: Turn | None = None) -> Happening:
    """An event of the kubelet about a pod, at its birth or at one of its turns."""
    at = turn.at if turn else pod.created
    return Happening("Pod", pod.namespace, pod.name, reason, message, at, at, host=pod.node)


def _life(pod: Pod) -> Iterator[Happening]:
    if pod.node and pod.workload.kind not in ("DaemonSet", "Node"):
        text = f"Successfully assigned {pod.namespace}/{pod.name} to {pod.node}"
        yield _by("default-scheduler", about(pod, "Scheduled", text))
    for name, run in {**pod.init, **pod.runs}.items():
        yield from _starts(pod, name, run)
    if pod.workload.routes and pod.workload.port and begun_at(pod):
        yield _probe_noise(pod)
    if pod.deleted:
        gone = Turn(pod.deleted - timedelta(seconds=15), {})
        for name in pod.runs:
            yield about(pod, "Killing", f"Stopping container {name}", gone)


def begun_at(pod: Pod) -> datetime | None:
    """When the main container of a pod first ran, as far as its turns tell."""
    return next((turn.at for turn in pod.main.turns if "running" in turn.state), None)


def _probe_noise(pod: Pod) -> Happening:
    """A pod fails a probe or two while it starts: every cluster is full of these."""
    probe = pod.revision.template["containers"][0]["readinessProbe"]["httpGet"]
    where = f"{pod.ip}:{pod.workload.port}"
    message = (
        f'Readiness probe failed: Get "http://{where}{probe["path"]}": dial tcp {where}: '
        "connect: connection refused"
    )
    first = (begun_at(pod) or pod.created) + timedelta(seconds=5)
    last = first + timedelta(seconds=5)
    event = about(pod, "Unhealthy", message)
    return replace(event, first=first, last=last, count=2, warning=True)


def _by(component: str, event: Happening) -> Happening:
    return replace(event, component=component, host="")


def _starts(pod: Pod, name: str, run: Run) -> Iterator[Happening]:
    """Pulled, Created and Started: one event each, counted up at every further start."""
    begun = [t for t in run.turns if "running" in t.state and not t.ready]
    begun = [turn for turn in begun if begun[-1].at - turn.at < KEPT]
    if not begun:
        return
    image = pod.revision.container(name)["image"]
    first, last = begun[0].at, begun[-1].at
    present = f'Container image "{image}" already present on machine'
    if _new_image(pod, image):
        yield about(pod, "Pulling", f'Pulling image "{image}"')
        took = "in 1.412s (1.412s including waiting). Image size: 88080384 bytes."
        present = f'Successfully pulled image "{image}" {took}'
    for reason, message in (
        ("Pulled", present),
        ("Created", f"Created container {name}"),
        ("Started", f"Started container {name}"),
    ):
        yield Happening(
            "Pod", pod.namespace, pod.name, reason, message, first, last, len(begun), host=pod.node
        )


def _new_image(pod: Pod, image: str) -> bool:
    """Whether the revision of a pod brought an image that the one before it did not have."""
    before = [r for r in pod.workload.revisions if r.number < pod.revision.number]
    had = {c["image"] for r in before[-1:] for c in r.template["containers"]}
    return bool(before) and image not in had and not pod.by_hand


def _scalings(system: System) -> Iterator[Happening]:
    """What the Deployment and ReplicaSet controllers said as pods came and went."""
    for workload in system.workloads.values():
        if workload.kind == "Deployment":
            yield from _of_deployment(system, workload)


def _of_deployment(system: System, workload: Workload) -> Iterator[Happening]:
    pods = [p for p in system.all_pods() if p.workload is workload]
    pods.sort(key=lambda p: p.revision.number)
    groups = {n: list(g) for n, g in groupby(pods, key=lambda p: p.revision.number)}
    for mine in groups.values():
        births = sorted(mine, key=lambda p: (p.created, p.name))
        for count, pod in enumerate(births, start=1):
            if not pod.by_hand:
                yield _scaled(pod, "up", count - 1, count)
            yield _set_event(pod, "SuccessfulCreate", f"Created pod: {pod.name}")
        deaths = sorted((p for p in mine if p.deleted), key=lambda p: (p.deleted, p.name))
        for count, pod in enumerate(deaths, start=1):
            left = len(mine) - count
            if not pod.by_hand:
                yield _scaled(pod, "down", left + 1, left, gone=True)
                yield _set_event(pod, "SuccessfulDelete", f"Deleted pod: {pod.name}", gone=True)


def _moment(pod: Pod, *, gone: bool) -> Turn:
    return Turn(pod.deleted - timedelta(seconds=16) if gone and pod.deleted else pod.created, {})


def _scaled(pod: Pod, way: str, before: int, after: int, *, gone: bool = False) -> Happening:
    at = _moment(pod, gone=gone).at
    owner, digest = pod.workload, pod.revision.digest
    message = f"Scaled {way} replica set {owner.name}-{digest} from {before} to {after}"
    return Happening(
        "Deployment",
        owner.namespace,
        owner.name,
        "ScalingReplicaSet",
        message,
        at,
        at,
        component="deployment-controller",
    )


def _set_event(pod: Pod, reason: str, message: str, *, gone: bool = False) -> Happening:
    at = _moment(pod, gone=gone).at
    name = f"{pod.workload.name}-{pod.revision.digest}"
    return Happening(
        "ReplicaSet",
        pod.namespace,
        name,
        reason,
        message,
        at,
        at,
        component="replicaset-controller",
    )


def _event(system: System, row: Happening) -> Json:
    text = f"{row.kind}/{row.name}/{row.reason}/{row.message}/{row.first}"
    ending = hashlib.sha256(text.encode()).hexdigest()[:16]
    namespace = row.namespace or "default"
    source = {"component": row.component} | ({"host": row.host} if row.host else {})
    involved = {
        "apiVersion": GROUPS.get(row.kind, "v1"),
        "kind": row.kind,
        "name": row.name,
        "namespace": row.namespace,
        "uid": _uid(system, row),
    }
    item = thing(system, "Event", (namespace, f"{row.name}.{ending}"), row.first)
    return {
        **item,
        "count": row.count,
        "eventTime": None,
        "firstTimestamp": stamp(row.first),
        "involvedObject": {key: value for key, value in involved.items() if value},
        "lastTimestamp": stamp(row.last),
        "message": row.message,
        "reason": row.reason,
        "reportingComponent": row.component,
        "reportingInstance": row.host,
        "source": source,
        "type": "Warning" if row.warning else "Normal",
    }


def _uid(system: System, row: Happening) -> str:
    if row.kind == "Node":
        return row.name
    if row.kind == "Pod":
        named = [p for p in system.all_pods() if (p.namespace, p.name) == (row.namespace, row.name)]
        if named:
            return named[0].uid
    return system.uid(row.kind, row.namespace, row.name)
