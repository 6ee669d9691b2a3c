"""How requests flow through a system minute by minute: rates, failures and delays along its calls.

A service whose every pod is unready refuses connections; failures and delays of a callee reach its
callers by their share of calls. So a chain of victims needs no script: it follows from the graph.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from eval.cases.barriers import Cut
from eval.cases.system import System

WINDOW = timedelta(hours=2)
STEP = timedelta(seconds=60)
REFUSED_SECONDS = 0.001
"""How long it takes to be refused a connection."""

RECENT = timedelta(minutes=70)
"""How far back every step is sampled; before that every other one is."""


@dataclass
class Flow:
    """What each service and each call did at every moment of the window."""

    times: list[datetime]
    rate: dict[str, list[float]] = field(default_factory=dict)
    served: dict[str, list[float]] = field(default_factory=dict)
    failed: dict[str, list[float]] = field(default_factory=dict)
    latency: dict[str, list[float]] = field(default_factory=dict)
    ready: dict[str, list[int]] = field(default_factory=dict)
    calls: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    cut: dict[str, Cut] = field(default_factory=dict)

    def index(self, at: datetime) -> int:
        """The step that a moment falls into."""
        return max(bisect_right(self.times, at) - 1, 0)

    def reachable(self, name: str, step: int) -> bool:
        """Whether anything answered for a service at a step; what lies outside always does."""
        if name in self.cut and self.times[step] >= self.cut[name].at:
            return False
        return name not in self.ready or self.ready[name][step] > 0

    def waited(self, name: str, step: int) -> float:
        """How long a call takes: an answer's time, or that of finding out that there is none."""
        if self.reachable(name, step):
            return self.latency[name][step]
        return self.cut[name].seconds if name in self.cut else REFUSED_SECONDS


def moments(system: System) -> list[datetime]:
    """The two hours that end now, in steps of one minute, of two before the last seventy minutes."""
    steps, recent = int(WINDOW / STEP), int(RECENT / STEP)
    back = [*range(steps, recent, -2), *range(recent, -1, -1)]
    return [system.as_of - STEP * n for n in back]


def flow(system: System) -> Flow:
    """Works the traffic out: rates from callers down, failures and delays from callees up."""
    found = Flow(moments(system))
    order = _callers_first(system)
    for name in system.workloads:
        pods = [pod for pod in system.all_pods() if pod.workload.name == name]
        found.ready[name] = [sum(pod.ready(at) for pod in pods) for at in found.times]
    found.cut = {n: w.cut_off for n, w in system.workloads.items() if w.cut_off}
    for name in order:
        _add_rate(system, found, name)
    for name in reversed(order):
        _add_outcome(system, found, name)
    return found


def _callers_first(system: System) -> list[str]:
    waiting = dict(system.traffic)
    order: list[str] = []
    while waiting:
        called = {callee for usual in waiting.values() for callee in usual.calls}
        free = [name for name in waiting if name not in called]
        if not free:
            raise ValueError(f"calls run in a circle among {sorted(waiting)}")
        order += free
        for name in free:
            del waiting[name]
    return order


def _add_rate(system: System, found: Flow, name: str) -> None:
    usual = system.traffic[name]
    rng = system.rng("rate", name)
    own = []
    for at in found.times:
        wave = 1 + 0.08 * math.sin(at.timestamp() / 5400)
        extra = 1 + system.total(name, "rate", at)
        own.append(usual.entry_rate * wave * extra * rng.gauss(1, 0.03))
    callers = [calls for (_, callee), calls in found.calls.items() if callee == name]
    rates = [max(sum(column), 0.0) for column in zip(own, *callers, strict=True)]
    served = [rate if found.reachable(name, n) else 0.0 for n, rate in enumerate(rates)]
    found.rate[name], found.served[name] = rates, served
    for callee, share in usual.calls.items():
        more = [1 + system.total(f"{name}->{callee}", "share", at) for at in found.times]
        found.calls[name, callee] = [r * share * m for r, m in zip(served, more, strict=True)]


def _add_outcome(system: System, found: Flow, name: str) -> None:
    usual = system.traffic[name]
    rng = system.rng("outcome", name)
    failed, delays = [], []
    for step, at in enumerate(found.times):
        passed = 1 - usual.errors - system.total(name, "errors", at)
        passed -= on_average(system, name, "errors", at)
        delay = (usual.latency + system.total(name, "latency", at)) * rng.gauss(1, 0.05)
        delay += on_average(system, name, "latency", at)
        for callee, share in usual.calls.items():
            needed = min(share, 1.0)
            passed *= 1 - needed * failure_between(system, found, (name, callee), step)
            delay += share * wait_between(system, found, (name, callee), step)
        failed.append(min(max(1 - passed, 0.0), 1.0))
        delays.append(max(delay, 0.0002))
    found.failed[name], found.latency[name] = failed, delays


def on_average(system: System, name: str, what: str, at: datetime) -> float:
    """What befell single pods of a service, as it shows in the service as a whole."""
    touched = {effect.service for effect in system.effects if effect.what == what}
    pods = [pod for pod in system.all_pods() if pod.workload.name == name]
    if touched.isdisjoint(pod.name for pod in pods):
        return 0.0
    ready = [pod for pod in pods if pod.ready(at)]
    return sum(system.total(pod.name, what, at) for pod in ready) / max(len(ready), 1)


def call_failure(found: Flow, callee: str, step: int) -> float:
    """The share of calls to a service that fail at a step."""
    return found.failed[callee][step] if found.reachable(callee, step) else 1.0


def failure_between(system: System, found: Flow, pair: tuple[str, str], step: int) -> float:
    """The share of calls of one service to another that fail at a step."""
    between = system.total("->".join(pair), "errors", found.times[step])
    return min(call_failure(found, pair[1], step) + between, 1.0)


def wait_between(system: System, found: Flow, pair: tuple[str, str], step: int) -> float:
    """How long a call of one service to another takes at a step."""
    between = system.total("->".join(pair), "latency", found.times[step])
    return found.waited(pair[1], step) + between


def edges(system: System) -> Iterator[tuple[str, str]]:
    """Every (client, server) pair that calls are made over."""
    for client, usual in system.traffic.items():
        for server in usual.calls:
            yield client, server
