"""A new policy lets only the gateway and the worker reach the patient service; bookings are cut off."""

from __future__ import annotations

from datetime import UTC, datetime

from assistant.incident import Verdict
from eval.cases import clinic_noise as noise
from eval.cases import clinic_troubles as troubles
from eval.cases.case import Case, Expected, Rival
from eval.cases.clinic import Told, clinic_entity, healthy_clinic, page
from eval.cases.clinic_metrics import mesh
from eval.cases.clinic_objects import network_policy
from eval.cases.system import System

TOLD = Told(
    "BookingErrors",
    "Nobody can book a visit",
    {"job": "booking-api"},
    "More than 20% of POST /bookings fail",
    minutes=11,
)


def build() -> System:
    """The clinic seventeen minutes after the policy was applied."""
    clinic = healthy_clinic("lapwing", datetime(2026, 11, 16, 10, 44, 55, tzinfo=UTC))
    clinic.telemetry = mesh
    noise.usual(clinic)
    applied = clinic.ago(minutes=17)
    component = "app.kubernetes.io/component"
    allowed = {
        "matchExpressions": [{"key": component, "operator": "In", "values": ["gateway", "worker"]}]
    }
    network_policy(
        clinic,
        "patient-data",
        applied,
        {
            "ingress": [
                {"from": [{"podSelector": allowed}], "ports": [{"port": 5000, "protocol": "TCP"}]}
            ],
            "podSelector": {"matchLabels": {"app.kubernetes.io/name": "patient-api"}},
            "policyTypes": ["Ingress"],
        },
    )
    why = (
        "System.Threading.Tasks.TaskCanceledException: The request was canceled due to the configured "
        "HttpClient.Timeout of 8 seconds elapsing. (patient-api:5000)"
    )
    troubles.broken_calls(clinic, "booking-api->patient-api", 0.995, applied, why, waits=8)
    noise.innocent_release(clinic, "slot-api", "0.88.2", clinic.ago(minutes=33))
    page(clinic, TOLD)
    return clinic


CASE = Case(
    "lapwing",
    TOLD.title,
    build,
    Expected(
        Verdict.CAUSE_FOUND,
        "network_policy_blocks",
        clinic_entity("NetworkPolicy", "patient-data"),
        rivals=(
            Rival(
                clinic_entity("Deployment", "slot-api"), "released before; its calls are answered"
            ),
            Rival(clinic_entity("Deployment", "patient-api"), "answers the gateway as ever"),
        ),
    ),
)
