"""Pods and Services that the API server refuses to create: quotas, accounts, limits, policies."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from assistant.checks.case import Case, newest
from assistant.checks.reading.objects.quotas import absent_for_want_of_room, refused_by_quota
from assistant.incident import Citation, Entity, Finding
from assistant.snapshot import Object, whole

_ACCOUNT = re.compile(r'serviceaccount "(?P<name>[\w.-]+)" not found', re.IGNORECASE)
WEBHOOK = re.compile(r'(?P<denied>admission webhook) "|failed calling webhook "')
_REASONS = ("FailedCreate", "ReplicaSetCreateError")

REFUSALS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        (
            "pod_security_blocked",
            r"violates PodSecurity|unable to validate against any (pod )?security",
        ),
        ("limit_range_violated", r"(maximum|minimum) \S+ usage per|limit to request ratio"),
        ("quota_demands_limits", r"must specify"),
        ("priority_class_missing", r"no PriorityClass with name"),
        ("runtime_class_missing", r"RuntimeClass\S* .*not found"),
        ("default_storage_class_ambiguous", r"\d+ default StorageClasses were found"),
        ("pod_template_invalid", r" is invalid: |must be less than or equal to|cannot unmarshal"),
    )
)
"""What the API server says when it refuses; a webhook's own words are another check's."""


@dataclass(frozen=True)
class Refusal:
    """A workload that lacks pods now, and the words with which the API server refuses them."""

    item: Object
    owner: Object
    words: str
    said: tuple[Citation, ...]


async def check(case: Case) -> list[Finding]:
    """What keeps pods from being created, and Services and claims that a full quota refused."""
    refused = [finding for one in refusals(case) if (finding := _named(case, one))]
    found: dict[str, Finding] = {}
    for finding in [*refused, *absent_for_want_of_room(case)]:
        found.setdefault(finding.id, finding)
    return list(found.values())


def refusals(case: Case) -> Iterator[Refusal]:
    """Every refusal that still holds. One that was overcome since (every namespace has some in its
    first seconds) is over.
    """
    for kind in ("ReplicaSet", "StatefulSet", "DaemonSet", "Job", "Deployment"):
        for item in case.namespaced(kind):
            words, said = _words(case, item)
            if words and _short_of_pods(item):
                yield Refusal(item, case.snapshot.owner(item), words, said)


def _short_of_pods(item: Object) -> bool:
    """Whether it has fewer pods than it should, now."""
    spec, status = item.spec, item.status
    if item.kind == "DaemonSet":
        wanted, have = status.get("desiredNumberScheduled"), status.get("currentNumberScheduled")
    elif item.kind == "Job":
        wanted = spec.get("completions", spec.get("parallelism"))
        have = whole(status.get("succeeded")) + whole(status.get("active"))
    elif item.kind == "Deployment":
        wanted, have = spec.get("replicas"), status.get("updatedReplicas")
    else:
        wanted, have = spec.get("replicas"), status.get("replicas")
    return wanted is None or whole(have) < whole(wanted)


def _words(case: Case, item: Object) -> tuple[str, tuple[Citation, ...]]:
    event = newest(case.snapshot.events_of(item, *_REASONS))
    if event:
        return event.message, (event.cite(),)
    condition = item.condition("ReplicaFailure")
    if not condition and item.condition("Progressing").get("reason") in _REASONS:
        condition = item.condition("Progressing")
    message = str(condition.get("message") or "")
    return (message, item.cite(message)) if message else ("", ())


def _named(case: Case, refusal: Refusal) -> Finding | None:
    owner, words, said = refusal.owner, refusal.words, refusal.said
    account = _ACCOUNT.search(words)
    if account:
        return _account(case, owner, account["name"], said)
    if WEBHOOK.search(words):
        return None  # the check of the webhooks asks for more
    by_quota = refused_by_quota(case, owner, words, said)
    if by_quota:
        return by_quota
    kind = next((kind for kind, rule in REFUSALS if rule.search(words)), "pods_refused")
    return Finding(
        kind=kind,
        entity=owner.entity,
        statement=f"{owner.entity}: its pods are refused: {words}"[:400],
        citations=said,
        began=refusal.item.created,
    )


def _account(case: Case, owner: Object, name: str, said: tuple[Citation, ...]) -> Finding | None:
    if case.snapshot.get("ServiceAccount", owner.namespace, name):
        return None  # it exists by now: the refusal of a namespace's first seconds
    there = [item.name for item in case.snapshot.of("ServiceAccount", owner.namespace)]
    like = next(iter(get_close_matches(name, there, 1, 0.8)), "")
    return Finding(
        kind="missing_service_account",
        entity=Entity(kind="ServiceAccount", name=name, namespace=owner.namespace),
        statement=f"ServiceAccount {owner.namespace}/{name} does not exist, so pods of {owner.entity} are refused"
        + (f" (there is one named {like})" if like else ""),
        citations=said,
        began=owner.created,
        details={"workload": owner.name, "workload_kind": owner.kind},
        about=(owner.entity,),
    )
