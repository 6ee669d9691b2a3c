"""Draws what kube-state-metrics would have said over time, from the same turns as the objects."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from eval.cases.kubernetes_pods import set_name
from eval.cases.runs import Run
from eval.cases.samples import Families, Labels, Points, seldom
from eval.cases.system import Json, Node, Pod, System, Workload
from eval.cases.traffic import Flow

UNITS = {"cpu": "core", "memory": "byte"}
SCALES = {"Gi": 2.0**30, "Mi": 2.0**20, "m": 0.001}


def kube_state(system: System, known: Flow, families: Families) -> None:
    """Pods, containers, workloads, nodes, claims and autoscalers."""
    for pod in system.all_pods():
        _pod(known, families, pod)
    for workload in system.workloads.values():
        _workload(system, known, families, workload)
    for node in system.nodes.values():
        _node(known, families, node)
    for item in system.objects:
        _claim(system, known, families, item)
        _autoscaler(system, known, families, item)


def course(known: Flow, value: Callable[[datetime], float]) -> Points:
    """A value over the whole window, with few samples where it does not change."""
    return seldom([(at, value(at)) for at in known.times])


def alive(known: Flow, pod: Pod, value: Callable[[datetime], float]) -> Points:
    """The same, for as long as a pod exists."""
    return seldom([(at, value(at)) for at in known.times if pod.exists(at)])


def quantity(text: str) -> float:
    """The number a Kubernetes quantity means: `250m` is 0.25, `1Gi` is 1073741824."""
    for ending, scale in SCALES.items():
        if text.endswith(ending):
            return float(text.removesuffix(ending)) * scale
    return float(text)


def _pod(known: Flow, families: Families, pod: Pod) -> None:
    labels = {"namespace": pod.namespace, "pod": pod.name}
    families.gauge("kube_pod_info", _info(pod, labels), alive(known, pod, lambda _: 1))
    for phase in ("Pending", "Running", "Succeeded", "Failed"):
        points = alive(known, pod, lambda at, p=phase: float(phase_at(pod, at) == p))  # type: ignore[misc]
        if any(value for _, value in points):
            families.gauge("kube_pod_status_phase", {**labels, "phase": phase}, points)
    ready = alive(known, pod, lambda at: float(pod.ready(at)))
    families.gauge("kube_pod_status_ready", {**labels, "condition": "true"}, ready)
    for name, run in pod.runs.items():
        _container(known, families, pod, (name, run))


def _info(pod: Pod, labels: Labels) -> Labels:
    owner = pod.workload
    deployed = owner.kind == "Deployment"
    return {
        **labels,
        "node": pod.node,
        "created_by_kind": "ReplicaSet" if deployed else owner.kind,
        "created_by_name": set_name(owner, pod.revision) if deployed else owner.name,
    }


def phase_at(pod: Pod, at: datetime) -> str:
    """The phase of a pod at a moment."""
    if pod.failed and pod.failed[0] <= at:
        return "Failed"
    started = [t for run in pod.runs.values() for t in run.turns if "running" in t.state]
    if pod.workload.kind == "Job" and (turn := pod.main.turn(at)) and "terminated" in turn.state:
        return "Failed" if turn.state["terminated"]["exitCode"] else "Succeeded"
    return "Running" if any(turn.at <= at for turn in started) else "Pending"


def _container(known: Flow, families: Families, pod: Pod, named: tuple[str, Run]) -> None:
    name, run = named
    labels = {"namespace": pod.namespace, "pod": pod.name, "container": name}
    restarts = alive(known, pod, run.restarts)
    families.counter("kube_pod_container_status_restarts", labels, restarts)
    for reason in sorted({t.state["waiting"]["reason"] for t in run.turns if "waiting" in t.state}):
        points = alive(known, pod, lambda at, r=reason: float(_waits(run, at) == r))  # type: ignore[misc]
        named_reason = {**labels, "reason": reason}
        families.gauge("kube_pod_container_status_waiting_reason", named_reason, points)
    last = run.last_state(known.times[-1]).get("terminated")
    if last:
        points = alive(known, pod, lambda at: float(bool(run.last_state(at))))
        ended = {**labels, "reason": last["reason"]}
        families.gauge("kube_pod_container_status_last_terminated_reason", ended, points)
    _resources(known, families, pod, labels)


def _waits(run: Run, at: datetime) -> str:
    turn = run.turn(at)
    return str(turn.state["waiting"]["reason"]) if turn and "waiting" in turn.state else ""


def _resources(known: Flow, families: Families, pod: Pod, labels: Labels) -> None:
    template = pod.revision.template["containers"]
    container: Json = next(c for c in template if c["name"] == labels["container"])
    for sort in ("requests", "limits"):
        for resource, text in container.get("resources", {}).get(sort, {}).items():
            if resource in UNITS:
                more = {**labels, "node": pod.node, "resource": resource, "unit": UNITS[resource]}
                points = alive(known, pod, lambda _, t=text: quantity(t))  # type: ignore[misc]
                families.gauge(f"kube_pod_container_resource_{sort}", more, points)


def _workload(system: System, known: Flow, families: Families, workload: Workload) -> None:
    name, kind = workload.name, workload.kind.lower()
    labels = {"namespace": workload.namespace, kind: name}
    ready = seldom([(at, float(n)) for at, n in zip(known.times, known.ready[name], strict=True)])
    wanted = course(known, lambda _: workload.replicas)
    if workload.kind == "Deployment":
        families.gauge("kube_deployment_spec_replicas", labels, wanted)
        families.gauge("kube_deployment_status_replicas_available", labels, ready)
        updated = course(known, lambda at: _updated(system, workload, at))
        families.gauge("kube_deployment_status_replicas_updated", labels, updated)
    elif workload.kind in ("Node", "Job"):
        return  # a static pod has no workload above it, and a Job counts otherwise
    elif workload.kind == "StatefulSet":
        families.gauge("kube_statefulset_replicas", labels, wanted)
        families.gauge("kube_statefulset_status_replicas_ready", labels, ready)
    else:
        families.gauge("kube_daemonset_status_desired_number_scheduled", labels, wanted)
        families.gauge("kube_daemonset_status_number_ready", labels, ready)


def _updated(system: System, workload: Workload, at: datetime) -> float:
    """How many pods had the newest revision of that moment."""
    newest = [r for r in workload.revisions if r.created <= at][-1]
    pods = [p for p in system.all_pods() if p.workload is workload and p.exists(at)]
    return sum(p.revision is newest and phase_at(p, at) != "Failed" for p in pods)


def _node(known: Flow, families: Families, node: Node) -> None:
    for condition in ("Ready", "DiskPressure", "MemoryPressure", "PIDPressure"):
        labels = {"node": node.name, "condition": condition, "status": "true"}
        points = course(known, lambda at, c=condition: float(holds(node, c, at)))  # type: ignore[misc]
        families.gauge("kube_node_status_condition", labels, points)


def holds(node: Node, condition: str, at: datetime) -> bool:
    """Whether a condition of a node was True at a moment."""
    changed = node.conditions.get(condition)
    usual = condition == "Ready"
    if usual and node.away and node.away[0] <= at < node.away[1]:
        return False
    if not changed or "lastTransitionTime" not in changed:
        return usual
    since = datetime.fromisoformat(changed["lastTransitionTime"])
    return (changed["status"] == "True") if at >= since else usual


def _claim(system: System, known: Flow, families: Families, item: Json) -> None:
    if item["kind"] != "PersistentVolumeClaim":
        return
    metadata = item["metadata"]
    labels = {"namespace": metadata["namespace"], "persistentvolumeclaim": metadata["name"]}
    phase = {**labels, "phase": item["status"]["phase"]}
    families.gauge("kube_persistentvolumeclaim_status_phase", phase, course(known, lambda _: 1))
    if item["status"]["phase"] != "Bound":
        return
    size = quantity(item["spec"]["resources"]["requests"]["storage"])
    families.gauge("kubelet_volume_stats_capacity_bytes", labels, course(known, lambda _: size))
    hours = timedelta(hours=1)
    usual = course(known, lambda at: size * 0.61 - 2**20 * ((at - known.times[0]) // hours))
    used = system.volume_used.get(metadata["name"])
    points = course(known, lambda at: size * (1 - on_lines(used, at))) if used else usual
    families.gauge("kubelet_volume_stats_available_bytes", labels, points)


def on_lines(points: Points, at: datetime) -> float:
    """The value at a moment on straight lines between known points, level beyond them."""
    before = [point for point in points if point[0] <= at] or points[:1]
    after = [point for point in points if point[0] > at]
    (start, low), (end, high) = before[-1], (after or before[-1:])[0]
    return low + (high - low) * max((at - start) / (end - start), 0.0) if end > start else low


def _autoscaler(system: System, known: Flow, families: Families, item: Json) -> None:
    if item["kind"] != "HorizontalPodAutoscaler":
        return
    name, spec = item["metadata"]["name"], item["spec"]
    labels = {"namespace": item["metadata"]["namespace"], "horizontalpodautoscaler": name}
    prefix = "kube_horizontalpodautoscaler"
    target = spec["scaleTargetRef"]["name"]
    families.gauge(
        f"{prefix}_spec_max_replicas", labels, course(known, lambda _: spec["maxReplicas"])
    )
    current = course(known, lambda at: _existing(system, target, at))
    families.gauge(f"{prefix}_status_current_replicas", labels, current)


def _existing(system: System, name: str, at: datetime) -> float:
    return sum(pod.workload.name == name and pod.exists(at) for pod in system.all_pods())
