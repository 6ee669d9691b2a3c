"""What the clinic exports of its requests: OpenTelemetry's names, or those of a service mesh."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from eval.cases.metrics import share_below
from eval.cases.samples import Families, Labels, cumulated, grown
from eval.cases.store_metrics import waiting
from eval.cases.system import Pod, System
from eval.cases.traffic import Flow, edges, failure_between, on_average, wait_between

BOUNDS = (0.1, 0.25, 1.0, 2.5, 10.0)
CODES = {"200": False, "500": True}
NOT_FOUND = "404"
QUICK = 0.002
"""How long it takes a program to say that it does not know a path."""
Rates = Sequence[float]


def open_telemetry(system: System, known: Flow, families: Families) -> None:
    """Server durations of every pod, client durations by the address that was called, and the stores."""
    for pod in system.all_pods():
        if pod.workload.name in system.traffic and pod.workload.port and pod.workload.routes:
            _server(system, known, families, pod)
    for client, server in edges(system):
        _client(system, known, families, (client, server))
    stores(system, known, families)


def mesh(system: System, known: Flow, families: Families) -> None:
    """What the proxies of a mesh count on both sides of every call over HTTP, and the stores."""
    for client, server in edges(system):
        if server in system.workloads and system.workloads[server].routes:
            _proxied(system, known, families, (client, server))
    stores(system, known, families)


def _server(system: System, known: Flow, families: Families, pod: Pod) -> None:
    name = pod.workload.name
    steps = [n for n, at in enumerate(known.times) if pod.ready(at)]
    times = [known.times[n] for n in steps]
    if len(times) < 2:  # noqa: PLR2004 - a rate needs two samples
        return
    rates = [known.served[name][n] / max(known.ready[name][n], 1) for n in steps]
    failed = [known.failed[name][n] + _odd(system, pod, "errors", known.times[n]) for n in steps]
    odd = [_odd(system, pod, "latency", known.times[n]) for n in steps]
    means = [max(known.latency[name][n] + more, 0.001) for n, more in zip(steps, odd, strict=True)]
    labels = {"namespace": pod.namespace, "job": name, "pod": pod.name}
    lost = [system.total(name, "not_found", at) for at in times]
    shares_of = {
        "200": [max(1 - bad - gone, 0.0) for bad, gone in zip(failed, lost, strict=True)],
        NOT_FOUND: lost,
        "500": [min(max(bad, 0.0), 1.0) for bad in failed],
    }
    for code, shares in shares_of.items():
        if code == NOT_FOUND and not any(shares):
            continue
        part = [rate * share for rate, share in zip(rates, shares, strict=True)]
        full = {**labels, "http_response_status_code": code}
        course = (times, part, [QUICK] * len(part) if code == NOT_FOUND else means)
        histogram(families, "http_server_request_duration_seconds", full, course)


def _odd(system: System, pod: Pod, what: str, at: datetime) -> float:
    """How far a pod differs from the mean of its service."""
    return system.total(pod.name, what, at) - on_average(system, pod.workload.name, what, at)


def _client(system: System, known: Flow, families: Families, pair: tuple[str, str]) -> None:
    client, server = pair
    kind = system.traffic[server].connection
    labels = {"namespace": system.namespace, "job": client, "server_address": server}
    name = "http_client_request_duration_seconds"
    if kind:
        labels["db_system_name"], name = kind, "db_client_operation_duration_seconds"
    for failing in (False, True):
        rates = _part(system, known, pair, failing=failing)
        if failing and not any(rates):
            continue
        more = {"error_type": "error"} if failing else {}
        if not kind:
            more = {"http_response_status_code": "500" if failing else "200"}
        means = [wait_between(system, known, pair, n) for n in range(len(known.times))]
        histogram(families, name, labels | more, (known.times, rates, means))


def _part(system: System, known: Flow, pair: tuple[str, str], *, failing: bool) -> list[float]:
    """The calls of a client to a server that fail, or those that do not, per second."""
    calls = known.calls[pair]
    shares = [failure_between(system, known, pair, n) for n in range(len(calls))]
    return [r * (s if failing else 1 - s) for r, s in zip(calls, shares, strict=True)]


def _proxied(system: System, known: Flow, families: Families, pair: tuple[str, str]) -> None:
    client, server = pair
    labels = {
        "source_workload": client,
        "source_workload_namespace": system.namespace,
        "destination_workload": server,
        "destination_workload_namespace": system.namespace,
        "destination_service": f"{server}.{system.namespace}.svc.cluster.local",
        "destination_service_name": server,
        "request_protocol": "http",
    }
    means = [wait_between(system, known, pair, n) * 1000 for n in range(len(known.times))]
    for reporter in ("source", "destination"):
        for code, failing in CODES.items():
            rates = _part(system, known, pair, failing=failing)
            if reporter == "destination":
                there = [known.reachable(server, n) for n in range(len(rates))]
                rates = [rate * up for rate, up in zip(rates, there, strict=True)]
            full = {"reporter": reporter, **labels, "response_code": code}
            families.counter("istio_requests", full, cumulated(known.times, rates, 900))
            course = (known.times, rates, means)
            histogram(families, "istio_request_duration_milliseconds", full, course)


def histogram(
    families: Families, name: str, labels: Labels, course: tuple[Sequence[datetime], Rates, Rates]
) -> None:
    """Buckets, sum and count of requests at these rates, with these means."""
    times, rates, means = course
    scale = 1000 if name.endswith("milliseconds") else 1
    for bound in () if "db_system_name" in labels else BOUNDS:
        below = [r * share_below(bound * scale, m) for r, m in zip(rates, means, strict=True)]
        bucket = {**labels, "le": f"{bound * scale:g}"}
        families.add("histogram", name, bucket, cumulated(times, below, 0), "_bucket")
    total = cumulated(times, rates, 0)
    spent = [rate * mean for rate, mean in zip(rates, means, strict=True)]
    families.add("histogram", name, {**labels, "le": "+Inf"}, total, "_bucket")
    families.add("histogram", name, labels, grown(times, spent, 0), "_sum")
    families.add("histogram", name, labels, total, "_count")


def stores(system: System, known: Flow, families: Families) -> None:
    """What the exporters of PostgreSQL and Redis say."""
    for name, usual in system.traffic.items():
        if usual.queue:
            labels = {"namespace": system.namespace, "job": "redis-exporter", "key": usual.queue}
            families.gauge("redis_key_size", labels, waiting(system, known, name))
    if "records-db" in system.workloads:
        _database(system, known, families)


def _database(system: System, known: Flow, families: Families) -> None:
    labels = {"namespace": system.namespace, "job": "postgres-exporter"}
    rng = system.rng("sessions")
    usual = {"booking-api": 9, "patient-api": 7, "slot-api": 6}
    for user, idle in usual.items():
        for state, level in (("active", 1.5), ("idle", float(idle)), ("idle in transaction", 0.0)):
            what = f"sessions {state}"
            points = [
                (at, float(int(level + system.total(user, what, at) + rng.uniform(0, 1.6))))
                for at in known.times
            ]
            full = {**labels, "datname": "records", "usename": user, "state": state}
            families.gauge("pg_stat_activity_count", full, points)
    limit = [(at, 100.0) for at in known.times]
    families.gauge("pg_settings_max_connections", labels, limit[::2] + limit[-1:])
    up = [(at, float(known.reachable("records-db", n))) for n, at in enumerate(known.times)]
    families.gauge("pg_up", labels, up)
    standby = [(at, system.total("records-db", "standby", at)) for at in known.times]
    families.gauge("pg_replication_is_replica", labels, standby)
