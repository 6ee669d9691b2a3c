"""The pod tools: which pods fail, which there are, and one pod in detail."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from functools import partial
from typing import Any

from mcp_servers.answer import Answer, Status
from mcp_servers.kubernetes.arguments import (
    Cursor,
    Limit,
    Namespace,
    OneNamespace,
    PodName,
    Selector,
)
from mcp_servers.kubernetes.events import Events
from mcp_servers.kubernetes.fields import (
    Object,
    condition,
    conditions,
    metadata,
    name_of,
    namespace_of,
    number_at,
    object_at,
    objects_at,
    text_at,
    words,
)
from mcp_servers.kubernetes.gathering import BlindSpots, failed, side_by_side
from mcp_servers.kubernetes.kinds import BY_NAME
from mcp_servers.kubernetes.models import PodList, PodStatus, PodSummary, Row
from mcp_servers.kubernetes.paging import asked_page, next_page
from mcp_servers.kubernetes.reader import Reader
from mcp_servers.kubernetes.troubles import container_statuses, trouble
from mcp_servers.spec import Clock

POD = BY_NAME["Pod"]
EVENTS_SHOWN = 20


class Pods:
    """Tools about pods."""

    def __init__(self, reader: Reader, events: Events, clock: Clock) -> None:
        self._reader = reader
        self._events = events
        self._clock = clock

    async def list_failing_pods(
        self, namespace: Namespace = "", limit: Limit = 50
    ) -> Answer[PodList]:
        """Pods with something wrong now, and why: not scheduled, waiting (image, config, crash
        loop), failed, evicted, not ready, stuck, or restarted within the hour; with message, node
        and owner. Start here. Finished jobs and old restarts are left out. It cannot see pods that
        were never made (list_deployments) or errors inside ready ones (get_pod_logs).
        """
        now = self._clock()
        found = await self._reader.all(POD, namespace, lambda pod: failing(pod, now))
        found.items.sort(key=lambda pod: (pod.namespace, pod.owner, pod.name))
        shown = found.items[:limit]
        unseen = "the cluster has more pods than were read" if found.cursor else ""
        return await self._reader.answer(
            PodList(pods=shown),
            total=len(found.items),
            shown=len(shown),
            namespace="" if found.read else namespace,
            unseen=unseen,
        )

    async def list_pods(
        self,
        namespace: Namespace,
        label_selector: Selector = "",
        limit: Limit = 100,
        cursor: Cursor = "",
    ) -> Answer[PodList]:
        """All pods of a namespace by page, healthy ones too: phase, readiness, restarts, node,
        owner. Use it to see who runs where, or whom a selector meets. It gives no cause: for what
        is wrong use list_failing_pods.
        """
        now = self._clock()
        offset, query = asked_page(limit, cursor, {"labelSelector": label_selector})
        keep = partial(summary, now=now)
        kind, page = await self._reader.page(POD, namespace, keep, query)
        total, following = await next_page(self._reader, kind, namespace, query, page, offset)
        return await self._reader.answer(
            PodList(pods=page.items, next_cursor=following),
            total=total,
            shown=len(page.items),
            namespace=namespace,
        )

    async def get_pod_status(self, namespace: OneNamespace, name: PodName) -> Answer[PodStatus]:
        """One pod in detail: each container's state, last end (exit code, reason, time), restarts
        and resources, the pod's conditions, and its events, newest first. Use it to see why one pod
        waits, restarts or is not ready. It holds no log lines: get_pod_logs.
        """
        pod, events = await side_by_side(
            partial(self._reader.one, POD, namespace, name),
            partial(self._events.of, namespace, "Pod", name),
        )
        if failed(pod):
            raise pod
        blind = BlindSpots()
        rows = blind.take("events", events, [])
        data = PodStatus(
            pod=summary(pod, now=self._clock()),
            containers=containers(pod),
            conditions=conditions(pod),
            events=[row.model_dump() for row in rows[:EVENTS_SHOWN]],
        )
        return Answer(
            status=Status.OK,
            data=data,
            total=1,
            reason=blind.reason,
            suggestions=blind.suggestions,
        )


def summary(pod: Object, now: datetime) -> PodSummary:
    """One pod on one line."""
    found = trouble(pod, now)
    reason, message = (found.reason, found.message) if found else (_calm_reason(pod), "")
    counted = Counter(bool(status.get("ready")) for status in _counted(pod))
    wanted = len(objects_at(pod, "spec", "containers")) + _sidecars(pod)
    return PodSummary(
        namespace=namespace_of(pod),
        name=name_of(pod),
        phase=text_at(pod, "status", "phase"),
        ready=f"{counted[True]}/{wanted or counted.total()}",
        restarts=sum(number_at(status, "restartCount") for status, _ in container_statuses(pod)),
        reason=reason,
        message=message,
        node=text_at(pod, "spec", "nodeName"),
        owner=owner(pod),
        started_at=text_at(pod, "status", "startTime"),
    )


def failing(pod: Object, now: datetime) -> PodSummary | None:
    """The pod on one line where something is wrong with it, else None."""
    return summary(pod, now) if trouble(pod, now) else None


def owner(pod: Object) -> str:
    """`Deployment checkout`: who made the pod, with a Deployment seen through its ReplicaSet."""
    owners = objects_at(pod, "metadata", "ownerReferences")
    if not owners:
        return ""
    maker = next((one for one in owners if one.get("controller")), owners[0])
    kind, name = text_at(maker, "kind"), text_at(maker, "name")
    hashed = text_at(metadata(pod), "labels", "pod-template-hash")
    if kind == "ReplicaSet" and hashed and name.endswith(f"-{hashed}"):
        return f"Deployment {name.removesuffix(f'-{hashed}')}"
    return f"{kind} {name}"


def containers(pod: Object) -> list[Row]:
    """Every container of a pod: what was asked for, and how it fares."""
    statuses = {text_at(status, "name"): status for status, _ in container_statuses(pod)}
    rows = []
    for field in ("initContainers", "containers"):
        for spec in objects_at(pod, "spec", field):
            status = statuses.get(text_at(spec, "name"), {})
            rows.append(_container(spec, status, init=field == "initContainers"))
    return rows


def _container(spec: Object, status: Object, *, init: bool) -> Row:
    state, now = _state(status.get("state"))
    last_state, last = _state(status.get("lastState"))
    return {
        "name": text_at(spec, "name"),
        "image": text_at(spec, "image"),
        "init": init,
        "ready": bool(status.get("ready")),
        "restarts": number_at(status, "restartCount"),
        "state": state or "unknown",
        "reason": text_at(now, "reason"),
        "message": words(now.get("message")),
        "exit_code": now.get("exitCode"),
        "started_at": text_at(now, "startedAt"),
        "last_state": last_state,
        "last_reason": text_at(last, "reason"),
        "last_message": words(last.get("message")),
        "last_exit_code": last.get("exitCode"),
        "last_finished_at": text_at(last, "finishedAt"),
        "requests": object_at(spec, "resources", "requests"),
        "limits": object_at(spec, "resources", "limits"),
    }


def _state(value: Any) -> tuple[str, Object]:
    for name in ("waiting", "terminated", "running"):
        if isinstance(value, dict) and isinstance(value.get(name), dict):
            return name, value[name]
    return "", {}


def _counted(pod: Object) -> list[Object]:
    """The statuses that count for readiness: containers, and sidecars among the init containers."""
    sidecars = {
        text_at(spec, "name")
        for spec in objects_at(pod, "spec", "initContainers")
        if spec.get("restartPolicy") == "Always"
    }
    return [
        status
        for status, init in container_statuses(pod)
        if not init or text_at(status, "name") in sidecars
    ]


def _sidecars(pod: Object) -> int:
    inits = objects_at(pod, "spec", "initContainers")
    return sum(spec.get("restartPolicy") == "Always" for spec in inits)


def _calm_reason(pod: Object) -> str:
    if metadata(pod).get("deletionTimestamp"):
        return "Terminating"
    if text_at(pod, "status", "phase") == "Succeeded":
        return "Completed"
    ready = condition(pod, "Ready")
    return "Starting" if ready and ready.get("status") != "True" else ""
