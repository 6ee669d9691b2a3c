"""A Certificate of cert-manager that could not be renewed, as it prints."""

from __future__ import annotations

from datetime import datetime, timedelta

from eval.cases.clinic_services import NAMESPACE
from eval.cases.plain_objects import add, secret
from eval.cases.samples import Figure
from eval.cases.system import Happening, Json, System, stamp

ISSUER = (
    'Referenced "ClusterIssuer" not found: clusterissuer.cert-manager.io "internal-ca" not found'
)
LIFETIME = timedelta(days=90)
RENEWAL = timedelta(days=30)


def certificate(system: System, name: str, ends: datetime) -> None:
    """A certificate whose last valid second is `ends`, and that waits for its issuer since weeks."""
    renew = ends - RENEWAL
    made = secret(system, (NAMESPACE, name), ends - LIFETIME, ["tls.crt", "tls.key", "ca.crt"])
    made["type"] = "kubernetes.io/tls"
    text = f"Certificate expired on {ends:%a, %d %b %Y %H:%M:%S} UTC"
    waits = "Issuing certificate as Secret was due for renewal"
    add(
        system,
        "Certificate",
        (NAMESPACE, name),
        ends - LIFETIME * 4,
        api_version="cert-manager.io/v1",
        spec={
            "dnsNames": ["patient-api", "patient-api.clinic.svc.cluster.local"],
            "issuerRef": {"kind": "ClusterIssuer", "name": "internal-ca"},
            "secretName": name,
        },
        status={
            "conditions": [
                _condition("Ready", "False", "Expired", text, ends),
                _condition("Issuing", "True", "Renewing", waits, renew),
            ],
            "notAfter": stamp(ends),
            "notBefore": stamp(ends - LIFETIME),
            "renewalTime": stamp(renew),
        },
    )
    _waits_for_issuer(system, name)
    labels = {"namespace": NAMESPACE, "name": name, "job": "cert-manager"}
    system.figures.append(
        Figure(
            "certmanager_certificate_expiration_timestamp_seconds",
            labels,
            lambda _: ends.timestamp(),
        )
    )


def _condition(type_: str, status: str, reason: str, message: str, since: datetime) -> Json:
    return {
        "lastTransitionTime": stamp(since),
        "message": message,
        "reason": reason,
        "status": status,
        "type": type_,
    }


def _waits_for_issuer(system: System, name: str) -> None:
    first, last = system.ago(hours=70), system.ago(minutes=3)
    request = f"{name}-7"
    add(
        system,
        "CertificateRequest",
        (NAMESPACE, request),
        first,
        api_version="cert-manager.io/v1",
        spec={"issuerRef": {"kind": "ClusterIssuer", "name": "internal-ca"}},
        status={"conditions": [_condition("Ready", "False", "Pending", ISSUER, first)]},
    )
    system.happenings.append(
        Happening(
            "CertificateRequest",
            NAMESPACE,
            request,
            "IssuerNotFound",
            ISSUER,
            first,
            last,
            840,
            component="cert-manager-certificaterequests-issuer-ca",
        )
    )
