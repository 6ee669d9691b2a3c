"""Pods that suffer from something their template does not say: a webhook put it there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from assistant.checks.case import Case, Container, containers, ready
from assistant.checks.images import STATES
from assistant.checks.reading.objects.quantities import quantity
from assistant.incident import Finding
from assistant.snapshot import Object, dig, listing, mapping, whole, word

STARTS_NOT = frozenset({"StartError", "ContainerCannotRun"})
CRASHES = frozenset({"CrashLoopBackOff", "RunContainerError", "CreateContainerError"})


async def check(case: Case) -> list[Finding]:
    """One finding a workload whose pod differs from its template in just what makes it fail.

    Webhooks add containers, volumes and variables to pods everywhere, so an addition is no trouble,
    and neither is a difference that the pod lives well with.
    """
    found: dict[str, Finding] = {}
    for pod, owner in case.pods():
        maker = _maker(case, pod)
        if maker and not (ready(pod) and not _restarted(pod)):
            for finding in _of_pod(pod, owner, maker):
                found.setdefault(str(finding.entity), finding)
    return list(found.values())


def _restarted(pod: Object) -> bool:
    return any(container.restarts for container in containers(pod))


def _maker(case: Case, pod: Object) -> Object | None:
    """The object whose template this pod was made from, where it cannot have changed since."""
    for reference in listing(pod.raw, "metadata", "ownerReferences"):
        kind, name = str(dig(reference, "kind")), str(dig(reference, "name"))
        maker = case.snapshot.get(kind, pod.namespace, name)
        if maker and kind in ("ReplicaSet", "Job") and maker.containers():
            return maker
    return None


def _of_pod(pod: Object, owner: Object, maker: Object) -> Iterator[Finding]:
    templates = {str(dig(spec, "name")): mapping(spec) for spec in maker.containers()}
    for container in containers(pod):
        wanted = templates.get(container.name)
        if not wanted or container.init:
            continue
        for what, before, after in _harm(container, wanted):
            yield Finding(
                kind="webhook_mutates_pod",
                entity=owner.entity,
                statement=f"{owner.entity}: {what} of container {container.name} is {after} in the pod "
                f"and {before} in its template: something changed it on the way in",
                citations=(*pod.cite(container.name, after), *maker.cite(container.name, before)),
                began=pod.created,
                details={
                    "container": container.name,
                    "field": what,
                    "template": before,
                    "pod": after,
                },
                about=(pod.entity,),
            )


def _harm(container: Container, wanted: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """(what, template's value, pod's value) for each difference that fits how the container fails."""
    reason = str(container.waiting.get("reason") or "")
    ended = str(container.terminated.get("reason") or "")
    if reason in STATES:
        yield from _plain("image", container, wanted)
    if ended == "OOMKilled":
        yield from _less_memory(container, wanted)
    if reason in CRASHES or ended in STARTS_NOT:
        yield from _plain("image", container, wanted)
        yield from _plain("command", container, wanted)
        yield from _plain("args", container, wanted)
        yield from _variables(container, wanted)


def _plain(
    field: str, container: Container, wanted: Mapping[str, Any]
) -> Iterator[tuple[str, str, str]]:
    before, after = wanted.get(field), container.spec.get(field)
    if before and after and before != after:
        yield field, _shown(before), _shown(after)


def _shown(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _less_memory(container: Container, wanted: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    before = dig(wanted, "resources", "limits", "memory")
    after = dig(container.spec, "resources", "limits", "memory")
    resized = whole(dig(container.pod.raw, "metadata", "generation")) > 1  # in place, by somebody
    if before and after and quantity(after) < quantity(before) and not resized:
        yield "the memory limit", str(before), str(after)


def _variables(container: Container, wanted: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Variables with another value than the template's; an added one is what injectors do."""
    asked = {word(dig(row, "name")): dig(row, "value") for row in listing(wanted, "env")}
    for row in listing(container.spec, "env"):
        name = word(dig(row, "name"))
        before, after = asked.get(name), dig(row, "value")
        if isinstance(before, str) and isinstance(after, str) and before and after != before:
            yield f"the variable {name}", before, after
