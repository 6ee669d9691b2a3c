"""The worker waits for ever for a lock; it is Running, and nothing is worked off."""

from __future__ import annotations

from datetime import UTC, datetime

from assistant.incident import Verdict
from eval.cases import clinic_noise as noise
from eval.cases.barriers import Cut
from eval.cases.case import Answer, Case, Expected, Rival
from eval.cases.clinic import Told, clinic_entity, healthy_clinic, page
from eval.cases.system import System
from eval.cases.troubles import say

TOLD = Told(
    "QueueGrowing",
    "Letters are waiting to be sent",
    {"queue": "letters", "deployment": "letter-worker"},
    "more than 1000 letters in the queue",
    minutes=30,
)


def build() -> System:
    """The clinic forty-four minutes after the worker fell silent."""
    clinic = healthy_clinic("sanderling", datetime(2026, 12, 10, 23, 26, 50, tzinfo=UTC))
    noise.usual(clinic)
    silent, worker = clinic.ago(minutes=44), clinic.workloads["letter-worker"]
    worker.cut_off = Cut(silent, "")
    pod = clinic.pods_of("letter-worker")[0]
    clinic.affect(pod.name, "cpu", -0.02, silent, ramp_seconds=1)
    say(clinic, pod, "info", silent, "Task letters.send[5519024] received")
    say(
        clinic,
        pod,
        "info",
        silent,
        "waiting for lock letters:template-cache (held by letters.render[5519022])",
    )
    noise.innocent_release(clinic, "patient-api", "3.11.5", clinic.ago(minutes=80))
    page(clinic, TOLD)
    return clinic


CASE = Case(
    "sanderling",
    TOLD.title,
    build,
    Expected(
        Verdict.CAUSE_FOUND,
        "queue_lag",
        clinic_entity("Deployment", "letter-worker"),
        rivals=(
            Rival(
                clinic_entity("Deployment", "patient-api"),
                "released half an hour before; it answers everybody",
            ),
            Rival(clinic_entity("StatefulSet", "redis"), "takes new letters all the time"),
        ),
        as_right=(Answer("consumer_stuck", clinic_entity("Deployment", "letter-worker")),),
    ),
)
