"""Troubles to put on a healthy system: small functions that change the model consistently."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from eval.cases import lifecycle
from eval.cases.log_styles import Level, styled
from eval.cases.system import Happening, Json, Pod, System, Workload, stamp


def kubelet_says(
    system: System, pod: Pod, reason: str, message: str, when: tuple[datetime, datetime, int]
) -> None:
    """A warning of the kubelet about a pod: from, until, how often."""
    first, last, count = when
    system.happenings.append(
        Happening(
            "Pod",
            pod.namespace,
            pod.name,
            reason,
            message,
            first,
            last,
            count,
            warning=True,
            host=pod.node,
        )
    )


def say(system: System, pod: Pod, level: Level, at: datetime, text: str) -> None:
    """A line in the log of a pod, in its program's own style."""
    system.log(pod, at, styled(pod.workload.speaks, level, at, text, pod))


# -- an image that cannot be had -----------------------------------------------------------------


def set_image(image: str) -> Callable[[Json], None]:
    """A change of the first container's image."""

    def change(template: Json) -> None:
        template["containers"][0]["image"] = image

    return change


def bad_image(system: System, name: str, image: str, at: datetime, cause: str = "") -> list[Pod]:
    """A rollout to an image that the registry does not have: it stops half-way; returns the new pods.

    As many old pods are gone as the strategy allows, and the new ones wait for their image.
    """
    if ":" not in image.rpartition("/")[2]:
        raise ValueError(f"image {image!r} names no tag")
    workload = system.workloads[name]
    lifecycle.revise(system, workload, set_image(image), at, cause)
    lost, most = rollout_room(workload)
    for old in system.pods_of(name)[:lost]:
        lifecycle.delete(system, old, at + timedelta(seconds=32))
    kept = len(system.pods_of(name))
    fresh = [
        lifecycle.place(system, workload, workload.newest, at + timedelta(seconds=1 + n))
        for n in range(most - kept)
    ]
    for pod in fresh:
        _image_refused(system, pod, image)
    return fresh


def rollout_room(workload: Workload) -> tuple[int, int]:
    """How many pods a rollout may take away, and how many there may be at most."""

    def share(value: int | str, *, up: bool) -> int:
        if isinstance(value, int):
            return value
        part = workload.replicas * int(value.removesuffix("%"))
        return -(-part // 100) if up else part // 100

    lost = share(workload.max_unavailable, up=False)
    return lost, workload.replicas + share(workload.max_surge, up=True)


def _image_refused(system: System, pod: Pod, image: str) -> None:
    begin = pod.created + timedelta(seconds=2)
    refused = (
        f'failed to pull and unpack image "{image}": failed to resolve reference "{image}": '
        f"{image}: not found"
    )
    error = f'Failed to pull image "{image}": rpc error: code = NotFound desc = {refused}'
    tries = pull_attempts(begin, system.as_of)
    spans = (tries[0], tries[-1], len(tries))
    kubelet_says(system, pod, "Failed", error, spans)
    kubelet_says(system, pod, "Failed", "Error: ErrImagePull", spans)
    pulling = f'Pulling image "{image}"'
    system.happenings.append(
        Happening("Pod", pod.namespace, pod.name, "Pulling", pulling, *spans, host=pod.node)
    )
    _image_backs_off(system, pod, image, tries)


def _image_backs_off(system: System, pod: Pod, image: str, tries: list[datetime]) -> None:
    backing = f'Back-off pulling image "{image}"'
    first = tries[0] + timedelta(seconds=14)
    count = max(int((system.as_of - first).total_seconds() // 13), 1)
    last = system.as_of - timedelta(seconds=system.rng("back-off", pod.name).randint(2, 12))
    system.happenings.append(
        Happening(
            "Pod", pod.namespace, pod.name, "BackOff", backing, first, last, count, host=pod.node
        )
    )
    kubelet_says(system, pod, "Failed", "Error: ImagePullBackOff", (first, last, count))
    message = (
        f'Back-off pulling image "{image}": ErrImagePull: rpc error: code = NotFound desc = failed '
        f'to pull and unpack image "{image}": failed to resolve reference "{image}": {image}: not found'
    )
    lifecycle.wait(pod, first, "ImagePullBackOff", message)


def pull_attempts(first: datetime, until: datetime) -> list[datetime]:
    """When the kubelet tries again to pull an image: after 10, 20, 40 … at most 300 seconds."""
    found, pause = [first], 10
    while found[-1] + timedelta(seconds=pause) < until:
        found.append(found[-1] + timedelta(seconds=pause))
        pause = min(pause * 2, 300)
    return found


# -- memory that runs out ------------------------------------------------------------------------


@dataclass(frozen=True)
class Filling:
    """How a container runs into its memory limit: `lives_seconds` after each start; what it says then."""

    lives_seconds: float
    says: str


def set_config(
    system: System, place: tuple[str, str], key: str, value: str, at: datetime, manager: str
) -> None:
    """One setting of a ConfigMap gets another value."""
    config = system.find("ConfigMap", *place)
    config["data"][key] = value
    touched(config, at, manager)


def restart_workload(system: System, name: str, at: datetime) -> list[Pod]:
    """`kubectl rollout restart`: every pod anew, for no other change than the annotation that says so."""
    workload = system.workloads[name]
    revision = lifecycle.revise(system, workload, None, at)
    revision.pod_annotations["kubectl.kubernetes.io/restartedAt"] = stamp(at)
    return lifecycle.roll_out(system, workload, at)


def runs_out_of_memory(system: System, name: str, filling: Filling) -> None:
    """Every pod of a workload fills its memory and is killed for it, again and again."""
    for pod in system.pods_of(name):
        pod.grows_to_mib = memory_limit_mib(pod) * 0.995
        pod.grows_over_seconds = filling.lives_seconds
        _kill_again_and_again(system, pod, filling)


def memory_limit_mib(pod: Pod) -> float:
    """The memory limit of a pod's main container, in MiB."""
    text = str(pod.workload.limits["memory"])
    return float(text[:-2]) * (1024 if text.endswith("Gi") else 1)


def _kill_again_and_again(system: System, pod: Pod, filling: Filling) -> None:
    rng = system.rng("kills", pod.name)
    kills: list[datetime] = []
    at = pod.main.turns[-1].at
    while (
        kill := at + timedelta(seconds=filling.lives_seconds * rng.uniform(0.9, 1.1))
    ) < system.as_of:
        say(system, pod, "warn", kill - timedelta(seconds=4), filling.says)
        lifecycle.end_run(pod, kill, "OOMKilled", 137)
        kills.append(kill)
        at = lifecycle.back_off(pod, kill, len(kills) - 1) if len(kills) > 1 else kill
        if at >= system.as_of:
            break
        lifecycle.restart(pod, at + timedelta(seconds=1))
    if len(kills) > 1:
        says_back_off(system, pod, kills)


def says_back_off(system: System, pod: Pod, kills: list[datetime]) -> None:
    """The event of the kubelet about a container that ended more than once."""
    name = pod.workload.container
    text = (
        f"Back-off restarting failed container {name} in pod {pod.name}_{pod.namespace}({pod.uid})"
    )
    spans = (kills[1] + timedelta(seconds=1), kills[-1] + timedelta(seconds=3), 3 * len(kills) - 3)
    kubelet_says(system, pod, "BackOff", text, spans)


# -- a key that is not there ---------------------------------------------------------------------


def rename_key(system: System, place: tuple[str, str], keys: tuple[str, str], at: datetime) -> None:
    """A Secret is written anew with one of its keys under another name."""
    secret = system.find("Secret", *place)
    old, new = keys
    secret["data"] = {new if key == old else key: value for key, value in secret["data"].items()}
    touched(secret, at, "vault-sync")


def touched(thing: Json, at: datetime, manager: str) -> None:
    """Marks an object as changed at a moment, the way managed fields tell it."""
    version = int(thing["metadata"]["resourceVersion"]) + 40961
    thing["metadata"]["resourceVersion"] = str(version)
    thing["metadata"]["managedFields"] = [
        {
            "apiVersion": thing["apiVersion"],
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:data": {}},
            "manager": manager,
            "operation": "Update",
            "time": stamp(at),
        }
    ]


def restarts_without_key(
    system: System, name: str, missing: tuple[str, str], at: datetime
) -> list[Pod]:
    """All pods of a workload are deleted, and the new ones cannot start for want of a Secret's key."""
    key, secret = missing
    fresh = []
    for number, old in enumerate(system.pods_of(name)):
        moment = at + timedelta(seconds=3 * number)
        pod = replace_pod(system, old, moment)
        message = f"couldn't find key {key} in Secret {pod.namespace}/{secret}"
        cannot_configure(system, pod, message)
        fresh.append(pod)
    return fresh


def replace_pod(system: System, old: Pod, at: datetime) -> Pod:
    """A pod is deleted outside of any rollout; its controller makes another at once."""
    workload = old.workload
    lifecycle.delete(system, old, at + timedelta(seconds=16))
    pod = lifecycle.place(system, workload, old.revision, at + timedelta(seconds=1))
    old.by_hand = pod.by_hand = True
    return pod


def evict_for_balance(system: System, name: str, at: datetime) -> None:
    """What the descheduler says when it moves a workload's pods to other nodes."""
    for pod in system.pods_of(name):
        message = f"pod eviction from {pod.node} node by sigs.k8s.io/descheduler"
        event = Happening("Pod", pod.namespace, pod.name, "LowNodeUtilization", message, at, at)
        system.happenings.append(replace(event, component="sigs.k8s.io/descheduler"))


def cannot_configure(system: System, pod: Pod, message: str) -> None:
    """A pod's container cannot be made for want of something that its environment names."""
    begin = pod.created + timedelta(seconds=1)
    lifecycle.wait(pod, begin, "CreateContainerConfigError", message)
    count = max(int((system.as_of - begin).total_seconds() // 12), 1)
    last = system.as_of - timedelta(seconds=system.rng("config", pod.name).randint(1, 11))
    kubelet_says(system, pod, "Failed", f"Error: {message}", (begin, last, count))
    image = pod.revision.template["containers"][0]["image"]
    pulled = f'Container image "{image}" already present on machine'
    system.happenings.append(
        Happening(
            "Pod", pod.namespace, pod.name, "Pulled", pulled, begin, last, count, host=pod.node
        )
    )
