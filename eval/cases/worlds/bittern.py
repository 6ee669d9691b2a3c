"""Database passwords are rotated, and the Secret of one service is forgotten."""

from __future__ import annotations

from datetime import UTC, datetime

from assistant.incident import Verdict
from eval.cases import clinic_noise as noise
from eval.cases import clinic_troubles as troubles
from eval.cases.case import Answer, Case, Expected, Rival
from eval.cases.clinic import Told, clinic_entity, healthy_clinic, page, tell_change
from eval.cases.system import System

TOLD = Told(
    "SlotSearchFailing",
    "Find a slot: most searches end with an error",
    {"job": "slot-api"},
    "slot-api answers more than 20% of requests with 5xx",
    minutes=17,
)


def build() -> System:
    """The clinic twenty-six minutes after the rotation."""
    clinic = healthy_clinic("bittern", datetime(2026, 10, 15, 22, 3, 10, tzinfo=UTC))
    noise.usual(clinic)
    rotated = clinic.ago(minutes=26)
    tell_change(clinic, rotated, "Rotated passwords of database roles in records", source="vault")
    why = 'pq: password authentication failed for user "slots"'
    troubles.broken_calls(clinic, "slot-api->records-db", 0.97, rotated, why)
    refused = (
        '!{at:%Y-%m-%d %H:%M:%S.%f} GMT [4410] FATAL:  password authentication failed for user "slots"',
        "!{at:%Y-%m-%d %H:%M:%S.%f} GMT [4410] DETAIL:  Connection matched pg_hba.conf line 1: "
        '"host     all             all             0.0.0.0/0               md5"',
    )
    troubles.lines(clinic, clinic.pods_of("records-db"), rotated, 6, *refused)
    noise.innocent_release(clinic, "booking-api", "7.2.1", clinic.ago(minutes=51))
    page(clinic, TOLD)
    return clinic


CASE = Case(
    "bittern",
    TOLD.title,
    build,
    Expected(
        Verdict.CAUSE_FOUND,
        "credentials_refused",
        clinic_entity("Deployment", "slot-api"),
        rivals=(
            Rival(
                clinic_entity("Deployment", "booking-api"),
                "released before; its own failures are the calls to slot-api",
            ),
        ),
        as_right=(Answer("credentials_refused", clinic_entity("Secret", "slot-api-db")),),
    ),
)
