"""Signals of services that stand ready under a name of their own: gauges and recording rules. Pure.

Nobody agrees on such names, so they are read by their words; counters and histograms are left to
the table of conventions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mcp_servers.prometheus.conventions import WORKLOAD_LABELS

LATENCY, ERRORS, TRAFFIC = "latency", "errors", "traffic"

SERVICE_LABELS = (
    "server",
    "callee",
    "destination_service_name",
    "destination_workload",
    "destination_canonical_service",
    *WORKLOAD_LABELS,
    "statefulset",
    "daemonset",
)
"""Labels that may name a service, the surest first."""
NAMESPACE_LABELS = ("namespace", "destination_workload_namespace", "server_namespace")
STATISTIC_LABELS = ("statistic", "quantile", "percentile", "stat", "aggregation")

_NOT_A_GAUGE = re.compile(r"_(total|count|sum|bucket|created|info|seconds_max|timestamp\w*)$")
_NOT_A_SERVICE = re.compile(
    r"^(apiserver|etcd|kubelet|kube|go|prometheus|promhttp|node|container|coredns|rest_client|"
    r"workqueue|scheduler|process|cluster|scrape|alertmanager|grafana|jvm|python|net_conntrack|"
    r"cadvisor|machine|instance|up|ALERTS|probe)(_|:|$)"
)
_BOUND = re.compile(r"threshold|target|objective|slo|limit|timeout|budget|max_allowed|baseline")
_WORDS = (
    (ERRORS, "down", re.compile(r"availability|success_?(rate|ratio|percent\w*)")),
    (ERRORS, "up", re.compile(r"(error|failure|fail)s?_?(rate|ratio|percent\w*|share)|5xx_?ratio")),
    (LATENCY, "up", re.compile(r"latency|response_?time|request_?(time|duration)|^duration")),
    (
        TRAFFIC,
        "both",
        re.compile(r"(^|[_:])(rps|qps|throughput|requests?|req)((_per_second|_rate)?$|:rate)"),
    ),
)
_PERCENTILE = re.compile(r"(?:^|[_:])(p\d{2,3})|[_:]?(p\d{2,3})$")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a gauge measures. `ill` is the direction in which it is bad."""

    metric: str
    signal: str
    ill: str
    seconds: float = 0.0
    """What one unit is in seconds; 0 where the name does not say."""

    @property
    def statistic(self) -> str:
        """The percentile that the name holds, if any."""
        match = _PERCENTILE.search(self.metric)
        return (match[1] or match[2]) if match else ""


def meaning(metric: str) -> Meaning | None:
    """What a gauge of this name measures of a service; None where that is nothing known."""
    lowered = metric.lower()
    if _NOT_A_GAUGE.search(lowered) or _NOT_A_SERVICE.match(metric) or _BOUND.search(lowered):
        return None
    for signal, ill, words in _WORDS:
        if words.search(lowered):
            return Meaning(metric, signal, ill, _seconds(lowered) if signal == LATENCY else 0.0)
    return None


def _seconds(name: str) -> float:
    if re.search(r"(_|:|^)(ms|millis|milliseconds)(_|:|$)", name):
        return 0.001
    return 1.0 if re.search(r"(_|:)seconds?(_|:|$)", name) else 0.0


def naming(rows: Iterable[Mapping[str, str]], labels: Iterable[str] = SERVICE_LABELS) -> str:
    """The label that tells the services of these rows apart; empty where none names any.

    A label with one value for all names whoever exported them, unless it is the only one.
    """
    known = list(rows)
    values = {label: {row[label] for row in known if row.get(label)} for label in labels}
    several = (label for label, found in values.items() if len(found) > 1)
    some = (label for label, found in values.items() if found)
    return next(several, "") or next(some, "")


def statistic(labels: Mapping[str, str]) -> str:
    """`p50`, `average`, … as the labels say it; empty where they do not."""
    text = next((labels[label] for label in STATISTIC_LABELS if labels.get(label)), "").lower()
    try:
        return f"p{float(text) * 100:g}"
    except ValueError:
        return text


def central(statistic: str) -> bool:
    """Whether a statistic tells of most requests, and not of the slowest few."""
    return statistic in ("", "average", "avg", "mean", "p50", "median")
