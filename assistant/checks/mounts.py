"""Pods whose containers are not yet created: volumes that are not mounted, sandboxes that fail."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assistant.checks.case import Case, containers, newest, ready
from assistant.checks.reading.objects.absences import missing_reference
from assistant.incident import Citation, Entity, Finding
from assistant.snapshot import Event, Object

MOUNTS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        ("volume_mount_permission_denied", r"permission denied|access denied by server"),
        ("volume_driver_missing", r"driver name \S+ not found in the list of registered"),
        (
            "volume_server_unreachable",
            r"mount\.nfs: .*(timed out|refused|no route)|mount error\(11[0-3]\)"
            r"|failed to resolve server",
        ),
        ("volume_file_system_broken", r"wrong fs type|bad superblock|structure needs cleaning"),
        ("volume_path_missing", r"hostPath type check failed|no such file or directory"),
        ("mount_failed", r""),
    )
)
"""What keeps a volume from being mounted, tried in order; the last one takes the rest."""

SANDBOXES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        (
            "pod_addresses_exhausted",
            r"failed to assign an IP address|no (available|free) IP|no IP addresses available"
            r"|range is full|no more IPs|ran out of IP|insufficient (cidr|free)",
        ),
        ("runtime_class_missing", r"RuntimeClass\S* .*not found|no runtime for .* is configured"),
        ("sandbox_failed", r""),
    )
)

_CREATING = ("ContainerCreating", "PodInitializing")


async def check(case: Case) -> list[Finding]:
    """One finding a pod that stays in ContainerCreating, by what keeps it there."""
    found: dict[str, Finding] = {}
    for pod, owner in case.pods():
        for finding in _of_pod(case, pod, owner) if not ready(pod) and creating(pod) else ():
            found.setdefault(finding.id, finding)
    return list(found.values())


def creating(pod: Object) -> bool:
    """Whether its containers are still to be created."""
    waiting = any(c.waiting.get("reason") in _CREATING for c in containers(pod))
    return waiting or not pod.status.get("containerStatuses")


def _of_pod(case: Case, pod: Object, owner: Object) -> Iterator[Finding]:
    mount = newest(case.snapshot.events_of(pod, "FailedMount", "FailedAttachVolume"))
    if mount and not _told_elsewhere(case, mount, pod, owner):
        kind = next(kind for kind, rule in MOUNTS if rule.search(mount.message))
        yield _finding(kind, pod, owner, mount.message, mount.cite())
    sandbox = newest(case.snapshot.events_of(pod, "FailedCreatePodSandBox"))
    if sandbox and not mount:
        kind = next(kind for kind, rule in SANDBOXES if rule.search(sandbox.message))
        yield _finding(kind, pod, owner, sandbox.message, sandbox.cite())


def _told_elsewhere(case: Case, mount: Event, pod: Object, owner: Object) -> bool:
    """Whether the words name a missing Secret or ConfigMap, or a volume that another node holds."""
    absent = missing_reference(case, mount.message, pod, owner, (mount.cite(),))
    return absent is not None or "Multi-Attach" in mount.message


def _finding(kind: str, pod: Object, owner: Object, words: str, said: Citation) -> Finding:
    node = str(pod.spec.get("nodeName") or "")
    place = f" on {node}" if node else ""
    return Finding(
        kind=kind,
        entity=owner.entity,
        statement=f"{owner.entity}{place}: {words}"[:400],
        citations=(said,),
        began=pod.created,
        details={"pod": pod.name, **({"node": node} if node else {})},
        about=(pod.entity, *((Entity(kind="Node", name=node),) if node else ())),
    )
