"""Quotas that have no room: whom they refuse, and by how much it does not fit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from assistant.checks.case import Case
from assistant.checks.reading.objects.quantities import quantity, spelled
from assistant.incident import Citation, Entity, Finding
from assistant.snapshot import Object, dig, listing, mapping, word
from assistant.topology import addresses, hosts

EXCEEDED = re.compile(
    r"exceeded quota: (?P<quota>[\w.-]+), requested: (?P<requested>\S+), used: (?P<used>\S+), limited: (?P<limited>\S+)"
)
CLAIM_SIZE = "requests.storage"
CLAIM_COUNT = "persistentvolumeclaims"
NO_PROVISIONER = "kubernetes.io/no-provisioner"
SAME_NAME = 0.85
"""Names as alike as this are one name mistyped."""

QUOTA_KINDS = (
    ("ephemeral-storage", "quota_exceeded"),
    ("storage", "namespace_storage_quota_exceeded"),
    ("persistentvolumeclaims", "namespace_storage_quota_exceeded"),
    ("services", "namespace_service_quota_exceeded"),
    ("pods", "namespace_pod_quota_exceeded"),
    ("memory", "namespace_memory_quota_exceeded"),
    ("cpu", "namespace_cpu_quota_exceeded"),
)


def refused_by_quota(
    case: Case, owner: Object, words: str, said: tuple[Citation, ...]
) -> Finding | None:
    """The finding for a refusal that names a quota, with the sum that does not work out."""
    match = EXCEEDED.search(words)
    if not match:
        return None
    limited = match["limited"]
    kind = next((kind for stem, kind in QUOTA_KINDS if stem in limited), "quota_exceeded")
    entity = Entity(kind="ResourceQuota", name=match["quota"], namespace=owner.namespace)
    seen = case.snapshot.find(entity)
    sums = "; ".join(_sums(match))
    return Finding(
        kind=kind,
        entity=entity,
        statement=f"{entity} has no room for a pod of {owner.entity}: {sums}",
        citations=(*said, *(seen.cite() if seen else ())),
        details={"workload": owner.name, "sums": sums},
        about=(owner.entity,),
    )


def _sums(match: re.Match[str]) -> Iterator[str]:
    """One sum for each resource that is over: requested, used, allowed, and what is missing."""
    requested, used = _amounts(match["requested"]), _amounts(match["used"])
    for resource, hard in _amounts(match["limited"]).items():
        want, have, most = (
            quantity(v) for v in (requested.get(resource), used.get(resource), hard)
        )
        short = spelled(want + have - most, resource)
        yield (
            f"{resource} requested {requested.get(resource, '?')}, used {used.get(resource, '?')} "
            f"of {hard}, {short} too much"
        )


def _amounts(text: str) -> dict[str, str]:
    """`cpu=1,memory=2Gi` by resource."""
    pairs = (part.partition("=") for part in text.rstrip(".").split(","))
    return {name: amount for name, _, amount in pairs if amount}


def absent_for_want_of_room(case: Case) -> Iterator[Finding]:
    """Services and claims that are used, do not exist, and would not fit into their quota.

    The API server refuses such an object where it is applied and leaves no event.
    """
    for quota in case.namespaced("ResourceQuota"):
        for resource, hard in mapping(quota.status, "hard").items():
            if resource in ("services", "count/services"):
                yield from _without_service(case, quota, resource, str(hard))
            elif resource.endswith((CLAIM_SIZE, CLAIM_COUNT)):
                yield from _without_claims(case, quota, resource, str(hard))


def _room(quota: Object, resource: str) -> float:
    """What is left of a resource."""
    hard, used = mapping(quota.status, "hard"), mapping(quota.status, "used")
    return quantity(hard.get(resource)) - quantity(used.get(resource))


def _without_service(case: Case, quota: Object, resource: str, hard: str) -> Iterator[Finding]:
    missing = absent_services(case, quota.namespace)
    if missing and _room(quota, resource) < 1:
        why = f"allows {hard} {resource} and all are used"
        yield _refused(quota, "namespace_service_quota_exceeded", (resource, why), missing)


def _without_claims(case: Case, quota: Object, resource: str, hard: str) -> Iterator[Finding]:
    kind, room = "namespace_storage_quota_exceeded", _room(quota, resource)
    for missing in absent_claims(case, quota.namespace):
        size = None if resource.endswith(CLAIM_COUNT) else _expected_size(case, *missing)
        needed = size.bytes if size else 1
        if room >= needed:
            continue
        used = mapping(quota.status, "used").get(resource, "0")
        why = f"allows {hard} {resource}, {used} are used"
        if size and room > 0:
            why += f": {spelled(needed - room, resource)} too little for {size.why}"
        found = _refused(quota, kind, (resource, why), [missing])
        sure = room <= 0 or (size is not None and size.known)
        more = size.said if size else ()
        yield found.model_copy(
            update={"strength": 1.0 if sure else 0.99, "citations": (*found.citations, *more)}
        )


def _refused(
    quota: Object, kind: str, of: tuple[str, str], missing: list[tuple[str, Object]]
) -> Finding:
    resource, why = of
    names = ", ".join(sorted({name for name, _ in missing}))
    what = "Service" if "services" in resource else "PersistentVolumeClaim"
    absent = [Entity(kind=what, name=name, namespace=quota.namespace) for name, _ in missing]
    hard = str(mapping(quota.status, "hard")[resource])
    return Finding(
        kind=kind,
        entity=quota.entity,
        statement=f"{quota.entity} {why}; absent: {names}",
        citations=(*quota.cite(resource, hard), *missing[0][1].cite()),
        details={"resource": resource, "hard": hard, "missing": names},
        about=tuple(dict.fromkeys([*(user.entity for _, user in missing), *absent])),
    )


def absent_services(case: Case, namespace: str) -> list[tuple[str, Object]]:
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


def absent_claims(case: Case, namespace: str) -> list[tuple[str, Object]]:
    """(claim, workload) where a workload mounts a claim that nobody made and nobody mistyped."""
    if not case.snapshot.listed("PersistentVolumeClaim", namespace):
        return []
    there = [claim.name for claim in case.snapshot.of("PersistentVolumeClaim", namespace)]
    return [
        (edge.source.name, workload)
        for workload in case.workloads()
        if workload.namespace == namespace
        for edge in case.topology.depends_on(workload.entity)
        if edge.source.kind == "PersistentVolumeClaim"
        and not case.snapshot.find(edge.source)
        and not get_close_matches(edge.source.name, there, 1, SAME_NAME)
    ]


@dataclass(frozen=True)
class Size:
    """How large an absent claim would be, who says so, and whether that is sure."""

    bytes: float
    why: str
    said: tuple[Citation, ...]
    known: bool


def _expected_size(case: Case, name: str, workload: Object) -> Size | None:
    """The size from the workload's own claim template, from the volume kept for it, or from its like."""
    for claim in listing(workload.spec, "volumeClaimTemplates"):
        asked = word(dig(claim, "spec", "resources", "requests", "storage"))
        if asked and name.startswith(f"{dig(claim, 'metadata', 'name')}-"):
            said = workload.cite(asked)
            return Size(quantity(asked), f"{name}, which asks for {asked}", said, known=True)
    return _kept_volume(case, name, workload.namespace) or _smallest_free(case, name)


def _kept_volume(case: Case, name: str, namespace: str) -> Size | None:
    for volume in case.snapshot.of("PersistentVolume"):
        kept = mapping(volume.spec, "claimRef")
        if (kept.get("namespace"), kept.get("name")) == (namespace, name):
            return _size(volume, f"{volume.entity} that is kept for {name}", known=True)
    return None


def _smallest_free(case: Case, name: str) -> Size | None:
    """Where volumes are made by hand, a claim is written for one of them; the smallest says the least."""
    free = [
        volume
        for volume in case.snapshot.of("PersistentVolume")
        if volume.status.get("phase") == "Available" and not volume.spec.get("claimRef")
    ]
    named = [volume for volume in free if name.partition("-")[0] in volume.name]
    by_hand = not any(map(provisions, case.snapshot.of("StorageClass")))
    chosen = named or (free if by_hand else [])
    sizes = [
        _size(volume, f"{volume.entity}, which waits for a claim", known=False) for volume in chosen
    ]
    return min((size for size in sizes if size), key=lambda size: size.bytes, default=None)


def provisions(storage_class: Object) -> bool:
    """Whether volumes of this class are made on demand."""
    return str(storage_class.raw.get("provisioner", NO_PROVISIONER)) != NO_PROVISIONER


def _size(volume: Object, why: str, *, known: bool) -> Size | None:
    capacity = word(dig(volume.spec, "capacity", "storage"))
    said = volume.cite(volume.name, capacity)
    return Size(quantity(capacity), f"{why} ({capacity})", said, known) if capacity else None
