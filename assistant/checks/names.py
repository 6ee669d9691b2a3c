"""Pods that ask the wrong resolver: a DNS policy or nameservers by which Services have no names."""

from __future__ import annotations

from collections.abc import Iterator

from assistant.checks.case import Case, ready
from assistant.checks.reading.logs.complaints import Complaint
from assistant.checks.reading.logs.hearing import UNRESOLVED, unreached
from assistant.checks.reading.objects.lookups import dns_addresses, dns_services
from assistant.checks.reading.objects.written import last_written
from assistant.incident import Evidence, Finding
from assistant.snapshot import Object, dig, listing, mapping
from assistant.topology import addresses, hosts

NODE_LOCAL = "169.254."
"""The cache on each node answers at a link-local address."""


async def check(case: Case) -> list[Finding]:
    """Workloads whose pods cannot resolve Services by the way they ask, and suffer from it."""
    odd = [
        owner for owner in case.workloads() if owner.template and _odd(owner) and _pods(case, owner)
    ]
    if not odd:
        return []
    listed = await case.ask(
        "kubernetes.list_resources",
        {"kind": "Service", "namespace": "kube-system", "view": "full", "limit": 500},
        "at which address the cluster's DNS answers",
    )
    heard = await unreached(case, UNRESOLVED)
    found = []
    for owner in odd:
        said = next((e for e in heard.get(owner.entity, []) if e.kind == UNRESOLVED), None)
        why = _why(case, owner, listed, said)
        if why and (said or _ill(case, owner)):
            found.append(_finding(case, owner, why, said))
    return found


def _pods(case: Case, owner: Object) -> list[Object]:
    return case.snapshot.pods_of(owner) or ([owner] if owner.kind == "Pod" else [])


def _policy(owner: Object) -> str:
    """How its pods resolve names. On the host's network the default is the node's own way."""
    policy = str(owner.template.get("dnsPolicy") or "ClusterFirst")
    return "Default" if policy == "ClusterFirst" and owner.template.get("hostNetwork") else policy


def _odd(owner: Object) -> bool:
    return _policy(owner) in ("Default", "None")


def _ill(case: Case, owner: Object) -> bool:
    return any(not ready(pod) for pod in _pods(case, owner) if pod.status.get("phase") == "Running")


def _named(case: Case, owner: Object) -> list[str]:
    """The names of Services that the workload's configuration calls, as it writes them."""
    return [
        host.name
        for text in addresses(case.snapshot, owner)
        for host in hosts(text, owner.namespace)
        if case.snapshot.find(host)
    ]


def _why(case: Case, owner: Object, listed: Evidence, said: Complaint | None) -> str:
    """Why its pods cannot resolve the names of Services; empty where they may."""
    needs = _named(case, owner) or (said and _service_of(case, owner, said))
    if _policy(owner) == "Default":
        if not needs:
            return ""
        host = owner.template.get("dnsPolicy") != "Default"
        way = (
            "on the host's network with dnsPolicy ClusterFirst"
            if host
            else "with dnsPolicy Default"
        )
        return f"{way} its pods ask the node's resolver, which knows no Service"
    servers = [str(row) for row in listing(owner.template, "dnsConfig", "nameservers")]
    right = dns_addresses(dns_services(listed), case.snapshot)
    strange = [row for row in servers if row not in right and not row.startswith(NODE_LOCAL)]
    if strange and len(strange) == len(servers) and (right or said):
        here = f", the cluster's DNS is at {', '.join(sorted(right))}" if right else ""
        return f"dnsPolicy None sends its pods to the nameserver {', '.join(strange)}{here}"
    if needs and servers and not listing(owner.template, "dnsConfig", "searches"):
        return "dnsPolicy None without search domains leaves the short names of Services unknown"
    return ""


def _service_of(case: Case, owner: Object, said: Complaint) -> bool:
    return any(case.snapshot.find(host) for host in hosts(said.host, owner.namespace))


def _finding(case: Case, owner: Object, why: str, said: Complaint | None) -> Finding:
    pod = next((pod for pod in _pods(case, owner) if not ready(pod)), _pods(case, owner)[0])
    policy = str(mapping(owner.template).get("dnsPolicy") or "")
    spoken = (said.evidence.cite(said.line.text),) if said else ()
    began = pod.created if case.in_window(pod.created) else last_written(owner)
    words = f"; its log: no answer for {said.host}" if said and said.host else ""
    return Finding(
        kind="wrong_dns_policy",
        entity=owner.entity,
        statement=f"{owner.entity}: {why}{words}"[:400],
        citations=(*owner.cite(*_quotes(owner)), *spoken),
        began=began,
        strength=0.97 if said else 0.75,
        details={"dns_policy": policy, "host": said.host if said else ""},
        about=(pod.entity,),
    )


def _quotes(owner: Object) -> Iterator[str]:
    yield owner.name
    yield str(dig(owner.template, "dnsPolicy") or "hostNetwork")
    yield from map(str, listing(owner.template, "dnsConfig", "nameservers"))
