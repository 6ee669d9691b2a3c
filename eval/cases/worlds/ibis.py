"""A release moves the readiness probe to a port that the program does not open."""

from __future__ import annotations

from datetime import UTC, datetime

from assistant.incident import Verdict
from eval.cases import clinic_noise as noise
from eval.cases import clinic_troubles as troubles
from eval.cases.case import Case, Expected, Rival
from eval.cases.clinic import Told, clinic_entity, healthy_clinic, page
from eval.cases.system import System

TOLD = Told(
    "KubeDeploymentRolloutStuck",
    "Rollout of slot-api is not progressing",
    {"deployment": "slot-api"},
    "Rollout of deployment clinic/slot-api is not progressing for longer than 15 minutes",
    minutes=12,
)


def build() -> System:
    """The clinic twenty-eight minutes after the release."""
    clinic = healthy_clinic("ibis", datetime(2026, 11, 9, 8, 12, 40, tzinfo=UTC))
    noise.usual(clinic)
    released = clinic.ago(minutes=28)
    moved = troubles.probe("readiness", asked={"port": 9090})
    pod = troubles.stuck_release(clinic, "slot-api", "0.89.0", released, moved)
    where = f"http://{pod.ip}:9090/-/ready"
    refused = f'Get "{where}": dial tcp {pod.ip}:9090: connect: connection refused'
    troubles.never_ready(clinic, pod, refused)
    noise.innocent_release(clinic, "patient-api", "3.11.5", clinic.ago(minutes=50))
    page(clinic, TOLD)
    return clinic


CASE = Case(
    "ibis",
    TOLD.title,
    build,
    Expected(
        Verdict.CAUSE_FOUND,
        "readiness_probe_incorrect_port",
        clinic_entity("Deployment", "slot-api"),
        rivals=(
            Rival(clinic_entity("Deployment", "patient-api"), "released before, and complete"),
        ),
    ),
)
