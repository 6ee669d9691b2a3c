"""Claims that are not bound: which property keeps each volume from fitting."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator

from assistant.checks.case import Case, newest
from assistant.checks.quantities import quantity
from assistant.checks.scheduling import matches
from assistant.incident import Citation, Entity, Finding
from assistant.snapshot import Object, dig, listing, mapping

Rule = Callable[[Object, Object], str]
"""(claim, volume) -> why the volume does not fit, or an empty text"""


BINDS_LATER = ("WaitForFirstConsumer", "WaitForPodScheduled")
NO_PROVISIONER = "kubernetes.io/no-provisioner"
_VOLUME = re.compile(r"persistent ?volume", re.IGNORECASE)


async def check(case: Case) -> list[Finding]:
    """One finding a claim that waits for a volume, or is named and does not exist."""
    found = [
        finding
        for claim in case.namespaced("PersistentVolumeClaim")
        for finding in _pending(case, claim)
    ]
    return [*found, *_absent(case)]


def _pending(case: Case, claim: Object) -> Iterator[Finding]:
    if claim.status.get("phase") not in ("Pending", "Lost"):
        return
    users = _users(case, claim)
    event = newest(
        case.snapshot.events_of(claim, "ProvisioningFailed", "FailedBinding", *BINDS_LATER)
    )
    if event and event.reason in BINDS_LATER and not _holds_up(case, users):
        return  # it binds when a pod that wants it has found its node
    said = (*claim.cite(str(claim.status["phase"])), *((event.cite(),) if event else ()))
    kind, because, more = _decide(case, claim, event.message if event else "")
    yield Finding(
        kind=kind,
        entity=claim.entity,
        statement=f"{claim.entity} is {claim.status['phase']}: {because}",
        citations=(*said, *more),
        began=claim.created,
        details={"workload": users[0].name if users else ""},
        about=tuple(user.entity for user in users),
    )


def _holds_up(case: Case, users: list[Object]) -> bool:
    """Whether the scheduler says of a user's pod that it waits for a volume."""
    rows = [pod for user in users for pod in (case.snapshot.pods_of(user) or [user])]
    said = [newest(case.snapshot.events_of(pod, "FailedScheduling")) for pod in rows]
    return any(event and _VOLUME.search(event.message) for event in said)


def _users(case: Case, claim: Object) -> list[Object]:
    edges = case.topology.affects(claim.entity)
    found = [case.snapshot.find(edge.target) for edge in edges if edge.relation == "needed by"]
    return [item for item in found if item]


def _decide(case: Case, claim: Object, words: str) -> tuple[str, str, tuple[Citation, ...]]:
    wanted = claim.spec.get("storageClassName")
    known = {item.name for item in case.snapshot.of("StorageClass")}
    if _made_on_demand(case, claim):
        return "claim_unbound", words or "its provisioner has made no volume for it", ()
    volumes = case.snapshot.of("PersistentVolume")
    alone: Counter[str] = Counter()
    example: dict[str, tuple[str, Object]] = {}
    for volume in volumes:
        why = {kind: text for kind, rule in RULES if (text := rule(claim, volume))}
        if len(why) == 1:
            alone.update(list(why))
            example.setdefault(next(iter(why)), (next(iter(why.values())), volume))
    if alone:
        kind = max(alone, key=lambda k: (alone[k], -[name for name, _ in RULES].index(k)))
        text, volume = example[kind]
        return kind, text, volume.cite()
    if wanted and "not found" in words and wanted not in known:
        return "storage_class_missing", words, ()
    if not volumes:
        return "claim_unbound", words or "there is no volume for it", ()
    return _closest(claim, volumes, words)


def _made_on_demand(case: Case, claim: Object) -> bool:
    """Whether a provisioner makes its volume: then the volumes that are there say nothing."""
    given = case.snapshot.get("StorageClass", "", str(claim.spec.get("storageClassName") or ""))
    by_hand = given is None or str(given.raw.get("provisioner", NO_PROVISIONER)) == NO_PROVISIONER
    return not by_hand and not claim.spec.get("selector") and not claim.spec.get("volumeName")


def _closest(
    claim: Object, volumes: list[Object], words: str
) -> tuple[str, str, tuple[Citation, ...]]:
    """Where no volume misses by one property alone: the volume that misses by the fewest."""
    misses = [
        ({kind: text for kind, rule in RULES if (text := rule(claim, volume))}, volume)
        for volume in volumes
    ]
    why, volume = min(misses, key=lambda row: len(row[0]))
    if not why:
        return "claim_unbound", words or "a volume fits, and nothing binds them", ()
    kind = next(iter(why))
    return kind, "; ".join(why.values()), volume.cite()


def _class(claim: Object, volume: Object) -> str:
    wanted, have = claim.spec.get("storageClassName"), volume.spec.get("storageClassName") or ""
    if wanted is None or (wanted or "") == have:
        return ""
    return f"it asks for storage class {wanted or 'none'!r}, {volume.entity} has {have or 'none'!r}"


def _modes(claim: Object, volume: Object) -> str:
    wanted, have = listing(claim.spec, "accessModes"), listing(volume.spec, "accessModes")
    missing = [mode for mode in wanted if mode not in have]
    return (
        f"it asks for access mode {missing[0]}, {volume.entity} offers {', '.join(have)}"
        if missing
        else ""
    )


def _capacity(claim: Object, volume: Object) -> str:
    wanted = dig(claim.spec, "resources", "requests", "storage")
    have = dig(volume.spec, "capacity", "storage")
    small = wanted and have and quantity(wanted) > quantity(have)
    return f"it asks for {wanted}, {volume.entity} has {have}" if small else ""


def _selector(claim: Object, volume: Object) -> str:
    selector = mapping(claim.spec, "selector")
    plain = mapping(selector, "matchLabels")
    missing = [f"{k}={v}" for k, v in plain.items() if volume.labels.get(k) != v]
    missing += [
        str(dig(e, "key"))
        for e in listing(selector, "matchExpressions")
        if not matches(mapping(e), volume.labels)
    ]
    return (
        f"it selects {', '.join(missing)}, which {volume.entity} does not have" if missing else ""
    )


def _occupied(claim: Object, volume: Object) -> str:
    reference = mapping(volume.spec, "claimRef")
    held = (reference.get("namespace"), reference.get("name"))
    if not reference or held == (claim.namespace, claim.name):
        return ""
    phase = volume.status.get("phase", "Bound")
    return f"{volume.entity} is {phase} for {held[0]}/{held[1]}"


RULES: tuple[tuple[str, Rule], ...] = (
    ("pvc_storage_class_mismatch", _class),
    ("pvc_access_mode_mismatch", _modes),
    ("pvc_capacity_mismatch", _capacity),
    ("pvc_selector_mismatch", _selector),
    ("pv_binding_occupied", _occupied),
)


def _absent(case: Case) -> Iterator[Finding]:
    """Claims that a pod names and nobody made."""
    for pod, owner in case.pods():
        listed = case.snapshot.listing_of("Pod", pod.namespace)
        if not listed or not case.snapshot.listed("PersistentVolumeClaim", pod.namespace):
            continue
        for volume in listing(pod.spec, "volumes"):
            name = dig(volume, "persistentVolumeClaim", "claimName")
            if name and not case.snapshot.get("PersistentVolumeClaim", pod.namespace, str(name)):
                yield Finding(
                    kind="claim_missing",
                    entity=Entity(
                        kind="PersistentVolumeClaim", name=str(name), namespace=pod.namespace
                    ),
                    statement=f"{owner.entity} mounts the claim {name}, which does not exist",
                    citations=pod.cite(name),
                    began=pod.created,
                    details={"workload": owner.name},
                    about=(owner.entity,),
                )
