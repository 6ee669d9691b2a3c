"""The revisions of a workload as its ReplicaSets and pods show them: which is new, since when, how it is."""

from __future__ import annotations

from datetime import datetime

from assistant.checks.case import Case, ready
from assistant.snapshot import Object, dig, listing, moment, whole, word

REVISION = "deployment.kubernetes.io/revision"
EARLIER = "deployment.kubernetes.io/revision-history"
"""What the Deployment controller writes on a ReplicaSet that was brought back: its old numbers."""
HASH = "controller-revision-hash"


def revisions(case: Case, workload: Object) -> list[Object]:
    """A Deployment's ReplicaSets, newest revision first."""
    mine = [
        rs
        for rs in case.snapshot.of("ReplicaSet", workload.namespace)
        if case.snapshot.owner(rs) is workload
    ]
    return sorted(mine, key=number, reverse=True)


def number(replica_set: Object) -> int:
    """The revision that a ReplicaSet stands for."""
    return whole(dig(replica_set.raw, "metadata", "annotations", REVISION) or "0")


def earlier(replica_set: Object) -> str:
    """The revision number that a ReplicaSet had before it was brought back; empty for a new one."""
    return word(dig(replica_set.raw, "metadata", "annotations", EARLIER)).rpartition(",")[2]


def rolled_out_at(case: Case, workload: Object) -> datetime | None:
    """When the newest revision came, if within the window and not as the first of its workload."""
    if workload.kind == "Deployment":
        return _of_replica_sets(case, revisions(case, workload))
    fresh = [pod.created for pod in current_pods(case, workload) if case.in_window(pod.created)]
    changed = whole(dig(workload.raw, "metadata", "generation")) != 1
    unfinished = workload.status.get("currentRevision") != workload.status.get("updateRevision")
    return min((at for at in fresh if at), default=None) if changed or unfinished else None


def _of_replica_sets(case: Case, rows: list[Object]) -> datetime | None:
    """An old ReplicaSet that was brought back is dated by its pods, for it keeps its own age."""
    if len(rows) < 2:  # noqa: PLR2004 - the first revision changed nothing
        return None
    new = rows[0]
    dated = [new.created]
    if earlier(new):
        dated = [pod.created for pod in _pods_owned(case, new)]
    return min((at for at in dated if at and case.in_window(at)), default=None)


def current_pods(case: Case, workload: Object) -> list[Object]:
    """The pods of the newest revision."""
    if workload.kind == "Deployment":
        return [pod for new in revisions(case, workload)[:1] for pod in _pods_owned(case, new)]
    wanted = workload.status.get("updateRevision")
    pods = case.snapshot.pods_of(workload)
    return [pod for pod in pods if not wanted or pod.labels.get(HASH) == wanted]


def older_pods(case: Case, workload: Object) -> list[Object]:
    """The pods of the revisions before that still run."""
    new = {pod.name for pod in current_pods(case, workload)}
    return [pod for pod in case.snapshot.pods_of(workload) if pod.name not in new]


def _pods_owned(case: Case, replica_set: Object) -> list[Object]:
    return [
        pod
        for pod in case.snapshot.of("Pod", replica_set.namespace)
        if any(
            dig(owner, "name") == replica_set.name
            for owner in listing(pod.raw, "metadata", "ownerReferences")
        )
    ]


def readiness(pods: list[Object]) -> str:
    """`1 of 3 Ready`; of pods that are being deleted nothing is said."""
    kept = [pod for pod in pods if not moment(dig(pod.raw, "metadata", "deletionTimestamp"))]
    return f"{sum(map(ready, kept))} of {len(kept)} Ready"
