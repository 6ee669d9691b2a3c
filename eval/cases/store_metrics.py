"""Draws what the exporters of the stores would have said: queue lengths, connections, memory."""

from __future__ import annotations

from eval.cases.samples import Families, Points
from eval.cases.system import System
from eval.cases.traffic import Flow


def store_metrics(system: System, known: Flow, families: Families) -> None:
    """The queues of those who work off jobs, and the stores' own figures."""
    for name, usual in system.traffic.items():
        if usual.queue:
            labels = {"namespace": "data", "queue": usual.queue}
            behind = waiting(system, known, name)
            families.gauge("rabbitmq_queue_messages_ready", labels, behind)
    if "orders-db" in system.workloads:
        _database(system, known, families)
    if "cache" in system.workloads:
        _cache(system, known, families)


def waiting(system: System, known: Flow, name: str) -> Points:
    """Jobs that wait: a handful while they are worked off, more and more while nobody does."""
    rng = system.rng("queue", name)
    behind, points = 0.0, []
    for step, at in enumerate(known.times):
        seconds = (at - known.times[step - 1]).total_seconds() if step else 0.0
        idle = known.rate[name][step] - known.served[name][step]
        idle += known.rate[name][step] * system.total(name, "backlog", at)
        behind = behind + idle * seconds if idle > 0 else behind * 0.3
        points.append((at, float(int(behind + rng.uniform(0, 9)))))
    return points


def _database(system: System, known: Flow, families: Families) -> None:
    labels = {"namespace": "data", "server": "orders-db"}
    rng = system.rng("database")
    for state, usual in (("active", 6), ("idle", 41)):
        more = [system.total("orders-db", f"{state} connections", at) for at in known.times]
        points = [
            (at, float(int(usual + rng.randint(-2, 3) + extra)))
            for at, extra in zip(known.times, more, strict=True)
        ]
        families.gauge("pg_stat_activity_count", {**labels, "state": state}, points)
    most = [(at, 200.0) for at in known.times]
    families.gauge("pg_settings_max_connections", labels, most[::2] + most[-1:])


def _cache(system: System, known: Flow, families: Families) -> None:
    labels = {"namespace": "data", "server": "cache"}
    rng = system.rng("cache")
    used = [(at, float(int(402 * 2**20 * rng.gauss(1, 0.004)))) for at in known.times]
    families.gauge("redis_memory_used_bytes", labels, used)
