"""A release renames the port of a container; its Service still leads to the old name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from assistant.incident import Verdict
from eval.cases import clinic_noise as noise
from eval.cases import clinic_troubles as troubles
from eval.cases.barriers import Cut
from eval.cases.case import Answer, Case, Expected, Rival
from eval.cases.clinic import Told, clinic_entity, healthy_clinic, page
from eval.cases.clinic_metrics import mesh
from eval.cases.system import Json, System

TOLD = Told(
    "HighErrorRate",
    "booking-api: 5xx ratio above 10%",
    {"job": "booking-api"},
    "More than 10% of requests to booking-api fail since 5 minutes",
    minutes=8,
)


def build() -> System:
    """The clinic fourteen minutes after the release."""
    clinic = healthy_clinic("jackdaw", datetime(2026, 11, 11, 13, 2, 25, tzinfo=UTC))
    clinic.telemetry = mesh
    noise.usual(clinic)
    released, patients = clinic.ago(minutes=14), clinic.workloads["patient-api"]
    patients.target_port = "http"

    def rename(template: Json) -> None:
        first = template["containers"][0]
        first["ports"][0]["name"] = "web"
        for probe in ("readinessProbe", "livenessProbe"):
            first[probe]["httpGet"]["port"] = "web"

    troubles.release(clinic, "patient-api", "3.12.0", released, rename)
    patients.cut_off = Cut(released + timedelta(seconds=40), "")
    noise.innocent_release(clinic, "slot-api", "0.88.2", clinic.ago(minutes=37))
    page(clinic, TOLD)
    return clinic


CASE = Case(
    "jackdaw",
    TOLD.title,
    build,
    Expected(
        Verdict.CAUSE_FOUND,
        "service_port_mapping_mismatch",
        clinic_entity("Service", "patient-api"),
        rivals=(
            Rival(
                clinic_entity("Deployment", "slot-api"), "released before; its calls are answered"
            ),
        ),
        as_right=(
            Answer("service_port_mapping_mismatch", clinic_entity("Deployment", "patient-api")),
        ),
    ),
)
