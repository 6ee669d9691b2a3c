"""Certificates: what ran out, who issues it, and whom its Service shows it to."""

import pytest

from assistant.checks import certificates
from tests.assistant.checks.cluster import ago, case, event, kinds, pod, service, thing, web

pytestmark = pytest.mark.anyio
LISTED = "kubernetes.list_resources"


def certificate(ends):
    status = {
        "notAfter": ends,
        "conditions": [{"type": "Ready", "status": "False", "message": "x"}],
    }
    spec = {
        "secretName": "web-tls",
        "dnsNames": ["web.shop.svc.cluster.local", "www.example.com"],
        "issuerRef": {"kind": "ClusterIssuer", "name": "internal"},
    }
    return thing("Certificate", "web-tls", spec=spec, status=status)


def given(ends, *, told=True):
    request = thing("CertificateRequest", "web-tls-1")
    events = [event(request, "Pending", "issuer not found")] if told else []
    items = {f"{LISTED} Certificate.cert-manager.io": {"items": [certificate(ends)]}}
    return case(*web(), pod(), service(), events=events, answers=items)


async def test_an_event_of_cert_manager_is_reason_enough_to_ask_for_certificates():
    found = {row.kind: row for row in await certificates.check(given(ago(13)))}
    assert sorted(found) == ["certificate_expired", "issuer_not_ready"]
    assert str(found["certificate_expired"].entity) == "Certificate shop/web-tls"
    assert str(found["issuer_not_ready"].entity) == "ClusterIssuer internal"


async def test_a_certificate_is_about_the_service_that_it_names_and_what_stands_behind():
    found = await certificates.check(given(ago(13)))
    about = next(row.about for row in found if row.kind == "certificate_expired")
    assert list(map(str, about)) == [
        "Secret shop/web-tls",
        "Service shop/web",
        "Deployment shop/web",
    ]


async def test_where_nothing_speaks_of_cert_manager_nobody_asks():
    assert await kinds(certificates.check, given(ago(13), told=False)) == []
