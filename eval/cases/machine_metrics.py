"""Draws what cAdvisor and the node exporter would have said: CPU, memory, throttling, disks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from eval.cases.kube_state import course, quantity
from eval.cases.samples import Families, grown
from eval.cases.system import Json, Node, Pod, System
from eval.cases.traffic import Flow

PERIOD_SECONDS = 0.1
"""The CFS period: how often a container's CPU share is dealt out anew."""


@dataclass(frozen=True)
class Usage:
    """What a pod's main container took while it ran: when, cores it wanted, bytes it held."""

    pod: Pod
    cores: dict[datetime, float]
    memory: dict[datetime, float]


def machine_metrics(system: System, known: Flow, families: Families) -> None:
    """CPU and memory of every container, and every machine under them."""
    usages = [_usage(system, known, pod) for pod in system.all_pods() if pod.main.turns]
    for usage in usages:
        _container(families, usage)
    for node in system.nodes.values():
        scraped = [at for at in known.times if heard(system, node.name, at)]
        here = [u for u in usages if u.pod.node == node.name]
        _machine(replace(known, times=scraped), families, node, here)
        target = {"job": "node", "instance": f"{node.ip}:9100"}
        up = course(known, lambda at, n=node.name: float(heard(system, n, at)))  # type: ignore[misc]
        families.gauge("up", target, up)


def _usage(system: System, known: Flow, pod: Pod) -> Usage:
    rng = system.rng("usage", pod.name)
    times = [at for at in known.times if running(pod, at) and heard(system, pod.node, at)]
    most = quantity(_limits(pod).get("memory", "64Gi"))
    return Usage(
        pod,
        {at: cpu_wanted(system, known, pod, at) * rng.gauss(1, 0.06) for at in times},
        {at: min(memory_used(system, pod, at) * rng.gauss(1, 0.008), most) for at in times},
    )


def _container(families: Families, usage: Usage) -> None:
    pod, times = usage.pod, list(usage.cores)
    if not times:
        return
    labels = {"namespace": pod.namespace, "pod": pod.name, "container": pod.workload.container}
    limit = quantity(_limits(pod).get("cpu", "64"))
    wanted = list(usage.cores.values())
    used = [min(cores, limit) for cores in wanted]
    families.counter("container_cpu_usage_seconds", labels, grown(times, used, 4000))
    memory = [(at, float(int(held))) for at, held in usage.memory.items()]
    families.gauge("container_memory_working_set_bytes", labels, memory)
    if max(wanted) > limit / 2:
        shares = [min(max(cores / limit - 0.8, 0.0) * 1.6, 0.95) for cores in wanted]
        slow = [share / PERIOD_SECONDS for share in shares]
        families.counter("container_cpu_cfs_throttled_periods", labels, grown(times, slow, 120))
        every = [1 / PERIOD_SECONDS] * len(times)
        families.counter("container_cpu_cfs_periods", labels, grown(times, every, 900000))


def _limits(pod: Pod) -> Json:
    """What its main container is limited to, by its own revision."""
    limits: Json = pod.revision.template["containers"][0].get("resources", {}).get("limits", {})
    return limits


def heard(system: System, name: str, at: datetime) -> bool:
    """Whether the exporters of a node could be scraped at a moment."""
    silent_since = system.nodes[name].silent_since
    return silent_since is None or at < silent_since


def running(pod: Pod, at: datetime) -> bool:
    """Whether its main container ran at a moment."""
    turn = pod.main.turn(at) if pod.exists(at) else None
    return bool(turn and "running" in turn.state) and not (pod.failed and pod.failed[0] <= at)


def cpu_wanted(system: System, known: Flow, pod: Pod, at: datetime) -> float:
    """The cores a pod would use if nothing held it back."""
    workload = pod.workload
    share = 0.0
    if workload.name in known.served and pod.ready(at):
        served = known.served[workload.name][known.index(at)]
        share = served / max(known.ready[workload.name][known.index(at)], 1)
    busy = workload.cpu_cores + share * workload.cpu_per_request
    return busy + system.total(workload.name, "cpu", at) + system.total(pod.name, "cpu", at)


def memory_used(system: System, pod: Pod, at: datetime) -> float:
    """The working set of a pod: it warms up after each start, and grows where an effect says so."""
    turn = next(t for t in reversed(pod.main.turns) if t.at <= at and not t.ready)
    age = (at - turn.at).total_seconds()
    usual = pod.workload.memory_mib
    held = usual * min(0.55 + age / 900, 1.0)
    if pod.grows_to_mib:
        grown_by = min(age / pod.grows_over_seconds, 1.0) * (pod.grows_to_mib - usual * 0.55)
        held = max(held, usual * 0.55 + grown_by)
    return (held + system.total(pod.workload.name, "memory", at)) * 2**20


def _machine(known: Flow, families: Families, node: Node, usages: list[Usage]) -> None:
    labels = {"instance": f"{node.ip}:9100", "node": node.name}
    times = known.times
    busy = [0.18 + sum(usage.cores.get(at, 0.0) for usage in usages) for at in times]
    for mode, cores in (("idle", [max(node.cpu - used, 0.0) for used in busy]), ("user", busy)):
        processor = {**labels, "cpu": "all", "mode": mode}
        families.counter("node_cpu_seconds", processor, grown(times, cores, 1e6))
    total = node.memory_gib * 2.0**30
    held = [1.6 * 2**30 + sum(usage.memory.get(at, 0.0) for usage in usages) for at in times]
    left = [(at, float(int(total - used))) for at, used in zip(times, held, strict=True)]
    families.gauge("node_memory_MemTotal_bytes", labels, course(known, lambda _: total))
    families.gauge("node_memory_MemAvailable_bytes", labels, left)
    disk = {**labels, "device": "/dev/nvme0n1p1", "fstype": "ext4", "mountpoint": "/"}
    size = node.disk_gib * 2.0**30
    free = [(at, float(int(size * (1 - disk_used(node, at))))) for at in times]
    families.gauge("node_filesystem_size_bytes", disk, course(known, lambda _: size))
    families.gauge("node_filesystem_avail_bytes", disk, free)


def disk_used(node: Node, at: datetime) -> float:
    """The share of a node's disk in use, on straight lines between the known moments."""
    known = node.disk_used
    before = [point for point in known if point[0] <= at] or known[:1]
    after = [point for point in known if point[0] > at]
    (start, low), creep = before[-1], 0.000002 * (at - before[-1][0]).total_seconds()
    if not after:
        return min(low + creep / 10, 1.0)
    end, high = after[0]
    part = (at - start) / (end - start)
    return low + (high - low) * max(part, 0.0)
