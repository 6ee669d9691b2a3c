"""A small cluster for the checks: raw Kubernetes objects -> evidence -> snapshot -> case.

The objects have the shape that the API server gives; only what a check could look at is filled in.
`namespace` is "shop" wherever none is named, and every kind that a triage gathers was read there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from assistant.checks import Case, Check
from assistant.incident import (
    Alert,
    Entity,
    Evidence,
    Finding,
    Scope,
    Status,
    Window,
    evidence_id,
)
from assistant.snapshot import Snapshot
from assistant.topology import topology
from assistant.triage.gather import CLUSTER_WIDE, NAMESPACED

NOW = datetime(2026, 3, 14, 2, 26, tzinfo=UTC)
SHOP = "shop"
Raw = dict[str, Any]
Answers = Mapping[str, Any]


def ago(minutes: float = 0, *, days: float = 0) -> str:
    """A time before now, as Kubernetes writes it."""
    at = NOW - timedelta(minutes=minutes, days=days)
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def thing(kind: str, name: str, *, namespace: str = SHOP, created: str = "", **fields: Any) -> Raw:
    """Any object: `labels`, `annotations` and `owner` go into its metadata, the rest stands beside."""
    metadata: Raw = {"name": name, "creationTimestamp": created or ago(days=30)}
    if kind not in CLUSTER_WIDE:
        metadata["namespace"] = namespace
    for key in ("labels", "annotations", "deletionTimestamp"):
        if key in fields:
            metadata[key] = fields.pop(key)
    if owner := fields.pop("owner", None):
        metadata["ownerReferences"] = [{"kind": owner[0], "name": owner[1], "controller": True}]
    return {"kind": kind, "metadata": metadata, **fields}


def container(name: str = "web", **fields: Any) -> Raw:
    """What a pod spec asks for."""
    return {"name": name, "image": "registry.example/shop/web:1.4.2", **fields}


def state(name: str = "web", *, ready: bool = False, restarts: int = 0, **states: Any) -> Raw:
    """A container's status; `waiting`, `running` and `terminated` are its state, `last` the one before."""
    row: Raw = {"name": name, "ready": ready, "restartCount": restarts}
    if last := states.pop("last", None):
        row["lastState"] = {"terminated": last}
    row["state"] = states or {"running": {"startedAt": ago(20)}}
    return row


def pod(
    name: str = "web-6d4b9-x2x7p",
    *containers: Raw,
    states: Iterable[Raw] = (),
    ready: bool = False,
    phase: str = "Running",
    **fields: Any,
) -> Raw:
    """A pod of one ReplicaSet `web-6d4b9`, twenty minutes old, on worker-1, unless told otherwise."""
    spec: Raw = {"nodeName": "worker-1", "containers": list(containers) or [container()]}
    spec |= fields.pop("spec", {})
    conditions = [
        {
            "type": "Ready",
            "status": "True" if ready else "False",
            "lastTransitionTime": ago(19),
        },
        *fields.pop("conditions", ()),
    ]
    status: Raw = {"phase": phase, "conditions": conditions}
    if rows := list(states):
        status["containerStatuses"] = rows
    status |= fields.pop("status", {})
    fields.setdefault("owner", ("ReplicaSet", "web-6d4b9"))
    fields.setdefault("labels", {"app": "web"})
    fields.setdefault("created", ago(20))
    return thing("Pod", name, spec=spec, status=status, **fields)


def waiting(reason: str, message: str = "", name: str = "web", **more: Any) -> Raw:
    """The status of a container that waits."""
    return state(name, waiting={"reason": reason, "message": message}, **more)


def pending(name: str = "web-6d4b9-x2x7p", *containers: Raw, **fields: Any) -> Raw:
    """A pod without a node."""
    spec = {"nodeName": None, **fields.pop("spec", {})}
    return pod(name, *containers, phase="Pending", spec=spec, **fields)


def deployment(name: str = "web", *containers: Raw, replicas: int = 1, **fields: Any) -> Raw:
    """A Deployment whose pods carry the label `app`."""
    template = {
        "metadata": {"labels": fields.pop("pod_labels", {"app": name})},
        "spec": {"containers": list(containers) or [container(name)], **fields.pop("pod", {})},
    }
    spec = {"replicas": replicas, "template": template, **fields.pop("spec", {})}
    return thing(fields.pop("kind", "Deployment"), name, spec=spec, **fields)


def replica_set(name: str = "web-6d4b9", *, replicas: int = 1, have: int = 1, **fields: Any) -> Raw:
    """A ReplicaSet of the Deployment `web` (or `owner`)."""
    fields.setdefault("owner", ("Deployment", "web"))
    fields.setdefault("created", ago(20))
    if revision := fields.pop("revision", None):
        fields["annotations"] = {"deployment.kubernetes.io/revision": str(revision)}
    status = {"replicas": have, **fields.pop("status", {})}
    return thing("ReplicaSet", name, spec={"replicas": replicas}, status=status, **fields)


def web() -> list[Raw]:
    """The Deployment `web` and its ReplicaSet, to which `pod()` belongs."""
    return [deployment(), replica_set()]


def service(name: str = "web", *, selector: Mapping[str, str] | None = None, **fields: Any) -> Raw:
    """A Service of port 80 to 8080 that selects the label `app`, unless told otherwise."""
    spec = {
        "selector": {"app": name} if selector is None else dict(selector),
        "ports": fields.pop("ports", [{"port": 80, "targetPort": 8080, "protocol": "TCP"}]),
        **fields.pop("spec", {}),
    }
    return thing("Service", name, spec=spec, **fields)


def node(name: str = "worker-1", *, conditions: Iterable[Raw] = (), **fields: Any) -> Raw:
    """A node with four CPUs and 8 GiB, Ready unless `conditions` say something else."""
    status = {
        "allocatable": {"cpu": "4", "memory": "8Gi"},
        "conditions": list(conditions) or [{"type": "Ready", "status": "True"}],
    }
    fields.setdefault("labels", {"kubernetes.io/hostname": name})
    return thing("Node", name, spec=fields.pop("spec", {}), status=status, **fields)


def event(about: Raw, reason: str, message: str, *, minutes: float = 5, **fields: Any) -> Raw:
    """An event about an object, first seen `first` (else ten) minutes before it was last seen."""
    first = fields.pop("first", minutes + 10)
    return {
        "namespace": about["metadata"].get("namespace", ""),
        "kind": about["kind"],
        "name": about["metadata"]["name"],
        "type": "Warning",
        "reason": reason,
        "message": message,
        "count": 3,
        "first_seen": ago(first),
        "last_seen": ago(minutes),
        **fields,
    }


def evidence(tool: str, arguments: Answers, data: Any, **fields: Any) -> Evidence:
    """An answer, as the toolbox would have made it."""
    given = {"status": Status.OK, "source": "test", "taken_at": NOW, **fields}
    return Evidence(
        id=evidence_id(tool, arguments), tool=tool, arguments=arguments, data=data, **given
    )


def listings(objects: Iterable[Raw], unread: Iterable[str] = ()) -> list[Evidence]:
    """Every kind that a triage gathers, as it was listed; kinds in `unread` were not listed at all."""
    asked = [("Pod", "kube-system"), ("Namespace", "")]
    asked += [(kind, SHOP) for kind in NAMESPACED] + [(kind, "") for kind in CLUSTER_WIDE]
    rows: dict[tuple[str, str], list[Raw]] = defaultdict(list)
    rows.update({place: [] for place in asked if place[0] not in unread})
    for item in objects:
        rows[item["kind"], item["metadata"].get("namespace", "")].append(item)
    return [
        evidence(
            "kubernetes.list_resources",
            {"kind": kind, "namespace": namespace, "view": "full"},
            {"kind": kind, "items": items, "next_cursor": ""},
            status=Status.OK if items else Status.EMPTY,
        )
        for (kind, namespace), items in rows.items()
    ]


def snapshot(*objects: Raw, events: Iterable[Raw] = (), unread: Iterable[str] = ()) -> Snapshot:
    """What the objects and events amount to."""
    return Snapshot.made_of(gathered(*objects, events=events, unread=unread))


def gathered(
    *objects: Raw, events: Iterable[Raw] = (), unread: Iterable[str] = ()
) -> list[Evidence]:
    """The evidence of the first round."""
    told = evidence(
        "kubernetes.get_recent_events", {"namespace": SHOP, "limit": 500}, {"events": list(events)}
    )
    return [*listings(objects, unread), told]


def case(
    *objects: Raw,
    events: Iterable[Raw] = (),
    more: Iterable[Evidence] = (),
    answers: Answers | None = None,
    unread: Iterable[str] = (),
    entities: tuple[Entity, ...] = (),
) -> Case:
    """The incident as checks see it. `answers` maps a tool (or "tool subject") to what it returns.

    A question that has no answer there comes back empty.
    """
    known = (*gathered(*objects, events=events, unread=unread), *more)
    seen = Snapshot.made_of(known)
    window = Window(start=NOW - timedelta(hours=1), end=NOW)
    began = NOW - timedelta(minutes=15)

    async def ask(tool: str, arguments: Mapping[str, Any], reason: str) -> Evidence:
        subject = next(
            (arguments[k] for k in ("pod", "name", "query", "kind") if arguments.get(k)), ""
        )
        table = answers or {}
        data = table.get(f"{tool} {subject}", table.get(tool))
        status = Status.EMPTY if data is None else Status.OK
        return evidence(tool, arguments, data, status=status, asked_because=reason)

    return Case(
        alert=Alert(id="Q1", title="web answers 503", created_at=began),
        scope=Scope(namespaces=(SHOP,), entities=entities, window=window, began=began),
        snapshot=seen,
        topology=topology(seen, known),
        evidence=known,
        ask=ask,
    )


async def only(check: Check, given: Case) -> Finding:
    """The one thing that a check finds."""
    found = await check(given)
    assert len(found) == 1, [(f.kind, str(f.entity), f.statement) for f in found]
    return found[0]


async def kinds(check: Check, given: Case) -> list[str]:
    """The kinds that a check finds, sorted."""
    return sorted(finding.kind for finding in await check(given))


def logs(*texts: str, **fields: Any) -> Raw:
    """What `get_pod_logs` answers."""
    rows = [{"time": ago(5), "text": text} for text in texts]
    return {"namespace": SHOP, "container": "web", "errors": [], "lines": rows, **fields}


def range_of(*series: tuple[Mapping[str, str], Iterable[float]], step: int = 60) -> Raw:
    """What `query_range` answers: each series' values, the last one at the end of the window."""
    rows = []
    for labels, values in series:
        listed = list(values)
        start = NOW.timestamp() - step * (len(listed) - 1)
        points = [[start + step * i, value] for i, value in enumerate(listed)]
        rows.append({"labels": dict(labels), "points": points})
    return {"step_seconds": step, "series": rows}
