"""Troubles of machines and of their load: packets, clocks, greedy neighbours, an autoscaler at its end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from eval.cases import lifecycle
from eval.cases.clinic import LABEL, revisions
from eval.cases.clinic_services import IMAGES, Part
from eval.cases.clinic_templates import part_template
from eval.cases.plain_objects import add
from eval.cases.samples import Figure
from eval.cases.system import Happening, System, Traffic, Workload, stamp


def interfaces(system: System, ill: str, since: datetime) -> None:
    """What the node exporter says of the network cards: one machine drops what it receives."""
    for node in system.nodes.values():
        labels = {"instance": f"{node.ip}:9100", "node": node.name, "device": "ens5"}
        begun = since if node.name == ill else None
        system.figures += [
            Figure("node_network_receive_drop_total", labels, _counted(begun, 37.0, system)),
            Figure("node_network_receive_packets_total", labels, _counted(None, 0, system, 2400)),
            Figure("node_netstat_Tcp_RetransSegs", _without(labels), _counted(begun, 61.0, system)),
            Figure("node_netstat_Tcp_OutSegs", _without(labels), _counted(None, 0, system, 2100)),
        ]


def _without(labels: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in labels.items() if key != "device"}


def _counted(
    since: datetime | None, rate: float, system: System, usual: float = 0.02
) -> Callable[[datetime], float]:
    """A counter that always grows a little, and faster since a moment."""
    origin = system.ago(hours=3)

    def at(moment: datetime) -> float:
        extra = max((moment - since).total_seconds(), 0.0) * rate if since else 0.0
        return float(int(8000 + (moment - origin).total_seconds() * usual + extra))

    return at


def clocks(system: System, ill: str, since: datetime, seconds: float) -> None:
    """What the node exporter says of the clocks: one machine is ahead and no longer synchronised."""
    for node in system.nodes.values():
        labels = {"instance": f"{node.ip}:9100", "node": node.name}
        begun = since if node.name == ill else system.as_of + timedelta(days=1)
        system.figures += [
            Figure("node_timex_offset_seconds", labels, _step(begun, (0.00002, seconds))),
            Figure("node_timex_sync_status", labels, _step(begun, (1.0, 0.0))),
        ]


def _step(since: datetime, levels: tuple[float, float]) -> Callable[[datetime], float]:
    """A gauge with one level before a moment and another from then on."""
    return lambda at: levels[at >= since]


def batch(system: System, node: str, since: datetime) -> None:
    """A namespace with a batch program that asks for little CPU, has no limit, and takes all there is."""
    born = system.ago(days=33)
    system.namespaces["imaging"] = born
    for account in ("default", "clinic-app"):
        add(system, "ServiceAccount", ("imaging", account), born)
    part = Part("scan-tiler", "0.9.0", "celery", replicas=1, memory="4Gi", used_mib=900)
    template = part_template(part)
    resources = template["containers"][0]["resources"]
    del resources["limits"]["cpu"]
    resources["requests"] = {"cpu": "100m", "memory": "1Gi"}
    images = (f"{IMAGES}/scan-tiler:0.8.6", f"{IMAGES}/scan-tiler:0.9.0")
    rows = revisions(system, part.name, images, template)
    rows[-1].created = since
    workload = Workload("Deployment", "imaging", part.name, born, 1, rows)
    workload.label, workload.speaks, workload.memory_mib = LABEL, "celery", 900
    workload.routes = ("Task tiles.render[{n}]",)
    system.workloads[part.name] = workload
    pod = lifecycle.place(system, workload, workload.newest, since)
    lifecycle.move(system, pod, node)
    lifecycle.start(pod)
    system.traffic[part.name] = Traffic(14.0, 0.0, {}, 0.4)
    system.affect(pod.name, "cpu", 3.4, since, ramp_seconds=30)


def scaled_to_the_end(system: System, name: str, most: int, since: datetime) -> None:
    """The autoscaler adds pods until it may not any more, and would like to go on."""
    workload = system.workloads[name]
    usual, workload.replicas = workload.replicas, most
    steps = ((usual, 4, 2), (4, most, 4))
    for before, after, minutes in steps:
        at = since + timedelta(minutes=minutes)
        for number in range(after - before):
            born = at + timedelta(seconds=1 + number)
            lifecycle.start(lifecycle.place(system, workload, workload.newest, born))
        _says_rescaled(system, workload, after, at)
    _at_its_end(system, workload, since + timedelta(minutes=4))


def _says_rescaled(system: System, workload: Workload, size: int, at: datetime) -> None:
    message = (
        f"New size: {size}; reason: cpu resource utilization (percentage of request) above target"
    )
    system.happenings.append(
        Happening(
            "HorizontalPodAutoscaler", workload.namespace, workload.name, "SuccessfulRescale",
            message, at, at, component="horizontal-pod-autoscaler",
        )
    )  # fmt: skip


def _at_its_end(system: System, workload: Workload, at: datetime) -> None:
    name, most = workload.name, workload.replicas
    scaler = system.find("HorizontalPodAutoscaler", workload.namespace, name)
    limited = {
        "lastTransitionTime": stamp(at),
        "message": "the desired replica count is more than the maximum replica count",
        "reason": "TooManyReplicas",
        "status": "True",
        "type": "ScalingLimited",
    }
    scaler["status"] |= {
        "conditions": [*scaler["status"]["conditions"][:2], limited],
        "currentMetrics": [
            {
                "resource": {
                    "current": {"averageUtilization": 371, "averageValue": "742m"},
                    "name": "cpu",
                },
                "type": "Resource",
            }
        ],
        "currentReplicas": most,
        "desiredReplicas": most,
        "lastScaleTime": stamp(at),
    }
