"""Whether NetworkPolicies let one pod reach another, as the API's definition says. Pure.

A pod is isolated in a direction once any policy of that direction selects it; then a flow passes only
if a rule of one of those policies admits it. What cannot be known (labels of a namespace that was not
read, traffic of the host's own network) counts as admitted: a flow is called blocked only for sure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any

from assistant.selectors import matches
from assistant.snapshot import Object, Snapshot, dig, listing, mapping, whole

INGRESS, EGRESS = "Ingress", "Egress"
NAME_LABEL = "kubernetes.io/metadata.name"
"""The API server puts it on every namespace."""
_PEERS = {INGRESS: "from", EGRESS: "to"}


@dataclass(frozen=True)
class Peer:
    """One end of a flow: a pod as policies see it."""

    namespace: str
    labels: Mapping[str, str] = field(hash=False)
    namespace_labels: Mapping[str, str] | None = field(default=None, hash=False)
    """None where the namespace was not read."""
    address: str = ""
    ports: tuple[tuple[str, int, str], ...] = ()
    """(name, number, protocol) of each declared port."""
    host: bool = False
    """Whether it uses the node's own network, to which policies do not apply."""


@dataclass(frozen=True)
class Flow:
    """A pod that opens a connection to a port of another one."""

    client: Peer
    server: Peer
    port: int
    protocol: str = "TCP"


@dataclass(frozen=True)
class Block:
    """The policies that isolate one end of a flow and of which no rule admits it."""

    direction: str
    policies: tuple[Object, ...]


def peer(snapshot: Snapshot, pod: Object) -> Peer:
    """A pod as a policy sees it."""
    labels = (
        pod.labels if pod.kind == "Pod" else mapping(pod.spec, "template", "metadata", "labels")
    )
    place = snapshot.get("Namespace", "", pod.namespace)
    return Peer(
        namespace=pod.namespace,
        labels=labels,
        namespace_labels={**place.labels, NAME_LABEL: pod.namespace} if place else None,
        address=str(pod.status.get("podIP") or "") if pod.kind == "Pod" else "",
        ports=tuple(declared_ports(pod)),
        host=bool(pod.template.get("hostNetwork")),
    )


def declared_ports(pod: Object) -> Iterable[tuple[str, int, str]]:
    """(name, number, protocol) of each port that a pod's containers declare."""
    # A native sidecar is an init container that goes on: it serves ports, too.
    for container in [*pod.containers(), *pod.containers(init=True)]:
        for row in listing(container, "ports"):
            number = whole(dig(row, "containerPort"))
            yield str(dig(row, "name") or ""), number, str(dig(row, "protocol") or "TCP")


def blocks(flow: Flow, policies: Iterable[Object]) -> list[Block]:
    """What keeps a flow from passing, on the client's side first; nothing where it passes."""
    if flow.client.host or flow.server.host or flow.client is flow.server:
        return []
    rows = list(policies)
    sides = ((EGRESS, flow.client, flow.server), (INGRESS, flow.server, flow.client))
    found = []
    for direction, own, other in sides:
        isolating = [policy for policy in rows if isolates(policy, own, direction)]
        if isolating and not any(_admits(p, direction, flow, other) for p in isolating):
            found.append(Block(direction, tuple(isolating)))
    return found


def isolates(policy: Object, own: Peer, direction: str) -> bool:
    """Whether a policy applies to a pod in one direction."""
    return (
        policy.namespace == own.namespace
        and direction in directions(policy.spec)
        and matches(mapping(policy.spec, "podSelector"), own.labels)
    )


def directions(spec: Mapping[str, Any]) -> tuple[str, ...]:
    """The directions that a policy speaks of: Ingress by default, Egress too where it has such rules."""
    named = tuple(str(row) for row in listing(spec, "policyTypes"))
    return named or ((INGRESS, EGRESS) if listing(spec, "egress") else (INGRESS,))


def rules(policy: Object, direction: str) -> list[Mapping[str, Any]]:
    """The rules of a policy for one direction; none admits nothing."""
    return [mapping(row) for row in listing(policy.spec, direction.lower())]


def _admits(policy: Object, direction: str, flow: Flow, other: Peer) -> bool:
    return any(
        opens(rule, flow) and reaches(rule, direction, policy.namespace, other)
        for rule in rules(policy, direction)
    )


def opens(rule: Mapping[str, Any], flow: Flow) -> bool:
    """Whether a rule's ports hold the flow's port; a rule without ports holds them all."""
    rows = listing(rule, "ports")
    return not rows or any(opens_port(mapping(row), flow) for row in rows)


def opens_port(row: Mapping[str, Any], flow: Flow) -> bool:
    """Whether one port of a rule is the flow's: by number, range or the server's name for it."""
    if str(row.get("protocol") or "TCP") != flow.protocol:
        return False
    port = row.get("port")
    if port is None:
        return True
    if isinstance(port, str) and not port.isdecimal():
        return any(
            (name, number, protocol) == (port, flow.port, flow.protocol)
            for name, number, protocol in flow.server.ports
        )
    last = whole(row.get("endPort")) or whole(port)
    return whole(port) <= flow.port <= last


def reaches(rule: Mapping[str, Any], direction: str, home: str, other: Peer) -> bool:
    """Whether a rule's peers hold a pod; a rule without peers holds everybody."""
    peers = listing(rule, _PEERS[direction])
    return not peers or any(holds(mapping(row), home, other) for row in peers)


def holds(row: Mapping[str, Any], home: str, other: Peer) -> bool:
    """Whether one peer of a rule is this pod. A selector that is there and empty means all."""
    if "ipBlock" in row:
        return _within(mapping(row, "ipBlock"), other.address)
    if "podSelector" not in row and "namespaceSelector" not in row:
        return False
    return _at_home(row, home, other) and matches(mapping(row, "podSelector"), other.labels)


def _at_home(row: Mapping[str, Any], home: str, other: Peer) -> bool:
    if row.get("namespaceSelector") is None:
        return other.namespace == home
    if other.namespace_labels is None:
        return True
    return matches(mapping(row, "namespaceSelector"), other.namespace_labels)


def _within(block: Mapping[str, Any], address: str) -> bool:
    """Whether an address lies in a block and in none of its exceptions; one not known may."""
    try:
        here = ip_address(address)
        holes = [ip_network(str(hole), strict=False) for hole in listing(block, "except")]
        return here in ip_network(str(block.get("cidr")), strict=False) and not any(
            here in hole for hole in holes
        )
    except ValueError:
        return True
