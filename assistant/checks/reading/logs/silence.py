"""A program that ends at once and leaves no word: what it reads at its start is all there is to suspect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from assistant.checks.case import Case, Container, containers, ready
from assistant.checks.reading.objects.databases import connection_secrets, spoken_of
from assistant.incident import Entity, Evidence, Finding
from assistant.snapshot import Object, listing

SIGNALLED = 128
"""Exit codes above it mean that the program was killed."""


def silent_crashes(case: Case, logs: Mapping[Entity, list[Evidence]]) -> Iterator[Finding]:
    """Crash loops without a readable line, of pods that learn from a Secret where a server is."""
    for pod, owner in case.pods():
        said = any(listing(item.data, "lines") for item in logs.get(owner.entity, ()))
        if said or ready(pod):
            continue
        for container in containers(pod):
            if _gives_up(container):
                yield from _suspect(case, container, owner)


def _gives_up(container: Container) -> bool:
    """Whether a program itself decides, run after run, that it cannot go on."""
    code = container.terminated.get("exitCode")
    looping = container.waiting.get("reason") == "CrashLoopBackOff" and not container.init
    return looping and isinstance(code, int) and 0 < code < SIGNALLED


def _suspect(case: Case, container: Container, owner: Object) -> Iterator[Finding]:
    secrets = connection_secrets(case.snapshot, owner)
    if len(secrets) != 1:
        return
    code, pod = container.terminated["exitCode"], container.pod
    engines = spoken_of(case.snapshot, owner)
    ran = " The same template ran before." if _ran_before(case, pod) else ""
    yield Finding(
        kind="connection_settings_suspect",
        entity=owner.entity,
        statement=f"{owner.entity}: container {container.name} ends with exit code {code} soon after "
        f"each start, and no log of it can be read.{ran} What it is told from outside is the "
        f"connection in the Secret {secrets[0].name}",
        citations=(*pod.cite("CrashLoopBackOff", code), *secrets[0].cite()),
        began=pod.created,
        strength=0.9 if ran else 0.75,
        details={"secret": secrets[0].name, "engine": " ".join(sorted(engines))},
        about=(secrets[0].entity,),
    )


def _ran_before(case: Case, pod: Object) -> bool:
    """Whether an earlier pod of the same ReplicaSet started and did not crash.

    A ReplicaSet's name holds the hash of its template: image, command and variables were the same.
    """
    prefix = pod.name.rpartition("-")[0]
    others = [event for event in case.snapshot.events if _sibling(event.name, prefix, pod)]
    started = {event.name for event in others if event.reason == "Started"}
    crashed = {event.name for event in others if event.reason in ("BackOff", "Failed")}
    return bool(started - crashed)


def _sibling(name: str, prefix: str, pod: Object) -> bool:
    return name.rpartition("-")[0] == prefix and name != pod.name
