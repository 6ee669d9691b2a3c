"""Somebody saves money: a CPU limit that is far below what the service needs."""

from __future__ import annotations

from datetime import UTC, datetime

from assistant.incident import Verdict
from eval.cases import clinic_noise as noise
from eval.cases import clinic_troubles as troubles
from eval.cases import lifecycle
from eval.cases.case import Answer, Case, Expected, Rival
from eval.cases.clinic import Told, clinic_entity, healthy_clinic, page, tell_change
from eval.cases.system import System

TOLD = Told(
    "LatencyHigh",
    "Patient pages are slow (p95 above 1.5 s)",
    {"job": "patient-api"},
    "p95 of patient-api above 1.5 s for 10 minutes",
    minutes=19,
)


def build() -> System:
    """The clinic thirty-two minutes after the limit was lowered."""
    clinic = healthy_clinic("godwit", datetime(2026, 11, 3, 11, 15, 5, tzinfo=UTC))
    noise.usual(clinic)
    clinic.workloads["patient-api"].cpu_per_request = 0.032
    lowered = clinic.ago(minutes=32)
    troubles.revise(clinic, "patient-api", lowered, troubles.limit("cpu", "120m"))
    lifecycle.roll_out(clinic, clinic.workloads["patient-api"], lowered)
    summary = "Rightsizing: CPU limits of clinic/patient-api 500m -> 120m"
    tell_change(clinic, lowered, summary, source="github", by="finops-bot")
    clinic.affect("patient-api", "latency", 1.7, lowered, ramp_seconds=120)
    slow = "[CRITICAL] WORKER TIMEOUT (pid:11)"
    clinic.affect("patient-api", "errors", 0.03, lowered, says=slow)
    noise.innocent_release(clinic, "booking-api", "7.2.1", clinic.ago(minutes=47))
    page(clinic, TOLD)
    return clinic


CASE = Case(
    "godwit",
    TOLD.title,
    build,
    Expected(
        Verdict.CAUSE_FOUND,
        "cpu_saturated",
        clinic_entity("Deployment", "patient-api"),
        rivals=(
            Rival(
                clinic_entity("Deployment", "booking-api"),
                "released before; it is slow only where it waits for patient-api",
            ),
            Rival(clinic_entity("StatefulSet", "records-db"), "answers as fast as before"),
        ),
        as_right=(
            Answer("cpu_throttled", clinic_entity("Deployment", "patient-api")),
            Answer("config_changed", clinic_entity("Deployment", "patient-api")),
        ),
    ),
)
