"""A release of the patient service asks for the database on a port where nobody listens."""

from __future__ import annotations

from datetime import UTC, datetime

from assistant.incident import Verdict
from eval.cases import clinic_noise as noise
from eval.cases import clinic_troubles as troubles
from eval.cases.case import Answer, Case, Expected, Rival
from eval.cases.clinic import Told, clinic_entity, healthy_clinic, page
from eval.cases.system import System

TOLD = Told(
    "HighErrorRate",
    "patient-api: 5xx ratio above 10%",
    {"job": "patient-api"},
    "More than 10% of requests to patient-api fail since 5 minutes",
    minutes=13,
)


def build() -> System:
    """The clinic eighteen minutes after the release."""
    clinic = healthy_clinic("avocet", datetime(2026, 10, 12, 6, 41, 30, tzinfo=UTC))
    noise.usual(clinic)
    released = clinic.ago(minutes=18)
    pods = troubles.release(
        clinic, "patient-api", "3.12.0", released, troubles.setting("DB_PORT", "5433")
    )
    host = clinic.pods_of("records-db")[0].ip
    why = (
        f'psycopg2.OperationalError: connection to server at "records-db" ({host}), port 5433 '
        "failed: Connection refused"
    )
    troubles.broken_calls(clinic, "patient-api->records-db", 0.995, released, why)
    troubles.lines(
        clinic,
        pods,
        released,
        20,
        "\tIs the server running on that host and accepting TCP/IP connections?",
    )
    noise.innocent_release(clinic, "web", "24.11.3", clinic.ago(minutes=44))
    page(clinic, TOLD)
    return clinic


CASE = Case(
    "avocet",
    TOLD.title,
    build,
    Expected(
        Verdict.CAUSE_FOUND,
        "database_address_wrong",
        clinic_entity("Deployment", "patient-api"),
        rivals=(
            Rival(
                clinic_entity("Deployment", "web"),
                "released half an hour before, and only looks slots up",
            ),
            Rival(
                clinic_entity("StatefulSet", "records-db"),
                "it answers slot-api and booking-api as ever",
            ),
        ),
        as_right=(
            Answer("service_env_var_address_mismatch", clinic_entity("Deployment", "patient-api")),
            Answer("bad_release", clinic_entity("Deployment", "patient-api")),
        ),
    ),
)
