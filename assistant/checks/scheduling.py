"""Pods that no node takes: which rule of the scheduler keeps each node out, worked out again.

The scheduler's own message counts nodes by rule; it does not say which rule is the odd one. So each
node is held against each rule here, and the rule that alone keeps the most nodes out is named.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from assistant.checks.case import Case, newest
from assistant.checks.quantities import amount, free, requested
from assistant.incident import Citation, Entity, Finding
from assistant.snapshot import Object, dig, listing, mapping

Rule = Callable[[Case, Object, Object], str]
"""(case, pod, node) -> why the node does not take the pod, or an empty text"""


PATIENCE = timedelta(seconds=30)
"""A scheduler that works says something of a new pod within a second or two."""


async def check(case: Case) -> list[Finding]:
    """One finding a workload with a pod that waits for a node."""
    found: dict[str, Finding] = {}
    for pod, owner in case.pods():
        if not _waits(pod):
            continue
        for finding in _of_pod(case, pod, owner):
            found.setdefault(finding.id, finding)
    return list(found.values())


def _waits(pod: Object) -> bool:
    """Whether a pod waits for a node; the scheduler skips one that is being deleted."""
    placed = pod.spec.get("nodeName") or pod.status.get("phase") != "Pending"
    return not placed and not dig(pod.raw, "metadata", "deletionTimestamp")


def _of_pod(case: Case, pod: Object, owner: Object) -> Iterator[Finding]:
    if listing(pod.spec, "schedulingGates"):
        yield _finding("scheduling_gated", pod, owner, "its scheduling gate is closed", pod.cite())
        return
    words, said = _scheduler_words(case, pod)
    if not words:
        if pod.created is None or case.scope.window.end - pod.created > PATIENCE:
            yield _unseen_by_scheduler(pod, owner)
        return
    if "unbound immediate PersistentVolumeClaims" in words or "persistentvolumeclaim" in words:
        return  # the storage check names the claim
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


def _scheduler_words(case: Case, pod: Object) -> tuple[str, tuple[Citation, ...]]:
    event = newest(case.snapshot.events_of(pod, "FailedScheduling"))
    if event:
        return event.message, (event.cite(),)
    message = str(pod.condition("PodScheduled").get("message") or "")
    return (message, pod.cite(message)) if message else ("", ())


def _unseen_by_scheduler(pod: Object, owner: Object) -> Finding:
    """A pod that waits without a word from the scheduler: nobody is scheduling."""
    component = Entity(kind="Component", name="kube-scheduler", namespace="kube-system")
    return Finding(
        kind="kube_scheduler_unavailable",
        entity=component,
        statement=f"{pod.entity} waits for a node, and no scheduler has said anything about it",
        citations=pod.cite("Pending", pod.name),
        began=pod.created,
        strength=0.8,
        about=(owner.entity, pod.entity),
    )


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
    node, why = next(row for row in kept_out if kind in row[1])
    return kind, why[kind], node.cite()


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


DEMANDS = frozenset({"node_selector_mismatch", "node_affinity_mismatch"})


def _said(kind: str, words: str) -> bool:
    """Whether the scheduler names a rule. It sees what is not in the objects; it is not overruled."""
    stems = [stem for stem, named in STEMS if named == kind]
    stems += ["node affinity/selector"] if kind == "node_selector_mismatch" else []
    return any(stem in words for stem in stems)


def _from_words(words: str) -> str:
    return next((kind for stem, kind in STEMS if stem in words), "not_scheduled")


STEMS = (
    ("Insufficient cpu", "cpu_capacity_mismatch"),
    ("Insufficient memory", "memory_capacity_mismatch"),
    ("node affinity/selector", "node_affinity_mismatch"),
    ("anti-affinity", "pod_anti_affinity_conflict"),
    ("topology spread", "topology_spread_conflict"),
    ("untolerated taint", "taint_toleration_mismatch"),
    ("were unschedulable", "node_cordon_mismatch"),
    ("free ports", "host_port_conflict"),
    ("volume node affinity", "volume_node_conflict"),
    ("Insufficient", "extended_resource_missing"),
)


def control_plane(node: Object) -> bool:
    """Whether the node is kept for the control plane, so that ordinary pods do not belong there."""
    roles = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")
    return any(role in node.labels for role in roles) or (
        node.labels.get("kubernetes.io/role") == "master"
    )


def _selector(_: Case, pod: Object, node: Object) -> str:
    wanted = mapping(pod.spec, "nodeSelector")
    missing = [f"{k}={v}" for k, v in wanted.items() if node.labels.get(k) != v]
    return (
        f"no node has the label {', '.join(missing)} its nodeSelector asks for" if missing else ""
    )


def _affinity(_: Case, pod: Object, node: Object) -> str:
    required = mapping(
        pod.spec, "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"
    )
    terms = listing(required, "nodeSelectorTerms")
    if not terms or any(_term(mapping(term), node) for term in terms):
        return ""
    wanted = [
        _expression_words(mapping(e)) for term in terms for e in listing(term, "matchExpressions")
    ]
    return f"its required node affinity ({'; '.join(wanted)}) matches no node"


def _expression_words(expression: Mapping[str, Any]) -> str:
    values = ",".join(str(value) for value in listing(expression, "values"))
    return f"{expression.get('key')} {expression.get('operator')} {values}".strip()


def _term(term: Mapping[str, Any], node: Object) -> bool:
    fields = {"metadata.name": node.name}
    return all(
        matches(mapping(expression), node.labels)
        for expression in listing(term, "matchExpressions")
    ) and all(matches(mapping(expression), fields) for expression in listing(term, "matchFields"))


def matches(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether one selector expression (In, NotIn, Exists, DoesNotExist, Gt, Lt) holds."""
    key, operator = str(expression.get("key")), expression.get("operator")
    values = [str(value) for value in listing(expression, "values")]
    have = labels.get(key)
    if operator in ("Gt", "Lt"):
        numbers = have is not None and have.isdigit() and values and values[0].isdigit()
        larger = bool(numbers) and int(str(have)) > int(values[0])
        return bool(numbers) and (larger if operator == "Gt" else int(str(have)) < int(values[0]))
    return {
        "In": have in values,
        "NotIn": have not in values,
        "Exists": have is not None,
        "DoesNotExist": have is None,
    }.get(str(operator), False)


def _cordoned(_: Case, pod: Object, node: Object) -> str:
    tolerated = tolerates(pod, {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"})
    return f"{node.name} is cordoned" if node.spec.get("unschedulable") and not tolerated else ""


def _tainted(_: Case, pod: Object, node: Object) -> str:
    for taint in map(mapping, listing(node.spec, "taints")):
        if taint.get("effect") in ("NoSchedule", "NoExecute") and not tolerates(pod, taint):
            if taint.get("key") == "node.kubernetes.io/unschedulable":
                continue  # the cordon's own taint; the rule above names it
            return f"{node.name} has the taint {taint.get('key')}={taint.get('value', '')} it does not tolerate"
    return ""


def tolerates(pod: Object, taint: Mapping[str, Any]) -> bool:
    """Whether a pod tolerates a taint."""
    return any(_tolerates(mapping(row), taint) for row in listing(pod.spec, "tolerations"))


def _tolerates(toleration: Mapping[str, Any], taint: Mapping[str, Any]) -> bool:
    effect = toleration.get("effect")
    if effect and effect != taint.get("effect"):
        return False
    if toleration.get("operator") == "Exists":
        return not toleration.get("key") or toleration.get("key") == taint.get("key")
    same_key = toleration.get("key") == taint.get("key")
    return same_key and toleration.get("value", "") == taint.get("value", "")


def _resource(name: str) -> Rule:
    def rule(case: Case, pod: Object, node: Object) -> str:
        wanted, left = requested(pod, name), free(case.snapshot, node, name)
        if wanted <= left:
            return ""
        return f"it requests {amount(wanted, name)} and {node.name} has {amount(max(left, 0), name)} free"

    return rule


def _anti_affinity(case: Case, pod: Object, node: Object) -> str:
    terms = listing(
        pod.spec, "affinity", "podAntiAffinity", "requiredDuringSchedulingIgnoredDuringExecution"
    )
    for term in terms:
        selector = mapping(term, "labelSelector")
        for other in case.snapshot.of("Pod", pod.namespace):
            if (
                other.name != pod.name
                and _same_domain(case, other, node, term)
                and _selected(selector, other)
            ):
                return f"its anti-affinity keeps it off {node.name}, where {other.name} runs"
    return ""


def _same_domain(case: Case, other: Object, node: Object, term: Any) -> bool:
    key = str(dig(term, "topologyKey"))
    there = case.snapshot.get("Node", "", str(other.spec.get("nodeName") or ""))
    if there is None:
        return False
    return there.name == node.name or (
        key in node.labels and there.labels.get(key) == node.labels[key]
    )


def _selected(selector: Mapping[str, Any], pod: Object) -> bool:
    plain = mapping(selector, "matchLabels")
    expressions = [mapping(e) for e in listing(selector, "matchExpressions")]
    return (
        bool(plain or expressions)
        and all(pod.labels.get(k) == v for k, v in plain.items())
        and all(matches(e, pod.labels) for e in expressions)
    )


RULES: tuple[tuple[str, Rule], ...] = (
    ("node_selector_mismatch", _selector),
    ("node_affinity_mismatch", _affinity),
    ("pod_anti_affinity_conflict", _anti_affinity),
    ("cpu_capacity_mismatch", _resource("cpu")),
    ("memory_capacity_mismatch", _resource("memory")),
    ("taint_toleration_mismatch", _tainted),
    ("node_cordon_mismatch", _cordoned),
)
"""The scheduler's filters. On a tie the pod's own demand is named before the node's state."""
