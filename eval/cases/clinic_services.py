"""The clinic's parts, as data: programs in six languages, a database, a cache that is its queue too."""

from __future__ import annotations

from dataclasses import dataclass, field

IMAGES = "ghcr.example/meadowhill"
NAMESPACE = "clinic"


@dataclass(frozen=True)
class Part:
    """A program of the clinic. `port` is the container's, `service_port` what callers use."""

    name: str
    version: str
    speaks: str
    port: int | None = None
    port_name: str = "http"
    service_port: int | None = None
    replicas: int = 2
    calls: dict[str, float] = field(default_factory=dict)
    entry_rate: float = 0.0
    queue: str = ""
    latency: float = 0.02
    cpu: str = "500m"
    memory: str = "256Mi"
    used_mib: float = 120
    health: str = "/health"
    routes: tuple[str, ...] = ()
    route_for: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    config: str = ""
    secret: str = ""
    component: str = "api"


PARTS = (
    Part(
        "edge",
        "1.27.3",
        "nginx",
        port=8081,
        service_port=80,
        calls={"booking-api": 0.35, "slot-api": 0.7, "patient-api": 0.25},
        entry_rate=21.0,
        latency=0.002,
        memory="128Mi",
        used_mib=34,
        health="/nginx-health",
        routes=("GET /api/slots?week={z}", "POST /api/bookings", "GET /api/patients/{n}"),
        route_for={
            "slot-api": "GET /api/slots?week={z}",
            "booking-api": "POST /api/bookings",
            "patient-api": "GET /api/patients/{n}",
        },
        component="gateway",
    ),
    Part(
        "web",
        "24.11.2",
        "winston",
        port=3000,
        service_port=80,
        calls={"slot-api": 0.4},
        entry_rate=8.0,
        latency=0.035,
        memory="384Mi",
        used_mib=190,
        routes=("GET /", "GET /find-a-slot", "GET /my-visits"),
        route_for={"slot-api": "GET /find-a-slot"},
        environment={"SLOT_API": "http://slot-api.clinic.svc.cluster.local:9000"},
        component="frontend",
    ),
    Part(
        "booking-api",
        "7.2.0",
        "dotnet",
        port=8080,
        service_port=80,
        calls={"slot-api": 1.0, "patient-api": 1.0, "records-db": 1.5, "redis": 0.6},
        latency=0.03,
        cpu="800m",
        memory="512Mi",
        used_mib=260,
        health="/healthz/ready",
        routes=("POST /bookings", "GET /bookings/{n}", "DELETE /bookings/{n}"),
        environment={
            "ASPNETCORE_URLS": "http://+:8080",
            "Slots__BaseAddress": "http://slot-api:9000",
            "Patients__BaseAddress": "http://patient-api:5000",
            "Queue__Redis": "redis:6379",
        },
        secret="booking-api-db",  # noqa: S106 - the name of a Secret
    ),
    Part(
        "patient-api",
        "3.11.4",
        "gunicorn",
        port=5000,
        calls={"records-db": 2.0},
        latency=0.025,
        used_mib=140,
        routes=("GET /patients/{n}", "GET /patients/{n}/contacts", "PATCH /patients/{n}"),
        environment={"DB_HOST": "records-db", "DB_PORT": "5432", "DB_NAME": "records"},
        secret="patient-api-db",  # noqa: S106 - the name of a Secret
    ),
    Part(
        "slot-api",
        "0.88.1",
        "logfmt",
        port=9000,
        calls={"records-db": 0.6, "redis": 1.4},
        latency=0.012,
        used_mib=80,
        health="/-/ready",
        routes=("GET /slots", "POST /slots/{n}/hold"),
        environment={
            "DATABASE_ADDR": "records-db:5432",
            "REDIS_ADDR": "redis:6379",
        },
        config="slot-rules",
        secret="slot-api-db",  # noqa: S106 - the name of a Secret
    ),
    Part(
        "letter-worker",
        "2.6.9",
        "celery",
        replicas=1,
        calls={"redis": 1.0, "patient-api": 1.0, "api.postmill.example": 1.0},
        entry_rate=1.4,
        queue="letters",
        latency=0.12,
        memory="384Mi",
        used_mib=210,
        routes=("Task letters.send[{n}]",),
        environment={
            "BROKER_URL": "redis://redis:6379/1",
            "PATIENTS_URL": "http://patient-api.clinic:5000",
            "POSTMILL_URL": "https://api.postmill.example/v3",
        },
        component="worker",
    ),
)
"""The programs."""

CONFIG = {
    "slot-rules": {"SLOT_WINDOW_DAYS": "42", "HOLD_MINUTES": "10", "LIVE_CAPACITY": "false"},
}
"""ConfigMaps of which every key becomes an environment variable."""
