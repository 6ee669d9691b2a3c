"""Troubles of the clinic: releases that change one thing, crashes, probes, and lines that tell of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from eval.cases import lifecycle
from eval.cases.clinic import tell_change
from eval.cases.system import Happening, Json, Pod, Revision, System
from eval.cases.troubles import kubelet_says, say, says_back_off, touched

Template = Callable[[Json], None]


# -- what a release changes in a pod template ----------------------------------------------------


def setting(name: str, value: str) -> Template:
    """An environment variable gets another value, or is new."""

    def change(template: Json) -> None:
        env = template["containers"][0].setdefault("env", [])
        env[:] = [row for row in env if row["name"] != name] + [{"name": name, "value": value}]

    return change


def limit(resource: str, quantity: str) -> Template:
    """Another limit; the request follows where it would be above it."""

    def change(template: Json) -> None:
        resources = template["containers"][0]["resources"]
        resources["limits"][resource] = quantity
        resources["requests"][resource] = quantity

    return change


def probe(which: str, **more: object) -> Template:
    """Another probe: `httpGet` and the like are merged, numbers replaced."""

    def change(template: Json) -> None:
        found = template["containers"][0][f"{which}Probe"]
        asked = more.pop("asked", None)
        if isinstance(asked, dict):
            found["httpGet"] |= asked
        found |= more

    return change


def version(name: str) -> Template:
    """Another tag of the same image."""

    def change(template: Json) -> None:
        first = template["containers"][0]
        first["image"] = first["image"].rpartition(":")[0] + f":{name}"

    return change


# -- how it is rolled out ------------------------------------------------------------------------


def revise(system: System, name: str, at: datetime, *changes: Template) -> Revision:
    """A new revision of a workload with these changes; nothing is started yet."""

    def change(template: Json) -> None:
        for one in changes:
            one(template)

    return lifecycle.revise(system, system.workloads[name], change, at)


def release(system: System, name: str, tag: str, at: datetime, *changes: Template) -> list[Pod]:
    """A release of which every new pod becomes ready; told to PagerDuty; the new pods."""
    revise(system, name, at, version(tag), *changes)
    announce(system, name, tag, at)
    return lifecycle.roll_out(system, system.workloads[name], at)


def stuck_release(system: System, name: str, tag: str, at: datetime, *changes: Template) -> Pod:
    """A release whose first pod stands beside the old ones; what becomes of it is the caller's."""
    revision = revise(system, name, at, version(tag), *changes)
    announce(system, name, tag, at)
    return lifecycle.place(system, system.workloads[name], revision, at + timedelta(seconds=2))


def announce(system: System, name: str, tag: str, at: datetime) -> None:
    """The pipeline tells PagerDuty of a release."""
    tell_change(system, at, f"{name} {tag} deployed to live", version=tag, by="gitlab-ci")


def configure(
    system: System, kind: str, name: str, data: dict[str, str], at: datetime, namespace: str = ""
) -> None:
    """A ConfigMap (or another object with data) is written anew."""
    found = system.find(kind, namespace or system.namespace, name)
    found["data"] = data
    touched(found, at, "kubectl-client-side-apply")


# -- how containers end --------------------------------------------------------------------------


@dataclass(frozen=True)
class Crash:
    """How a container ends again and again: how long it lives, with what code, saying what."""

    lives_seconds: float
    exit_code: int
    says: tuple[str, ...]
    reason: str = "Error"
    ready_seconds: float | None = None


def crashes(system: System, pod: Pod, crash: Crash) -> list[datetime]:
    """A pod that has not started, or runs, crashes again and again; when it did."""
    rng, ends = system.rng("crashes", pod.name), []
    others = list(pod.runs.values())[1:]
    if not pod.main.turns:
        lifecycle.restart(
            pod, pod.created + timedelta(seconds=2), ready_seconds=crash.ready_seconds
        )
    for run in others:
        if not run.turns:
            lifecycle.begin(run, pod.created + timedelta(seconds=2), 4)
    at = pod.main.turns[-1].at
    while True:
        lives = crash.lives_seconds * rng.uniform(0.92, 1.08)
        end = at + timedelta(seconds=lives)
        if end >= system.as_of:
            break
        ends.append(end)
        _last_words(system, pod, crash, end)
        lifecycle.end_run(pod, end, crash.reason, crash.exit_code)
        at = lifecycle.back_off(pod, end, len(ends) - 2) if len(ends) > 1 else end
        at += timedelta(seconds=1)
        if at >= system.as_of:
            break
        lifecycle.restart(pod, at, ready_seconds=crash.ready_seconds)
    if len(ends) > 1:
        says_back_off(system, pod, ends)
    return ends


def _last_words(system: System, pod: Pod, crash: Crash, end: datetime) -> None:
    for number, text in enumerate(crash.says):
        at = end - timedelta(seconds=0.2 * (len(crash.says) - number))
        write(system, pod, at, text)


def write(system: System, pod: Pod, at: datetime, text: str) -> None:
    """A line in the style of its program; one that begins with `!` as it stands."""
    if text.startswith("!"):
        system.log(pod, at, text[1:].format(at=at))
    else:
        say(system, pod, "error", at, text)


def killed_by_probe(system: System, pod: Pod, seconds: float, message: str) -> None:
    """The kubelet kills a container for its liveness probe each time before it is up."""
    ends = crashes(system, pod, Crash(seconds, 137, ()))
    name = pod.workload.container
    span = (ends[0] - timedelta(seconds=1), ends[-1], len(ends))
    kubelet_says(system, pod, "Unhealthy", f"Liveness probe failed: {message}", span)
    killing = f"Container {name} failed liveness probe, will be restarted"
    system.happenings.append(
        Happening(
            "Pod", pod.namespace, pod.name, "Killing", killing, ends[0], ends[-1], len(ends),
            host=pod.node,
        )
    )  # fmt: skip


def never_ready(system: System, pod: Pod, message: str) -> None:
    """A pod runs, and its readiness probe fails ever since."""
    began = pod.created + timedelta(seconds=2)
    lifecycle.restart(pod, began, ready_seconds=None)
    first = began + timedelta(seconds=13)
    last = system.as_of - timedelta(seconds=4)
    count = int((last - first).total_seconds() // 10)
    kubelet_says(
        system, pod, "Unhealthy", f"Readiness probe failed: {message}", (first, last, count)
    )


# -- what is said --------------------------------------------------------------------------------


def lines(system: System, pods: Iterable[Pod], since: datetime, every: float, *texts: str) -> None:
    """The same complaints in the logs of pods from a moment on, about every so many seconds."""
    for pod in pods:
        rng = system.rng("lines", pod.name, since)
        at = max(since, pod.created + timedelta(seconds=20))
        while (at := at + timedelta(seconds=every * rng.uniform(0.5, 1.5))) < system.as_of:
            for number, text in enumerate(texts):
                write(system, pod, at + timedelta(milliseconds=3 * number), text)


def broken_calls(
    system: System, pair: str, share: float, since: datetime, says: str, waits: float = 0.0
) -> None:
    """Calls `CLIENT->SERVER` fail from a moment on; the client says why, and waits before it gives up."""
    system.affect(pair, "errors", share, since, says=says, ramp_seconds=45)
    if waits:
        system.affect(pair, "latency", waits, since, ramp_seconds=45)
