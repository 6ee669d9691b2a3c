"""Draws what each container wrote: its requests, its stores' chatter, and the failures that reach it.

Which calls fail and how slow they are comes from the same traffic as the metrics.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from eval.cases.kubernetes_network import cluster_ip
from eval.cases.log_styles import CHATTER, Level, first_lines, styled
from eval.cases.system import Pod, System, Turn, Workload
from eval.cases.traffic import Flow, call_failure

Lines = list[tuple[datetime, str]]
Key = tuple[str, str, str]

SPAN = timedelta(minutes=50)
"""How far back logs reach (older lines were rotated away)."""

SLOW_SECONDS = 1.0
"""From when on a client complains of a slow call."""

PATIENCE_SECONDS = 8.0
"""How long a client waits before it gives a call up."""

USUAL_ERRORS = 0.002
"""The share of failed calls that nobody's log would show by chance."""

MOST = 0.5
"""The share of failed calls from which on a route that needs them is taken to fail each time."""


@dataclass(frozen=True)
class Mishap:
    """One thing that went wrong with a request: what is said of it, the time it cost, who was called."""

    level: Level
    text: str
    seconds: float = 0.0
    callee: str = ""


def written_logs(system: System, known: Flow) -> dict[Key, Lines]:
    """The log of the current (or, for one that ended, last) run of every container that ever ran."""
    found = {}
    for pod in system.pods:
        starts = _starts(pod)
        if starts:
            lines = _lines(system, known, pod)
            found[_key(pod)] = [row for row in lines if row[0] >= starts[-1]]
    return found


def previous_logs(system: System, known: Flow) -> dict[Key, Lines]:
    """The log of the run before, for containers that were started again within reach."""
    found = {}
    for pod in system.pods:
        starts = _starts(pod)
        if len(starts) > 1 and starts[-1] > system.as_of - SPAN:
            lines = _lines(system, known, pod)
            found[_key(pod)] = [row for row in lines if starts[-2] <= row[0] < starts[-1]]
    return found


def _key(pod: Pod) -> Key:
    return (pod.namespace, pod.name, pod.workload.container)


def _starts(pod: Pod) -> list[datetime]:
    return [turn.at for turn in pod.main.turns if "running" in turn.state and not turn.ready]


def _lines(system: System, known: Flow, pod: Pod) -> Lines:
    lines = list(system.log_lines.get((pod.namespace, pod.name), []))
    for start in _starts(pod):
        if start > system.as_of - SPAN:
            lines += first_lines(pod, start)
    lines += _chatter(system, known, pod)
    return sorted((row for row in lines if row[0] <= system.as_of), key=lambda row: row[0])


def _chatter(system: System, known: Flow, pod: Pod) -> Iterator[tuple[datetime, str]]:
    rng = system.rng("chatter", pod.name)
    at = system.as_of - SPAN
    while True:
        at += timedelta(seconds=rng.uniform(9, 48), milliseconds=rng.randint(0, 900))
        if at > system.as_of:
            return
        if _serving(pod, at):
            yield from _moment(system, known, pod, at, rng)


def _serving(pod: Pod, at: datetime) -> bool:
    turn: Turn | None = pod.main.turn(at)
    return pod.exists(at) and bool(turn and turn.ready) and not (pod.failed and pod.failed[0] <= at)


def _moment(
    system: System, known: Flow, pod: Pod, at: datetime, rng: random.Random
) -> Iterator[tuple[datetime, str]]:
    workload = pod.workload
    if not workload.routes:
        yield at, rng.choice(CHATTER[workload.speaks]).format(n=rng.randint(1100, 60999), at=at)
        return
    step = known.index(at)
    mishaps = _mishaps(system, known, workload.name, step, rng)
    route = rng.choice(_routes(known, workload, mishaps, step))
    route = route.format(n=rng.randint(10**6, 10**7), z=rng.randint(1, 9))
    for mishap in mishaps:
        yield at, styled(workload.speaks, mishap.level, at, mishap.text, pod)
    failed = any(mishap.level == "error" for mishap in mishaps)
    own = _own_delay(system, known, workload.name, step) * rng.lognormvariate(-0.1, 0.45)
    seconds = own + sum(mishap.seconds for mishap in mishaps)
    summary = f"{route} {503 if failed else 200} {seconds * 1000:.0f}ms"
    yield at, styled(workload.speaks, "error" if failed else "info", at, summary, pod)


def _routes(known: Flow, workload: Workload, mishaps: list[Mishap], step: int) -> list[str]:
    """The routes a request may have had, given what went wrong on its way."""
    needs = workload.route_for
    hit = [needs[mishap.callee] for mishap in mishaps if mishap.callee in needs]
    lost = [route for callee, route in needs.items() if call_failure(known, callee, step) > MOST]
    return hit[:1] or [route for route in workload.routes if route not in lost]


def _own_delay(system: System, known: Flow, name: str, step: int) -> float:
    """The mean delay of a service without its slow callees, whose delays are told one by one."""
    calls = system.traffic[name].calls.items()
    waits = [share * known.latency[c][step] for c, share in calls if _is_slow(known, c, step)]
    return max(known.latency[name][step] - sum(waits), 0.002)


def _is_slow(known: Flow, callee: str, step: int) -> bool:
    return known.reachable(callee, step) and known.latency[callee][step] > SLOW_SECONDS


def _mishaps(system: System, known: Flow, name: str, step: int, rng: random.Random) -> list[Mishap]:
    """What a service says of its own failures and of those it called, this once."""
    at = known.times[step]
    own = system.total(name, "errors", at)
    if own and rng.random() < own:
        return [Mishap("error", _says(system, name, at))]
    found: list[Mishap] = []
    for callee, share in system.traffic[name].calls.items():
        lost, slow = call_failure(known, callee, step), _is_slow(known, callee, step)
        if lost > USUAL_ERRORS and rng.random() < lost * min(share, 1.0):
            why = _why(system, known, callee, step)
            text = f"call to {callee} failed: {why}"
            return [Mishap("error", text, PATIENCE_SECONDS * slow, callee)]
        if slow and rng.random() < min(share, 1.0):
            took = known.latency[callee][step] * rng.lognormvariate(-0.1, 0.4)
            took = min(took, PATIENCE_SECONDS - rng.uniform(0.1, 0.9))
            text = f"slow call to {callee}: {took * 1000:.0f}ms"
            found.append(Mishap("warn", text, took, callee))
    return found


def _says(system: System, name: str, at: datetime) -> str:
    said = [
        effect.says
        for effect in system.effects
        if effect.service == name and effect.what == "errors" and effect.says and effect.at(at)
    ]
    return said[-1] if said else "request failed"


def _why(system: System, known: Flow, callee: str, step: int) -> str:
    if not known.reachable(callee, step):
        workload = system.workloads[callee]
        where = f"{cluster_ip(system, workload)}:{workload.port}"
        return f"dial tcp {where}: connect: connection refused"
    if callee not in system.workloads or not system.workloads[callee].routes:
        return _says(system, callee, known.times[step])
    return f"{callee} answered 503 Service Unavailable"
