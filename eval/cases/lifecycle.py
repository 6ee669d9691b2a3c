"""What happens to pods and workloads over time: pods start, fail, restart and are replaced."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta

from eval.cases.runs import Run, Turn
from eval.cases.system import Json, Node, Pod, Revision, System, Workload, stamp

CONTROL_PLANE = "node-role.kubernetes.io/control-plane"
BACKOFF_SECONDS = (10, 20, 40, 80, 160, 300)
"""How long the kubelet waits before it starts a crashed container again."""


def place(system: System, workload: Workload, revision: Revision, at: datetime) -> Pod:
    """A new pod of a revision, scheduled but with nothing started yet."""
    ordinal = len([p for p in system.all_pods() if p.workload is workload])
    key = (workload.namespace, workload.name, revision.number, ordinal)
    name = _pod_name(system, workload, revision, ordinal)
    node = _next_node(system, workload, ordinal)
    hosted = workload.kind in ("DaemonSet", "Node")
    address = system.nodes[node].ip if hosted else _pod_address(system, node, *key)
    uid = system.uid("Pod", workload.namespace, f"{name}/{stamp(at)}")
    pod = Pod(workload, revision, name, uid, node, address, at)
    pod.runs = {c["name"]: Run() for c in revision.template["containers"]}
    pod.init = {c["name"]: Run() for c in revision.template.get("initContainers", [])}
    system.pods.append(pod)
    return pod


def _pod_name(system: System, workload: Workload, revision: Revision, ordinal: int) -> str:
    if workload.kind == "StatefulSet":
        return f"{workload.name}-{len(system.pods_of(workload.name))}"
    if workload.kind == "Node":
        return f"{workload.name}-{_next_node(system, workload, ordinal)}"
    ending = system.suffix(5, workload.namespace, workload.name, revision.number, ordinal)
    middle = f"{revision.digest}-" if workload.kind == "Deployment" else ""
    return f"{workload.name}-{middle}{ending}"


def _next_node(system: System, workload: Workload, ordinal: int) -> str:
    names = [name for name, node in system.nodes.items() if _takes_pods(node)]
    if workload.kind == "Node":
        return next(name for name, node in system.nodes.items() if CONTROL_PLANE in node.labels)
    if workload.kind == "DaemonSet":
        return names[ordinal % len(names)]
    start = system.rng("node", workload.name).randrange(len(names))
    return names[(start + ordinal) % len(names)]


def _takes_pods(node: Node) -> bool:
    return CONTROL_PLANE not in node.labels and not node.silent_since and not node.unschedulable


def _pod_address(system: System, node: str, *key: object) -> str:
    third = list(system.nodes).index(node) + 1
    taken = {pod.ip for pod in system.all_pods()}
    rng = system.rng("pod-address", *key)
    while True:
        address = f"10.244.{third}.{rng.randint(3, 250)}"
        if address not in taken:
            return address


def move(system: System, pod: Pod, node: str) -> None:
    """A pod that has not started is bound to another node instead."""
    pod.node, pod.ip = node, _pod_address(system, node, pod.name)


def start(pod: Pod, *, pull_seconds: float = 2, ready_seconds: float | None = 14) -> Pod:
    """Lets every container of a pod start, and become ready a little later (never, if None)."""
    for run in pod.runs.values():
        begin(run, pod.created + timedelta(seconds=pull_seconds), ready_seconds)
    return pod


def begin(run: Run, at: datetime, ready_seconds: float | None) -> None:
    """One container runs from a moment on, and is ready so much later (or never)."""
    running = {"running": {"startedAt": stamp(at)}}
    run.turns.append(Turn(at, running))
    if ready_seconds is not None:
        run.turns.append(Turn(at + timedelta(seconds=ready_seconds), running, ready=True))


def wait(pod: Pod, at: datetime, reason: str, message: str) -> None:
    """The containers of a pod wait from a moment on, for this reason."""
    for run in pod.runs.values():
        run.turns.append(Turn(at, {"waiting": {"reason": reason, "message": message}}))


def end_run(pod: Pod, at: datetime, reason: str, exit_code: int) -> Turn:
    """The main container ends."""
    run = pod.main
    began = _running_since(run, at)
    name = next(iter(pod.runs))
    ended = {
        "containerID": container_id(pod, name, run.restarts(at)),
        "exitCode": exit_code,
        "finishedAt": stamp(at),
        "reason": reason,
        "startedAt": stamp(began),
    }
    run.turns.append(Turn(at, {"terminated": ended}))
    return run.turns[-1]


def _running_since(run: Run, at: datetime) -> datetime:
    starts = [turn.at for turn in run.turns if "running" in turn.state and turn.at <= at]
    not_ready = [t.at for t in run.turns if "running" in t.state and not t.ready and t.at <= at]
    return not_ready[-1] if not_ready else starts[-1]


def restart(pod: Pod, at: datetime, *, ready_seconds: float | None = 14) -> None:
    """The main container runs again from this moment; never ready where `ready_seconds` is None."""
    begin(pod.main, at, ready_seconds)


def back_off(pod: Pod, at: datetime, attempt: int) -> datetime:
    """The main container waits in CrashLoopBackOff; returns when it is tried again."""
    seconds = BACKOFF_SECONDS[min(attempt, len(BACKOFF_SECONDS) - 1)]
    pause = {60: "1m0s", 80: "1m20s", 160: "2m40s", 300: "5m0s"}.get(seconds, f"{seconds}s")
    name = next(iter(pod.runs))
    where = f"{pod.name}_{pod.namespace}({pod.uid})"
    message = f"back-off {pause} restarting failed container={name} pod={where}"
    waiting = {"waiting": {"reason": "CrashLoopBackOff", "message": message}}
    pod.main.turns.append(Turn(at + timedelta(seconds=1), waiting))
    return at + timedelta(seconds=seconds)


def container_id(pod: Pod, container: str, restarts: int) -> str:
    """The id the runtime gave to one run of a container."""
    text = f"{pod.namespace}/{pod.name}/{container}/{restarts}/{pod.created}"
    return "containerd://" + hashlib.sha256(text.encode()).hexdigest()


def delete(system: System, pod: Pod, at: datetime) -> None:
    """A pod is gone from the API, though its metrics of before remain."""
    pod.deleted = at
    system.pods.remove(pod)
    system.gone.append(pod)


def revise(
    system: System,
    workload: Workload,
    change: Callable[[Json], None] | None,
    at: datetime,
    cause: str = "",
) -> Revision:
    """A new revision of a workload: the newest template with one change (or none)."""
    newest = workload.newest
    template = copy.deepcopy(newest.template)
    if change:
        change(template)
    number = newest.number + 1
    digest = system.suffix(10, workload.namespace, workload.name, "revision", number)
    annotations = {"kubernetes.io/change-cause": cause} if cause else {}
    fresh = Revision(number, at, template, digest, cause, annotations)
    fresh.pod_labels = dict(newest.pod_labels)
    workload.revisions.append(fresh)
    return workload.newest


def roll_out(system: System, workload: Workload, at: datetime) -> list[Pod]:
    """Replaces every pod by one of the newest revision, one after another; returns the new ones."""
    fresh = []
    for turn, old in enumerate(system.pods_of(workload.name)):
        moment = at + timedelta(seconds=1 + 22 * turn)
        fresh.append(start(place(system, workload, workload.newest, moment)))
        delete(system, old, moment + timedelta(seconds=18))
    return fresh
