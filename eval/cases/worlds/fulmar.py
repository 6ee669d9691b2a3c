"""The newest release of the web frontend keeps every rendered page; its heap is full after twenty minutes."""

from __future__ import annotations

from datetime import UTC, datetime

from assistant.incident import Verdict
from eval.cases import clinic_noise as noise
from eval.cases import clinic_troubles as troubles
from eval.cases.case import Answer, Case, Expected, Rival
from eval.cases.clinic import Told, clinic_entity, healthy_clinic, page
from eval.cases.system import System

TOLD = Told(
    "KubePodCrashLooping",
    "Pod of web is restarting",
    {"deployment": "web", "container": "app"},
    "Containers of web in clinic restarted 4 times within an hour",
    minutes=11,
)


def build() -> System:
    """The clinic seventy minutes after the release."""
    clinic = healthy_clinic("fulmar", datetime(2026, 10, 28, 18, 52, 0, tzinfo=UTC))
    noise.usual(clinic)
    released = clinic.ago(minutes=68)
    pods = troubles.release(clinic, "web", "24.12.0", released)
    words = (
        "!<--- Last few GCs --->",
        "![1:0x5581f0] 1290411 ms: Mark-Compact (reduce) 352.1 (364.9) -> 351.6 (365.4) MB, 811.20 / 0.00 ms  (average mu = 0.09, current mu = 0.01) allocation failure; scavenge might not succeed",
        "!FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory",
    )
    crash = troubles.Crash(1260, 134, words, ready_seconds=9)
    for pod in pods:
        pod.grows_to_mib, pod.grows_over_seconds = 368.0, 1260
        troubles.crashes(clinic, pod, crash)
    clinic.affect("web", "latency", 0.3, clinic.ago(minutes=52), ramp_seconds=900)
    noise.innocent_release(clinic, "slot-api", "0.88.2", clinic.ago(minutes=31))
    page(clinic, TOLD)
    return clinic


CASE = Case(
    "fulmar",
    TOLD.title,
    build,
    Expected(
        Verdict.CAUSE_FOUND,
        "out_of_memory_in_process",
        clinic_entity("Deployment", "web"),
        rivals=(
            Rival(
                clinic_entity("Deployment", "slot-api"),
                "released when the restarts had begun already, and never restarted",
            ),
        ),
        as_right=(Answer("bad_release", clinic_entity("Deployment", "web")),),
    ),
)
