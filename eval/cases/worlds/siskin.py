"""A feature flag is switched on; nothing in the cluster changed, and one service does six times the queries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from assistant.incident import Verdict
from eval.cases import clinic_noise as noise
from eval.cases.case import Answer, Case, Expected, Rival
from eval.cases.clinic import Told, clinic_entity, healthy_clinic, page, tell_change
from eval.cases.system import System
from eval.cases.troubles import say

TOLD = Told(
    "SlotSearchSlow",
    "Find a slot is slow (p95 above 2 s)",
    {"job": "slot-api"},
    "p95 of slot-api above 2 s for 5 minutes",
    minutes=17,
)


def build() -> System:
    """The clinic twenty-four minutes after the flag."""
    clinic = healthy_clinic("siskin", datetime(2026, 11, 27, 12, 47, 20, tzinfo=UTC))
    noise.usual(clinic)
    switched = clinic.ago(minutes=24)
    summary = "Flag slots-live-capacity switched on for all users (slot-api)"
    details = {"flag": "slots-live-capacity", "from": "off", "to": "on", "by": "product.m.iqbal"}
    tell_change(clinic, switched, summary, source="flagship", service="Slots", **details)
    clinic.affect("slot-api", "latency", 1.9, switched, ramp_seconds=30)
    clinic.affect("slot-api", "cpu", 0.12, switched, ramp_seconds=30)
    clinic.affect("slot-api->records-db", "share", 5, switched, ramp_seconds=30)
    text = "capacity of week computed live rows=18240 duration_ms=1810"
    for pod in clinic.pods_of("slot-api"):
        at = switched
        while (at := at + timedelta(seconds=11)) < clinic.as_of:
            say(clinic, pod, "info", at, text)
    noise.innocent_release(clinic, "patient-api", "3.11.5", clinic.ago(minutes=52))
    page(clinic, TOLD)
    return clinic


CASE = Case(
    "siskin",
    TOLD.title,
    build,
    Expected(
        Verdict.CAUSE_FOUND,
        "config_changed",
        clinic_entity("Deployment", "slot-api"),
        rivals=(
            Rival(
                clinic_entity("Deployment", "patient-api"),
                "released half an hour before the flag; not in the way of a search",
            ),
            Rival(
                clinic_entity("StatefulSet", "records-db"),
                "gets more queries and answers each as fast as before",
            ),
        ),
        as_right=(
            Answer("feature_flag_fault", clinic_entity("Deployment", "slot-api")),
            Answer("config_changed", clinic_entity("Service", "Slots")),
        ),
    ),
)
