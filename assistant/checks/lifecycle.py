"""Things that were deleted long ago and are still there, and what holds them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from assistant.checks.case import Case
from assistant.checks.reading.objects.spoken import urgency
from assistant.incident import Entity, Finding
from assistant.snapshot import Object, dig, listing, mapping, moment, whole

PATIENCE = timedelta(minutes=10)
"""So long past its own grace a deletion may take before it counts as stuck."""

WORDS = ("terminating", "delete", "deletion", "deleting", "finalizer", "stuck", "removed")
KINDS = ("Pod", "PersistentVolumeClaim", "Service", "Job", "Deployment", "StatefulSet", "DaemonSet", "ConfigMap", "Ingress")  # fmt: skip
NAMESPACE_CONDITIONS = (
    "NamespaceDeletionDiscoveryFailure",
    "NamespaceDeletionGroupVersionParsingFailure",
    "NamespaceDeletionContentFailure",
    "NamespaceFinalizersRemaining",
    "NamespaceContentRemaining",
)
"""From what stands in the way to what is merely left."""

HELD_BY_USE = frozenset({"kubernetes.io/pvc-protection", "kubernetes.io/pv-protection"})


async def check(case: Case) -> list[Finding]:
    """Objects and namespaces of the incident that cannot go."""
    rows = [item for kind in KINDS for item in case.namespaced(kind)]
    rows += [v for v in case.snapshot.of("PersistentVolume") if _claimed_here(case, v)]
    stuck = [finding for item in rows for finding in _stuck(case, item)]
    return [*stuck, *(f for name in case.scope.namespaces for f in _namespace(case, name))]


def _claimed_here(case: Case, volume: Object) -> bool:
    return dig(volume.spec, "claimRef", "namespace") in case.scope.namespaces


def _overdue(case: Case, item: Object) -> datetime | None:
    """When it was to be gone, where that is long past.

    A deletion timestamp already contains the grace period.
    """
    at = moment(dig(item.raw, "metadata", "deletionTimestamp"))
    return at if at and case.scope.window.end - at > PATIENCE else None


def _stuck(case: Case, item: Object) -> Iterator[Finding]:
    since = _overdue(case, item)
    if not since or (item.kind == "Pod" and not _node_answers(case, item)):
        return
    finalizers = [str(name) for name in listing(item.raw, "metadata", "finalizers")]
    if not finalizers and item.kind != "Pod":
        return  # foreground deletion in progress, for all that is seen
    minutes = round((case.scope.window.end - since).total_seconds() / 60)
    held = (
        f"the finalizer {', '.join(finalizers)} is not removed"
        if finalizers
        else "kubelet does not end it"
    )
    yield Finding(
        kind="stuck_terminating",
        entity=item.entity,
        statement=f"{item.entity} was to be deleted {minutes} min ago and is still there: {held}"
        f"{_users(case, item, finalizers)}",
        citations=item.cite(item.name, dig(item.raw, "metadata", "deletionTimestamp"), *finalizers),
        began=since,
        strength=urgency(case, *WORDS),
        details={"finalizers": ", ".join(finalizers)},
        about=_about(case, item),
    )


def _node_answers(case: Case, pod: Object) -> bool:
    """Whether the kubelet that should end a pod is there; else the node is the trouble."""
    node = case.snapshot.get("Node", "", str(pod.spec.get("nodeName") or ""))
    return node is None or node.condition("Ready").get("status") in ("True", None)


def _users(case: Case, item: Object, finalizers: list[str]) -> str:
    """Who still uses a claim that is protected as long as somebody does."""
    if item.kind != "PersistentVolumeClaim" or not HELD_BY_USE & set(finalizers):
        return ""
    rows = case.snapshot.of("Pod", item.namespace)
    names = [pod.name for pod in rows if item.name in _claims(pod)]
    return f"; {', '.join(names[:3])} uses it" if names else ""


def _claims(pod: Object) -> list[str]:
    return [
        str(dig(volume, "persistentVolumeClaim", "claimName"))
        for volume in listing(pod.spec, "volumes")
        if dig(volume, "persistentVolumeClaim")
    ]


def _about(case: Case, item: Object) -> tuple[Entity, ...]:
    owner = case.snapshot.owner(item)
    return (owner.entity,) if owner is not item else ()


def _namespace(case: Case, name: str) -> Iterator[Finding]:
    item = case.snapshot.get("Namespace", "", name)
    since = _overdue(case, item) if item else None
    if not item or not since or item.status.get("phase") != "Terminating":
        return
    said = [mapping(item.condition(type_)) for type_ in NAMESPACE_CONDITIONS]
    words = [
        str(row.get("message"))
        for row in said
        if row.get("status") == "True" and row.get("message")
    ]
    minutes = whole((case.scope.window.end - since).total_seconds() / 60)
    yield Finding(
        kind="namespace_stuck_terminating",
        entity=item.entity,
        statement=f"{item.entity} has been Terminating for {minutes} min, so nothing can be made in it: "
        f"{'; '.join(words) or 'nothing says what is left'}"[:500],
        citations=item.cite("Terminating", *words),
        began=since,
    )
