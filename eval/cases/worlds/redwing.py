"""A role is made stricter and loses the one verb that the reminder service lives by."""

from __future__ import annotations

from datetime import UTC, datetime

from assistant.incident import Verdict
from eval.cases import clinic_noise as noise
from eval.cases import clinic_troubles as troubles
from eval.cases.case import Answer, Case, Expected, Rival
from eval.cases.clinic import Told, clinic_entity, healthy_clinic, page, tell_change
from eval.cases.clinic_reminders import add_reminders
from eval.cases.system import System

TOLD = Told(
    "NoRemindersSent",
    "No visit reminders were sent for 20 minutes",
    {"deployment": "reminder-runner"},
    "reminders_sent_total did not grow for 20 minutes",
    minutes=12,
)


def build() -> System:
    """The clinic thirty-four minutes after the role was changed."""
    clinic = healthy_clinic("redwing", datetime(2026, 11, 26, 6, 30, 15, tzinfo=UTC))
    noise.usual(clinic)
    stricter = clinic.ago(minutes=34)
    add_reminders(clinic, ["get", "list", "watch", "delete"], stricter)
    who = "system:serviceaccount:clinic:reminder-runner"
    denied = (
        f'jobs.batch is forbidden: User "{who}" cannot create resource "jobs" in API group "batch" '
        'in the namespace "clinic"'
    )
    text = f"could not start reminder batch: (403) Reason: Forbidden: {denied}"
    troubles.lines(clinic, clinic.pods_of("reminder-runner"), stricter, 30, text)
    summary = "Merged: least privilege for service accounts in clinic"
    tell_change(clinic, stricter, summary, source="github", by="sec-platform")
    noise.innocent_release(clinic, "letter-worker", "2.6.10", clinic.ago(minutes=57))
    page(clinic, TOLD)
    return clinic


CASE = Case(
    "redwing",
    TOLD.title,
    build,
    Expected(
        Verdict.CAUSE_FOUND,
        "rbac_denied",
        clinic_entity("Role", "reminder-runner"),
        rivals=(
            Rival(
                clinic_entity("Deployment", "letter-worker"),
                "released before, and sends its letters",
            ),
        ),
        as_right=(
            Answer("rbac_denied", clinic_entity("Deployment", "reminder-runner")),
            Answer("rbac_denied", clinic_entity("ServiceAccount", "reminder-runner")),
        ),
    ),
)
