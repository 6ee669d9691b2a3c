"""Admission webhooks that refuse pods, or that cannot be asked: which one, and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from assistant.checks.admission import WEBHOOK, Refusal, refusals
from assistant.checks.case import Case
from assistant.incident import Citation, Entity, Evidence, Finding
from assistant.snapshot import Object, Snapshot, dig, listing, mapping, whole

CONFIGURATIONS = ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")
_NAME = re.compile(r'webhook "(?P<name>[^"]+)"')
_DENIAL = re.compile(r"denied the request: ?(?P<why>.*)", re.DOTALL)

TROUBLES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        ("webhook_service_missing", r'service "[^"]+" not found'),
        ("webhook_no_endpoints", r"no endpoints available"),
        ("webhook_certificate_bad", r"x509|tls: |certificate"),
        ("webhook_timeout", r"deadline exceeded|timed out|i/o timeout|awaiting headers"),
        ("webhook_down", r""),
    )
)
"""Tried in order: what kept the API server from the webhook's answer."""


@dataclass(frozen=True)
class Hook:
    """One webhook of a configuration object."""

    configuration: Object
    raw: Mapping[str, Any]

    @property
    def service(self) -> Entity | None:
        """The Service that the API server calls; None for an address outside."""
        named = mapping(self.raw, "clientConfig", "service")
        if not named:
            return None
        return Entity(
            kind="Service", name=str(named.get("name")), namespace=str(named.get("namespace"))
        )


async def check(case: Case) -> list[Finding]:
    """One finding for each webhook that stands in the way of a workload's pods."""
    found: dict[str, Finding] = {}
    for refusal in refusals(case):
        match = WEBHOOK.search(refusal.words)
        if match:
            hook = await _configured(case, refusal.words)
            made = (_denied if match["denied"] else _unanswered)(case, refusal, hook)
            found.setdefault(made.id, made)
    return list(found.values())


def _denied(_: Case, refusal: Refusal, hook: Hook | None) -> Finding:
    """A webhook that did its work: the pods, not the webhook, are to be changed first."""
    why = _DENIAL.search(refusal.words)
    owner = refusal.owner.entity
    return Finding(
        kind="webhook_denied",
        entity=owner,
        statement=f"{owner}: the admission webhook {_name(refusal.words)} refuses its pods: "
        f"{why['why'] if why else refusal.words}"[:400],
        citations=(*refusal.said, *(hook.configuration.cite() if hook else ())),
        began=refusal.item.created,
        details={"webhook": _name(refusal.words)},
        about=(hook.configuration.entity,) if hook else (),
    )


def _unanswered(case: Case, refusal: Refusal, hook: Hook | None) -> Finding:
    kind = next(kind for kind, rule in TROUBLES if rule.search(refusal.words))
    owner = refusal.owner.entity
    about = [owner] if hook else []
    if hook and hook.service:
        about.append(hook.service)
    return Finding(
        kind=kind,
        entity=hook.configuration.entity if hook else owner,
        statement=f"{owner}: its pods are refused, since the webhook {_name(refusal.words)} "
        f"cannot be asked{_because(case, hook)}: {_cause(refusal.words)}"[:500],
        citations=(*refusal.said, *_cited(hook)),
        details={"webhook": _name(refusal.words), "workload": owner.name},
        about=tuple(about),
    )


def _because(case: Case, hook: Hook | None) -> str:
    """What the configuration says: how it fails, and how its Service is."""
    if not hook:
        return ""
    policy = hook.raw.get("failurePolicy") or "Fail"
    said = f" ({hook.configuration.entity}, failurePolicy {policy}"
    seconds = whole(hook.raw.get("timeoutSeconds"))
    said += f", {seconds} s at most" if seconds else ""
    said += f", {hook.service}" if hook.service else ""
    gone = hook.service and _gone(case, hook.service)
    return said + (", which does not exist)" if gone else ")")


def _gone(case: Case, service: Entity) -> bool:
    return case.snapshot.listed("Service", service.namespace) and not case.snapshot.find(service)


def _cited(hook: Hook | None) -> Iterator[Citation]:
    if hook:
        yield from hook.configuration.cite(str(hook.raw.get("name")))


def _name(words: str) -> str:
    match = _NAME.search(words)
    return match["name"] if match else "unknown"


def _cause(words: str) -> str:
    """What stands behind the last address that was called."""
    return words.rpartition("failed to call webhook: ")[2] or words


async def _configured(case: Case, words: str) -> Hook | None:
    """The webhook of that name as it is configured; the same list is asked once for all."""
    for kind in CONFIGURATIONS:
        why = f"which configuration the webhook {_name(words)} belongs to"
        arguments = {"kind": kind, "namespace": "", "view": "full", "limit": 500}
        answer = await case.ask("kubernetes.list_resources", arguments, why)
        hook = next((hook for hook in hooks(answer) if hook.raw.get("name") == _name(words)), None)
        if hook:
            return hook
    return None


def hooks(answer: Evidence) -> Iterator[Hook]:
    """Every webhook that a list of configurations holds."""
    if not answer.status.seen:
        return
    for kind in CONFIGURATIONS:
        for item in Snapshot.made_of([answer]).of(kind):
            for raw in listing(item.raw, "webhooks"):
                if dig(raw, "name"):
                    yield Hook(item, mapping(raw))
