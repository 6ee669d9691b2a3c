"""A newspaper writes about the clinic; three times the usual visitors, and the autoscaler is at its end."""

from __future__ import annotations

from datetime import UTC, datetime

from assistant.incident import Verdict
from eval.cases import clinic_noise as noise
from eval.cases.case import Answer, Case, Expected, Rival
from eval.cases.clinic import Told, clinic_entity, healthy_clinic, page
from eval.cases.clinic_machines import scaled_to_the_end
from eval.cases.system import System

TOLD = Told(
    "LatencyHigh",
    "Booking a visit is slow (p95 above 2 s)",
    {"job": "booking-api"},
    "p95 of booking-api above 2 s for 5 minutes",
    minutes=16,
)


def build() -> System:
    """The clinic twenty-seven minutes after the rush began."""
    clinic = healthy_clinic("skua", datetime(2026, 12, 14, 18, 29, 30, tzinfo=UTC))
    noise.usual(clinic)
    began = clinic.ago(minutes=27)
    clinic.workloads["booking-api"].cpu_per_request = 0.17
    for entry in ("edge", "web"):
        clinic.affect(entry, "rate", 2.4, began, ramp_seconds=240)
    scaled_to_the_end(clinic, "booking-api", 6, began)
    clinic.affect("booking-api", "latency", 2.6, clinic.ago(minutes=23), ramp_seconds=200)
    clinic.affect(
        "booking-api",
        "errors",
        0.03,
        clinic.ago(minutes=21),
        says="System.TimeoutException: The operation has timed out.",
    )
    noise.innocent_release(clinic, "web", "24.11.3", clinic.ago(minutes=59))
    page(clinic, TOLD)
    return clinic


CASE = Case(
    "skua",
    TOLD.title,
    build,
    Expected(
        Verdict.CAUSE_FOUND,
        "hpa_at_max",
        clinic_entity("HorizontalPodAutoscaler", "booking-api"),
        rivals=(
            Rival(clinic_entity("Deployment", "web"), "released half an hour before the rush"),
            Rival(clinic_entity("StatefulSet", "records-db"), "answers as fast as before"),
        ),
        as_right=(
            Answer("hpa_at_max", clinic_entity("Deployment", "booking-api")),
            Answer("load_spike", clinic_entity("Deployment", "booking-api")),
            Answer("load_spike", clinic_entity("Deployment", "edge")),
        ),
    ),
)
