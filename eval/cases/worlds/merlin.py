"""A default-deny policy for egress forgets DNS: names are not found any more, addresses still are."""

from __future__ import annotations

from datetime import UTC, datetime

from assistant.incident import Verdict
from eval.cases import clinic_noise as noise
from eval.cases import clinic_troubles as troubles
from eval.cases.case import Answer, Case, Expected, Rival
from eval.cases.clinic import Told, clinic_entity, healthy_clinic, page, tell_change
from eval.cases.clinic_objects import network_policy
from eval.cases.system import Json, System

TOLD = Told(
    "HighErrorRate",
    "edge: 5xx ratio above 10%",
    {"job": "edge"},
    "More than 10% of requests through edge fail since 5 minutes",
    minutes=14,
)


def build() -> System:
    """The clinic nineteen minutes after the policy was applied."""
    clinic = healthy_clinic("merlin", datetime(2026, 11, 18, 1, 20, 5, tzinfo=UTC))
    noise.usual(clinic)
    applied = clinic.ago(minutes=19)
    inside: Json = {"to": [{"podSelector": {}}]}
    mail = {
        "ports": [{"port": 587, "protocol": "TCP"}],
        "to": [{"ipBlock": {"cidr": "192.0.2.0/24"}}],
    }
    network_policy(
        clinic,
        "default-deny-egress",
        applied,
        {"egress": [inside, mail], "podSelector": {}, "policyTypes": ["Egress"]},
    )
    summary = "Applied clinic/default-deny-egress (hardening, step 2)"
    tell_change(clinic, applied, summary, source="github", by="sec-platform")
    for pair, why in {
        "booking-api->slot-api": "System.Net.Http.HttpRequestException: Resource temporarily unavailable (slot-api:9000)",
        "booking-api->records-db": "System.Net.Sockets.SocketException (00000001, 11): Resource temporarily unavailable",
        "patient-api->records-db": 'psycopg2.OperationalError: could not translate host name "records-db" to address: Temporary failure in name resolution',
        "slot-api->records-db": "dial tcp: lookup records-db on 10.96.0.10:53: read udp: i/o timeout",
        "slot-api->redis": "dial tcp: lookup redis on 10.96.0.10:53: read udp: i/o timeout",
        "web->slot-api": "Error: getaddrinfo EAI_AGAIN slot-api.clinic.svc.cluster.local",
        "letter-worker->redis": "redis.exceptions.ConnectionError: Error -3 connecting to redis:6379. Temporary failure in name resolution.",
    }.items():
        troubles.broken_calls(clinic, pair, 0.8, applied, why, waits=3)
    noise.innocent_release(clinic, "web", "24.11.3", clinic.ago(minutes=52))
    page(clinic, TOLD)
    return clinic


CASE = Case(
    "merlin",
    TOLD.title,
    build,
    Expected(
        Verdict.CAUSE_FOUND,
        "dns_egress_blocked",
        clinic_entity("NetworkPolicy", "default-deny-egress"),
        rivals=(
            Rival(
                clinic_entity("Deployment", "web"),
                "released half an hour before; it fails like all others",
            ),
            Rival(
                clinic_entity("Deployment", "coredns", "kube-system"),
                "its pods are ready and answer other namespaces",
            ),
        ),
        as_right=(
            Answer("network_policy_blocks", clinic_entity("NetworkPolicy", "default-deny-egress")),
        ),
    ),
)
