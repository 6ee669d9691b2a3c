"""A code path that forgets to give connections back drains one service's pool; the database is idle."""

from __future__ import annotations

from datetime import UTC, datetime

from assistant.incident import Verdict
from eval.cases import clinic_noise as noise
from eval.cases.case import Answer, Case, Expected, Rival
from eval.cases.clinic import Told, clinic_entity, healthy_clinic, page
from eval.cases.system import System

TOLD = Told(
    "BookingLatencyHigh",
    "Booking a visit takes more than 5 seconds",
    {"job": "booking-api"},
    "p95 of booking-api above 5 s for 5 minutes",
    minutes=21,
)


def build() -> System:
    """The clinic forty minutes after the leak began to hurt."""
    clinic = healthy_clinic("curlew", datetime(2026, 10, 20, 9, 27, 45, tzinfo=UTC))
    noise.usual(clinic)
    since = clinic.ago(minutes=40)
    clinic.affect("booking-api", "sessions idle in transaction", 37, since, ramp_seconds=900)
    clinic.affect("booking-api", "sessions idle", -8, since, ramp_seconds=900)
    why = (
        "Npgsql.NpgsqlException (0x80004005): The connection pool has been exhausted, either raise "
        "'Max Pool Size' (currently 20) or 'Timeout' (currently 15 seconds) in your connection string."
    )
    hurts = clinic.ago(minutes=28)
    clinic.affect("booking-api", "latency", 6.5, hurts, ramp_seconds=300)
    clinic.affect("booking-api", "errors", 0.38, hurts, ramp_seconds=300, says=why)
    noise.innocent_release(clinic, "patient-api", "3.11.5", clinic.ago(minutes=58))
    page(clinic, TOLD)
    return clinic


CASE = Case(
    "curlew",
    TOLD.title,
    build,
    Expected(
        Verdict.CAUSE_FOUND,
        "pool_exhausted",
        clinic_entity("Deployment", "booking-api"),
        rivals=(
            Rival(
                clinic_entity("StatefulSet", "records-db"),
                "half of its connections are free, others are served at once",
            ),
            Rival(clinic_entity("Deployment", "patient-api"), "released before and fast"),
        ),
        as_right=(Answer("db_connection_exhaustion", clinic_entity("Deployment", "booking-api")),),
    ),
)
