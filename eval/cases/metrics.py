"""Draws a system's metrics as OpenMetrics text, by the names of the exporters that people run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta

from eval.cases.kube_state import kube_state
from eval.cases.machine_metrics import machine_metrics
from eval.cases.samples import Families, Labels, cumulated, grown
from eval.cases.store_metrics import store_metrics
from eval.cases.system import System
from eval.cases.traffic import Flow, call_failure, edges

BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the latency buckets, in seconds."""

SPREAD = 0.55
"""How widely latencies scatter around their middle (sigma of their logarithm)."""

PENDING = timedelta(minutes=2)
"""How long an alert is pending before it fires."""


def open_metrics(system: System, known: Flow) -> str:
    """Two hours of every metric, ready for `promtool tsdb create-blocks-from openmetrics`."""
    families = Families()
    (system.telemetry or shop_telemetry)(system, known, families)
    kube_state(system, known, families)
    machine_metrics(system, known, families)
    _alerts(system, known, families)
    for figure in system.figures:
        points = [(at, figure.at(at)) for at in known.times]
        families.gauge(figure.name, figure.labels, points)
    families.forget(system.unmeasured)
    return families.text()


def shop_telemetry(system: System, known: Flow, families: Families) -> None:
    """Requests, calls and stores as the parcel shop exports them."""
    for name, workload in system.workloads.items():
        if name in system.traffic and workload.routes:
            _requests(system, known, families, name)
    for client, server in edges(system):
        _call(system, known, families, (client, server))
    store_metrics(system, known, families)


def _requests(system: System, known: Flow, families: Families, name: str) -> None:
    """What a service says of the requests it answered."""
    labels = {"namespace": system.workloads[name].namespace, "service": name}
    rng = system.rng("requests", name)
    served, failed = known.served[name], known.failed[name]
    good = [rate * (1 - bad) for rate, bad in zip(served, failed, strict=True)]
    bad = [rate * share for rate, share in zip(served, failed, strict=True)]
    for code, rates in (("200", good), ("503", bad)):
        start = rng.randint(10**6, 10**7) if code == "200" else rng.randint(100, 900)
        points = cumulated(known.times, rates, start)
        families.counter("http_requests", {**labels, "code": code}, points)
    _histogram(
        known, families, "http_request_duration_seconds", labels, (served, known.latency[name])
    )


def _call(system: System, known: Flow, families: Families, pair: tuple[str, str]) -> None:
    """What tracing says of the calls of one service to another."""
    client, server = pair
    labels = {"client": client, "server": server}
    connection = system.traffic[server].connection
    if connection:
        labels["connection_type"] = connection
    rng = system.rng("calls", *pair)
    calls = known.calls[pair]
    shares = [call_failure(known, server, step) for step in range(len(calls))]
    failures = [rate * share for rate, share in zip(calls, shares, strict=True)]
    start = rng.randint(10**6, 10**7)
    prefix = "traces_service_graph_request"
    families.counter(prefix, labels, cumulated(known.times, calls, start))
    families.counter(f"{prefix}_failed", labels, cumulated(known.times, failures, start // 4000))
    up = [rate if known.reachable(server, n) else 0.0 for n, rate in enumerate(calls)]
    seconds = f"{prefix}_server_seconds"
    _histogram(known, families, seconds, labels, (up, known.latency[server]))


def _histogram(
    known: Flow,
    families: Families,
    name: str,
    labels: Labels,
    course: tuple[Sequence[float], Sequence[float]],
) -> None:
    """Buckets, sum and count of requests at these rates; of calls to stores only the two latter."""
    rates, means = course
    for bound in () if "connection_type" in labels else BOUNDS:
        below = [rate * share_below(bound, mean) for rate, mean in zip(rates, means, strict=True)]
        bucket = {**labels, "le": f"{bound:g}"}
        families.add("histogram", name, bucket, cumulated(known.times, below, 0), "_bucket")
    total = cumulated(known.times, rates, 0)
    spent = [rate * mean for rate, mean in zip(rates, means, strict=True)]
    families.add("histogram", name, {**labels, "le": "+Inf"}, total, "_bucket")
    families.add("histogram", name, labels, grown(known.times, spent, 0), "_sum")
    families.add("histogram", name, labels, total, "_count")


def share_below(bound: float, mean: float) -> float:
    """The share of lognormal delays of this mean that stay below a bound."""
    middle = math.log(mean) - SPREAD**2 / 2
    return 0.5 * (1 + math.erf((math.log(bound) - middle) / (SPREAD * math.sqrt(2))))


def _alerts(system: System, known: Flow, families: Families) -> None:
    for alert in system.firing:
        labels = {"alertname": alert.name, **alert.labels}
        until = alert.end or system.as_of
        for state, start, end in (
            ("pending", alert.start - PENDING, alert.start - timedelta(seconds=1)),
            ("firing", alert.start, until),
        ):
            points = [(at, 1.0) for at in known.times if start <= at <= end]
            families.gauge("ALERTS", {**labels, "alertstate": state}, points)
