"""Draws what each container wrote: its requests, its stores' chatter, and the failures that reach it.

Which calls fail and how slow they are comes from the same traffic as the metrics.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from eval.cases.kubernetes_network import cluster_ip
from eval.cases.log_dialects import phrases
from eval.cases.log_styles import CHATTER, Level, first_lines, styled
from eval.cases.runs import Turn
from eval.cases.system import Pod, System
from eval.cases.traffic import Flow, failure_between, wait_between

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
        for name, run in pod.init.items():
            if run.turns:
                lines = system.log_lines.get((pod.namespace, f"{pod.name}/{name}"), [])
                found[pod.namespace, pod.name, name] = lines
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
    stuck = pod.workload.port is None and pod.workload.cut_off
    if stuck and stuck.at <= at:
        return False
    return pod.exists(at) and bool(turn and turn.ready) and not (pod.failed and pod.failed[0] <= at)


def _moment(
    system: System, known: Flow, pod: Pod, at: datetime, rng: random.Random
) -> Iterator[tuple[datetime, str]]:
    workload = pod.workload
    if not workload.routes:
        yield at, rng.choice(CHATTER[workload.speaks]).format(n=rng.randint(1100, 60999), at=at)
        return
    step = known.index(at)
    mishaps = _mishaps(system, known, pod, step, rng)
    route = rng.choice(_routes(system, known, pod, mishaps, step))
    route = route.format(n=rng.randint(10**6, 10**7), z=rng.randint(1, 9))
    for mishap in mishaps:
        yield at, styled(workload.speaks, mishap.level, at, mishap.text, pod)
    failed = any(mishap.level == "error" for mishap in mishaps)
    own = _own_delay(system, known, workload.name, step) * rng.lognormvariate(-0.1, 0.45)
    seconds = own + sum(mishap.seconds for mishap in mishaps)
    wording = phrases(workload.speaks)
    code = wording.error_code if failed else 200
    size = 60 + step * 7 % 900
    summary = wording.request.format(route=route, code=code, ms=seconds * 1000, s=seconds, n=size)
    yield at, styled(workload.speaks, "error" if failed else "info", at, summary, pod)


def _routes(system: System, known: Flow, pod: Pod, mishaps: list[Mishap], step: int) -> list[str]:
    """The routes a request may have had, given what went wrong on its way."""
    name, needs = pod.workload.name, pod.workload.route_for
    hit = [needs[mishap.callee] for mishap in mishaps if mishap.callee in needs]
    lost = [
        route
        for callee, route in needs.items()
        if failure_between(system, known, (name, callee), step) > MOST
        or system.total(f"{name}->{callee}", "share", known.times[step]) < -MOST
    ]
    left = [route for route in pod.workload.routes if route not in lost]
    return hit[:1] or left or list(pod.workload.routes)


def _own_delay(system: System, known: Flow, name: str, step: int) -> float:
    """The mean delay of a service without its slow callees, whose delays are told one by one."""
    calls = system.traffic[name].calls.items()
    waits = [
        share * wait_between(system, known, (name, c), step)
        for c, share in calls
        if _is_slow(system, known, (name, c), step)
    ]
    return max(known.latency[name][step] - sum(waits), 0.002)


def _is_slow(system: System, known: Flow, pair: tuple[str, str], step: int) -> bool:
    return wait_between(system, known, pair, step) > SLOW_SECONDS


def _mishaps(system: System, known: Flow, pod: Pod, step: int, rng: random.Random) -> list[Mishap]:
    """What a pod says of its own failures and of those it called, this once."""
    at, name, wording = known.times[step], pod.workload.name, phrases(pod.workload.speaks)
    for who in (name, pod.name):
        own = system.total(who, "errors", at)
        if own and rng.random() < own:
            return [Mishap("error", _says(system, who, at))]
    found: list[Mishap] = []
    for callee, share in system.traffic[name].calls.items():
        pair = (name, callee)
        lost, slow = failure_between(system, known, pair, step), _is_slow(system, known, pair, step)
        if lost > USUAL_ERRORS and rng.random() < lost * min(share, 1.0):
            why = _why(system, known, pod, callee, step)
            text = wording.failed.format(callee=callee, why=why)
            return [Mishap("error", text, PATIENCE_SECONDS * slow, callee)]
        if slow and known.reachable(callee, step) and rng.random() < min(share, 1.0):
            took = wait_between(system, known, pair, step) * rng.lognormvariate(-0.1, 0.4)
            took = min(took, PATIENCE_SECONDS - rng.uniform(0.1, 0.9))
            text = wording.slow.format(callee=callee, ms=took * 1000, s=took)
            found.append(Mishap("warn", text, took, callee))
    return found


def _says(system: System, name: str, at: datetime) -> str:
    said = [
        effect.says
        for effect in system.effects
        if effect.service == name and effect.what == "errors" and effect.says and effect.at(at)
    ]
    return said[-1] if said else "request failed"


def _why(system: System, known: Flow, pod: Pod, callee: str, step: int) -> str:
    wording, pair = phrases(pod.workload.speaks), f"{pod.workload.name}->{callee}"
    if system.total(pair, "errors", known.times[step]):
        return _says(system, pair, known.times[step])
    if not known.reachable(callee, step):
        workload = system.workloads[callee]
        if workload.cut_off and workload.cut_off.says and workload.cut_off.at <= known.times[step]:
            return workload.cut_off.says
        pods = system.pods_of(callee) if workload.headless else []
        host = pods[0].ip if pods else cluster_ip(system, workload)
        where = f"{host}:{workload.service_port or workload.port}"
        return wording.refused.format(where=where)
    if callee not in system.workloads or not system.workloads[callee].routes:
        return _says(system, callee, known.times[step])
    return wording.answered.format(callee=callee)
