"""A release with a bug in one code path; everything else about it is fine."""

from __future__ import annotations

from datetime import UTC, datetime

from assistant.incident import Verdict
from eval.cases import clinic_noise as noise
from eval.cases import clinic_troubles as troubles
from eval.cases.case import Case, Expected, Rival
from eval.cases.clinic import Told, clinic_entity, healthy_clinic, page
from eval.cases.clinic_metrics import mesh
from eval.cases.system import System

TOLD = Told(
    "HighErrorRate",
    "booking-api: 5xx ratio above 10%",
    {"job": "booking-api"},
    "More than 10% of requests to booking-api fail since 5 minutes",
    minutes=15,
)


def build() -> System:
    """The clinic twenty-two minutes after the release."""
    clinic = healthy_clinic("tern", datetime(2026, 11, 30, 17, 11, 0, tzinfo=UTC))
    clinic.telemetry = mesh
    noise.usual(clinic)
    released = clinic.ago(minutes=22)
    pods = troubles.release(clinic, "booking-api", "8.0.0", released)
    why = "System.NullReferenceException: Object reference not set to an instance of an object. at Meadowhill.Booking.Pricing.InsurerRules.Apply(Visit visit)"
    for pod in pods:
        clinic.affect(pod.name, "errors", 0.34, pod.created, says=why, ramp_seconds=1)
    noise.innocent_release(clinic, "slot-api", "0.88.2", clinic.ago(minutes=50))
    page(clinic, TOLD)
    return clinic


CASE = Case(
    "tern",
    TOLD.title,
    build,
    Expected(
        Verdict.CAUSE_FOUND,
        "bad_release",
        clinic_entity("Deployment", "booking-api"),
        rivals=(
            Rival(
                clinic_entity("Deployment", "slot-api"),
                "released half an hour before; it answers as ever",
            ),
        ),
    ),
)
