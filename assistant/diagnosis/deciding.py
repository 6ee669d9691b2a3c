"""The next check: the one question, with the command that answers it, that would decide. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from assistant.diagnosis.weighing import Weighed
from assistant.faults import fault, spelled
from assistant.incident import Entity, Finding, Scope

WORKLOADS = frozenset({"Deployment", "StatefulSet", "DaemonSet"})
CHANGES = frozenset({"bad_release", "config_changed"})
_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")


def next_check(item: Weighed, weighed: Sequence[Weighed], scope: Scope, *, decided: bool) -> str:
    """What would decide between a guess and its nearest rival; of a cause that was found, what shows
    that its fix worked.
    """
    if decided:
        return f"after the fix: {spelled(fault(item.finding.kind).verify, item.finding.entity)}"
    others = [o for o in weighed if o.finding.entity != item.finding.entity]
    if not others:
        return f"whether {_named(item.finding)} is what the alert is about: {look(item.finding, scope)}"
    rival = others[0].finding
    return (
        f"whether {_named(item.finding)} began before {_named(rival)}{_times(item.finding, rival)}: "
        f"{look(item.finding, scope)} ; {look(rival, scope)}"
    )


def _named(finding: Finding) -> str:
    return f"{finding.entity} ({fault(finding.kind).title.lower()})"


def _times(one: Finding, other: Finding) -> str:
    """Which of the two times is missing, so that a reader knows what to look for."""
    known = {True: "a time is known", False: "no time is known"}
    if one.began and other.began:
        return ""
    return f" (of the first {known[bool(one.began)]}, of the second {known[bool(other.began)]})"


def look(finding: Finding, scope: Scope) -> str:
    """A line that only reads and shows more of a finding: kubectl, or a question to Prometheus."""
    entity, entry = finding.entity, fault(finding.kind)
    metric = finding.details.get("metric", "")
    if entry.group == "performance" and _METRIC.fullmatch(metric):
        return f"promql {metric}{{{_matcher(entity)}}}"
    known = entity.namespace or entity.kind in ("Node", "Component")
    if entry.group == "performance" or not known:
        return _golden(entity, scope)
    if entity.kind in WORKLOADS:
        return _of_workload(entity, finding.kind, entry.group)
    if entity.kind == "Component":
        return "kubectl -n kube-system get pods -o wide"
    place = f"-n {entity.namespace} " if entity.namespace else ""
    if entity.kind == "Service":
        return f"kubectl {place}get endpointslices -l kubernetes.io/service-name={entity.name}"
    return f"kubectl {place}describe {entity.kind.lower()} {entity.name}"


def _of_workload(entity: Entity, kind: str, group: str) -> str:
    """The revisions for a change, the log of the run before for what ends, else its state."""
    base, target = f"kubectl -n {entity.namespace}", f"{entity.kind.lower()}/{entity.name}"
    if kind in CHANGES:
        return f"{base} rollout history {target} ; {base} logs {target} --since=1h"
    if group in ("runtime", "startup"):
        return f"{base} logs {target} --previous --tail=50"
    return f"{base} describe {target}"


def _matcher(entity: Entity) -> str:
    if entity.kind == "Node":
        return f'node="{entity.name}"'
    namespace = f'namespace="{entity.namespace}",' if entity.namespace else ""
    return f'{namespace}pod=~"{entity.name}-.*"' if entity.kind in WORKLOADS else namespace[:-1]


def _golden(entity: Entity, scope: Scope) -> str:
    """The tool call that shows rate, errors and latency of a service over the incident's window."""
    window = f"start={_stamp(scope.window.start)} end={_stamp(scope.window.end)}"
    namespace = f"namespace={entity.namespace} " if entity.namespace else ""
    who = "workload" if entity.kind in WORKLOADS else "service"
    return f"assistant ask prometheus.get_metrics {namespace}{who}={entity.name} {window}"


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
