"""NetworkPolicies that keep a flow which somebody needs from passing: which one, and what rule it lacks.

A policy that denies is no fault by itself: a configured or observed flow must be blocked by it, and
must be seen to fail, or the policy must be as new as the trouble.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from assistant.checks.case import Case
from assistant.checks.reading.logs.complaints import Complaint
from assistant.checks.reading.logs.hearing import REFUSED, TIMEOUT, UNRESOLVED, speaks_of, unreached
from assistant.checks.reading.objects.flows import (
    EGRESS,
    INGRESS,
    Block,
    Flow,
    Peer,
    blocks,
    isolates,
    opens,
    peer,
    reaches,
    rules,
)
from assistant.checks.reading.objects.lookups import DNS_PORT, dns_pods, dns_ports
from assistant.checks.reading.objects.targets import called_ports, selected_pods, target_port
from assistant.checks.reading.objects.written import last_written
from assistant.incident import Citation, Entity, Finding
from assistant.selectors import matches
from assistant.snapshot import Object, dig, listing, mapping
from assistant.topology import hosts, workloads

SAMPLE = 3
"""Pods looked at on each side of a flow: replicas of one workload carry the same labels."""


@dataclass(frozen=True)
class Cut:
    """A flow that somebody needs and policies do not let pass."""

    client: Object
    server: Object | None
    """The Service that is called; None for the cluster's DNS."""
    block: Block
    port: int
    protocol: str

    @property
    def policy(self) -> Object:
        """The policy that was written last, of those that isolate the pod."""
        return max(self.block.policies, key=lambda row: (str(last_written(row) or ""), row.name))


async def check(case: Case) -> list[Finding]:
    """One finding for each policy that keeps needed flows from passing, and the policies that select nothing."""
    policies = case.snapshot.of("NetworkPolicy")
    if not policies:
        return []
    heard = await unreached(case, UNRESOLVED, REFUSED, TIMEOUT)
    found: dict[tuple[Entity, str], list[tuple[Cut, Complaint | None]]] = defaultdict(list)
    for cut in _cuts(case, policies, heard):
        said = _said(case, cut, heard.get(cut.client.entity, []))
        if said or _new(case, cut):
            found[cut.policy.entity, _kind(cut)].append((cut, said))
    return [*(_finding(case, rows) for rows in found.values()), *_idle(case, policies)]


def _kind(cut: Cut) -> str:
    return "network_policy_blocks" if cut.server else "dns_egress_blocked"


def _cuts(
    case: Case, policies: list[Object], heard: Mapping[Entity, list[Complaint]]
) -> Iterator[Cut]:
    """Every needed flow that is blocked; of a pod that cannot even resolve names, that alone."""
    guarded = {row.entity for row in case.snapshot.of("Service") if _guarded(case, row, policies)}
    for client in workloads(case.snapshot):
        here = _ends(case, client)[0]
        bound = tuple(row for row in policies if isolates(row, here, EGRESS))
        services = _callees(case, client, heard.get(client.entity, []))
        deaf = services and bound and _deaf(case, client, here, bound)
        if deaf:
            yield deaf
            continue
        for service in services:
            if bound or service.entity in guarded:
                yield from _to(case, client, service, policies)


def _guarded(case: Case, service: Object, policies: list[Object]) -> bool:
    """Whether any policy isolates pods of a Service from its callers."""
    near = [row for row in policies if row.namespace == service.namespace]
    ends = selected_pods(case.snapshot, service)[:SAMPLE] if near else []
    return any(isolates(row, peer(case.snapshot, pod), INGRESS) for pod in ends for row in near)


def _callees(case: Case, client: Object, said: list[Complaint]) -> list[Object]:
    """The Services that a workload calls: by its configuration, by metrics, or by its own complaints."""
    rows = [
        service
        for edge in case.topology.depends_on(client.entity)
        if edge.relation == "called by"
        for service in _services(case, edge.source)
    ]
    named = [host for row in said for host in hosts(row.host, client.namespace)]
    rows += [service for host in named if (service := case.snapshot.find(host))]
    return list({service.entity: service for service in rows}.values())


def _services(case: Case, callee: Entity) -> list[Object]:
    """The Services by which a callee is called: itself, or those that a workload serves."""
    itself = case.snapshot.find(callee)
    if itself and itself.kind == "Service":
        return [itself]
    serving = [e.target for e in case.topology.affects(callee) if e.relation == "serves"]
    return [service for entity in serving if (service := case.snapshot.find(entity))]


def _to(case: Case, client: Object, service: Object, policies: list[Object]) -> Iterator[Cut]:
    """The block of a client's calls of a Service, if none of the ports in use is open to it."""
    ports = called_ports(case.snapshot, client, service)
    rows = [_port(case, client, service, port, policies) for port in ports]
    if rows and all(rows):
        yield from [row for row in rows[:1] if row]


def _port(
    case: Case, client: Object, service: Object, port: Mapping[str, object], policies: list[Object]
) -> Cut | None:
    protocol = str(port.get("protocol") or "TCP")
    cut = None
    for here in _ends(case, client):
        for pod in selected_pods(case.snapshot, service)[:SAMPLE]:
            number = target_port(port, pod)
            there = peer(case.snapshot, pod)
            if number is None:
                return None
            found = blocks(Flow(here, there, number, protocol), policies)
            if not found:
                return None
            cut = Cut(client, service, found[0], number, protocol)
    return cut


def _ends(case: Case, client: Object) -> list[Peer]:
    pods = [pod for pod in case.snapshot.pods_of(client) if pod.status.get("phase") == "Running"]
    return [peer(case.snapshot, pod) for pod in (pods or [client])[:SAMPLE]]


def _deaf(case: Case, client: Object, here: Peer, isolating: tuple[Object, ...]) -> Cut | None:
    """A workload that may not ask the cluster's DNS."""
    if here.host:
        return None
    servers = dns_pods(case.snapshot)
    seen = [peer(case.snapshot, pod) for pod in servers]
    flows = [Flow(here, there, n, "UDP") for n in dns_ports(servers) for there in seen or [here]]
    asks = any(
        _asks_dns(rule, policy, flow, known=bool(seen))
        for policy in isolating
        for rule in rules(policy, EGRESS)
        for flow in flows
    )
    return None if asks else Cut(client, None, Block(EGRESS, isolating), DNS_PORT, "UDP")


def _asks_dns(rule: Mapping[str, object], policy: Object, flow: Flow, *, known: bool) -> bool:
    """Whether an egress rule may let a pod ask the cluster's DNS.

    Where its pods cannot be seen, or a rule names addresses (a cache on the node has one), the port
    alone decides.
    """
    addressed = any("ipBlock" in mapping(row) for row in listing(rule, "to"))
    there = not known or addressed or reaches(rule, EGRESS, policy.namespace, flow.server)
    return opens(rule, flow) and there


def _said(case: Case, cut: Cut, rows: list[Complaint]) -> Complaint | None:
    """The log line that says that the flow fails."""
    if cut.server is None:
        return next((row for row in rows if row.kind == UNRESOLVED), None)
    pods = selected_pods(case.snapshot, cut.server)
    return next(
        (r for r in rows if r.kind in (TIMEOUT, REFUSED) and speaks_of(r, cut.server, pods)), None
    )


def _new(case: Case, cut: Cut) -> bool:
    """Whether the policy is as new as the trouble, in a cluster whose network keeps policies."""
    return case.in_window(last_written(cut.policy)) and not _ignored(case)


def _ignored(case: Case) -> bool:
    """Whether the pod network is one that does not carry out policies: plain flannel says its name."""
    nodes = case.snapshot.of("Node")
    return any(n.condition("NetworkUnavailable").get("reason") == "FlannelIsUp" for n in nodes)


def _finding(case: Case, rows: list[tuple[Cut, Complaint | None]]) -> Finding:
    said = next((row for _, row in rows if row), None)
    cut = next((cut for cut, row in rows if row is said), rows[0][0])
    clients = list(dict.fromkeys(cut.client.entity for cut, _ in rows))
    servers = list(dict.fromkeys(cut.server.entity for cut, _ in rows if cut.server))
    what = f"{cut.client.entity} -> {cut.server.entity if cut.server else 'the cluster DNS'}"
    more = f", and {len(rows) - 1} flows more" if len(rows) > 1 else ""
    return Finding(
        kind=_kind(cut),
        entity=cut.policy.entity,
        statement=f"{cut.policy.entity} blocks {what} ({cut.protocol} {cut.port}){more}: {_lack(cut)}",
        citations=_cited(cut, said),
        began=_since(case, cut),
        strength=0.95 if said else 0.85,
        details={
            "direction": cut.block.direction,
            "client": cut.client.name,
            "server": cut.server.name if cut.server else "DNS",
            "port": str(cut.port),
            "missing_rule": _lack(cut),
        },
        about=(*clients, *servers),
    )


def _lack(cut: Cut) -> str:
    """The rule that would let the flow pass."""
    side = cut.block.direction.lower()
    have = len(rules(cut.policy, cut.block.direction))
    none = f"none of its {have} {side} rules" if have else f"it has no {side} rule, so none"
    port = f"{cut.protocol} {cut.port}"
    if cut.server is None:
        return f"{none} admits {port}"
    if cut.block.direction == EGRESS:
        return f"{none} admits {port} to pods {_named(mapping(cut.server.spec, 'selector'))}"
    labels = mapping(cut.client.spec, "template", "metadata", "labels") or cut.client.labels
    away = (
        f" of namespace {cut.client.namespace}"
        if cut.client.namespace != cut.policy.namespace
        else ""
    )
    return f"{none} admits {port} from pods {_named(labels)}{away}"


def _named(labels: Mapping[str, object]) -> str:
    rows = [f"{key}={value}" for key, value in sorted(labels.items()) if "hash" not in key]
    return ",".join(rows[:3]) or "(without labels)"


def _cited(cut: Cut, said: Complaint | None) -> tuple[Citation, ...]:
    spoken = (said.evidence.cite(said.line.text),) if said else ()
    server = cut.server.cite() if cut.server else ()
    return (*cut.policy.cite(), *cut.client.cite(), *server, *spoken)


def _since(case: Case, cut: Cut) -> datetime | None:
    """When the policy was written, if that is within the window: an older one bites since it bites."""
    written = last_written(cut.policy)
    return written if case.in_window(written) else None


def _idle(case: Case, policies: list[Object]) -> Iterator[Finding]:
    """Policies that select no pod and no template: seldom meant, and never the trouble by themselves."""
    for policy in policies:
        if not case.snapshot.listed("Pod", policy.namespace):
            continue
        rows = [w for w in workloads(case.snapshot) if w.namespace == policy.namespace]
        ends = [mapping(row.spec, "template", "metadata", "labels") for row in rows]
        ends += [pod.labels for pod in case.snapshot.of("Pod", policy.namespace)]
        if not any(matches(mapping(policy.spec, "podSelector"), labels) for labels in ends):
            yield Finding(
                kind="policy_selects_nothing",
                entity=policy.entity,
                statement=f"{policy.entity} selects no pod: "
                f"{dig(policy.spec, 'podSelector', 'matchLabels') or 'the namespace has none'}",
                citations=policy.cite(),
                began=policy.created,
                active=False,
                strength=0.1,
            )
