"""Images that cannot be pulled: wrong reference, credentials, registry, platform."""

from __future__ import annotations

import re
import textwrap

from assistant.checks.case import Case, Container, containers
from assistant.incident import Citation, Finding
from assistant.snapshot import Object, dig, listing

STATES = frozenset(
    {
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "ErrImageNeverPull",
        "ImageInspectError",
    }
)

PULL_TYPES = frozenset({"kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg"})
LONGEST_ESSENCE = 120

CAUSES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        ("image_never_pull", r"ErrImageNeverPull|is not present with pull policy of Never"),
        ("image_rate_limited", r"toomanyrequests|rate limit|429 Too Many"),
        (
            "image_registry_dns_failure",
            r"no such host|name resolution|server misbehaving|lookup \S+.*i/o timeout",
        ),
        ("image_wrong_arch", r"no match(ing manifest)? for (platform|\S+/\S+)|exec format error"),
        (
            "missing_image_pull_secret",
            r"unauthorized|authentication required|no basic auth|403 Forbidden|401 Unauthorized"
            r"|insufficient_scope|denied: |pull access denied",
        ),
        (
            "image_registry_unreachable",
            r"connection refused|i/o timeout|TLS handshake|x509|deadline exceeded|connection reset",
        ),
        (
            "incorrect_image_reference",
            r"not found|manifest unknown|InvalidImageName|invalid reference",
        ),
    )
)
"""Tried in order; the registry's own words decide. containerd and CRI-O word them alike."""


async def check(case: Case) -> list[Finding]:
    """One finding a workload whose image cannot be pulled, named by what the registry said."""
    found: dict[tuple[str, str], Finding] = {}
    for pod, owner in case.pods():
        for container in containers(pod):
            if str(container.waiting.get("reason")) in STATES:
                finding = _finding(case, owner, container)
                found.setdefault((str(owner.entity), finding.details["image"]), finding)
    return list(found.values())


def _finding(case: Case, owner: Object, container: Container) -> Finding:
    pod = container.pod
    image = str(container.spec.get("image") or container.status.get("image") or "")
    words, said = _words(case, container)
    kind = classify(case, pod, words)
    secret, wrong = _pull_secret(case, pod) if kind == "missing_image_pull_secret" else ("", "")
    return Finding(
        kind=kind,
        entity=owner.entity,
        statement=f"{owner.entity}: image {image} cannot be pulled: {_essence(words)}"
        + (f"; its pull secret {secret} {wrong}" if secret else ""),
        citations=(*pod.cite(container.waiting["reason"], image), *said),
        began=pod.created,
        details={"image": image, "container": container.name, "secret": secret},
        about=(pod.entity,),
    )


def _words(case: Case, container: Container) -> tuple[str, tuple[Citation, ...]]:
    """The fullest account of the failure: the pull event's words, else the waiting message."""
    message = str(container.waiting.get("message") or container.waiting["reason"])
    image = str(container.spec.get("image") or "")
    for event in case.snapshot.events_of(container.pod, "Failed", "InspectFailed"):
        if image in event.message or event.message.startswith("Failed to pull image"):
            return f"{message} {event.message}", (event.cite(),)
    return message, container.pod.cite(message)


def classify(case: Case, pod: Object, words: str) -> str:
    """The fault kind that a pull error's words mean."""
    kind = next((kind for kind, pattern in CAUSES if pattern.search(words)), "image_pull_failed")
    if kind == "missing_image_pull_secret" and _may_not_exist(words):
        # Docker Hub answers "denied" for a repository that does not exist, too. Somebody who set
        # up credentials meant a private image; otherwise the name is the likelier mistake.
        wanted = bool(listing(pod.spec, "imagePullSecrets")) or _private_elsewhere(case, pod)
        return kind if wanted else "incorrect_image_reference"
    return kind


def _may_not_exist(words: str) -> bool:
    return "repository does not exist" in words


def _private_elsewhere(case: Case, pod: Object) -> bool:
    """Whether another pod in scope pulls from the same registry with credentials."""
    registry = _registry(pod)
    return any(
        _registry(other) == registry and listing(other.spec, "imagePullSecrets")
        for other, _ in case.pods()
        if other is not pod
    )


def _registry(pod: Object) -> str:
    image = next((str(dig(c, "image")) for c in pod.containers()), "")
    first = image.split("/")[0]
    return first if "." in first or ":" in first else "docker.io"


def _pull_secret(case: Case, pod: Object) -> tuple[str, str]:
    """(name, what is wrong with it) of a pull secret that cannot serve; empty where none is known."""
    names = [str(dig(row, "name")) for row in listing(pod.spec, "imagePullSecrets")]
    if not case.snapshot.listed("Secret", pod.namespace):
        return "", ""
    for name in names:
        secret = case.snapshot.get("Secret", pod.namespace, name)
        if not secret:
            return name, "does not exist"
        given = str(secret.raw.get("type") or "")
        if given and given not in PULL_TYPES:
            return name, f"has the type {given}, which is none for pulling"
    return "", ""


def _essence(words: str) -> str:
    """What the registry said, without the layers of the runtime that passed it on."""
    last = words.rpartition(": ")[2].strip()
    return (
        last if 0 < len(last) <= LONGEST_ESSENCE else textwrap.shorten(words, 240, placeholder="…")
    )
