"""Volumes that were bound and are in trouble: failed, released, growing, or attached elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from assistant.checks.case import Case, containers, newest, ready
from assistant.checks.reading.objects.quantities import quantity
from assistant.checks.storage import users
from assistant.incident import Citation, Finding
from assistant.snapshot import Object, dig, listing, mapping, moment, word

RESIZE_FAILED = ("VolumeResizeFailed", "FileSystemResizeFailed", "ResizeFailed")
PATIENCE = timedelta(minutes=10)
"""So long may a volume take to grow before that is worth a word."""

_MULTI_ATTACH = re.compile(r"Multi-Attach error")


async def check(case: Case) -> list[Finding]:
    """What is wrong with volumes that claims in scope are bound to, or want."""
    bound = [
        row for claim in case.namespaced("PersistentVolumeClaim") for row in _bound(case, claim)
    ]
    return [*bound, *_attached_elsewhere(case)]


def _bound(case: Case, claim: Object) -> Iterator[Finding]:
    volume = case.snapshot.get("PersistentVolume", "", str(claim.spec.get("volumeName") or ""))
    if volume and volume.status.get("phase") in ("Failed", "Released"):
        words = str(volume.status.get("message") or volume.status.get("reason") or "")
        yield _finding(
            case,
            "volume_failed",
            claim,
            f"{volume.entity} is {volume.status['phase']}{': ' if words else ''}{words}",
            volume.cite(str(volume.status["phase"]), volume.name),
        )
    yield from _growing(case, claim)


def _growing(case: Case, claim: Object) -> Iterator[Finding]:
    """A claim that was made larger, where the volume or its file system stayed as it was."""
    wanted = word(dig(claim.spec, "resources", "requests", "storage"))
    have = word(dig(claim.status, "capacity", "storage"))
    if not have or quantity(have) >= quantity(wanted):
        return
    event = newest(case.snapshot.events_of(claim, *RESIZE_FAILED))
    pending = claim.condition("FileSystemResizePending")
    since = moment(pending.get("lastTransitionTime"))
    late = since is not None and case.scope.window.end - since > PATIENCE
    if event or late:
        why = event.message if event else "its file system waits for the pod to start again"
        said = (event.cite(),) if event else claim.cite("FileSystemResizePending")
        text = f"it is to grow from {have} to {wanted} and has not: {why}"
        yield _finding(case, "volume_expansion_stuck", claim, text, (*claim.cite(wanted), *said))


def _finding(
    case: Case, kind: str, claim: Object, text: str, said: tuple[Citation, ...]
) -> Finding:
    return Finding(
        kind=kind,
        entity=claim.entity,
        statement=f"{claim.entity}: {text}"[:400],
        citations=said,
        details={"volume": str(claim.spec.get("volumeName") or "")},
        about=tuple(user.entity for user in users(case, claim)),
    )


def _attached_elsewhere(case: Case) -> Iterator[Finding]:
    """A pod that waits for a volume which another node holds, with the pod that holds it there."""
    for pod, owner in case.pods():
        event = newest(case.snapshot.events_of(pod, "FailedAttachVolume"))
        if not event or not _MULTI_ATTACH.search(event.message) or ready(pod):
            continue
        if not any(
            c.waiting.get("reason") in ("ContainerCreating", "PodInitializing")
            for c in containers(pod)
        ):
            continue
        holder = _holder(case, pod)
        held = f"; {holder.name} on {holder.spec.get('nodeName')} holds it" if holder else ""
        yield Finding(
            kind="multi_attach",
            entity=owner.entity,
            statement=f"{owner.entity}: {event.message}{held}"[:400],
            citations=(event.cite(), *(holder.cite() if holder else ())),
            began=pod.created,
            details={"pod": pod.name, "holder": holder.name if holder else ""},
            about=(pod.entity,),
        )


def _holder(case: Case, pod: Object) -> Object | None:
    """Another pod with one of the same claims, on another node."""
    mine = set(_claims(pod))
    return next(
        (
            other
            for other in case.snapshot.of("Pod", pod.namespace)
            if other.name != pod.name
            and other.spec.get("nodeName") not in (None, pod.spec.get("nodeName"))
            and other.status.get("phase") in ("Running", "Pending")
            and mine & set(_claims(other))
        ),
        None,
    )


def _claims(pod: Object) -> Iterator[str]:
    for volume in listing(pod.spec, "volumes"):
        name = word(mapping(volume, "persistentVolumeClaim").get("claimName"))
        if name:
            yield name
