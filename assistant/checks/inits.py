"""Init containers that fail or do not finish, and what they wait for; hooks that fail."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assistant.checks.case import Case, Container, containers, newest, ready
from assistant.incident import Citation, Entity, Finding
from assistant.snapshot import Object, dig, listing, mapping
from assistant.topology import selects

_TARGETS = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?:nslookup|host|dig|getent\s+hosts|ping(?:\s+-\w+(?:\s+\d+)?)*)\s+(?P<host>[a-z][\w.-]+)",
        r"\bnc\s+(?:-\w+(?:\s+\d+)?\s+)*(?P<host>[a-z][\w.-]+)\s+\d+",
        r"https?://(?P<host>[a-z][\w.-]+)",
        r"(?:-h\s*|--host[ =])(?P<host>[a-z][\w.-]+)",
        r"/dev/tcp/(?P<host>[a-z][\w.-]+)/",
        r"(?<![\w./-])(?P<host>[a-z][\w.-]+):\d{2,5}\b",
    )
)
"""How a script that waits names the host it waits for."""

_VARIABLE = re.compile(r"\$[({]?(\w+)[)}]?")


async def check(case: Case) -> list[Finding]:
    """What keeps pods of the incident from getting past their init containers, and their hooks."""
    found: dict[str, Finding] = {}
    for pod, owner in case.pods():
        rows = [] if ready(pod) else [*_inits(case, pod, owner), *_hooks(case, pod, owner)]
        for finding in rows:
            found.setdefault(finding.id, finding)
    return list(found.values())


def _inits(case: Case, pod: Object, owner: Object) -> Iterator[Finding]:
    for container in containers(pod):
        sidecar = container.spec.get("restartPolicy") == "Always"
        if not container.init or sidecar:
            continue
        ended = container.terminated
        looping = container.waiting.get("reason") == "CrashLoopBackOff"
        if looping and ended.get("reason") not in ("StartError", "ContainerCannotRun"):
            yield _failing(case, container, owner)
        running = mapping(container.status, "state", "running")
        unfinished = pod.condition("Initialized").get("status") == "False"
        if running and not container.waiting and unfinished:
            yield _endless(case, container, owner)


def _failing(case: Case, container: Container, owner: Object) -> Finding:
    code = container.terminated.get("exitCode", "unknown")
    text = f"init container {container.name} fails with exit code {code}"
    return _finding("init_failed", case, container, owner, text)


def _endless(case: Case, container: Container, owner: Object) -> Finding:
    text = f"init container {container.name} has not finished"
    found = _finding("init_waits", case, container, owner, text)
    return found.model_copy(update={"strength": 0.6 if found.kind == "init_waits" else 0.9})


def _finding(kind: str, case: Case, container: Container, owner: Object, text: str) -> Finding:
    """With what it waits for, where its script names a Service that has nothing to answer."""
    pod = container.pod
    waits = list(_awaited(case, container))
    missing = next((row for row in waits if row[2]), None)
    target = missing or next(iter(waits), None)
    said = pod.cite(*(["CrashLoopBackOff"] if container.waiting else []), container.name)
    why = f": it waits for {target[0]}, which {target[1]}" if target else ""
    return Finding(
        kind="init_waits_for_nothing" if missing else kind,
        entity=owner.entity,
        statement=f"{owner.entity}: {text}{why}"[:400],
        citations=(*said, *(target[3] if target else ())),
        began=pod.created,
        details={"container": container.name} | ({"waits_for": target[0].name} if target else {}),
        about=(pod.entity, *((target[0],) if target else ())),
    )


def _awaited(
    case: Case, container: Container
) -> Iterator[tuple[Entity, str, bool, tuple[Citation, ...]]]:
    """(Service, what is wrong with it, whether there is none at all, citations)."""
    for host in _hosts(container):
        name, _, rest = host.partition(".")
        namespace = rest.partition(".")[0] or container.pod.namespace
        if "." in rest and not rest.partition(".")[2].startswith("svc"):
            continue  # a name outside of the cluster
        service = Entity(kind="Service", name=name, namespace=namespace)
        seen, listed = case.snapshot.find(service), case.snapshot.listing_of("Service", namespace)
        if seen and not _answered(case, seen):
            yield service, "has no Ready pod", False, seen.cite()
        elif not seen and listed and not _known(case, name, namespace):
            yield service, "does not exist", True, (listed.cite_absence(),)


def _known(case: Case, name: str, namespace: str) -> bool:
    """Whether a name is told otherwise than by a Service: a pod's own, or one of the node."""
    return name == "localhost" or case.snapshot.get("Pod", namespace, name) is not None


def _hosts(container: Container) -> Iterator[str]:
    """The hosts that an init container's script, arguments or variables name."""
    spec = container.spec
    values = {str(dig(row, "name")): str(dig(row, "value") or "") for row in listing(spec, "env")}
    words = [str(part) for part in (*listing(spec, "command"), *listing(spec, "args"))]
    script = _VARIABLE.sub(lambda match: values.get(match[1], match[0]), " ".join(words))
    seen: dict[str, None] = {}
    for pattern in _TARGETS:
        seen |= {match["host"].rstrip("."): None for match in pattern.finditer(script)}
    yield from seen


def _answered(case: Case, service: Object) -> bool:
    """Whether a Service has a Ready pod; one without selector is somebody else's to fill."""
    selector = mapping(service.spec, "selector")
    pods = case.snapshot.of("Pod", service.namespace)
    return not selector or any(selects(selector, pod.labels) and ready(pod) for pod in pods)


def _hooks(case: Case, pod: Object, owner: Object) -> Iterator[Finding]:
    """A postStart hook that fails kills its container each time."""
    event = newest(case.snapshot.events_of(pod, "FailedPostStartHook"))
    names = [c for c in containers(pod) if dig(c.spec, "lifecycle", "postStart")]
    if event and names:
        container = next((c for c in names if c.name in event.message), names[0])
        yield Finding(
            kind="post_start_hook_failed",
            entity=owner.entity,
            statement=f"{owner.entity}: the postStart hook of {container.name} fails, so kubelet "
            f"kills the container each time: {event.message}"[:400],
            citations=(event.cite(), *pod.cite(container.name)),
            began=event.first,
            details={"container": container.name},
            about=(pod.entity,),
        )
