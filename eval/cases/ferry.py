"""A ticket office on virtual machines: five programs with Micrometer's metrics, and no Kubernetes at all."""

from __future__ import annotations

from datetime import datetime

from eval.cases.clinic_metrics import histogram
from eval.cases.samples import Families
from eval.cases.system import Node, System, Traffic
from eval.cases.traffic import Flow, edges, failure_between, wait_between

USUAL = {
    "gateway": Traffic(0.004, 0.0003, {"tickets": 0.6, "timetable": 0.7}, 30.0),
    "tickets": Traffic(0.03, 0.0003, {"fares": 1.0, "seats": 1.2}),
    "timetable": Traffic(0.02, 0.0003),
    "fares": Traffic(0.015, 0.0003, {"exchange": 0.8}),
    "seats": Traffic(0.018, 0.0003),
    "exchange": Traffic(0.02, 0.0003),
}


def healthy_office(name: str, as_of: datetime) -> System:
    """The office on a good day; there is a Prometheus to ask, and nothing else."""
    system = System(name, "", "", as_of, organisation="strandlinie", team="Ticketing")
    system.has_kubernetes, system.unmeasured = False, ("kube_",)
    system.telemetry = micrometer
    for number in range(1, 4):
        node = Node(f"vm-{number}", f"10.8.1.{10 + number}", as_of, as_of, cpu=8, memory_gib=32)
        node.disk_used = [(system.ago(hours=3), 0.4)]
        system.nodes[node.name] = node
    for service, usual in USUAL.items():
        calls = dict(usual.calls)
        system.traffic[service] = Traffic(usual.latency, usual.errors, calls, usual.entry_rate)
    return system


def micrometer(system: System, known: Flow, families: Families) -> None:
    """What Spring's programs say of the requests they serve and of those they make."""
    for name in system.traffic:
        labels = {"application": name, "job": "spring", "method": "GET"}
        for status, bad in (("200", False), ("503", True)):
            rates = [
                rate * (share if bad else 1 - share)
                for rate, share in zip(known.served[name], known.failed[name], strict=True)
            ]
            course = (known.times, rates, known.latency[name])
            full = {**labels, "status": status}
            histogram(families, "http_server_requests_seconds", full, course)
        heap = [(at, 410.0 * 2**20) for at in known.times[::3]]
        families.gauge("jvm_memory_used_bytes", {**labels, "area": "heap"}, heap)
    for client, server in edges(system):
        _calls(system, known, families, (client, server))


def _calls(system: System, known: Flow, families: Families, pair: tuple[str, str]) -> None:
    client, server = pair
    steps = range(len(known.times))
    lost = [failure_between(system, known, pair, n) for n in steps]
    waits = [wait_between(system, known, pair, n) for n in steps]
    labels = {"application": client, "job": "spring", "client_name": server, "method": "GET"}
    for status, bad in (("200", False), ("503", True)):
        calls = zip(known.calls[pair], lost, strict=True)
        rates = [rate * (share if bad else 1 - share) for rate, share in calls]
        full = {**labels, "status": status}
        histogram(families, "http_client_requests_seconds", full, (known.times, rates, waits))
