"""A key of a ConfigMap gets another name; the program insists on the old one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from assistant.incident import Verdict
from eval.cases import clinic_noise as noise
from eval.cases import clinic_troubles as troubles
from eval.cases import lifecycle
from eval.cases.case import Answer, Case, Expected, Rival
from eval.cases.clinic import Told, clinic_entity, healthy_clinic, page
from eval.cases.system import System, stamp

TOLD = Told(
    "KubePodCrashLooping",
    "Pod of slot-api is crash looping",
    {"deployment": "slot-api", "container": "app"},
    "A container of slot-api in clinic is in CrashLoopBackOff",
    minutes=6,
)


def build() -> System:
    """The clinic eleven minutes after the restart."""
    clinic = healthy_clinic("dotterel", datetime(2026, 12, 12, 15, 8, 5, tzinfo=UTC))
    noise.usual(clinic)
    renamed, restarted = clinic.ago(minutes=13), clinic.ago(minutes=11)
    rules = dict(clinic.find("ConfigMap", "clinic", "slot-rules")["data"])
    rules["BOOKING_WINDOW_DAYS"] = rules.pop("SLOT_WINDOW_DAYS")
    troubles.configure(clinic, "ConfigMap", "slot-rules", rules, renamed)
    revision = troubles.revise(clinic, "slot-api", restarted)
    revision.pod_annotations = {"kubectl.kubernetes.io/restartedAt": stamp(restarted)}
    moment = restarted + timedelta(seconds=2)
    pod = lifecycle.place(clinic, clinic.workloads["slot-api"], revision, moment)
    words = ('config: required environment variable "SLOT_WINDOW_DAYS" is not set',)
    troubles.crashes(clinic, pod, troubles.Crash(1, 1, words))
    noise.innocent_release(clinic, "booking-api", "7.2.1", clinic.ago(minutes=36))
    page(clinic, TOLD)
    return clinic


CASE = Case(
    "dotterel",
    TOLD.title,
    build,
    Expected(
        Verdict.CAUSE_FOUND,
        "missing_env",
        clinic_entity("Deployment", "slot-api"),
        rivals=(
            Rival(
                clinic_entity("Deployment", "booking-api"),
                "released before, and all of its pods are ready",
            ),
        ),
        as_right=(
            Answer("missing_key", clinic_entity("ConfigMap", "slot-rules")),
            Answer("missing_env", clinic_entity("ConfigMap", "slot-rules")),
            Answer("config_changed", clinic_entity("ConfigMap", "slot-rules")),
        ),
    ),
)
