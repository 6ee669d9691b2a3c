"""What a check is given, and the small words that checks share for looking at pods."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from assistant.incident import Alert, Entity, Evidence, Scope
from assistant.snapshot import Event, Object, Snapshot, dig, listing, mapping, whole
from assistant.topology import Topology, workloads

Ask = Callable[[str, Mapping[str, Any], str], Awaitable[Evidence]]
"""(full tool name, arguments, why it is asked) -> the evidence"""


@dataclass(frozen=True)
class Case:
    """One incident as the checks see it: what was gathered, and a way to ask for more."""

    alert: Alert
    scope: Scope
    snapshot: Snapshot
    topology: Topology
    evidence: tuple[Evidence, ...]
    ask: Ask

    def namespaced(self, kind: str) -> list[Object]:
        """The objects of a kind in the namespaces that the incident is about."""
        rows = self.snapshot.of(kind)
        return [item for item in rows if item.namespace in self.scope.namespaces]

    def workloads(self) -> list[Object]:
        """The workloads in scope that nobody else owns."""
        tops = workloads(self.snapshot)
        return [item for item in tops if item.namespace in self.scope.namespaces]

    def pods(self) -> Iterator[tuple[Object, Object]]:
        """Each live pod in scope with the workload it belongs to."""
        for pod in self.namespaced("Pod"):
            if pod.status.get("phase") != "Succeeded":
                yield pod, self.snapshot.owner(pod)

    def of_tool(self, tool: str) -> list[Evidence]:
        """What a tool answered so far, where it could be seen."""
        return [item for item in self.evidence if item.tool == tool and item.status.seen]

    def in_window(self, when: datetime | None) -> bool:
        """Whether something happened within the incident's window."""
        return when is not None and self.scope.window.start <= when <= self.scope.window.end


@dataclass(frozen=True)
class Container:
    """One container of a pod: what was asked for and how it is."""

    pod: Object
    name: str
    init: bool
    spec: Mapping[str, Any]
    status: Mapping[str, Any]

    @property
    def waiting(self) -> Mapping[str, Any]:
        """Why it is waiting; empty where it is not."""
        return mapping(self.status, "state", "waiting")

    @property
    def terminated(self) -> Mapping[str, Any]:
        """How it ended, now or (where it runs or waits again) last time."""
        now = mapping(self.status, "state", "terminated")
        return now or mapping(self.status, "lastState", "terminated")

    @property
    def ready(self) -> bool:
        """Whether it passes its readiness probe."""
        return bool(self.status.get("ready"))

    @property
    def restarts(self) -> int:
        """How often it was started again."""
        return whole(self.status.get("restartCount"))

    @property
    def ports(self) -> dict[str, int]:
        """Its declared ports by name (or number, as text)."""
        rows = listing(self.spec, "ports")
        return {
            str(dig(row, "name") or dig(row, "containerPort")): whole(dig(row, "containerPort"))
            for row in rows
        }


def containers(pod: Object) -> Iterator[Container]:
    """The containers of a pod, init containers first; one without a status has an empty one."""
    for init, field in ((True, "initContainerStatuses"), (False, "containerStatuses")):
        statuses = {str(dig(row, "name")): mapping(row) for row in listing(pod.status, field)}
        for spec in pod.containers(init=init):
            name = str(dig(spec, "name"))
            yield Container(pod, name, init, mapping(spec), statuses.get(name, {}))


def ready(pod: Object) -> bool:
    """Whether the pod is Ready."""
    return pod.condition("Ready").get("status") == "True"


def unready_since(pod: Object) -> datetime | None:
    """When the pod stopped being (or began not to be) Ready."""
    from_condition = pod.condition("Ready").get("lastTransitionTime")
    return _time(from_condition) or pod.created


def _time(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text)) if text else None
    except ValueError:
        return None


def newest(events: list[Event]) -> Event | None:
    """The event that was seen last."""
    return max(events, key=lambda event: (event.last is not None, event.last), default=None)


def service_entity(namespace: str, name: str) -> Entity:
    """The Service of that name."""
    return Entity(kind="Service", name=name, namespace=namespace)
