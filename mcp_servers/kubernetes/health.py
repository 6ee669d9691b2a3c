"""The cluster at a glance, and what this account may see of it."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any

from mcp_servers.answer import Answer, Status, ToolFailure
from mcp_servers.kubernetes.arguments import Namespace
from mcp_servers.kubernetes.client import Cluster
from mcp_servers.kubernetes.events import Events
from mcp_servers.kubernetes.fields import Object, text_at
from mcp_servers.kubernetes.gathering import BlindSpots, failed, side_by_side
from mcp_servers.kubernetes.models import ClusterHealth, EventRow, Row, WorkloadRow
from mcp_servers.kubernetes.nodes import NODE, node_row, problem_of
from mcp_servers.kubernetes.pods import POD
from mcp_servers.kubernetes.reader import Reader
from mcp_servers.kubernetes.troubles import trouble
from mcp_servers.kubernetes.workloads import Workloads, whole
from mcp_servers.spec import Clock, Health

SHOWN = 20
REASONS_SHOWN = 10
# What the tools read; `view` of the cluster covers all but nodes.
NEEDED = (
    ("list", "", "pods", ""),
    ("get", "", "pods", "log"),
    ("list", "", "events", ""),
    ("list", "", "nodes", ""),
    ("list", "", "services", ""),
    ("get", "", "configmaps", ""),
    ("get", "", "secrets", ""),
    ("list", "apps", "deployments", ""),
    ("list", "apps", "replicasets", ""),
)
GRANT = (
    "kubectl create clusterrole incident-assistant-read --verb=get,list --resource="
    "pods,pods/log,events,nodes,namespaces,services,endpoints,configmaps,persistentvolumeclaims,"
    "deployments.apps,replicasets.apps,statefulsets.apps,daemonsets.apps,jobs.batch,cronjobs.batch"
    " && kubectl create clusterrolebinding incident-assistant-read"
    " --clusterrole=incident-assistant-read --user=<this account>"
)


class Glance:
    """Tools about the cluster as a whole."""

    def __init__(self, reader: Reader, events: Events, workloads: Workloads, clock: Clock) -> None:
        self._reader = reader
        self._events = events
        self._workloads = workloads
        self._clock = clock

    async def check_cluster_health(self, namespace: Namespace = "") -> Answer[ClusterHealth]:
        """Version, nodes with problems, pods by phase and how many fail, workloads with replicas
        missing, and the most frequent reasons of warning events. Use it for a first look: it names
        no cause. A part that is null could not be seen.
        """
        workloads_blind = BlindSpots()
        version, nodes, pods, rows, warnings = await side_by_side(
            partial(self._reader.cluster.get, "/version"),
            partial(self._reader.all, NODE, "", lambda node: node_row(node, None)),
            partial(self._pods, namespace),
            partial(self._workloads.rows, namespace, workloads_blind),
            partial(self._events.warnings, namespace),
        )
        blind = BlindSpots()
        seen_nodes = blind.take("nodes", nodes, None)
        data = ClusterHealth(
            version=text_at(blind.take("version", version, {}), "gitVersion") or None,
            nodes=None if seen_nodes is None else _nodes(seen_nodes.items),
            pods=blind.take("pods", pods, None),
            workloads=_workloads(rows) if not workloads_blind.reason else None,
            warnings=None if failed(warnings) else _reasons(warnings),
        )
        blind.take("warning events", warnings, None)
        return await self._answer(data, blind, workloads_blind, namespace)

    async def _answer(
        self, data: ClusterHealth, blind: BlindSpots, other: BlindSpots, namespace: str
    ) -> Answer[ClusterHealth]:
        blind.raise_if_blind()
        total = data.pods["total"] if data.pods else None
        why: tuple[str, tuple[str, ...]] = ("", ())
        if namespace and total == 0:
            why = await self._reader.why_empty(namespace)
        reason = "; ".join(part for part in (blind.reason, other.reason, why[0]) if part)
        return Answer(
            status=Status.EMPTY if why[0] else Status.OK,
            data=data,
            total=total,
            reason=reason,
            suggestions=[*blind.suggestions, *other.suggestions, *why[1]],
        )

    async def _pods(self, namespace: str) -> Row:
        now = self._clock()

        def glance(pod: Object) -> tuple[str, bool]:
            return text_at(pod, "status", "phase") or "NoStatus", trouble(pod, now) is not None

        found = await self._reader.all(POD, namespace, glance)
        return {
            "total": found.read,
            "by_phase": dict(Counter(phase for phase, _ in found.items).most_common()),
            "failing": sum(fails for _, fails in found.items),
        }


async def probe(cluster: Cluster) -> Health:
    """Whether the cluster answers, and what of that which the tools read is forbidden."""
    try:
        version = await cluster.get("/version")
    except ToolFailure as failure:
        return Health(reachable=False, detail=failure.reason, fix="; ".join(failure.suggestions))
    checks = [partial(cluster.allowed, _attributes(*needed)) for needed in NEEDED]
    answers = await side_by_side(*checks)
    missing = [
        _named(*needed) for needed, answer in zip(NEEDED, answers, strict=True) if answer is False
    ]
    unknown = next((answer for answer in answers if failed(answer)), None)
    detail = f"{cluster.name}, {text_at(version, 'gitVersion')}"
    if unknown is not None:
        detail += f"; permissions could not be checked: {unknown.reason}"
    fix = GRANT if missing else ""
    return Health(reachable=True, detail=detail, missing=tuple(missing), fix=fix)


def _attributes(verb: str, group: str, resource: str, subresource: str) -> dict[str, str]:
    return {"verb": verb, "group": group, "resource": resource, "subresource": subresource}


def _named(verb: str, group: str, resource: str, subresource: str) -> str:
    what = f"{resource}.{group}" if group else resource
    return f"{verb} {what}{'/' + subresource if subresource else ''}"


def _nodes(rows: list[Row]) -> Row:
    problems = [{"name": row["name"], "problem": problem_of(row)} for row in rows]
    return {
        "total": len(rows),
        "ready": sum(row["ready"] for row in rows),
        "problems": [one for one in problems if one["problem"]][:SHOWN],
    }


def _workloads(rows: list[WorkloadRow]) -> Row:
    missing = [row for row in rows if not whole(row)]
    return {
        "total": len(rows),
        "unavailable": [
            f"{row.kind} {row.namespace}/{row.name}: {row.ready}/{row.desired} ready, "
            f"{row.updated} updated"
            for row in missing[:SHOWN]
        ],
    }


def _reasons(events: list[EventRow]) -> list[dict[str, Any]]:
    """The reasons of warnings by how often they came, each with its newest message."""
    counts: Counter[str] = Counter()
    newest: dict[str, EventRow] = {}
    for event in events:
        counts[event.reason] += event.count
        newest.setdefault(event.reason, event)
    return [
        {
            "reason": reason,
            "count": count,
            "last_seen": newest[reason].last_seen,
            "example": f"{newest[reason].kind} {newest[reason].name}: {newest[reason].message}",
        }
        for reason, count in counts.most_common(REASONS_SHOWN)
    ]
