"""Claims that are not bound: which property keeps each volume from fitting, or who fails to make one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from difflib import get_close_matches

from assistant.checks.case import Case, newest
from assistant.checks.reading.objects.fitting import RULES, misfits
from assistant.checks.reading.objects.quotas import SAME_NAME, provisions
from assistant.incident import Citation, Entity, Finding
from assistant.snapshot import Event, Object, dig, listing, word

BINDS_LATER = ("WaitForFirstConsumer", "WaitForPodScheduled")
FAILED = ("ProvisioningFailed", "FailedBinding")
AWAITED = ("ExternalProvisioning", "Provisioning")
DEFAULTS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)
_VOLUME = re.compile(r"persistent ?volume", re.IGNORECASE)

Reason = tuple[str, str, tuple[Citation, ...]]
"""(fault kind, explanation, citations)"""


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
    needed_by = users(case, claim)
    event = newest(case.snapshot.events_of(claim, *FAILED, *BINDS_LATER))
    if event and event.reason in BINDS_LATER and not _holds_up(case, needed_by):
        return  # it binds when a pod that wants it has found its node
    said = (*claim.cite(str(claim.status["phase"])), *((event.cite(),) if event else ()))
    kind, because, more = _decide(case, claim, event)
    yield Finding(
        kind=kind,
        entity=claim.entity,
        statement=f"{claim.entity} is {claim.status['phase']}: {because}"[:500],
        citations=(*said, *more),
        began=claim.created,
        details={"workload": needed_by[0].name if needed_by else ""},
        about=tuple(user.entity for user in needed_by),
    )


def _holds_up(case: Case, needed_by: list[Object]) -> bool:
    """Whether the scheduler says of a user's pod that it waits for a volume."""
    rows = [pod for user in needed_by for pod in (case.snapshot.pods_of(user) or [user])]
    said = [newest(case.snapshot.events_of(pod, "FailedScheduling")) for pod in rows]
    return any(event and _VOLUME.search(event.message) for event in said)


def users(case: Case, claim: Object) -> list[Object]:
    """The workloads that need a claim."""
    edges = case.topology.affects(claim.entity)
    found = [case.snapshot.find(edge.target) for edge in edges if edge.relation == "needed by"]
    return [item for item in found if item]


def _decide(case: Case, claim: Object, event: Event | None) -> Reason:
    words = event.message if event else ""
    if claim.status.get("phase") == "Lost":
        return "claim_lost", f"its volume {claim.spec.get('volumeName')} is gone", ()
    if _made_on_demand(case, claim):
        return _not_made(case, claim, event)
    volumes = [volume for volume in case.snapshot.of("PersistentVolume") if not _spoken_for(volume)]
    told = _only_miss(claim, volumes) or _no_class(case, claim, words)
    return told or _closest(claim, volumes, words)


def _spoken_for(volume: Object) -> bool:
    """Whether a volume was made on demand for a claim that has it: it never was on offer."""
    made = dig(volume.raw, "metadata", "annotations", "pv.kubernetes.io/provisioned-by")
    return bool(made) and volume.status.get("phase") == "Bound"


def _no_class(case: Case, claim: Object, words: str) -> Reason | None:
    """A class that is named and absent, or one that would be needed and is not named."""
    wanted = claim.spec.get("storageClassName")
    known = {item.name for item in case.snapshot.of("StorageClass")}
    if wanted and "not found" in words and str(wanted) not in known:
        return "storage_class_missing", _missing_class(str(wanted), known, words), ()
    by_hand = [v for v in case.snapshot.of("PersistentVolume") if not _spoken_for(v)]
    if wanted is None and _no_default(case) and not by_hand:
        return "default_storage_class_missing", _no_class_words(known), ()
    return None


def _missing_class(wanted: str, known: set[str], words: str) -> str:
    like = next(iter(get_close_matches(wanted, sorted(known), 1, 0.6)), "")
    return f"{words} (there is one named {like})" if like else words


def _no_default(case: Case) -> bool:
    """Whether claims that name no class get none."""
    rows = case.snapshot.of("StorageClass")
    marked = [dig(row.raw, "metadata", "annotations", key) for row in rows for key in DEFAULTS]
    return case.snapshot.listed("StorageClass") and "true" not in marked


def _no_class_words(known: set[str]) -> str:
    there = f"there are {', '.join(sorted(known))}" if known else "there is none at all"
    return f"it names no storage class and none is the default; {there}"


def _only_miss(claim: Object, volumes: list[Object]) -> Reason | None:
    """The property by which alone the most volumes miss."""
    alone: Counter[str] = Counter()
    example: dict[str, tuple[str, Object]] = {}
    for volume in volumes:
        why = misfits(claim, volume)
        if len(why) == 1:
            alone.update(list(why))
            example.setdefault(next(iter(why)), (next(iter(why.values())), volume))
    if not alone:
        return None
    kind = max(alone, key=lambda k: (alone[k], -[name for name, _ in RULES].index(k)))
    text, volume = example[kind]
    return kind, text, volume.cite()


def _made_on_demand(case: Case, claim: Object) -> bool:
    """Whether a provisioner makes its volume: then the volumes that are there say nothing."""
    given = case.snapshot.get("StorageClass", "", str(claim.spec.get("storageClassName") or ""))
    by_hand = given is None or not provisions(given)
    return not by_hand and not claim.spec.get("selector") and not claim.spec.get("volumeName")


def _not_made(case: Case, claim: Object, event: Event | None) -> Reason:
    """A provisioner that says why it fails, or that says nothing at all."""
    if event and event.reason == "ProvisioningFailed":
        return "provisioning_failed", event.message, ()
    awaited = newest(case.snapshot.events_of(claim, *AWAITED))
    given = case.snapshot.get("StorageClass", "", str(claim.spec.get("storageClassName")))
    name = str(given.raw.get("provisioner")) if given else ""
    if awaited and given and not event:
        why = f"its provisioner {name} was asked for a volume and has not answered"
        return "provisioner_silent", why, (awaited.cite(), *given.cite(name))
    why = event.message if event else f"its provisioner {name} has made no volume for it"
    return "claim_unbound", why, ()


def _closest(claim: Object, volumes: list[Object], words: str) -> Reason:
    """Where no volume misses by one property alone: the volume that misses by the fewest."""
    if not volumes:
        return "claim_unbound", words or "there is no volume for it", ()
    rows = [(misfits(claim, volume), volume) for volume in volumes]
    why, volume = min(rows, key=lambda row: len(row[0]))
    if not why:
        return "claim_unbound", words or "a volume fits, and nothing binds them", ()
    return next(iter(why)), "; ".join(why.values()), volume.cite()


def _absent(case: Case) -> Iterator[Finding]:
    """Claims that a pod names and nobody made."""
    for pod, owner in case.pods():
        listed = case.snapshot.listing_of("Pod", pod.namespace)
        if not listed or not case.snapshot.listed("PersistentVolumeClaim", pod.namespace):
            continue
        for volume in listing(pod.spec, "volumes"):
            name = word(dig(volume, "persistentVolumeClaim", "claimName"))
            if name and not case.snapshot.get("PersistentVolumeClaim", pod.namespace, name):
                yield _claim_missing(case, pod, owner, name)


def _claim_missing(case: Case, pod: Object, owner: Object, name: str) -> Finding:
    there = [claim.name for claim in case.snapshot.of("PersistentVolumeClaim", pod.namespace)]
    like = next(iter(get_close_matches(name, there, 1, SAME_NAME)), "")
    return Finding(
        kind="claim_missing",
        entity=Entity(kind="PersistentVolumeClaim", name=name, namespace=pod.namespace),
        statement=f"{owner.entity} mounts the claim {name}, which does not exist"
        + (f" (there is one named {like})" if like else ""),
        citations=pod.cite(name),
        began=pod.created,
        details={"workload": owner.name},
        about=(owner.entity,),
    )
