"""Trouble that is there and is probably not this incident's: named, so that it can be ruled out."""

from __future__ import annotations

from collections.abc import Iterator

from assistant.checks.case import Case, containers
from assistant.incident import Entity, Finding
from assistant.snapshot import Object, dig, listing, mapping, moment

OLD_RESTARTS_SHOWN = 5


async def check(case: Case) -> list[Finding]:
    """Pods that fail in other namespaces, restarts long over, nodes that were rebooted."""
    return [*_elsewhere(case), *_old_restarts(case), *_rebooted(case)]


def _elsewhere(case: Case) -> Iterator[Finding]:
    told: set[Entity] = set()
    for answer in case.of_tool("kubernetes.list_failing_pods"):
        for row in listing(answer.data, "pods"):
            namespace = str(dig(row, "namespace"))
            kind, _, name = str(dig(row, "owner") or f"Pod {dig(row, 'name')}").partition(" ")
            entity = Entity(kind=kind, name=name, namespace=namespace)
            if namespace in case.scope.namespaces or entity in told:
                continue
            told.add(entity)
            yield Finding(
                kind="pod_failing_elsewhere",
                entity=entity,
                statement=f"{entity}: pod {dig(row, 'name')} is {dig(row, 'phase')}, {dig(row, 'reason')}",
                citations=(answer.cite(dig(row, "name")),),
                began=moment(dig(row, "started_at")),
                strength=0.5,
            )


def _old_restarts(case: Case) -> Iterator[Finding]:
    """The last restarts before the window: what `kubectl get pods` shows and has nothing to say."""
    rows = [
        (at, owner, pod, int(container.restarts), container.name)
        for pod, owner in case.pods()
        for container in containers(pod)
        if container.restarts
        and container.ready
        and (at := moment(dig(container.terminated, "finishedAt")))
        and at < case.scope.window.start
    ]
    for at, owner, pod, restarts, name in sorted(rows, key=lambda row: row[0], reverse=True)[
        :OLD_RESTARTS_SHOWN
    ]:
        yield _restart(owner, pod, name, restarts).model_copy(update={"began": at})


def _restart(owner: Object, pod: Object, name: str, restarts: int) -> Finding:
    return Finding(
        kind="restarted",
        entity=owner.entity,
        statement=f"{owner.entity}: container {name} of {pod.name} was started {restarts + 1} times in all",
        citations=pod.cite(pod.name, restarts),
        active=False,
        strength=0.3,
        details={"pod": pod.name},
    )


def _rebooted(case: Case) -> Iterator[Finding]:
    told: set[str] = set()
    for event in case.snapshot.events:
        if event.kind == "Node" and event.reason == "Rebooted" and event.name not in told:
            told.add(event.name)
            node = case.snapshot.get("Node", "", event.name)
            well = node is not None and mapping(node.condition("Ready")).get("status") == "True"
            yield Finding(
                kind="node_rebooted",
                entity=Entity(kind="Node", name=event.name),
                statement=f"Node {event.name} was rebooted"
                + (" and is Ready since" if well else ""),
                citations=(event.cite(),),
                began=event.last,
                active=not well,
                strength=0.4,
            )
