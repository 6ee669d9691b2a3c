"""A certificate was not renewed for weeks, because its issuer is gone; today it is past its date."""

from __future__ import annotations

from datetime import UTC, datetime

from assistant.incident import Verdict
from eval.cases import clinic_noise as noise
from eval.cases import clinic_troubles as troubles
from eval.cases.case import Answer, Case, Expected, Rival
from eval.cases.clinic import Told, clinic_entity, healthy_clinic, page
from eval.cases.clinic_certificates import certificate
from eval.cases.system import System

TOLD = Told(
    "BookingErrors",
    "Nobody can book a visit",
    {"job": "booking-api"},
    "More than 20% of POST /bookings fail",
    minutes=8,
)


def build() -> System:
    """The clinic thirteen minutes after the last valid second."""
    clinic = healthy_clinic("petrel", datetime(2026, 11, 22, 0, 13, 0, tzinfo=UTC))
    noise.usual(clinic)
    ended = clinic.ago(minutes=13)
    certificate(clinic, "patient-api-tls", ended)
    why = (
        "System.Security.Authentication.AuthenticationException: The remote certificate is invalid because "
        "of errors in the certificate chain: NotTimeValid (patient-api:5000)"
    )
    troubles.broken_calls(clinic, "booking-api->patient-api", 0.995, ended, why)
    why = "SSL certificate verify failed: certificate has expired while SSL handshaking to upstream (patient-api:5000)"
    troubles.broken_calls(clinic, "edge->patient-api", 0.995, ended, why)
    why = "requests.exceptions.SSLError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired (patient-api:5000)"
    troubles.broken_calls(clinic, "letter-worker->patient-api", 0.995, ended, why)
    noise.innocent_release(clinic, "booking-api", "7.2.1", clinic.ago(minutes=40))
    page(clinic, TOLD)
    return clinic


CASE = Case(
    "petrel",
    TOLD.title,
    build,
    Expected(
        Verdict.CAUSE_FOUND,
        "certificate_expired",
        clinic_entity("Certificate", "patient-api-tls"),
        rivals=(
            Rival(
                clinic_entity("Deployment", "booking-api"),
                "released half an hour before; the gateway and the worker fail in the same minute",
            ),
        ),
        as_right=(
            Answer("certificate_expired", clinic_entity("Deployment", "patient-api")),
            Answer("certificate_expired", clinic_entity("Service", "patient-api")),
            Answer("certificate_expired", clinic_entity("Secret", "patient-api-tls")),
            Answer("certificate_not_ready", clinic_entity("Certificate", "patient-api-tls")),
            Answer("issuer_not_ready", clinic_entity("ClusterIssuer", "internal-ca", "")),
        ),
    ),
)
