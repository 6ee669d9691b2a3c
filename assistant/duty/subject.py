"""What one alert speaks of: where, which service, which node, and what kind of alert it is. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from assistant.duty.received import Received

WORKLOADS = ("deployment", "statefulset", "daemonset", "workload", "cronjob", "job_name")
SERVICES = ("service", "app", "service_name", "destination_service_name")
_SCRAPER = re.compile(
    r"(kube-state-metrics|exporter|kubelet|cadvisor|prometheus|pushgateway)", re.IGNORECASE
)
"""A `service` label often names who measured, not who is measured."""

_POD = re.compile(r"-[a-z0-9]{6,10}-[a-z0-9]{5}$|-[bcdfghjklmnpqrstvwxz2456789]{5}$|-\d{1,4}$")
"""What Kubernetes appends to a pod's name: of a Deployment, a DaemonSet, a StatefulSet."""

_DEGREE = re.compile(
    r"(warning|critical|page|ticket|fast|slow|high|low|info|p[1-5]|s[ev]{0,2}[1-5]|\d+[smhd]?)$",
    re.IGNORECASE,
)
"""How bad or how fast: rules that differ in this alone watch the same thing."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The subject of an alert; empty fields are what it does not say."""

    cluster: str = ""
    namespace: str = ""
    service: str = ""
    node: str = ""
    rule: str = ""
    family: str = ""

    @property
    def of_a_node(self) -> bool:
        """Whether it speaks of a node itself, not of something that runs there."""
        return bool(self.node) and not self.service


def subject(alert: Received) -> Subject:
    """What an alert's labels say; where they name no service, PagerDuty's service stands in."""
    said = {key.lower(): value for key, value in alert.labels.items()}
    named = next((said[key] for key in WORKLOADS if said.get(key)), "")
    named = named or _POD.sub("", said.get("pod", ""))
    named = named or next(
        (v for key in SERVICES if (v := said.get(key, "")) and not _scraper(v)), ""
    )
    node = said.get("node", "") or said.get("nodename", "")
    rule = said.get("alertname", "")
    return Subject(
        cluster=said.get("cluster", ""),
        namespace=said.get("namespace", "") or said.get("exported_namespace", ""),
        service=slug(named) or ("" if node else slug(alert.service)),
        node=node,
        rule=rule,
        family=family(rule),
    )


def family(rule: str) -> str:
    """The name of a rule without its degree: `ErrorBudgetBurnFast` and `…Slow` are one family."""
    name = re.sub(r"[\s_-]+", "", rule)
    while (shorter := _DEGREE.sub("", name)) != name and shorter:
        name = shorter
    return name.lower()


def slug(name: str) -> str:
    """A name as all systems would spell it: `Payments API` is `payments-api`."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _scraper(name: str) -> bool:
    return bool(_SCRAPER.search(name))
