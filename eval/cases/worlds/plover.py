"""One machine loses packets; whatever runs there is slow, whatever it is."""

from __future__ import annotations

from datetime import UTC, datetime

from assistant.incident import Entity, Verdict
from eval.cases import clinic_noise as noise
from eval.cases.case import Case, Expected, Rival
from eval.cases.clinic import Told, clinic_entity, healthy_clinic, page
from eval.cases.clinic_machines import interfaces
from eval.cases.system import System

TOLD = Told(
    "LatencyHigh",
    "Bookings and patient pages are slow now and then",
    {"job": "edge"},
    "p95 of edge above 1 s for 10 minutes",
    minutes=15,
)


def build() -> System:
    """The clinic twenty-six minutes after the loss began."""
    clinic = healthy_clinic("plover", datetime(2026, 12, 4, 20, 40, 25, tzinfo=UTC))
    noise.usual(clinic)
    began, name = clinic.ago(minutes=26), "pool-b-2"
    for pod in clinic.pods:
        if pod.node == name and pod.workload.routes:
            clinic.affect(pod.name, "latency", 1.1, began, ramp_seconds=30)
            clinic.affect(pod.name, "errors", 0.02, began, says="read: connection timed out")
        if pod.node == name and not pod.workload.routes and pod.namespace == "clinic":
            clinic.affect(pod.workload.name, "latency", 0.5, began, ramp_seconds=30)
    interfaces(clinic, name, began)
    noise.innocent_release(clinic, "web", "24.11.3", clinic.ago(minutes=58))
    page(clinic, TOLD)
    return clinic


CASE = Case(
    "plover",
    TOLD.title,
    build,
    Expected(
        Verdict.CAUSE_FOUND,
        "node_network_packet_loss",
        Entity(kind="Node", name="pool-b-2"),
        rivals=(
            Rival(
                clinic_entity("Deployment", "web"),
                "released half an hour before; its pods elsewhere are as fast as before",
            ),
        ),
    ),
)
