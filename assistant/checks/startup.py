"""Containers that never start: missing configuration, command, user, mount, sandbox, init."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assistant.checks.case import Case, Container, containers, newest, ready
from assistant.incident import Citation, Entity, Finding
from assistant.snapshot import Object, mapping
from assistant.topology import references

_MISSING_KEY = re.compile(
    r"couldn't find key (?P<key>\S+) in (?P<kind>Secret|ConfigMap) (?P<ns>[^/\s]+)/(?P<name>[\w.-]+)"
)
_MISSING = re.compile(r'(?P<kind>secret|configmap) "(?P<name>[\w.-]+)" not found', re.IGNORECASE)
_KEY_IN_VOLUME = re.compile(r"references non-existent (?P<kind>secret|config) key: (?P<key>\S+)")
_KINDS = {"secret": "Secret", "configmap": "ConfigMap", "config": "ConfigMap"}

REFUSED: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        ("run_as_root_refused", r"runAsNonRoot|run as root"),
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
            for finding in [*_of_containers(case, pod, owner), *_of_mounts(case, pod, owner)]:
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
        if container.init:
            yield from _init(container, owner)


def _refused(
    case: Case, container: Container, owner: Object, reason: str, message: str
) -> Iterator[Finding]:
    pod = container.pod
    event = newest(case.snapshot.events_of(pod, "Failed"))
    words = message or (event.message if event else "")
    said = pod.cite(reason, message) if message else pod.cite(reason)
    if event and not message:
        said = (*said, event.cite())
    missing = missing_reference(words, pod, owner, said)
    if missing:
        yield missing
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


def missing_reference(
    words: str, pod: Object, owner: Object, said: tuple[Citation, ...]
) -> Finding | None:
    """The finding for a Secret, ConfigMap or key that kubelet says is missing."""
    key = _MISSING_KEY.search(words)
    if key:
        target = Entity(kind=key["kind"], name=key["name"], namespace=key["ns"])
        return _missing(target, key["key"], pod, owner, said)
    whole = _MISSING.search(words)
    if whole:
        kind = _KINDS[whole["kind"].lower()]
        return _missing(
            Entity(kind=kind, name=whole["name"], namespace=pod.namespace), "", pod, owner, said
        )
    volume_key = _KEY_IN_VOLUME.search(words)
    if volume_key:
        kind = _KINDS[volume_key["kind"]]
        name = next(
            (
                n
                for k, n, wanted, _ in references(pod.spec)
                if k == kind and wanted == volume_key["key"]
            ),
            "",
        )
        target = Entity(kind=kind, name=name, namespace=pod.namespace)
        return _missing(target, volume_key["key"], pod, owner, said)
    return None


def _missing(
    target: Entity, key: str, pod: Object, owner: Object, said: tuple[Citation, ...]
) -> Finding:
    what = f"{target} has no key {key}" if key else f"{target} does not exist"
    kind = "missing_key" if key else f"missing_{target.kind.lower()}"
    return Finding(
        kind=kind,
        entity=target,
        statement=f"{what}, which {owner.entity} needs to start",
        citations=said,
        began=pod.created,
        details={"key": key, "workload": owner.name, "workload_kind": owner.kind},
        about=(owner.entity, pod.entity),
    )


def _of_mounts(case: Case, pod: Object, owner: Object) -> Iterator[Finding]:
    """Mount and sandbox failures while the containers are still being created."""
    waiting = any(
        c.waiting.get("reason") in ("ContainerCreating", "PodInitializing") for c in containers(pod)
    )
    if not waiting and pod.status.get("containerStatuses"):
        return
    mount = newest(case.snapshot.events_of(pod, "FailedMount", "FailedAttachVolume"))
    if mount:
        missing = missing_reference(mount.message, pod, owner, (mount.cite(),))
        if missing:
            yield missing
        elif "permission denied" in mount.message.lower():
            yield _of_pod("volume_mount_permission_denied", pod, owner, mount.message, mount.cite())
        elif "Multi-Attach" in mount.message:
            yield _of_pod("multi_attach", pod, owner, mount.message, mount.cite())
        else:
            yield _of_pod("mount_failed", pod, owner, mount.message, mount.cite())
    sandbox = newest(case.snapshot.events_of(pod, "FailedCreatePodSandBox"))
    if sandbox and not mount:
        yield _of_pod("sandbox_failed", pod, owner, sandbox.message, sandbox.cite())


def _of_pod(kind: str, pod: Object, owner: Object, words: str, said: Citation) -> Finding:
    return Finding(
        kind=kind,
        entity=owner.entity,
        statement=f"{owner.entity}: {words}"[:400],
        citations=(said,),
        began=pod.created,
        details={"pod": pod.name},
        about=(pod.entity,),
    )


def _init(container: Container, owner: Object) -> Iterator[Finding]:
    """An init container that fails again and again, or runs without an end."""
    pod, ended = container.pod, container.terminated
    looping = container.waiting.get("reason") == "CrashLoopBackOff"
    if looping and ended.get("reason") not in ("StartError", "ContainerCannotRun"):
        yield Finding(
            kind="init_failed",
            entity=owner.entity,
            statement=f"{owner.entity}: init container {container.name} fails with exit code "
            f"{ended.get('exitCode', 'unknown')}",
            citations=pod.cite("CrashLoopBackOff", container.name),
            began=pod.created,
            details={"container": container.name},
            about=(pod.entity,),
        )
    running = mapping(container.status, "state", "running")
    if running and not container.waiting and pod.condition("Initialized").get("status") == "False":
        yield Finding(
            kind="init_waits",
            entity=owner.entity,
            statement=f"{owner.entity}: init container {container.name} has not finished",
            citations=pod.cite(container.name),
            began=pod.created,
            strength=0.6,
            details={"container": container.name},
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
    keys = {**mapping(there.raw, "data"), **mapping(there.raw, "binaryData")} if there else {}
    if there and (not key or key in keys):
        return None
    said = (*workload.cite(target.name), listed.cite_absence())
    return _missing(target, key if there else "", workload, workload, said).model_copy(
        update={"strength": 0.8}
    )
