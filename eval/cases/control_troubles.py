"""Troubles of the control side: pods that may not be made or find no place, machines and namespaces
that cannot be cleared, jobs that do not run.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from datetime import datetime, timedelta

from eval.cases import lifecycle
from eval.cases.barriers import Refusal
from eval.cases.kubernetes_pods import set_name
from eval.cases.node_troubles import cannot_be_scheduled
from eval.cases.plain_objects import add
from eval.cases.runs import Run, Turn
from eval.cases.system import Happening, Json, Node, Pod, Revision, System, Workload, stamp
from eval.cases.templates import pod_spec
from eval.cases.troubles import kubelet_says, replace_pod, rollout_room

# -- pods that the API server refuses ------------------------------------------------------------


def refused_rollout(system: System, name: str, at: datetime, message: str) -> Revision:
    """A rollout none of whose pods may be made; as many old ones are gone as the strategy allows."""
    workload = system.workloads[name]
    lost, most = rollout_room(workload)
    revision = workload.newest
    for old in system.pods_of(name)[:lost]:
        lifecycle.delete(system, old, at + timedelta(seconds=33))
    wanted = most - len(system.pods_of(name))
    scaled = f"Scaled up replica set {set_name(workload, revision)} from 0 to {wanted}"
    system.happenings.append(
        Happening("Deployment", workload.namespace, name, "ScalingReplicaSet", scaled, at, at,
                  component="deployment-controller")
    )  # fmt: skip
    refuse(system, workload, message, at, wanted)
    return revision


def refuse(system: System, workload: Workload, message: str, at: datetime, wanted: int) -> None:
    """From now on the API server makes no pod of the newest revision, and its controller says so."""
    name = set_name(workload, workload.newest)
    text = "Error creating: " + message.replace(
        "POD", f"{name}-{system.suffix(5, 'refused', name)}"
    )
    workload.newest.refused = Refusal(at, text.removeprefix("Error creating: "), wanted)
    last = system.ago(seconds=system.rng("refused", name).randint(40, 500))
    system.happenings.append(
        Happening("ReplicaSet", workload.namespace, name, "FailedCreate", text, at, last, 17,
                  warning=True, component="replicaset-controller")
    )  # fmt: skip


def drained_away(system: System, names: tuple[str, ...], at: datetime, message: str) -> None:
    """The pods of these workloads are evicted for a maintenance, and no new ones may be made."""
    for name in names:
        workload = system.workloads[name]
        for old in system.pods_of(name):
            old.by_hand = True
            lifecycle.delete(system, old, at + timedelta(seconds=30))
        refuse(system, workload, message, at + timedelta(seconds=31), workload.replicas)


# -- pods that find no place ---------------------------------------------------------------------


def rollout_of(system: System, name: str, at: datetime) -> list[Pod]:
    """The new pods of a rollout that cannot go on; as many old ones are gone as the strategy allows."""
    workload = system.workloads[name]
    lost, most = rollout_room(workload)
    for old in system.pods_of(name)[:lost]:
        lifecycle.delete(system, old, at + timedelta(seconds=33))
    fresh = []
    for number in range(most - len(system.pods_of(name))):
        moment = at + timedelta(seconds=1 + number)
        fresh.append(lifecycle.place(system, workload, workload.newest, moment))
    return fresh


def replaced_in_vain(system: System, name: str, at: datetime, message: str) -> list[Pod]:
    """All pods of a workload are deleted, and no node takes the ones that are made instead."""
    fresh = []
    for number, old in enumerate(system.pods_of(name)):
        pod = replace_pod(system, old, at + timedelta(seconds=3 * number))
        cannot_be_scheduled(system, pod, message)
        fresh.append(pod)
    return fresh


def nobody_schedules(system: System, name: str, at: datetime) -> list[Pod]:
    """All pods of a workload are deleted, and the ones made instead are looked at by no scheduler."""
    fresh = []
    for number, old in enumerate(system.pods_of(name)):
        pod = replace_pod(system, old, at + timedelta(seconds=3 * number))
        pod.node, pod.ip, pod.runs = "", "", {}
        fresh.append(pod)
    return fresh


def control_plane(system: System) -> dict[str, Pod]:
    """A node of the control plane with its static pods, as kubeadm makes it."""
    born = system.ago(days=231)
    node = Node("control-0", "10.20.0.10", born, system.ago(days=44), labels={})
    node.labels[lifecycle.CONTROL_PLANE] = ""
    node.taints.append({"effect": "NoSchedule", "key": lifecycle.CONTROL_PLANE})
    node.disk_used = [(system.ago(hours=3), 0.41)]
    system.nodes[node.name] = node
    found = {}
    for name, port in (("kube-apiserver", 6443), ("etcd", 2379), ("kube-controller-manager", 10257),
                       ("kube-scheduler", 10259)):  # fmt: skip
        container: Json = {
            "image": f"registry.k8s.io/{name}:v1.31.4",
            "name": name,
            "ports": [{"containerPort": port, "name": "main", "protocol": "TCP"}],
            "resources": {"requests": {"cpu": "100m"}},
        }
        template = pod_spec(container, account="default", hostNetwork=True)
        revision = Revision(1, born, template, system.suffix(10, name))
        workload = Workload("Node", "kube-system", name, born, 1, [revision])
        workload.speaks, workload.memory_mib = "control", 90
        system.workloads[name] = workload
        found[name] = lifecycle.start(lifecycle.place(system, workload, revision, node.booted))
    return found


# -- pods that cannot start ----------------------------------------------------------------------


def add_init(template: Json, name: str, image: str, *command: str) -> None:
    """Puts an init container before the others of a pod template."""
    template["initContainers"] = [
        {
            "command": list(command),
            "image": image,
            "imagePullPolicy": "IfNotPresent",
            "name": name,
            "resources": {"limits": {"memory": "32Mi"}, "requests": {"cpu": "10m"}},
            "terminationMessagePath": "/dev/termination-log",
            "terminationMessagePolicy": "File",
        }
    ]


def waits_in_init(system: System, pod: Pod, line: str) -> None:
    """The init container of a pod runs and runs, and says every few seconds what it waits for."""
    (name, run), begin = next(iter(pod.init.items())), pod.created + timedelta(seconds=2)
    run.turns.append(Turn(begin, {"running": {"startedAt": stamp(begin)}}))
    pod.runs = {container: Run() for container in pod.runs}
    key = (pod.namespace, f"{pod.name}/{name}")
    at = max(begin, system.ago(minutes=50))
    rows = system.log_lines.setdefault(key, [])
    while (at := at + timedelta(seconds=5)) < system.as_of:
        rows.append((at, line))


def pull_denied(system: System, pod: Pod, image: str, refused: str) -> None:
    """A pod waits for an image that the registry does not give to strangers."""
    begin = pod.created + timedelta(seconds=2)
    last = system.ago(seconds=system.rng("denied", pod.name).randint(20, 200))
    count = max(int((last - begin).total_seconds() // 300), 2)
    error = f'Failed to pull image "{image}": {refused}'
    kubelet_says(system, pod, "Failed", error, (begin, last, count))
    kubelet_says(system, pod, "Failed", "Error: ErrImagePull", (begin, last, count))
    backing = f'Back-off pulling image "{image}"'
    kubelet_says(
        system,
        pod,
        "Failed",
        "Error: ImagePullBackOff",
        (begin + timedelta(seconds=14), last, 5 * count),
    )
    lifecycle.wait(pod, begin, "ImagePullBackOff", f"{backing}: ErrImagePull: {refused}")


# -- machines and namespaces that cannot be cleared ----------------------------------------------


def cordon(system: System, name: str, at: datetime) -> None:
    """A node takes no new pods: somebody wants it empty."""
    node = system.nodes[name]
    node.unschedulable = True
    taint = {"effect": "NoSchedule", "key": "node.kubernetes.io/unschedulable"}
    node.taints.append({**taint, "timeAdded": stamp(at)})
    message = f"Node {name} status is now: NodeNotSchedulable"
    system.happenings.append(
        Happening("Node", "", name, "NodeNotSchedulable", message, at, at, host=name)
    )


def budget(system: System, name: str, least: int) -> None:
    """A disruption budget that wants as many pods of a workload as there are."""
    workload = system.workloads[name]
    settled = system.ago(days=120)
    ready = system.ready_pods(name, system.as_of)
    condition = {
        "lastTransitionTime": stamp(settled),
        "message": "",
        "observedGeneration": 1,
        "reason": "SufficientPods" if ready > least else "InsufficientPods",
        "status": str(ready > least),
        "type": "DisruptionAllowed",
    }
    add(
        system,
        "PodDisruptionBudget",
        (workload.namespace, name),
        settled,
        api_version="policy/v1",
        spec={"minAvailable": least, "selector": {"matchLabels": {"app": name}}},
        status={
            "conditions": [condition],
            "currentHealthy": ready,
            "desiredHealthy": least,
            "disruptionsAllowed": max(ready - least, 0),
            "expectedPods": workload.replicas,
            "observedGeneration": 1,
        },
    )


def never_ends(system: System, name: str, at: datetime, finalizer: str, resource: str) -> None:
    """A namespace was deleted, and something in it has a finalizer that nobody takes away."""
    rows = (
        ("NamespaceDeletionDiscoveryFailure", "False", "ResourcesDiscovered", "All resources successfully discovered"),
        ("NamespaceDeletionGroupVersionParsingFailure", "False", "ParsedGroupVersions", "All legacy kube types successfully parsed"),
        ("NamespaceDeletionContentFailure", "False", "ContentDeleted", "All content successfully deleted, may be waiting on finalization"),
        ("NamespaceContentRemaining", "True", "SomeResourcesRemain", f"Some resources are remaining: {resource} has 1 resource instances"),
        ("NamespaceFinalizersRemaining", "True", "SomeFinalizersRemain", f"Some content in the namespace has finalizers remaining: {finalizer} in 1 resource instances"),
    )  # fmt: skip
    since = stamp(at + timedelta(seconds=21))
    system.ending[name] = (at, [
        {"lastTransitionTime": since, "message": message, "reason": reason, "status": status, "type": type_}
        for type_, status, reason, message in rows
    ])  # fmt: skip


# -- jobs ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tries:
    """How a Job went: when each of its pods began, how long it lived, and what it said at its end."""

    begins: tuple[datetime, ...]
    lives_seconds: float
    says: tuple[str, ...]


def job_failed(system: System, cron: str, tries: Tries) -> str:
    """The last Job of a CronJob used up its tries; returns its name."""
    owner = next(
        item
        for item in system.objects
        if item["kind"] == "CronJob" and item["metadata"]["name"] == cron
    )
    namespace, born = owner["metadata"]["namespace"], tries.begins[0] - timedelta(seconds=1)
    name = f"{cron}-{int(born.timestamp()) // 60}"
    spec = owner["spec"]["jobTemplate"]["spec"]
    template = _job_template(spec["template"]["spec"])
    revision = Revision(1, born, template, "")
    workload = Workload("Job", namespace, name, born, 1, [revision])
    workload.speaks = "python"
    system.workloads[name] = workload
    for number, begin in enumerate(tries.begins):
        _tried(system, workload, begin, tries, number)
    _controllers_say(system, cron, workload)
    ended = tries.begins[-1] + timedelta(seconds=tries.lives_seconds + 2)
    _job_object(system, owner, (namespace, name), (born, ended, len(tries.begins)))
    return name


def _controllers_say(system: System, cron: str, workload: Workload) -> None:
    """What the CronJob and Job controllers tell of the making of a Job and its pods."""
    made = Happening("CronJob", workload.namespace, cron, "SuccessfulCreate",
                     f"Created job {workload.name}", workload.created, workload.created,
                     component="cronjob-controller")  # fmt: skip
    system.happenings.append(made)
    for pod in system.pods_of(workload.name):
        told = f"Created pod: {pod.name}"
        system.happenings.append(
            Happening("Job", workload.namespace, workload.name, "SuccessfulCreate", told,
                      pod.created, pod.created, component="job-controller")
        )  # fmt: skip


def _job_template(spec: Json) -> Json:
    container = {**copy.deepcopy(spec["containers"][0])}
    container |= {"ports": [], "imagePullPolicy": "IfNotPresent"}
    return pod_spec(container, account="default", restartPolicy="Never")


def _tried(system: System, workload: Workload, begin: datetime, tries: Tries, number: int) -> None:
    pod = lifecycle.place(system, workload, workload.newest, begin)
    pod.name = f"{workload.name}-{system.suffix(5, workload.name, number)}"
    lifecycle.restart(pod, begin + timedelta(seconds=1), ready_seconds=None)
    ended = begin + timedelta(seconds=tries.lives_seconds)
    lifecycle.end_run(pod, ended, "Error", 1)
    for row, text in enumerate(tries.says):
        system.log(pod, ended - timedelta(seconds=len(tries.says) - row), text)


def _job_object(
    system: System, owner: Json, place: tuple[str, str], told: tuple[datetime, datetime, int]
) -> None:
    (namespace, name), (born, ended, count) = place, told
    message = "Job has reached the specified backoff limit"
    condition = {
        "lastProbeTime": stamp(ended),
        "lastTransitionTime": stamp(ended),
        "message": message,
        "reason": "BackoffLimitExceeded",
        "status": "True",
        "type": "Failed",
    }
    spec = {"completions": 1, "parallelism": 1, **owner["spec"]["jobTemplate"]["spec"]}
    item = add(
        system,
        "Job",
        place,
        born,
        api_version="batch/v1",
        spec=spec,
        status={
            "conditions": [{**condition, "type": "FailureTarget"}, condition],
            "failed": count,
            "ready": 0,
            "startTime": stamp(born),
            "terminating": 0,
        },
    )
    meta = owner["metadata"]
    above = {"apiVersion": "batch/v1", "controller": True, "kind": "CronJob"}
    item["metadata"]["ownerReferences"] = [{**above, "name": meta["name"], "uid": meta["uid"]}]
    before = born - timedelta(days=1) + timedelta(minutes=6, seconds=8)
    owner["status"] = {"lastScheduleTime": stamp(born), "lastSuccessfulTime": stamp(before)}
    system.happenings.append(
        Happening("Job", namespace, name, "BackoffLimitExceeded", message, ended, ended,
                  warning=True, component="job-controller")
    )  # fmt: skip
