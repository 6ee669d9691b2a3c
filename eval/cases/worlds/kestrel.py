"""Labels are tidied up, and a Service goes on to select the old ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from assistant.incident import Verdict
from eval.cases import clinic_noise as noise
from eval.cases import clinic_troubles as troubles
from eval.cases import lifecycle
from eval.cases.barriers import Cut
from eval.cases.case import Case, Expected, Rival
from eval.cases.clinic import Told, clinic_entity, healthy_clinic, page, tell_change
from eval.cases.system import System

TOLD = Told(
    "SlotSearchFailing",
    "Find a slot: every search ends with an error",
    {"service": "slot-api"},
    "no successful request to slot-api for 5 minutes",
    minutes=14,
)


def build() -> System:
    """The clinic twenty minutes after the relabelling."""
    clinic = healthy_clinic("kestrel", datetime(2026, 11, 13, 7, 58, 15, tzinfo=UTC))
    noise.usual(clinic)
    tidied, slots = clinic.ago(minutes=20), clinic.workloads["slot-api"]
    slots.service_selector = {**slots.own_label, "app.kubernetes.io/component": "api"}
    troubles.revise(clinic, "slot-api", tidied)
    slots.newest.pod_labels = {
        "app.kubernetes.io/component": "slots",
        "app.kubernetes.io/part-of": "clinic",
    }
    lifecycle.roll_out(clinic, slots, tidied)
    slots.cut_off = Cut(tidied + timedelta(seconds=40), "")
    summary = "Helm upgrade: common labels 2.0 for clinic/slot-api"
    tell_change(clinic, tidied, summary, source="helm", by="a.sorour")
    noise.innocent_release(clinic, "booking-api", "7.2.1", clinic.ago(minutes=55))
    page(clinic, TOLD)
    return clinic


CASE = Case(
    "kestrel",
    TOLD.title,
    build,
    Expected(
        Verdict.CAUSE_FOUND,
        "service_selector_mismatch",
        clinic_entity("Service", "slot-api"),
        rivals=(
            Rival(
                clinic_entity("Deployment", "booking-api"),
                "released before; it fails for want of slot-api",
            ),
        ),
    ),
)
