"""The parcel shop's services, as data: who they are, whom they call and how they usually behave."""

from __future__ import annotations

from dataclasses import dataclass

from eval.cases.system import Traffic
from eval.cases.templates import ServiceSpec


@dataclass(frozen=True)
class Store:
    """A stateful part that services keep their data in."""

    name: str
    image: str
    port: int
    traffic: Traffic
    speaks: str
    used_mib: float
    claim: str


SERVICES = (
    ServiceSpec(
        "storefront",
        "portal",
        "8.3.1",
        replicas=3,
        calls={"quotes": 0.5, "tracking": 0.6, "bookings": 0.35},
        latency=0.03,
        cpu="500m",
        memory="384Mi",
        used_mib=210,
        speaks="node",
        routes=("GET /", "GET /track/PW{n}", "POST /checkout", "GET /quote"),
        route_for={
            "tracking": "GET /track/PW{n}",
            "bookings": "POST /checkout",
            "quotes": "GET /quote",
        },
        config={"portal-config": ("FEATURED_CARRIERS", "SESSION_MINUTES")},
        secrets={"portal-session": ("cookie-key",)},
    ),
    ServiceSpec(
        "storefront",
        "tracking",
        "1.18.4",
        calls={"parcels": 1.2, "routes": 0.4},
        latency=0.018,
        routes=("GET /v1/track/PW{n}", "GET /v1/track/PW{n}/events"),
    ),
    ServiceSpec(
        "storefront",
        "quotes",
        "3.6.0",
        calls={"tariffs": 1.0, "cache": 1.6},
        latency=0.022,
        used_mib=150,
        speaks="python",
        routes=("POST /v1/quotes", "GET /v1/quotes/{n}"),
    ),
    ServiceSpec(
        "dispatch",
        "bookings",
        "4.12.2",
        replicas=4,
        calls={"parcels": 1.0, "payments": 0.9, "queue": 1.0},
        latency=0.045,
        cpu="500m",
        memory="512Mi",
        used_mib=330,
        speaks="java",
        routes=("POST /v1/bookings", "GET /v1/bookings/{n}"),
        route_for={"payments": "POST /v1/bookings"},
        secrets={"bookings-queue": ("queue-url",)},
        max_unavailable="50%",
    ),
    ServiceSpec(
        "dispatch",
        "parcels",
        "2.31.0",
        replicas=3,
        calls={"orders-db": 2.1},
        latency=0.014,
        routes=("GET /v1/parcels/PW{n}", "POST /v1/parcels"),
        config={"parcels-config": ("PAGE_SIZE",)},
        secrets={"orders-db-access": ("username", "password")},
    ),
    ServiceSpec(
        "dispatch",
        "routes",
        "0.44.7",
        calls={"cache": 2.2},
        latency=0.03,
        memory="512Mi",
        used_mib=240,
        speaks="java",
        routes=("POST /v1/routes/plan",),
        config={"routes-config": ("PLAN_CACHE_MB", "PLAN_TIMEOUT_MS")},
    ),
    ServiceSpec(
        "dispatch",
        "tariffs",
        "1.9.3",
        calls={"orders-db": 1.1, "cache": 0.8},
        latency=0.012,
        routes=("GET /v1/tariffs/zone-{z}",),
        secrets={"tariffs-db": ("username", "password")},
    ),
    ServiceSpec(
        "dispatch",
        "payments",
        "5.0.8",
        calls={"api.paygrid.example": 1.0, "orders-db": 0.8},
        latency=0.03,
        memory="512Mi",
        used_mib=310,
        speaks="java",
        routes=("POST /v1/charges",),
        secrets={"payments-gateway": ("api-key", "webhook-key")},
        environment={
            "GATEWAY_URL": "https://api.paygrid.example/v2",
            "GATEWAY_TIMEOUT_MS": "8000",
        },
    ),
    ServiceSpec(
        "dispatch",
        "printing",
        "1.3.1",
        replicas=1,
        calls={"queue": 1.0},
        entry_rate=2.0,
        queue="waybills",
        latency=0.08,
        used_mib=180,
        speaks="python",
        routes=("POST /jobs/waybill",),
    ),
    ServiceSpec(
        "dispatch",
        "notices",
        "2.0.5",
        calls={"queue": 1.0},
        entry_rate=4.0,
        queue="notices",
        latency=0.05,
        speaks="node",
        routes=("POST /jobs/notice",),
        secrets={"notices-mail": ("smtp-user", "smtp-password")},
    ),
)
"""The services of our own."""

STORES = (
    Store(
        "orders-db",
        "docker.io/library/postgres:16.6",
        5432,
        Traffic(0.004, 0.00005, connection="database"),
        "postgres",
        1240,
        "40Gi",
    ),
    Store(
        "cache",
        "docker.io/library/redis:7.4.1-alpine",
        6379,
        Traffic(0.0008, 0.00001, connection="database"),
        "redis",
        410,
        "8Gi",
    ),
    Store(
        "queue",
        "docker.io/library/rabbitmq:3.13.7",
        5672,
        Traffic(0.003, 0.00005, connection="messaging_system"),
        "rabbit",
        360,
        "8Gi",
    ),
)
"""The stores they keep their data in."""

OUTSIDE = {"api.paygrid.example": Traffic(latency=0.21, errors=0.0008)}
"""What they call beyond the cluster."""
