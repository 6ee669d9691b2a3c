"""A batch of scans without a CPU limit takes a whole machine; its neighbours starve."""

from __future__ import annotations

from datetime import UTC, datetime

from assistant.incident import Entity, Verdict
from eval.cases import clinic_noise as noise
from eval.cases.case import Answer, Case, Expected, Rival
from eval.cases.clinic import Told, clinic_entity, healthy_clinic, page
from eval.cases.clinic_machines import batch
from eval.cases.system import System

TOLD = Told(
    "LatencyHigh",
    "slot-api: p95 above 1 s",
    {"job": "slot-api"},
    "p95 of slot-api above 1 s for 5 minutes",
    minutes=13,
)


def build() -> System:
    """The clinic twenty minutes after the batch was started."""
    clinic = healthy_clinic("pipit", datetime(2026, 12, 8, 9, 55, 10, tzinfo=UTC))
    noise.usual(clinic)
    began = clinic.ago(minutes=20)
    node = clinic.pods_of("slot-api")[0].node
    batch(clinic, node, began)
    for pod in clinic.pods:
        if pod.node == node and pod.workload.routes and pod.namespace == "clinic":
            clinic.affect(pod.name, "latency", 1.3, began, ramp_seconds=30)
    noise.innocent_release(clinic, "patient-api", "3.11.5", clinic.ago(minutes=44))
    page(clinic, TOLD)
    return clinic


CASE = Case(
    "pipit",
    TOLD.title,
    build,
    Expected(
        Verdict.CAUSE_FOUND,
        "noisy_neighbour",
        Entity(kind="Deployment", namespace="imaging", name="scan-tiler"),
        rivals=(
            Rival(
                clinic_entity("Deployment", "patient-api"),
                "released half an hour before; slow only where the machine is full",
            ),
        ),
        as_right=(
            Answer("noisy_neighbour", Entity(kind="Node", name="pool-b-3")),
            Answer(
                "noisy_neighbor", Entity(kind="Deployment", namespace="imaging", name="scan-tiler")
            ),
            Answer("node_cpu_saturated", Entity(kind="Node", name="pool-b-3")),
        ),
    ),
)
