"""The workload list: replicas wanted and there of Deployments, StatefulSets and DaemonSets."""

from __future__ import annotations

from functools import partial

from mcp_servers.answer import Answer
from mcp_servers.kubernetes.arguments import Limit, Namespace
from mcp_servers.kubernetes.fields import (
    Object,
    conditions,
    name_of,
    namespace_of,
    number_at,
    objects_at,
    text_at,
)
from mcp_servers.kubernetes.gathering import BlindSpots, side_by_side
from mcp_servers.kubernetes.kinds import BY_NAME
from mcp_servers.kubernetes.models import WorkloadList, WorkloadRow
from mcp_servers.kubernetes.reader import Reader

WORKLOAD_KINDS = ("Deployment", "StatefulSet", "DaemonSet")
# DaemonSets count the same things under other names.
DAEMON_FIELDS = {
    "desired": "desiredNumberScheduled",
    "ready": "numberReady",
    "updated": "updatedNumberScheduled",
    "available": "numberAvailable",
}
REPLICA_FIELDS = {
    "ready": "readyReplicas",
    "updated": "updatedReplicas",
    "available": "availableReplicas",
}


class Workloads:
    """Tools about workloads as a whole."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def list_deployments(
        self, namespace: Namespace = "", limit: Limit = 100
    ) -> Answer[WorkloadList]:
        """Deployments, StatefulSets and DaemonSets with replicas desired, ready, updated and
        available, images and conditions; those with something missing come first. Use it to find
        what is short of replicas, also where no pod was made. Zero desired counts as nothing
        missing. It cannot say why (get_workload) and knows no Jobs (list_resources).
        """
        blind = BlindSpots()
        rows = await self.rows(namespace, blind)
        blind.raise_if_blind()
        shown = rows[:limit]
        answer = await self._reader.answer(
            WorkloadList(workloads=shown),
            total=len(rows),
            shown=len(shown),
            namespace=namespace,
            unseen=blind.reason,
        )
        answer.suggestions += blind.suggestions
        return answer

    async def rows(self, namespace: str, blind: BlindSpots) -> list[WorkloadRow]:
        """All workloads, incomplete ones first."""
        reads = [
            partial(self._reader.all, BY_NAME[kind], namespace, partial(workload_row, kind))
            for kind in WORKLOAD_KINDS
        ]
        found: list[WorkloadRow] = []
        for kind, result in zip(WORKLOAD_KINDS, await side_by_side(*reads), strict=True):
            listing = blind.take(f"{kind}s", result, None)
            found += listing.items if listing else []
        return sorted(found, key=lambda row: (whole(row), row.namespace, row.kind, row.name))


def workload_row(kind: str, item: Object) -> WorkloadRow:
    """One workload on one line."""
    return WorkloadRow(
        kind=kind,
        namespace=namespace_of(item),
        name=name_of(item),
        **replicas(kind, item),
        images=images(item),
        conditions=conditions(item),
    )


def replicas(kind: str, item: Object) -> dict[str, int]:
    """How many replicas are desired, ready, updated and available."""
    if kind == "DaemonSet":
        return {name: number_at(item, "status", field) for name, field in DAEMON_FIELDS.items()}
    wanted = item.get("spec", {}).get("replicas") if isinstance(item.get("spec"), dict) else None
    counted = {name: number_at(item, "status", field) for name, field in REPLICA_FIELDS.items()}
    # The API server's default where the field was not written.
    return {"desired": wanted if isinstance(wanted, int) else 1, **counted}


def images(item: Object) -> list[str]:
    """The images of a workload's containers."""
    return [
        text_at(container, "image")
        for container in objects_at(item, "spec", "template", "spec", "containers")
    ]


def whole(row: WorkloadRow) -> bool:
    """Whether every desired replica is ready, available and of the newest revision."""
    stalled = any(
        condition["type"] == "Progressing" and condition["status"] == "False"
        for condition in row.conditions
    )
    return row.ready >= row.desired and row.updated >= row.desired and not stalled
