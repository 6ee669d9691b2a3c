"""Containers that never start: missing configuration, command, user."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assistant.checks.case import Case, Container, containers, newest, ready
from assistant.checks.mounts import creating
from assistant.checks.reading.objects.absences import keys_of, missing, missing_reference
from assistant.incident import Entity, Finding
from assistant.snapshot import Object
from assistant.topology import references

REFUSED: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        ("run_as_root_refused", r"runAsNonRoot|run as root"),
        ("bad_user", r"unable to find (user|group)|no matching entries in (passwd|group) file"),
        ("runtime_class_missing", r"RuntimeClass\S* .*not found|no runtime for .* is configured"),
        ("bad_command", r"executable file not found|exec: .*no such file or directory"),
        ("image_wrong_arch", r"exec format error"),
        ("volume_mount_permission_denied", r"mount.*permission denied|permission denied.*mount"),
        ("bad_command", r"permission denied"),
    )
)


async def check(case: Case) -> list[Finding]:
    """What keeps containers from starting, from kubelet's words and from absent references."""
    found: dict[str, Finding] = {}
    for pod, owner in case.pods():
        if not ready(pod):
            for finding in [*_of_containers(case, pod, owner), *_unmounted(case, pod, owner)]:
                found.setdefault(finding.id, finding)
    for finding in _absent_references(case):
        if not any(known.entity == finding.entity for known in found.values()):
            found[finding.id] = finding
    return list(found.values())


def _of_containers(case: Case, pod: Object, owner: Object) -> Iterator[Finding]:
    for container in containers(pod):
        reason = str(container.waiting.get("reason") or "")
        message = str(container.waiting.get("message") or "")
        if reason in ("CreateContainerConfigError", "CreateContainerError", "RunContainerError"):
            yield from _refused(case, container, owner, reason, message)
        ended = container.terminated
        if ended.get("reason") in ("StartError", "ContainerCannotRun"):
            yield from _refused(
                case, container, owner, str(ended["reason"]), str(ended.get("message") or "")
            )


def _unmounted(case: Case, pod: Object, owner: Object) -> Iterator[Finding]:
    """A Secret, ConfigMap or key that is to be mounted and is not there."""
    event = newest(case.snapshot.events_of(pod, "FailedMount"))
    if event and creating(pod):
        absent = missing_reference(case, event.message, pod, owner, (event.cite(),))
        if absent:
            yield absent


def _refused(
    case: Case, container: Container, owner: Object, reason: str, message: str
) -> Iterator[Finding]:
    pod = container.pod
    event = newest(case.snapshot.events_of(pod, "Failed"))
    words = message or (event.message if event else "")
    said = pod.cite(reason, message) if message else pod.cite(reason)
    if event and not message:
        said = (*said, event.cite())
    absent = missing_reference(case, words, pod, owner, said)
    if absent:
        yield absent
        return
    kind = next((kind for kind, rule in REFUSED if rule.search(words)), "container_not_created")
    yield Finding(
        kind=kind,
        entity=owner.entity,
        statement=f"{owner.entity}: container {container.name} cannot start: {reason} {words}"[
            :400
        ],
        citations=said,
        began=pod.created,
        details={"container": container.name, "message": words[:200]},
        about=(pod.entity,),
    )


def _absent_references(case: Case) -> Iterator[Finding]:
    """References of workloads without a ready pod to objects that do not exist."""
    for workload in case.workloads():
        if not _lacks_pods(case, workload):
            continue
        for kind, name, key, optional in references(workload.template):
            if kind not in ("Secret", "ConfigMap") or optional or not name:
                continue
            finding = _absent(
                case, workload, Entity(kind=kind, name=name, namespace=workload.namespace), key
            )
            if finding:
                yield finding


def _lacks_pods(case: Case, workload: Object) -> bool:
    """Whether it should run and does not: one that is switched off or has finished needs nothing."""
    pods = case.snapshot.pods_of(workload)
    well = all(ready(pod) or pod.status.get("phase") == "Succeeded" for pod in pods)
    return not well if pods else workload.spec.get("replicas", 1) != 0


def _absent(case: Case, workload: Object, target: Entity, key: str) -> Finding | None:
    there = case.snapshot.find(target)
    listed = case.snapshot.listing_of(target.kind, target.namespace)
    if not listed or not case.snapshot.listed(target.kind, target.namespace):
        return None
    if there and (not key or key in keys_of(there)):
        return None
    said = (*workload.cite(target.name), listed.cite_absence())
    found = missing(case, target, key if there else "", workload, workload, said)
    return found.model_copy(update={"strength": 0.8})
