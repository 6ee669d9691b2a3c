"""Which rule of the scheduler keeps a pod off a node, worked out again from the objects. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from assistant.checks.case import Case
from assistant.checks.reading.objects.quantities import amount, free, quantity, requested
from assistant.snapshot import Object, dig, listing, mapping, whole

Rule = Callable[[Case, Object, Object], str]
"""(case, pod, node) -> why the node does not take the pod, or an empty text"""

OF_THE_NODE = "node.kubernetes.io/"
"""Taints under this name tell how the node is; nobody is meant to tolerate them."""


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
    have = str(labels[key]) if labels.get(key) is not None else None
    if operator in ("Gt", "Lt"):
        numbers = have is not None and have.isdecimal() and values and values[0].isdecimal()
        larger = bool(numbers) and int(have or 0) > int(values[0])
        return bool(numbers) and (larger if operator == "Gt" else int(have or 0) < int(values[0]))
    return {
        "In": have in values,
        "NotIn": have not in values,
        "Exists": have is not None,
        "DoesNotExist": have is None,
    }.get(str(operator), False)


def _cordoned(_: Case, pod: Object, node: Object) -> str:
    tolerated = tolerates(pod, {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"})
    return f"{node.name} is cordoned" if node.spec.get("unschedulable") and not tolerated else ""


def _untolerated(pod: Object, node: Object) -> Iterator[Mapping[str, Any]]:
    for taint in map(mapping, listing(node.spec, "taints")):
        if taint.get("effect") in ("NoSchedule", "NoExecute") and not tolerates(pod, taint):
            yield taint


def _tainted(_: Case, pod: Object, node: Object) -> str:
    for taint in _untolerated(pod, node):
        if not str(taint.get("key")).startswith(OF_THE_NODE):
            return f"{node.name} has the taint {taint.get('key')}={taint.get('value', '')} it does not tolerate"
    return ""


def _ill(_: Case, pod: Object, node: Object) -> str:
    """A taint that tells of the node's condition; the cordon's own has a rule to itself."""
    for taint in _untolerated(pod, node):
        key = str(taint.get("key"))
        if key.startswith(OF_THE_NODE) and key != f"{OF_THE_NODE}unschedulable":
            return f"{node.name} takes no pods: {key.removeprefix(OF_THE_NODE)}"
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
        return _too_little(case, pod, node, name)

    return rule


def _too_little(case: Case, pod: Object, node: Object, name: str) -> str:
    wanted, left = requested(pod, name), free(case.snapshot, node, name)
    if wanted <= left:
        return ""
    whole_node = quantity(dig(node.status, "allocatable", name))
    size = f"of {amount(whole_node, name)} " if whole_node else ""
    larger = ", more than the whole node" if wanted > whole_node else ""
    return (
        f"it requests {amount(wanted, name)} and {node.name} has {amount(max(left, 0), name)} "
        f"{size}free{larger}"
    )


def _extended(case: Case, pod: Object, node: Object) -> str:
    """Devices, huge pages, local disk: a node that does not list one has none of it."""
    for name in _asked_resources(pod):
        listed = mapping(node.status, "allocatable")
        if listed and name not in listed:
            return f"it requests {amount(requested(pod, name), name)} and {node.name} has none"
        short = _too_little(case, pod, node, name)
        if short:
            return short
    return ""


def _asked_resources(pod: Object) -> list[str]:
    """Everything but CPU and memory that its containers ask for."""
    asked = {
        str(name): None
        for container in pod.containers()
        for name in (
            *mapping(container, "resources", "requests"),
            *mapping(container, "resources", "limits"),
        )
    }
    return [name for name in asked if name not in ("cpu", "memory")]


def _full(case: Case, _: Object, node: Object) -> str:
    most = whole(dig(node.status, "allocatable", "pods"))
    there = [p for p in case.snapshot.of("Pod") if p.spec.get("nodeName") == node.name]
    known = f", {len(there)} of them seen" if there else ""
    return f"{node.name} takes {most} pods at most and has them{known}" if most else ""


def _host_ports(case: Case, pod: Object, node: Object) -> str:
    wanted = set(_ports(pod))
    for other in case.snapshot.of("Pod") if wanted else []:
        taken = wanted & set(_ports(other)) if other.spec.get("nodeName") == node.name else set()
        if taken and other.name != pod.name:
            return f"host port {min(taken)[0]} of {node.name} is taken by {other.namespace}/{other.name}"
    return ""


def _ports(pod: Object) -> Iterator[tuple[int, str]]:
    for container in pod.containers():
        for row in listing(container, "ports"):
            port = whole(dig(row, "hostPort"))
            if port:
                yield port, str(dig(row, "protocol") or "TCP")


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
                and selected(selector, other)
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


def selected(selector: Mapping[str, Any], pod: Object) -> bool:
    """Whether a label selector chooses a pod; an empty one chooses none."""
    plain = mapping(selector, "matchLabels")
    expressions = [mapping(e) for e in listing(selector, "matchExpressions")]
    return (
        bool(plain or expressions)
        and all(pod.labels.get(k) == v for k, v in plain.items())
        and all(matches(e, pod.labels) for e in expressions)
    )


def _spread(case: Case, pod: Object, node: Object) -> str:
    for row in map(mapping, listing(pod.spec, "topologySpreadConstraints")):
        key, most = str(row.get("topologyKey")), whole(row.get("maxSkew")) or 1
        if row.get("whenUnsatisfiable", "DoNotSchedule") != "DoNotSchedule":
            continue
        if key not in node.labels:
            return f"{node.name} has no label {key}, by which its pods are to be spread"
        count = _domains(case, pod, key, mapping(row, "labelSelector"))
        here, least = count[node.labels[key]], min(count.values())
        if here + 1 - least > most:
            return (
                f"{key}={node.labels[key]} has {here} of its pods and another place {least}; "
                f"they may differ by {most}"
            )
    return ""


def _domains(case: Case, pod: Object, key: str, selector: Mapping[str, Any]) -> dict[str, int]:
    """How many pods that a constraint counts run in each domain that the pod may go to."""
    nodes = {node.name: node for node in case.snapshot.of("Node") if key in node.labels}
    fitting = [
        n for n in nodes.values() if not _selector(case, pod, n) and not _tainted(case, pod, n)
    ]
    count = {node.labels[key]: 0 for node in fitting or nodes.values()}
    for other in case.snapshot.of("Pod", pod.namespace):
        node = nodes.get(str(other.spec.get("nodeName") or ""))
        if node and selected(selector, other):
            count[node.labels[key]] = count.get(node.labels[key], 0) + 1
    return {**{node.labels[key]: 0 for node in nodes.values()}, **count} if not fitting else count


def _volume(case: Case, pod: Object, node: Object) -> str:
    for row in listing(pod.spec, "volumes"):
        name = str(dig(row, "persistentVolumeClaim", "claimName") or "")
        claim = case.snapshot.get("PersistentVolumeClaim", pod.namespace, name)
        volume = claim and case.snapshot.get(
            "PersistentVolume", "", str(claim.spec.get("volumeName") or "")
        )
        terms = (
            listing(volume.spec, "nodeAffinity", "required", "nodeSelectorTerms") if volume else []
        )
        if volume and terms and not any(_term(mapping(term), node) for term in terms):
            wanted = "; ".join(
                _expression_words(mapping(e)) for t in terms for e in listing(t, "matchExpressions")
            )
            return f"{volume.entity} of claim {name} is only in {wanted}; {node.name} is not there"
    return ""


RULES: tuple[tuple[str, Rule], ...] = (
    ("node_selector_mismatch", _selector),
    ("node_affinity_mismatch", _affinity),
    ("pod_anti_affinity_conflict", _anti_affinity),
    ("topology_spread_conflict", _spread),
    ("cpu_capacity_mismatch", _resource("cpu")),
    ("memory_capacity_mismatch", _resource("memory")),
    ("extended_resource_missing", _extended),
    ("host_port_conflict", _host_ports),
    ("volume_node_conflict", _volume),
    ("node_pods_full", _full),
    ("taint_toleration_mismatch", _tainted),
    ("node_cordon_mismatch", _cordoned),
    ("nodes_unavailable", _ill),
)
"""The scheduler's filters. On a tie the pod's own demand is named before the node's state."""
