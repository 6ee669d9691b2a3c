"""One path of the Ingress leads to another Service than the one that knows it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from assistant.incident import Verdict
from eval.cases import clinic_noise as noise
from eval.cases.case import Answer, Case, Expected, Rival
from eval.cases.clinic import Told, clinic_entity, healthy_clinic, page, tell_change
from eval.cases.clinic_objects import backend
from eval.cases.system import System
from eval.cases.troubles import say, touched

TOLD = Told(
    "PatientLookupFailing",
    "Patient pages answer 404",
    {"ingress": "public"},
    "synthetic check GET /api/patients/demo got 404 three times in a row",
    minutes=15,
)


def build() -> System:
    """The clinic twenty-one minutes after the Ingress was changed."""
    clinic = healthy_clinic("osprey", datetime(2026, 11, 20, 19, 5, 30, tzinfo=UTC))
    noise.usual(clinic)
    changed = clinic.ago(minutes=21)
    ingress = clinic.find("Ingress", "clinic", "public")
    paths = ingress["spec"]["rules"][0]["http"]["paths"]
    paths.insert(0, backend("/api/patients", "booking-api", 80))
    touched(ingress, changed, "argocd-controller")
    summary = "Synced clinic-ingress to 91be3f0: path for patients past the gateway"
    tell_change(clinic, changed, summary, source="argocd", by="t.oyelaran")
    clinic.affect("edge->patient-api", "share", -1, changed, ramp_seconds=10)
    clinic.affect("edge", "rate", -0.19, changed, ramp_seconds=10)
    clinic.traffic["booking-api"].entry_rate = 0.01
    clinic.affect("booking-api", "rate", 500, changed, ramp_seconds=10)
    clinic.affect("booking-api", "not_found", 0.4, changed, ramp_seconds=10)
    for pod in clinic.pods_of("booking-api"):
        at = changed
        while (at := at + timedelta(seconds=7)) < clinic.as_of:
            text = f"Request finished HTTP/1.1 GET /api/patients/{at.minute}7{at.second} - 404 0 - 0.4ms"
            say(clinic, pod, "info", at, text)
    noise.innocent_release(clinic, "patient-api", "3.11.5", clinic.ago(minutes=48))
    page(clinic, TOLD)
    return clinic


CASE = Case(
    "osprey",
    TOLD.title,
    build,
    Expected(
        Verdict.CAUSE_FOUND,
        "gateway_misroute",
        clinic_entity("Ingress", "public"),
        rivals=(
            Rival(
                clinic_entity("Deployment", "patient-api"),
                "released half an hour before; nobody asks it any more",
            ),
            Rival(
                clinic_entity("Deployment", "booking-api"),
                "answers 404 to what was never meant for it",
            ),
        ),
        as_right=(Answer("ingress_misroute", clinic_entity("Ingress", "public")),),
    ),
)
