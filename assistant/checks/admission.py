"""Pods and Services that the API server refuses to create: quotas, accounts, webhooks, limits."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assistant.checks.case import Case, newest
from assistant.checks.quantities import quantity
from assistant.incident import Citation, Entity, Finding
from assistant.snapshot import Object, mapping, whole
from assistant.topology import addresses, hosts

_QUOTA = re.compile(r"exceeded quota: (?P<quota>[\w.-]+), (?P<sums>.*)")
_ACCOUNT = re.compile(r'serviceaccount "(?P<name>[\w.-]+)" not found', re.IGNORECASE)

REFUSALS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("webhook_denied", r"admission webhook \"[^\"]+\" denied"),
        ("webhook_down", r"failed calling webhook"),
        (
            "pod_security_blocked",
            r"violates PodSecurity|unable to validate against any (pod )?security",
        ),
        ("limit_range_violated", r"(maximum|minimum) \w+ usage per|must be less"),
        ("quota_demands_limits", r"must specify"),
    )
)

QUOTA_KINDS = (
    ("storage", "namespace_storage_quota_exceeded"),
    ("persistentvolumeclaims", "namespace_storage_quota_exceeded"),
    ("services", "namespace_service_quota_exceeded"),
    ("pods", "namespace_pod_quota_exceeded"),
    ("memory", "namespace_memory_quota_exceeded"),
    ("cpu", "namespace_cpu_quota_exceeded"),
)


async def check(case: Case) -> list[Finding]:
    """What keeps pods from being created, and Services that a full quota refused."""
    found: dict[str, Finding] = {}
    for finding in [*_refused_pods(case), *_refused_services(case)]:
        found.setdefault(finding.id, finding)
    return list(found.values())


def _short_of_pods(item: Object) -> bool:
    """Whether a ReplicaSet, StatefulSet, DaemonSet or Job has fewer pods than it should, now."""
    spec, status = item.spec, item.status
    if item.kind == "DaemonSet":
        wanted, have = status.get("desiredNumberScheduled"), status.get("currentNumberScheduled")
    elif item.kind == "Job":
        wanted = spec.get("completions", spec.get("parallelism"))
        have = whole(status.get("succeeded")) + whole(status.get("active"))
    else:
        wanted, have = spec.get("replicas"), status.get("replicas")
    return wanted is None or whole(have) < whole(wanted)


def _refused_pods(case: Case) -> Iterator[Finding]:
    for kind in ("ReplicaSet", "StatefulSet", "DaemonSet", "Job"):
        for item in case.namespaced(kind):
            words, said = _refusal(case, item)
            # A refusal that was overcome since (every namespace has some in its first seconds) is over.
            if words and _short_of_pods(item):
                finding = _named(case, item, words, said)
                if finding:
                    yield finding


def _refusal(case: Case, item: Object) -> tuple[str, tuple[Citation, ...]]:
    event = newest(case.snapshot.events_of(item, "FailedCreate"))
    if event:
        return event.message, (event.cite(),)
    message = str(item.condition("ReplicaFailure").get("message") or "")
    return (message, item.cite(message)) if message else ("", ())


def _named(case: Case, item: Object, words: str, said: tuple[Citation, ...]) -> Finding | None:
    owner = case.snapshot.owner(item)
    quota = _QUOTA.search(words)
    if quota:
        return _quota(case, owner, quota["quota"], quota["sums"], said)
    account = _ACCOUNT.search(words)
    if account:
        return _account(case, owner, account["name"], said)
    kind = next((kind for kind, rule in REFUSALS if rule.search(words)), "pods_refused")
    return Finding(
        kind=kind,
        entity=owner.entity,
        statement=f"{owner.entity}: its pods are refused: {words}"[:400],
        citations=said,
        began=item.created,
    )


def _quota(case: Case, owner: Object, name: str, sums: str, said: tuple[Citation, ...]) -> Finding:
    limited = sums.partition("limited:")[2] or sums
    kind = next((kind for stem, kind in QUOTA_KINDS if stem in limited), "quota_exceeded")
    entity = Entity(kind="ResourceQuota", name=name, namespace=owner.namespace)
    seen = case.snapshot.find(entity)
    return Finding(
        kind=kind,
        entity=entity,
        statement=f"{entity} is used up, so pods of {owner.entity} are refused: {sums}",
        citations=(*said, *(seen.cite() if seen else ())),
        details={"workload": owner.name, "sums": sums},
        about=(owner.entity,),
    )


def _account(case: Case, owner: Object, name: str, said: tuple[Citation, ...]) -> Finding | None:
    if case.snapshot.get("ServiceAccount", owner.namespace, name):
        return None  # it exists by now: the refusal of a namespace's first seconds
    return Finding(
        kind="missing_service_account",
        entity=Entity(kind="ServiceAccount", name=name, namespace=owner.namespace),
        statement=f"ServiceAccount {owner.namespace}/{name} does not exist, so pods of {owner.entity} are refused",
        citations=said,
        began=owner.created,
        details={"workload": owner.name, "workload_kind": owner.kind},
        about=(owner.entity,),
    )


def _refused_services(case: Case) -> Iterator[Finding]:
    """A name that callers use and no Service has, beside a quota for Services or claims that is full."""
    for quota in case.namespaced("ResourceQuota"):
        hard, used = mapping(quota.status, "hard"), mapping(quota.status, "used")
        for resource, missing in (
            ("services", _absent_services(case, quota.namespace)),
            ("persistentvolumeclaims", _absent_claims(case, quota.namespace)),
            ("requests.storage", _absent_claims(case, quota.namespace)),
        ):
            full = resource in hard and quantity(used.get(resource)) >= quantity(hard[resource])
            if full and missing:
                yield _full(quota, resource, str(hard[resource]), missing)


def _full(quota: Object, resource: str, hard: str, missing: list[tuple[str, Object]]) -> Finding:
    service = resource == "services"
    kind = "namespace_service_quota_exceeded" if service else "namespace_storage_quota_exceeded"
    names = ", ".join(sorted({name for name, _ in missing}))
    what = "Service" if service else "PersistentVolumeClaim"
    absent = [Entity(kind=what, name=name, namespace=quota.namespace) for name, _ in missing]
    return Finding(
        kind=kind,
        entity=quota.entity,
        statement=f"{quota.entity} allows {hard} {resource} and all are used; absent: {names}",
        citations=(*quota.cite(resource, hard), *missing[0][1].cite()),
        details={"resource": resource, "hard": hard, "missing": names},
        about=tuple(dict.fromkeys([*(user.entity for _, user in missing), *absent])),
    )


def _absent_services(case: Case, namespace: str) -> list[tuple[str, Object]]:
    """(name, workload) where a workload's name is used as an address and no Service has it."""
    if not case.snapshot.listed("Service", namespace):
        return []
    named = {item.name for item in case.workloads() if item.namespace == namespace}
    return [
        (host.name, workload)
        for workload in case.workloads()
        if workload.namespace == namespace
        for text in addresses(case.snapshot, workload)
        for host in hosts(text, namespace)
        if host.name in named and not case.snapshot.find(host)
    ]


def _absent_claims(case: Case, namespace: str) -> list[tuple[str, Object]]:
    if not case.snapshot.listed("PersistentVolumeClaim", namespace):
        return []
    return [
        (edge.source.name, workload)
        for workload in case.workloads()
        if workload.namespace == namespace
        for edge in case.topology.depends_on(workload.entity)
        if edge.source.kind == "PersistentVolumeClaim" and not case.snapshot.find(edge.source)
    ]
