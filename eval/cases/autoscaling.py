"""What a HorizontalPodAutoscaler does in a rush: more pods for a while, then as many as before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from eval.cases import lifecycle
from eval.cases.system import Happening, System, stamp


@dataclass(frozen=True)
class Rush:
    """When the autoscaler went up, when it came down again, and how far it went."""

    up: datetime
    down: datetime
    replicas: int


def scale_for_a_while(system: System, name: str, rush: Rush) -> None:
    """An autoscaled workload gets more pods and gives them back; nothing of it is left but events."""
    workload = system.workloads[name]
    usual = workload.replicas
    for number in range(rush.replicas - usual):
        born = rush.up + timedelta(seconds=1 + number)
        pod = lifecycle.place(system, workload, workload.newest, born)
        lifecycle.delete(system, lifecycle.start(pod), rush.down + timedelta(seconds=16 + number))
    above = f"New size: {rush.replicas}; reason: cpu resource utilization (percentage of request) above target"
    below = f"New size: {usual}; reason: All metrics below target"
    for at, message in ((rush.up, above), (rush.down, below)):
        system.happenings.append(
            Happening(
                "HorizontalPodAutoscaler",
                workload.namespace,
                name,
                "SuccessfulRescale",
                message,
                at,
                at,
                component="horizontal-pod-autoscaler",
            )
        )
    scaler = system.find("HorizontalPodAutoscaler", workload.namespace, name)
    scaler["status"]["lastScaleTime"] = stamp(rush.down)
