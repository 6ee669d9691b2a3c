"""A release brings a second container that takes the port of the first."""

from __future__ import annotations

from datetime import UTC, datetime

from assistant.incident import Verdict
from eval.cases import clinic_noise as noise
from eval.cases import clinic_troubles as troubles
from eval.cases.case import Case, Expected, Rival
from eval.cases.clinic import Told, clinic_entity, healthy_clinic, page
from eval.cases.system import Json, System

TOLD = Told(
    "KubePodCrashLooping",
    "Pod of booking-api is crash looping",
    {"deployment": "booking-api", "container": "app"},
    "A container of booking-api in clinic is in CrashLoopBackOff",
    minutes=10,
)


def build() -> System:
    """The clinic fifteen minutes after the release."""
    clinic = healthy_clinic("quail", datetime(2026, 11, 24, 14, 21, 45, tzinfo=UTC))
    noise.usual(clinic)
    released = clinic.ago(minutes=15)

    def beside(template: Json) -> None:
        proxy = {
            "image": "ghcr.example/meadowhill/auth-proxy:0.4.1",
            "imagePullPolicy": "IfNotPresent",
            "name": "auth-proxy",
            "args": ["--listen=:8080", "--upstream=http://127.0.0.1:8090"],
            "ports": [{"containerPort": 8080, "name": "proxy", "protocol": "TCP"}],
            "resources": {
                "limits": {"cpu": "100m", "memory": "64Mi"},
                "requests": {"cpu": "20m", "memory": "64Mi"},
            },
        }
        template["containers"].append(proxy)

    pod = troubles.stuck_release(clinic, "booking-api", "7.3.0", released, beside)
    words = (
        "Hosting failed to start",
        "!System.IO.IOException: Failed to bind to address http://[::]:8080: address already in use.",
        "! ---> Microsoft.AspNetCore.Connections.AddressInUseException: Address already in use",
    )
    troubles.crashes(clinic, pod, troubles.Crash(3, 134, words))
    noise.innocent_release(clinic, "slot-api", "0.88.2", clinic.ago(minutes=39))
    page(clinic, TOLD)
    return clinic


CASE = Case(
    "quail",
    TOLD.title,
    build,
    Expected(
        Verdict.CAUSE_FOUND,
        "port_conflict",
        clinic_entity("Deployment", "booking-api"),
        rivals=(
            Rival(
                clinic_entity("Deployment", "slot-api"),
                "released before, and all of its pods are ready",
            ),
        ),
    ),
)
