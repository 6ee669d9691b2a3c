"""After a failover one of two database pods is a standby, and half of the writers still talk to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from assistant.incident import Verdict
from eval.cases import clinic_noise as noise
from eval.cases import clinic_troubles as troubles
from eval.cases import lifecycle
from eval.cases.case import Case, Expected, Rival
from eval.cases.clinic import Told, clinic_entity, healthy_clinic, page
from eval.cases.clinic_objects import bound_claim
from eval.cases.system import System

TOLD = Told(
    "BookingErrors",
    "Booking a visit fails for many patients",
    {"job": "booking-api"},
    "More than 20% of POST /bookings fail",
    minutes=22,
)


def build() -> System:
    """The clinic half an hour after the failover."""
    clinic = healthy_clinic("dunlin", datetime(2026, 10, 22, 2, 19, 35, tzinfo=UTC))
    noise.usual(clinic)
    database = clinic.workloads["records-db"]
    database.replicas = 2
    bound_claim(clinic, ("clinic", "data-records-db-1"), "20Gi", clinic.ago(days=70))
    second = lifecycle.place(clinic, database, database.newest, clinic.ago(days=70))
    lifecycle.start(second)
    failover, first = clinic.ago(minutes=30), clinic.pods_of("records-db")[0]
    promoted = (
        "!{at:%Y-%m-%d %H:%M:%S.%f} GMT [1] LOG:  received promote request",
        "!{at:%Y-%m-%d %H:%M:%S.%f} GMT [1] LOG:  database system is ready to accept connections",
    )
    for number, text in enumerate(promoted):
        troubles.write(clinic, second, failover + timedelta(seconds=number), text)
    lifecycle.end_run(first, failover, "Error", 137)
    lifecycle.restart(first, failover + timedelta(seconds=2))
    standby = "!{at:%Y-%m-%d %H:%M:%S.%f} GMT [28] LOG:  entering standby mode"
    troubles.write(clinic, first, failover + timedelta(seconds=3), standby)
    clinic.affect("records-db", "standby", 1, failover, ramp_seconds=0)
    why = "Npgsql.PostgresException (0x80004005): 25006: cannot execute INSERT in a read-only transaction"
    troubles.broken_calls(clinic, "booking-api->records-db", 0.45, failover, why)
    why = "psycopg2.errors.ReadOnlySqlTransaction: cannot execute UPDATE in a read-only transaction"
    troubles.broken_calls(clinic, "patient-api->records-db", 0.06, failover, why)
    refused = (
        "!{at:%Y-%m-%d %H:%M:%S.%f} GMT [811] ERROR:  cannot execute INSERT in a read-only transaction",
        "!{at:%Y-%m-%d %H:%M:%S.%f} GMT [811] STATEMENT:  INSERT INTO visits (id, slot, patient) VALUES ($1, $2, $3)",
    )
    troubles.lines(clinic, [first], failover + timedelta(seconds=9), 5, *refused)
    noise.innocent_release(clinic, "booking-api", "7.2.1", clinic.ago(minutes=58))
    page(clinic, TOLD)
    return clinic


CASE = Case(
    "dunlin",
    TOLD.title,
    build,
    Expected(
        Verdict.CAUSE_FOUND,
        "db_read_only",
        clinic_entity("StatefulSet", "records-db"),
        rivals=(
            Rival(
                clinic_entity("Deployment", "booking-api"),
                "released half an hour before the failover; it reads as ever",
            ),
        ),
    ),
)
