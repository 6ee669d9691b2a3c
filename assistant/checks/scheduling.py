"""Pods that no node takes: which rule of the scheduler keeps each node out.

The scheduler's own message counts nodes by rule; it does not say which rule is the odd one. So each
node is held against each rule, and the rule that alone keeps the most nodes out is named.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from assistant.checks.case import Case, newest
from assistant.checks.reading.objects.placement import OF_THE_NODE, RULES, control_plane
from assistant.checks.reading.objects.quantities import free
from assistant.incident import Citation, Finding
from assistant.snapshot import Event, Object, dig, listing

PATIENCE = timedelta(seconds=30)
"""A scheduler that works says something of a new pod within a second or two."""

STEMS = (
    ("Insufficient cpu", "cpu_capacity_mismatch"),
    ("Insufficient memory", "memory_capacity_mismatch"),
    ("node affinity/selector", "node_affinity_mismatch"),
    ("anti-affinity", "pod_anti_affinity_conflict"),
    ("pod affinity", "pod_affinity_mismatch"),
    ("topology spread", "topology_spread_conflict"),
    (f"taint {{{OF_THE_NODE}unschedulable", "node_cordon_mismatch"),
    (f"taint {{{OF_THE_NODE}", "nodes_unavailable"),
    ("untolerated taint", "taint_toleration_mismatch"),
    ("didn't tolerate", "taint_toleration_mismatch"),
    ("were unschedulable", "node_cordon_mismatch"),
    ("free ports", "host_port_conflict"),
    ("volume node affinity", "volume_node_conflict"),
    ("PersistentVolume's node affinity", "volume_node_conflict"),
    ("available volume zone", "volume_node_conflict"),
    ("max volume count", "node_volumes_full"),
    ("Too many pods", "node_pods_full"),
    ("Insufficient", "extended_resource_missing"),
)
"""What the scheduler calls each rule, over the versions."""

CAPACITY = {"cpu_capacity_mismatch": "cpu", "memory_capacity_mismatch": "memory"}
DEMANDS = frozenset({"node_selector_mismatch", "node_affinity_mismatch"})
CLAIMS = ("unbound immediate PersistentVolumeClaims", "persistentvolumeclaim", "volumes to bind")
_CLAUSE = re.compile(r"(\d+) (.+?)(?=, \d+ |\. |\.?$)")
_OTHER_RESOURCE = re.compile(r"Insufficient (?!cpu\b|memory\b)")
_CONTROL_PLANE = re.compile(r"node-role.kubernetes.io/(control-plane|master)")


async def check(case: Case) -> list[Finding]:
    """One finding a workload with a pod that waits for a node."""
    found: dict[str, Finding] = {}
    for pod, owner in case.pods():
        for finding in _of_pod(case, pod, owner) if waits(pod) else ():
            found.setdefault(finding.id, finding)
    return list(found.values())


def waits(pod: Object) -> bool:
    """Whether a pod waits for a node; the scheduler skips one that is being deleted."""
    placed = pod.spec.get("nodeName") or pod.status.get("phase") != "Pending"
    return not placed and not dig(pod.raw, "metadata", "deletionTimestamp")


def _of_pod(case: Case, pod: Object, owner: Object) -> Iterator[Finding]:
    gates = [str(dig(gate, "name") or "") for gate in listing(pod.spec, "schedulingGates")]
    if gates:
        why = f"its scheduling gate {', '.join(gates)} is closed"
        yield _finding("scheduling_gated", pod, owner, why, pod.cite(*gates))
        return
    words, said = scheduler_words(case, pod)
    if not words or any(stem in words for stem in CLAIMS):
        return  # the checks of the scheduler itself and of the claims say why
    kind, because, node_quotes = _decide(case, pod, words)
    yield _finding(kind, pod, owner, f"{because} ({words})", (*said, *node_quotes))


def _finding(
    kind: str, pod: Object, owner: Object, because: str, said: tuple[Citation, ...]
) -> Finding:
    return Finding(
        kind=kind,
        entity=owner.entity,
        statement=f"{owner.entity}: no node takes its pod: {because}"[:500],
        citations=said,
        began=pod.created,
        details={"pod": pod.name},
        about=(pod.entity,),
    )


def scheduler_words(case: Case, pod: Object) -> tuple[str, tuple[Citation, ...]]:
    """Why the scheduler finds no node, with the citation; empty where nobody said anything."""
    rows = case.snapshot.events_of(pod, "FailedScheduling")
    event: Event | None = newest([row for row in rows if "nodes are available" in row.message])
    event = event or newest(rows)
    if event:
        return event.message, (event.cite(),)
    message = str(pod.condition("PodScheduled").get("message") or "")
    return (message, pod.cite(message)) if message else ("", ())


def _decide(case: Case, pod: Object, words: str) -> tuple[str, str, tuple[Citation, ...]]:
    """(fault kind, why, citations): the rule that alone keeps most nodes out."""
    kept_out = [
        (
            node,
            {k: text for k, rule in RULES if _said(k, words) and (text := rule(case, pod, node))},
        )
        for node in case.snapshot.of("Node")
    ]
    votes = _votes(kept_out)
    if not votes:
        return _from_words(words), "the scheduler says so", ()
    most = max(votes.values())
    kind = min((k for k, n in votes.items() if n == most), key=[k for k, _ in RULES].index)
    rows = [(node, why) for node, why in kept_out if kind in why]
    node, why = _nearest_miss(case, rows, kind)
    return kind, why[kind], node.cite()


def _nearest_miss(
    case: Case, rows: list[tuple[Object, dict[str, str]]], kind: str
) -> tuple[Object, dict[str, str]]:
    """The node to name: of those that are too full, a worker with the most room."""
    resource = CAPACITY.get(kind)
    if not resource:
        return rows[0]
    workers = [row for row in rows if not control_plane(row[0])] or rows
    return max(workers, key=lambda row: free(case.snapshot, row[0], resource))


def _votes(kept_out: list[tuple[Object, dict[str, str]]]) -> Counter[str]:
    """How many nodes each rule keeps out, on its own where any rule does so.

    Where some node meets the pod's own demands, what keeps that node out is the trouble: a pod
    pinned to a cordoned node wants it uncordoned.
    """
    meets = [why for node, why in kept_out if not DEMANDS & set(why) and not control_plane(node)]
    rows = meets or [why for _, why in kept_out]
    alone = [
        why for node, why in kept_out if why in rows and len(why) == 1 and not control_plane(node)
    ]
    return Counter(kind for why in alone or rows for kind in why)


def _said(kind: str, words: str) -> bool:
    """Whether the scheduler names a rule. It sees what is not in the objects; it is not overruled."""
    if kind == "extended_resource_missing":
        return bool(_OTHER_RESOURCE.search(words))
    stems = [stem for stem, named in STEMS if named == kind]
    stems += ["node affinity/selector"] if kind == "node_selector_mismatch" else []
    return any(stem in words for stem in stems)


def _from_words(words: str) -> str:
    """The rule that the scheduler counts the most nodes for; the control plane's taint is no trouble."""
    counted = _CLAUSE.findall(
        words.partition("nodes are available: ")[2].partition(" preemption:")[0]
    )
    worst = sorted(counted, key=lambda row: -int(row[0]))
    texts = [text for _, text in worst if not _CONTROL_PLANE.search(text)]
    named = (kind for text in [*texts, words] for stem, kind in STEMS if stem in text)
    return next(named, "not_scheduled")
