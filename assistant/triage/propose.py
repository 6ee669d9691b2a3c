"""Hypotheses -> proposed actions, the safest first. Commands for a person; nothing is carried out."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator

from assistant.diagnosis import Diagnosis
from assistant.faults import fault, spelled
from assistant.incident import Action, Entity, Finding, Hypothesis, Risk, Window
from assistant.triage.desk import utc

ROLLBACK_KINDS = frozenset(
    {
        "incorrect_image_reference", "bad_release", "bad_command", "image_wrong_arch", "missing_env",
        "liveness_probe_incorrect_port", "liveness_probe_incorrect_protocol",
        "readiness_probe_incorrect_port", "readiness_probe_incorrect_protocol",
    }
)  # fmt: skip
"""Faults of the pod template: going back one revision undoes them."""

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")
_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+", re.IGNORECASE)


def propose(
    diagnosis: Diagnosis, findings: tuple[Finding, ...], window: Window
) -> tuple[Action, ...]:
    """Actions for the best hypothesis: first one that only looks, then the fix."""
    known = {finding.id: finding for finding in findings}
    rows: list[Action] = []
    for hypothesis in diagnosis.hypotheses:
        mine = [known[id] for id in hypothesis.findings if id in known]
        rows += _of(hypothesis, mine, window)
    order = list(Risk)
    return tuple(sorted(rows, key=lambda action: order.index(action.risk)))


def _of(hypothesis: Hypothesis, findings: list[Finding], window: Window) -> Iterator[Action]:
    entity, entry = hypothesis.entity, fault(hypothesis.kind)
    yield Action(
        title=f"Look at {entity}",
        command=look(entity, window),
        risk=Risk.NONE,
        findings=hypothesis.findings,
    )
    rolled_out = any(finding.kind == "recent_rollout" for finding in findings)
    fix = FIXES.get(hypothesis.kind) if in_cluster(entity) else None
    if fix:
        command, risk, rollback = fix(entity, findings)
    elif (rolled_out or hypothesis.kind in ROLLBACK_KINDS) and entity.kind in WORKLOADS:
        command, risk, rollback = undo(entity)
    else:
        return
    yield Action(
        title=_sentence(spelled(entry.fix, entity)),
        command=command,
        risk=risk,
        rollback=rollback,
        verify=spelled(entry.verify, entity),
        findings=hypothesis.findings,
    )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def look(entity: Entity, window: Window) -> str:
    """A command that only reads, for the thing itself. Of a Secret it shows key names, no values."""
    if entity.kind == "Component":
        return "kubectl -n kube-system get pods -o wide"
    if not in_cluster(entity):
        # A name from a metric's label or a log line is anybody's text.
        if not _HOST.fullmatch(entity.name):
            span = f"start={utc(window.start)} end={utc(window.end)}"
            name = shlex.quote(f"service={entity.name}")
            return f"assistant ask prometheus.list_services {span} {name}"
        url = shlex.quote(f"https://{entity.name}")
        return f"curl -sS -o /dev/null -w '%{{http_code}} %{{time_total}} s\\n' {url}"
    place = f"-n {entity.namespace} " if entity.namespace else ""
    return f"kubectl {place}describe {entity.kind.lower()} {entity.name}"


def in_cluster(entity: Entity) -> bool:
    """Whether kubectl can be asked for it: a service of somebody else has no namespace here."""
    return bool(entity.namespace) or entity.kind not in ("Service", "Address")


Fix = tuple[str, Risk, str]


def undo(entity: Entity) -> Fix:
    """Back to the revision before."""
    target = f"{entity.kind.lower()}/{entity.name}"
    command = f"kubectl -n {entity.namespace} rollout undo {target}"
    return command, Risk.MEDIUM, f"{command} (a second undo returns to the present revision)"


def _memory(entity: Entity, findings: list[Finding]) -> Fix:
    container = next((f.details["container"] for f in findings if f.details.get("container")), "")
    limit = next((f.details["limit"] for f in findings if f.details.get("limit")), "")
    target = f"{entity.kind.lower()}/{entity.name}"
    only = f" -c {container}" if container else ""
    base = f"kubectl -n {entity.namespace} set resources {target}{only} --limits=memory="
    return f"{base}<more than {limit or 'now'}>", Risk.MEDIUM, f"{base}{limit or '<as it was>'}"


def _replicas(entity: Entity, _: list[Finding]) -> Fix:
    base = f"kubectl -n {entity.namespace} scale {entity.kind.lower()}/{entity.name} --replicas="
    return f"{base}<as before>", Risk.LOW, f"{base}0"


def _uncordon(_: Entity, __: list[Finding]) -> Fix:
    return "kubectl uncordon <node>", Risk.LOW, "kubectl cordon <node>"


def _cordon(entity: Entity, _: list[Finding]) -> Fix:
    return f"kubectl cordon {entity.name}", Risk.LOW, f"kubectl uncordon {entity.name}"


def _edit(entity: Entity, _: list[Finding]) -> Fix:
    command = f"kubectl -n {entity.namespace} edit {entity.kind.lower()} {entity.name}"
    return command, Risk.MEDIUM, "edit it back: keep the output of `kubectl get -o yaml` first"


FIXES: dict[str, Callable[[Entity, list[Finding]], Fix]] = {
    "oom_killed": _memory,
    "deployment_zero_replicas": _replicas,
    "node_cordon_mismatch": _uncordon,
    "node_disk_pressure": _cordon,
    "node_memory_pressure": _cordon,
    "kubelet_unavailable": _cordon,
    "containerd_unavailable": _cordon,
    "missing_key": _edit,
    "config_changed": _edit,
    "service_selector_mismatch": _edit,
    "service_port_mapping_mismatch": _edit,
    "service_protocol_mismatch": _edit,
    "namespace_cpu_quota_exceeded": _edit,
    "namespace_memory_quota_exceeded": _edit,
    "namespace_pod_quota_exceeded": _edit,
    "namespace_service_quota_exceeded": _edit,
    "namespace_storage_quota_exceeded": _edit,
    "network_policy_blocks": _edit,
    "dns_egress_blocked": _edit,
    "wrong_dns_policy": _edit,
    "ingress_class_missing": _edit,
    "ingress_backend_port_missing": _edit,
    "traffic_policy_local": _edit,
    "service_selects_too_much": _edit,
    "external_name_wrong": _edit,
    "node_services_unreachable": _cordon,
    "node_filesystem_read_only": _cordon,
    "node_kernel_deadlock": _cordon,
    "node_hardware": _cordon,
}
