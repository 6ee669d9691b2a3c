"""Certificates that ran out, were not issued, or that nobody trusts, as the cluster's objects tell it.

Values of Secrets are never read: what expires is known from cert-manager, from events and conditions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from assistant.checks.case import Case
from assistant.checks.reading.objects.databases import behind
from assistant.incident import Entity, Evidence, Finding
from assistant.snapshot import Event, Object, Snapshot, dig, listing, mapping, moment

GROUP = "cert-manager.io"
ITS_KINDS = frozenset({"Certificate", "CertificateRequest", "Issuer", "ClusterIssuer"})
_X509 = re.compile(r"x509: |certificate has expired|certificate is not yet valid", re.IGNORECASE)
_EXPIRED = re.compile(r"expired|not yet valid", re.IGNORECASE)
ELSEWHERE = frozenset({"FailedCreate", "Failed", "ErrImagePull", "BackOff", "FailedPullImage"})
"""Reasons of events that other checks read: refused pods, and images that cannot be pulled."""


async def check(case: Case) -> list[Finding]:
    """Certificates in trouble."""
    found = list(_spoken(case))
    if _managed(case):
        found += await _issued(case)
    if any(_x509(node) for node in case.snapshot.of("Node")):
        found += await _unsigned(case)
    return found


def _spoken(case: Case) -> Iterator[Finding]:
    told: set[tuple[str, str]] = set()
    for event in case.snapshot.events:
        words = bool(_X509.search(event.message)) and event.reason not in ELSEWHERE
        if words and case.in_window(event.last) and (event.kind, event.name) not in told:
            told.add((event.kind, event.name))
            yield _of_event(event)


def _of_event(event: Event) -> Finding:
    expired = _EXPIRED.search(event.message)
    return Finding(
        kind="certificate_expired" if expired else "certificate_untrusted",
        entity=Entity(kind=event.kind, name=event.name, namespace=event.namespace),
        statement=f"{event.kind} {event.name}: {event.reason}: {event.message}"[:400],
        citations=(event.cite(),),
        began=event.first,
        strength=0.85,
        details={"reason": event.reason},
    )


def _managed(case: Case) -> bool:
    """Whether cert-manager is at work here, as names, annotations and events tell."""
    if case.snapshot.get("Namespace", "", "cert-manager"):
        return True
    return any(event.kind in ITS_KINDS for event in case.snapshot.events) or any(
        GROUP in key
        for kind in ("Ingress", "Secret", "Service")
        for item in case.namespaced(kind)
        for key in (*item.labels, *mapping(item.raw, "metadata", "annotations"))
    )


async def _ask(case: Case, kind: str, namespace: str, why: str) -> Evidence:
    arguments = {"kind": f"{kind}.{GROUP}", "namespace": namespace, "view": "full", "limit": 500}
    return await case.ask("kubernetes.list_resources", arguments, why)


async def _issued(case: Case) -> list[Finding]:
    found: list[Finding] = []
    for namespace in case.scope.namespaces:
        answer = await _ask(case, "Certificate", namespace, f"every certificate in {namespace}")
        rows = Snapshot.made_of([answer]).of("Certificate", namespace)
        ill = [row for row in rows if row.condition("Ready").get("status") == "False"]
        found += [finding for row in rows for finding in _ill(case, row)]
        if ill:
            found += await _issuers(case, namespace, ill)
    return found


def _ill(case: Case, certificate: Object) -> Iterator[Finding]:
    ends = moment(certificate.status.get("notAfter"))
    ready = certificate.condition("Ready")
    secret = str(certificate.spec.get("secretName") or "")
    over = ends is not None and ends <= certificate.evidence.taken_at
    if not over and ready.get("status") != "False":
        return
    words = f"ran out at {certificate.status.get('notAfter')}" if over else str(ready.get("message") or ready.get("reason"))  # fmt: skip
    quotes = [certificate.name, str(certificate.status.get("notAfter") if over else words)]
    yield Finding(
        kind="certificate_expired" if over else "certificate_not_ready",
        entity=certificate.entity,
        statement=f"{certificate.entity} {words}"[:400] if over else f"{certificate.entity} is not Ready: {words}"[:400],
        citations=certificate.cite(*quotes),
        began=ends if over else moment(ready.get("lastTransitionTime")),
        strength=0.95 if over else 0.85,
        details={"secret": secret, "not_after": str(certificate.status.get("notAfter") or "")},
        about=(
            Entity(kind="Secret", name=secret, namespace=certificate.namespace),
            *_shown_by(case, certificate),
        ),
    )  # fmt: skip


def _shown_by(case: Case, certificate: Object) -> Iterator[Entity]:
    """The Services of the cluster whose names it is for: who calls them is shown it."""
    for name in map(str, listing(certificate.spec, "dnsNames")):
        host, _, rest = name.partition(".")
        namespace = rest.partition(".svc")[0] or certificate.namespace
        service = case.snapshot.get("Service", namespace, host)
        if service:
            yield from (service.entity, behind(case.snapshot, service.entity))


async def _issuers(case: Case, namespace: str, ill: list[Object]) -> list[Finding]:
    """Issuers behind certificates that are not Ready: missing, or not Ready themselves."""
    found: dict[Entity, Finding] = {}
    for certificate in ill:
        kind = str(dig(certificate.spec, "issuerRef", "kind") or "Issuer")
        place = namespace if kind == "Issuer" else ""
        name = str(dig(certificate.spec, "issuerRef", "name") or "")
        answer = await _ask(case, kind, place, f"who issues {certificate.entity}")
        issuer = Snapshot.made_of([answer]).get(kind, place, name)
        entity = Entity(kind=kind, name=name, namespace=place)
        if answer.status.seen and issuer is None:
            words, cited = "does not exist", (*certificate.cite(name), answer.cite_absence())
        elif issuer and issuer.condition("Ready").get("status") == "False":
            said = str(issuer.condition("Ready").get("message") or "")
            words, cited = f"is not Ready: {said}", issuer.cite(issuer.name, said)
        else:
            continue
        found[entity] = Finding(
            kind="issuer_not_ready",
            entity=entity,
            statement=f"{entity} {words}, so {certificate.entity} is not issued"[:400],
            citations=cited,
            strength=0.95,
            about=(certificate.entity,),
        )
    return list(found.values())


def _x509(node: Object) -> bool:
    condition = node.condition("Ready")
    return condition.get("status") not in (None, "True") and (
        bool(_X509.search(str(condition.get("message"))))
        or condition.get("reason") == "NodeStatusNeverUpdated"
    )


async def _unsigned(case: Case) -> list[Finding]:
    """Requests of nodes for certificates that nobody approved."""
    arguments = {"kind": "certificatesigningrequests.certificates.k8s.io", "view": "full", "limit": 500}  # fmt: skip
    answer = await case.ask("kubernetes.list_resources", arguments, "which certificates wait")
    rows = Snapshot.made_of([answer]).of("CertificateSigningRequest")
    waiting = [
        row
        for row in rows
        if not listing(row.status, "conditions")
        and str(row.spec.get("username") or "").startswith("system:node:")
    ]
    return [_pending(row) for row in waiting[:3]]


def _pending(request: Object) -> Finding:
    node = str(request.spec.get("username")).removeprefix("system:node:")
    return Finding(
        kind="csr_pending",
        entity=Entity(kind="Node", name=node),
        statement=f"{node} waits for its certificate: {request.entity} is neither approved nor denied",
        citations=request.cite(),
        began=request.created,
        strength=0.85,
        details={"request": request.name},
    )
