"""What misleads: trouble that is over, trouble of others, and programs that fail by themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from eval.cases import lifecycle
from eval.cases.lifecycle import place, start
from eval.cases.node_troubles import evict
from eval.cases.noise import innocent_deploy
from eval.cases.plain_objects import add
from eval.cases.shop import REGISTRY, releases
from eval.cases.system import Happening, Json, Pod, System, Workload, stamp
from eval.cases.templates import ServiceSpec, service_template
from eval.cases.troubles import kubelet_says, memory_limit_mib, replace_pod, rollout_room, say

FOREVER = timedelta(days=1)


# -- over by now ---------------------------------------------------------------------------------


def killed_for_memory(system: System, name: str, times: tuple[datetime, ...], says: str) -> None:
    """Every pod was killed for its memory at about these moments, and has run well since."""
    for pod in system.pods_of(name):
        rng = system.rng("killed", pod.name)
        for at in times:
            moment = at + timedelta(seconds=rng.randint(0, 50))
            say(system, pod, "warn", moment - timedelta(seconds=3), says)
            lifecycle.end_run(pod, moment, "OOMKilled", 137)
            lifecycle.restart(pod, moment + timedelta(seconds=1))
    pod = system.pods_of(name)[0]
    room = memory_limit_mib(pod) - pod.workload.memory_mib
    begins = times[0] - timedelta(minutes=4)
    system.affect(name, "memory", room, begins, end=times[-1], ramp_seconds=150)


def node_was_away(system: System, name: str, begins: datetime, ends: datetime) -> None:
    """A node's kubelet was not heard of for a while; its pods were unready, and stayed where they were."""
    node = system.nodes[name]
    node.away = (begins, ends)
    _node_says(system, name, "NodeNotReady", begins, "node-controller")
    _node_says(system, name, "NodeReady", ends, "kubelet")
    for pod in system.pods:
        if pod.node == name and pod.runs:
            pod.unready = (begins, ends)
            kubelet_says(system, pod, "NodeNotReady", "Node is not ready", (begins, begins, 1))


def _node_says(system: System, name: str, reason: str, at: datetime, component: str) -> None:
    message = f"Node {name} status is now: {reason}"
    system.happenings.append(
        Happening("Node", "", name, reason, message, at, at, component=component)
    )


def node_is_gone(system: System, name: str, at: datetime) -> None:
    """A node's kubelet stops reporting and does not come back; what is bound to it turns unready."""
    node = system.nodes[name]
    noticed = at + timedelta(seconds=44)
    node.silent_since = at
    for condition in ("MemoryPressure", "DiskPressure", "PIDPressure", "Ready"):
        node.conditions[condition] = {
            "lastTransitionTime": stamp(noticed),
            "message": "Kubelet stopped posting node status.",
            "reason": "NodeStatusUnknown",
            "status": "Unknown",
        }
    for effect in ("NoSchedule", "NoExecute"):
        taint = {"key": "node.kubernetes.io/unreachable", "timeAdded": stamp(noticed)}
        node.taints.append({"effect": effect, **taint})
    _node_says(system, name, "NodeNotReady", noticed, "node-controller")
    for pod in system.pods:
        if pod.node == name and pod.runs:
            pod.unready = (noticed, system.as_of + FOREVER)
            kubelet_says(system, pod, "NodeNotReady", "Node is not ready", (noticed, noticed, 1))


# -- other people's trouble ----------------------------------------------------------------------


def other_team(system: System, name: str, node: str, replicas: int = 3) -> Workload:
    """A batch service of another team in a namespace of its own, on one node alone; nobody calls it."""
    born = system.ago(days=90)
    system.namespaces[name] = born
    for account in ("default", "frames"):
        add(system, "ServiceAccount", (name, account), born)
    spec = ServiceSpec(name, "frames", "3.2.0", replicas=replicas, memory="1024Mi", cpu="500m")
    template = service_template(spec, {})
    template["nodeSelector"] = {"parcelworks.example/pool": name}
    system.nodes[node].labels["parcelworks.example/pool"] = name
    images = (f"{REGISTRY}/frames:3.2.0",)
    revisions = releases(system, "frames", images, template)
    workload = Workload("Deployment", name, "frames", born, replicas, revisions)
    workload.speaks = "batch"
    system.workloads["frames"] = workload
    for _ in range(replicas):
        pod = place(system, workload, workload.newest, workload.newest.created)
        lifecycle.move(system, pod, node)
        start(pod)
    return workload


def evicts_its_pods(system: System, workload: Workload, times: tuple[datetime, ...]) -> None:
    """Pods of another team are evicted one by one for what they write, and come back where they were."""
    for pod, at in zip(system.pods_of(workload.name), times, strict=False):
        node = pod.node
        fresh = evict(system, pod, at)
        lifecycle.move(system, fresh, node)
        start(fresh)


def keep_free(system: System, node: str) -> None:
    """Nothing runs on a node but what runs on every one (as it has for long)."""
    others = [name for name in system.nodes if name != node]
    here = [p for p in system.pods if p.node == node and p.workload.kind != "DaemonSet"]
    for number, pod in enumerate(here):
        lifecycle.move(system, pod, others[number % len(others)])


# -- programs that fail --------------------------------------------------------------------------


@dataclass(frozen=True)
class Crash:
    """How a program ends soon after each start: its last words, how long it lives, its exit code."""

    says: tuple[str, ...]
    lives_seconds: float = 4.0
    exit_code: int = 1


def crash_after_restart(system: System, name: str, at: datetime, crash: Crash) -> list[Pod]:
    """All pods of a workload are replaced one after another, and none of the new ones stays up."""
    fresh = []
    for number, old in enumerate(system.pods_of(name)):
        pod = replace_pod(system, old, at + timedelta(seconds=6 * number))
        keeps_crashing(system, pod, pod.created + timedelta(seconds=2), crash)
        fresh.append(pod)
    return fresh


def keeps_crashing(system: System, pod: Pod, begin: datetime, crash: Crash) -> None:
    """The container of a pod starts and ends again and again, with the kubelet's growing pauses."""
    rng, attempt = system.rng("crash", pod.name), 0
    ends: list[datetime] = []
    while begin < system.as_of - timedelta(seconds=crash.lives_seconds + 2):
        lifecycle.restart(pod, begin, ready_seconds=None)
        ended = begin + timedelta(seconds=crash.lives_seconds * rng.uniform(0.8, 1.3))
        for text in crash.says:
            say(system, pod, "error", ended - timedelta(milliseconds=400), text)
        lifecycle.end_run(pod, ended, "Error", crash.exit_code)
        ends.append(ended)
        begin = lifecycle.back_off(pod, ended, attempt) + timedelta(seconds=1)
        attempt += 1
    _backs_off(system, pod, ends)


def _backs_off(system: System, pod: Pod, ends: list[datetime]) -> None:
    name = pod.workload.container
    where = f"{pod.name}_{pod.namespace}({pod.uid})"
    text = f"Back-off restarting failed container {name} in pod {where}"
    first = ends[0] + timedelta(seconds=2)
    last = max(system.ago(seconds=system.rng("backs off", pod.name).randint(3, 12)), first)
    count = max(int((last - first).total_seconds() // 13), 2)
    kubelet_says(system, pod, "BackOff", text, (first, last, count))


def bad_release(system: System, name: str, version: str, at: datetime, says: str) -> None:
    """A release whose pods are ready and fail a good part of their requests from the start."""
    innocent_deploy(system, name, version, at, name.capitalize())
    system.affect(name, "errors", 0.34, at, ramp_seconds=50, says=says)


def never_ready(
    system: System, name: str, at: datetime, cause: str, words: Callable[[Pod], str]
) -> list[Pod]:
    """A rollout of the newest revision whose pods run and fail their readiness probe all the time."""
    workload = system.workloads[name]
    lost, most = rollout_room(workload)
    for old in system.pods_of(name)[:lost]:
        lifecycle.delete(system, old, at + timedelta(seconds=32))
    workload.newest.annotations["kubernetes.io/change-cause"] = cause
    fresh = []
    for number in range(most - len(system.pods_of(name))):
        pod = place(system, workload, workload.newest, at + timedelta(seconds=1 + number))
        start(pod, ready_seconds=None)
        first, last = pod.created + timedelta(seconds=9), system.ago(seconds=4)
        count = int((last - first).total_seconds() // 5)
        kubelet_says(system, pod, "Unhealthy", words(pod), (first, last, count))
        fresh.append(pod)
    return fresh


def steps_down(before: float, after: float, at: datetime) -> Callable[[datetime], float]:
    """A figure that is one value until a moment and another from then on."""
    return lambda moment: before if moment < at else after


def config_touched(system: System, place: tuple[str, str], data: dict[str, str]) -> Json:
    """A ConfigMap that nobody refers to any more."""
    return add(system, "ConfigMap", place, system.ago(days=140), data=data)
