"""Which of the known metrics exist for one service or workload, and which labels name it there."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from mcp_servers.moments import rfc3339
from mcp_servers.prometheus.client import Prometheus, Row, literal, quoted
from mcp_servers.prometheus.conventions import REQUESTS, known_metrics
from mcp_servers.prometheus.series import aligned
from mcp_servers.together import together

LOOKBACK_SECONDS = 300
MOST_STEPS = 50
HASH = "[bcdfghj-np-tv-xz0-9]{5,10}|[0-9a-f]{6,10}"
"""A ReplicaSet's hash: no vowels (Kubernetes writes it so), or hexadecimal."""
NAMED_BY_VALUE = ("deployment", "statefulset", "daemonset", "server", "ingress")
"""Labels that some convention reads besides the usual ones."""

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Subject:
    """What is asked about: a namespace, a workload (its pods), a service (its requests)."""

    namespace: str = ""
    workload: str = ""
    service: str = ""

    def __str__(self) -> str:
        """`namespace 'payments', service 'checkout'`."""
        fields = {"namespace": self.namespace, "workload": self.workload, "service": self.service}
        return ", ".join(f"{name} {value!r}" for name, value in fields.items() if value)

    @property
    def named(self) -> str:
        """The name by which requests are labelled."""
        return self.service or self.workload

    @property
    def pods(self) -> str:
        """Matchers for the pods of the workload, or of the namespace; empty where there is neither."""
        name = self.workload or self.service
        if not name:
            return f"namespace={quoted(self.namespace)}"
        pattern = f"{literal(name)}(-({HASH}))?-[a-z0-9]{{5}}|{literal(name)}(-[0-9]+)?"
        return f"pod=~{quoted(pattern)}{self.in_namespace()}"

    def in_namespace(self, label: str = "namespace") -> str:
        """`,label=~"name|"`: in that namespace, or without any."""
        if not self.namespace:
            return ""
        return f",{label}=~{quoted(literal(self.namespace) + '|')}"


@dataclass(frozen=True, slots=True)
class Scope:
    """The subject, and what Prometheus knows of it: label sets per metric name."""

    subject: Subject
    by_name: Mapping[str, list[Labels]]
    """Found by a label that names the service."""
    by_pod: Mapping[str, list[Labels]]
    """Found by the names of the pods, or by the namespace."""

    def matchers(self, metric: str, labels: Iterable[str], namespace: str) -> str:
        """How to ask `metric` for the subject alone; empty where it knows nothing of it."""
        for label in labels if self.subject.named else ():
            for row in self.by_name.get(metric, ()):
                if matcher := named_by(label, row, self.subject.named):
                    return matcher + self.subject.in_namespace(namespace)
        if self.subject.named or namespace == "namespace":
            return self.subject.pods if metric in self.by_pod else ""
        rows = self.by_name.get(metric, ())
        inside = any(row.get(namespace) == self.subject.namespace for row in rows)
        return f"{namespace}={quoted(self.subject.namespace)}" if inside else ""

    def pods(self, metric: str) -> str:
        """How to ask a per-container metric; pause containers and pod totals are left out."""
        rows = self.by_pod.get(metric, [])
        if not rows:
            return ""
        if not any(row.get("container") for row in rows):
            return self.subject.pods
        return f'{self.subject.pods},container!="",container!="POD"'

    def values(self, metric: str, label: str) -> set[str]:
        """The values of `label` that `metric` has for the subject."""
        rows = [*self.by_name.get(metric, ()), *self.by_pod.get(metric, ())]
        return {row[label] for row in rows if row.get(label)}


def named_by(label: str, row: Labels, name: str) -> str:
    """The matcher by which `label` names `name` in `row`; a job may be `namespace/name`."""
    value = row.get(label, "")
    if value == name or (label == "job" and value.rpartition("/")[2] == name):
        return f"{label}={quoted(value)}"
    return ""


async def discover(
    prometheus: Prometheus, subject: Subject, start: datetime, end: datetime, tool: str
) -> tuple[Scope, frozenset[str]]:
    """The scope of `subject` within the window, and the known metrics that exist at all."""
    params = [("start", rfc3339(start)), ("end", rfc3339(end))]
    there = known_metrics() & set(await prometheus.get("label/__name__/values", tool, params))
    by_name, by_pod = await _rows(prometheus, subject, there, (start, end), tool)
    scope = Scope(subject, _per_metric(by_name), _per_metric(by_pod))
    return scope, frozenset(there)


async def _rows(
    prometheus: Prometheus,
    subject: Subject,
    metrics: Iterable[str],
    window: tuple[datetime, datetime],
    tool: str,
) -> list[list[Row]]:
    """What is found by names of services, and what by names of pods."""
    if not metrics:
        return [[], []]
    names = f"__name__=~{quoted('|'.join(sorted(metrics)))}"
    labels = _identities() + _statuses()
    pods = [f"{{{names},{subject.pods}}}"]
    return await together(
        [
            partial(_count, prometheus, _by_name(subject, names), labels, window, tool),
            partial(_count, prometheus, pods, ("container", *_statuses()), window, tool),
        ]
    )


async def _count(
    prometheus: Prometheus,
    selectors: list[str],
    labels: tuple[str, ...],
    window: tuple[datetime, datetime],
    tool: str,
) -> list[Row]:
    """The distinct sets of `labels` at any time of the window: small, however many series."""
    start, end = window
    seconds = (end - start).total_seconds()
    step = max(LOOKBACK_SECONDS, math.ceil(seconds / MOST_STEPS))
    query = f"count by (__name__,{','.join(labels)}) ({' or '.join(selectors)})"
    return await prometheus.range(query, aligned(start, end, step), end, step, tool)


def _by_name(subject: Subject, names: str) -> list[str]:
    if not subject.named:
        labels = {row.namespace for row in REQUESTS} - {"namespace"}
        return [f"{{{names},{label}={quoted(subject.namespace)}}}" for label in sorted(labels)]
    own = {label: row.namespace for row in REQUESTS for label in row.services}
    selectors = []
    for label in _identities():
        namespace = subject.in_namespace(own.get(label, "namespace"))
        matcher = f"{label}={quoted(subject.named)}"
        if label == "job":
            matcher = f"job=~{quoted('(.*/)?' + literal(subject.named))}"
        selectors.append(f"{{{names},{matcher}{namespace}}}")
    return selectors


def _identities() -> tuple[str, ...]:
    labels = {label: None for row in REQUESTS for label in row.services}
    labels |= dict.fromkeys(NAMED_BY_VALUE)
    labels |= {row.namespace: None for row in REQUESTS}
    return tuple(labels)


def _statuses() -> tuple[str, ...]:
    return tuple({label: None for row in REQUESTS for label, _ in row.errors})


def _per_metric(rows: list[Row]) -> dict[str, list[Labels]]:
    metrics: dict[str, list[Labels]] = {}
    for row in rows:
        metrics.setdefault(row["metric"].get("__name__", ""), []).append(row["metric"])
    return metrics
