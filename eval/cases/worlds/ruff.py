"""The clock of one machine runs ahead; tokens that it makes are not valid yet for anybody else."""

from __future__ import annotations

from datetime import UTC, datetime

from assistant.incident import Entity, Verdict
from eval.cases import clinic_noise as noise
from eval.cases.case import Answer, Case, Expected, Rival
from eval.cases.clinic import Told, clinic_entity, healthy_clinic, page
from eval.cases.clinic_machines import clocks
from eval.cases.system import System

TOLD = Told(
    "BookingErrors",
    "Every second booking is refused",
    {"job": "booking-api"},
    "More than 20% of POST /bookings fail",
    minutes=20,
)


def build() -> System:
    """The clinic thirty minutes after the jump."""
    clinic = healthy_clinic("ruff", datetime(2026, 12, 6, 3, 17, 40, tzinfo=UTC))
    noise.usual(clinic)
    jumped = clinic.ago(minutes=30)
    pod = clinic.pods_of("booking-api")[0]
    clocks(clinic, pod.node, jumped, 94.0)
    why = "Microsoft.IdentityModel.Tokens.SecurityTokenNotYetValidException: IDX10222: Lifetime validation failed. The token is not yet valid."
    for other in clinic.pods_of("booking-api"):
        if other.node != pod.node:
            clinic.affect(other.name, "errors", 0.62, jumped, says=why, ramp_seconds=1)
    noise.innocent_release(clinic, "slot-api", "0.88.2", clinic.ago(minutes=57))
    page(clinic, TOLD)
    return clinic


CASE = Case(
    "ruff",
    TOLD.title,
    build,
    Expected(
        Verdict.CAUSE_FOUND,
        "node_clock_skew",
        Entity(kind="Node", name="pool-b-3"),
        rivals=(
            Rival(
                clinic_entity("Deployment", "slot-api"),
                "released half an hour before; it needs no token",
            ),
        ),
        as_right=(Answer("clock_skew", Entity(kind="Node", name="pool-b-3")),),
    ),
)
