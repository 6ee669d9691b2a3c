"""The mail relay outside answers no longer; letters pile up."""

from __future__ import annotations

from datetime import UTC, datetime

from assistant.incident import Entity, Verdict
from eval.cases import clinic_noise as noise
from eval.cases.case import Answer, Case, Expected, Rival
from eval.cases.clinic import Told, clinic_entity, healthy_clinic, page
from eval.cases.system import System

TOLD = Told(
    "QueueGrowing",
    "Letters are waiting to be sent",
    {"queue": "letters"},
    "more than 1000 letters in the queue",
    minutes=19,
)


def build() -> System:
    """The clinic thirty-eight minutes after the relay went silent."""
    clinic = healthy_clinic("wren", datetime(2026, 12, 2, 5, 3, 35, tzinfo=UTC))
    noise.usual(clinic)
    silent = clinic.ago(minutes=38)
    why = (
        "requests.exceptions.ConnectTimeout: HTTPSConnectionPool(host='api.postmill.example', port=443): "
        "Max retries exceeded with url: /v3/letters (Connection to api.postmill.example timed out.)"
    )
    clinic.affect("api.postmill.example", "errors", 0.93, silent, says=why, ramp_seconds=60)
    clinic.affect("api.postmill.example", "latency", 14, silent, ramp_seconds=60)
    clinic.affect("letter-worker", "backlog", 0.9, silent)
    noise.innocent_release(clinic, "letter-worker", "2.6.10", clinic.ago(minutes=63))
    noise.innocent_release(clinic, "patient-api", "3.11.5", clinic.ago(minutes=29))
    page(clinic, TOLD)
    return clinic


CASE = Case(
    "wren",
    TOLD.title,
    build,
    Expected(
        Verdict.CAUSE_FOUND,
        "failing_dependency",
        Entity(kind="Service", name="api.postmill.example"),
        rivals=(
            Rival(
                clinic_entity("Deployment", "letter-worker"),
                "released half an hour before, and sent letters until then",
            ),
            Rival(clinic_entity("Deployment", "patient-api"), "released later"),
        ),
        as_right=(
            Answer("external_api_failing", Entity(kind="Service", name="api.postmill.example")),
            Answer("failing_dependency", Entity(kind="Address", name="api.postmill.example")),
        ),
    ),
)
