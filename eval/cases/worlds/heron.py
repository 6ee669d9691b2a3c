"""A probe that was made stricter kills the booking service before it is up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from assistant.incident import Verdict
from eval.cases import clinic_noise as noise
from eval.cases import clinic_troubles as troubles
from eval.cases.case import Case, Expected, Rival
from eval.cases.clinic import Told, clinic_entity, healthy_clinic, page
from eval.cases.system import System
from eval.cases.troubles import say

TOLD = Told(
    "KubePodCrashLooping",
    "Pod of booking-api is crash looping",
    {"deployment": "booking-api", "container": "app"},
    "A container of booking-api in clinic is in CrashLoopBackOff",
    minutes=9,
)


def build() -> System:
    """The clinic sixteen minutes after the release."""
    clinic = healthy_clinic("heron", datetime(2026, 11, 5, 15, 33, 50, tzinfo=UTC))
    noise.usual(clinic)
    released = clinic.ago(minutes=16)
    strict = troubles.probe(
        "liveness", initialDelaySeconds=5, periodSeconds=3, failureThreshold=2, timeoutSeconds=1
    )
    pod = troubles.stuck_release(clinic, "booking-api", "7.3.0", released, strict)
    where = f"http://{pod.ip}:8080/live"
    refused = f'Get "{where}": dial tcp {pod.ip}:8080: connect: connection refused'
    troubles.killed_by_probe(clinic, pod, 9.5, refused)
    for run in (turn.at for turn in list(pod.main.turns) if "running" in turn.state):
        say(
            clinic,
            pod,
            "info",
            run + timedelta(seconds=4),
            "Applying schema check of 214 tables before listening",
        )
        say(clinic, pod, "info", run + timedelta(seconds=9), "Application is shutting down...")
    noise.innocent_release(clinic, "web", "24.11.3", clinic.ago(minutes=35))
    page(clinic, TOLD)
    return clinic


CASE = Case(
    "heron",
    TOLD.title,
    build,
    Expected(
        Verdict.CAUSE_FOUND,
        "liveness_probe_incorrect_timing",
        clinic_entity("Deployment", "booking-api"),
        rivals=(
            Rival(
                clinic_entity("Deployment", "web"), "released before, and all of its pods are ready"
            ),
        ),
    ),
)
