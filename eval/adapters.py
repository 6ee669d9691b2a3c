"""Our answers in a benchmark's own words: one table of fault names for each, and one rule for objects.

Nothing here knows an answer; a kind that a benchmark has no name for keeps ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from assistant.errors import NotFound
from assistant.incident import Entity, Finding, Hypothesis, Report
from assistant.snapshot import Object, Snapshot

WORKLOADS = frozenset({"Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "ReplicaSet"})
CONTROL_PLANE = frozenset({"control-plane", "master"})
ROLE_LABEL = "node-role.kubernetes.io/"
CLOUDOPSBENCH = {
    "missing_secret": "missing_secret_binding",
    "missing_key": "missing_secret_binding",
    "storage_class_missing": "pvc_storage_class_mismatch",
    "port_conflict": "service_sidecar_port_conflict",
    "credentials_refused": "mysql_invalid_credentials",
    "pool_exhausted": "db_connection_exhaustion",
    "out_of_memory_in_process": "oom_killed",
    "name_not_resolved": "service_dns_resolution_failure",
    "ingress_backend_missing": "gateway_misroute",
    "cpu_saturated": "pod_cpu_overload",
    "slow_dependency": "pod_network_delay",
    "latency_high": "pod_network_delay",
    "wrong_dns_policy": "service_dns_resolution_failure",
    "dns_egress_blocked": "service_dns_resolution_failure",
    "coredns_misconfigured": "service_dns_resolution_failure",
    "coredns_unavailable": "service_dns_resolution_failure",
    "dns_service_missing": "service_dns_resolution_failure",
    "node_shut_down": "kubelet_unavailable",
}
_ADDRESSES = (
    "service_env_var_address_mismatch",
    "database_address_wrong",
    "connection_settings_suspect",
)
_DATABASE = ("mysql", "3306", "db_port", "jdbc")


@dataclass(frozen=True)
class Case:
    """What a vocabulary may look at to name an answer: the report, and its parts by id."""

    report: Report
    findings: Mapping[str, Finding] = field(default_factory=dict)

    @classmethod
    def of(cls, report: Report) -> Case:
        """The case of a finished triage."""
        found = (*report.findings, *report.noise)
        return cls(report, {finding.id: finding for finding in found})

    def cited(self, answer: Hypothesis) -> list[Finding]:
        """The findings that a hypothesis stands on."""
        return [self.findings[id] for id in answer.findings if id in self.findings]


@dataclass(frozen=True)
class Vocabulary:
    """A benchmark's names for a kind of fault and for the thing at fault."""

    fault: Callable[[Case, Hypothesis], str]
    entity: Callable[[Case, Hypothesis], str]


def vocabulary(name: str) -> Vocabulary:
    """The vocabulary of that name. Raises NotFound."""
    if name not in VOCABULARIES:
        raise NotFound(f"no vocabulary {name!r}; there are {', '.join(VOCABULARIES)}")
    return VOCABULARIES[name]


def _cloudopsbench_fault(case: Case, answer: Hypothesis) -> str:
    if answer.kind in _ADDRESSES:
        return "mysql_invalid_port" if _is_of_database(case, answer) else _ADDRESSES[0]
    return CLOUDOPSBENCH.get(answer.kind, answer.kind)


def _is_of_database(case: Case, answer: Hypothesis) -> bool:
    """The benchmark calls a wrong address of a database otherwise than one of a service."""
    said = [answer.statement]
    for finding in case.cited(answer):
        said += [finding.statement, *finding.details.values()]
    text = " ".join(said).lower()
    return any(word in text for word in _DATABASE)


def _cloudopsbench_entity(case: Case, answer: Hypothesis) -> str:
    entity = answer.entity
    if entity.kind in ("ResourceQuota", "LimitRange", "Namespace"):
        return f"namespace/{entity.namespace or entity.name}"
    if entity.kind == "Node":
        return f"node/{entity.name}"
    if entity.kind == "Component":
        return f"node/{_node_of(case, answer)}"
    return f"app/{_workload(case, answer).name}"


def _node_of(case: Case, answer: Hypothesis) -> str:
    """The node a component of the cluster runs on, else the control plane's."""
    named = (one.name for one in _nearby(case, answer) if one.kind == "Node")
    nodes = Snapshot.made_of(case.report.evidence).of("Node")
    leading = (node.name for node in nodes if _roles(node) & CONTROL_PLANE)
    return next(named, "") or next(leading, "") or answer.entity.name


def _roles(node: Object) -> set[str]:
    """What a node is for, by either way of labelling it."""
    roles = {label.partition("/")[2] for label in node.labels if label.startswith(ROLE_LABEL)}
    return {*roles, str(node.labels.get("kubernetes.io/role", ""))}


def _workload(case: Case, answer: Hypothesis) -> Entity:
    """The workload that the thing at fault belongs to, or the thing itself."""
    entity = answer.entity
    if entity.kind in WORKLOADS:
        return entity
    if entity.kind == "Service":
        edges = case.report.topology
        behind = (e.source for e in edges if e.target == entity and e.relation == "serves")
        return next(behind, entity)
    return next((one for one in _nearby(case, answer) if one.kind in WORKLOADS), entity)


def _nearby(case: Case, answer: Hypothesis) -> Iterator[Entity]:
    """What the findings name, then the way that the trouble takes."""
    for finding in case.cited(answer):
        yield from finding.about
    yield from answer.chain


def _own_fault(_: Case, answer: Hypothesis) -> str:
    return answer.kind


def _own_entity(_: Case, answer: Hypothesis) -> str:
    return str(answer.entity)


def _name_alone(_: Case, answer: Hypothesis) -> str:
    return answer.entity.name


VOCABULARIES: Mapping[str, Vocabulary] = {
    "own": Vocabulary(_own_fault, _own_entity),
    "cloudopsbench": Vocabulary(_cloudopsbench_fault, _cloudopsbench_entity),
    "petshop": Vocabulary(_own_fault, _name_alone),
}
