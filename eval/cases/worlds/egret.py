"""The volume of the database is full of write-ahead log; it cannot start any more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from assistant.incident import Verdict
from eval.cases import clinic_noise as noise
from eval.cases import clinic_troubles as troubles
from eval.cases import lifecycle
from eval.cases.case import Answer, Case, Expected, Rival
from eval.cases.clinic import Told, clinic_entity, healthy_clinic, page
from eval.cases.system import System

TOLD = Told(
    "HighErrorRate",
    "edge: 5xx ratio above 10%",
    {"job": "edge"},
    "More than 10% of requests through edge fail since 5 minutes",
    minutes=18,
)


def build() -> System:
    """The clinic twenty-three minutes after the last free byte."""
    clinic = healthy_clinic("egret", datetime(2026, 10, 25, 4, 8, 20, tzinfo=UTC))
    noise.usual(clinic)
    full, pod = clinic.ago(minutes=23), clinic.pods_of("records-db")[0]
    clinic.volume_used["data-records-db-0"] = [
        (clinic.ago(minutes=110), 0.78),
        (full, 0.99995),
        (clinic.as_of, 1.0),
    ]
    first = (
        "!{at:%Y-%m-%d %H:%M:%S.%f} GMT [131] PANIC:  could not write to file "
        '"pg_wal/xlogtemp.131": No space left on device',
        "!{at:%Y-%m-%d %H:%M:%S.%f} GMT [1] LOG:  checkpointer process (PID 131) was terminated by signal 6: Aborted",
    )
    for number, text in enumerate(first):
        troubles.write(clinic, pod, full - timedelta(seconds=2 - number), text)
    lifecycle.end_run(pod, full, "Error", 1)
    lifecycle.restart(pod, full + timedelta(seconds=1), ready_seconds=None)
    again = (
        "!{at:%Y-%m-%d %H:%M:%S.%f} GMT [27] LOG:  database system was not properly shut down; automatic recovery in progress",
        '!{at:%Y-%m-%d %H:%M:%S.%f} GMT [27] FATAL:  could not write to file "pg_wal/xlogtemp.27": No space left on device',
        "!{at:%Y-%m-%d %H:%M:%S.%f} GMT [1] LOG:  startup process (PID 27) exited with exit code 1",
    )
    troubles.crashes(clinic, pod, troubles.Crash(4, 1, again))
    noise.innocent_release(clinic, "slot-api", "0.88.2", clinic.ago(minutes=49))
    page(clinic, TOLD)
    return clinic


CASE = Case(
    "egret",
    TOLD.title,
    build,
    Expected(
        Verdict.CAUSE_FOUND,
        "volume_full",
        clinic_entity("StatefulSet", "records-db"),
        rivals=(
            Rival(
                clinic_entity("Deployment", "slot-api"),
                "released before; it fails like all others that need the database",
            ),
        ),
        as_right=(
            Answer("volume_full", clinic_entity("PersistentVolumeClaim", "data-records-db-0")),
        ),
    ),
)
