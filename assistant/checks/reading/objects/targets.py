"""What a Service sends requests to: its pods, the number behind a target port, the ports in use. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from assistant.checks.reading.objects.flows import declared_ports
from assistant.snapshot import Object, Snapshot, dig, listing, mapping, whole
from assistant.topology import addresses, selects


def selected_pods(snapshot: Snapshot, service: Object) -> list[Object]:
    """The live pods that a Service selects."""
    selector = mapping(service.spec, "selector")
    return [
        pod
        for pod in snapshot.of("Pod", service.namespace)
        if selects(selector, pod.labels) and live(pod)
    ]


def live(pod: Object) -> bool:
    """Whether a pod is one that runs or is about to."""
    gone = dig(pod.raw, "metadata", "deletionTimestamp")
    return not gone and pod.status.get("phase") not in ("Succeeded", "Failed")


def target_port(port: Mapping[str, Any], pod: Object) -> int | None:
    """The number of the pod's port that a Service's port leads to; None for a name it does not have."""
    target = port.get("targetPort") or port.get("port")
    if isinstance(target, int) or (isinstance(target, str) and target.isdecimal()):
        return whole(target)
    protocol = str(port.get("protocol") or "TCP")
    named = [row for row in declared_ports(pod) if (row[0], row[2]) == (target, protocol)]
    return named[0][1] if named else None


def called_ports(snapshot: Snapshot, client: Object, service: Object) -> list[Mapping[str, Any]]:
    """The ports of a Service that a client's configuration names; all where it names none."""
    rows = [mapping(row) for row in listing(service.spec, "ports")]
    rule = re.compile(rf"(?<![\w.-]){re.escape(service.name)}(?:\.[a-z0-9.-]+)?:(\d{{2,5}})(?!\d)")
    named = {
        int(number)
        for text in addresses(snapshot, client)
        for number in rule.findall(text[:20_000])
    }
    return [row for row in rows if whole(row.get("port")) in named] or rows
