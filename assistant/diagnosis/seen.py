"""All that one diagnosis may look at: the findings apart from the noise, and the topology. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from assistant.faults import Role, fault
from assistant.incident import Entity, Finding, Scope
from assistant.topology import Topology

ILL = (Role.CAUSE, Role.SYMPTOM)

CONTAINERS = frozenset(
    {
        "Node", "Component", "Service", "ResourceQuota", "Application", "Kustomization", "HelmRelease",
        "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration", "HorizontalPodAutoscaler",
        "NetworkPolicy", "Certificate", "Issuer", "ClusterIssuer", "Gateway", "Address",
    }
)  # fmt: skip
"""Kinds whose trouble is that of the things they hold, whether or not an edge says so: a Service that
selects nothing has no edge to the pods that it was meant for, and metrics know only those."""


@dataclass(frozen=True)
class Seen:
    """What was found in one incident."""

    scope: Scope
    topology: Topology
    current: Sequence[Finding]
    """What holds now and began within the window, in the order of ids."""
    noise: Sequence[Finding]
    """What was there before the incident, or is over and done with."""

    @classmethod
    def of(
        cls,
        scope: Scope,
        findings: Iterable[Finding],
        topology: Topology,
        *,
        standing: bool = False,
    ) -> Seen:
        """The findings, sorted and set apart: their order says nothing.

        With `standing`, what is ill since before the window and still is counts as current.
        """
        ordered = sorted(findings, key=lambda item: item.id)
        old = [f for f in ordered if before(f, scope) and not (standing and _stands(f))]
        return cls(scope, topology, tuple(f for f in ordered if f not in old), tuple(old))

    @cached_property
    def changes(self) -> list[Finding]:
        """What somebody did."""
        return [item for item in self.current if fault(item.kind).role is Role.CHANGE]

    @cached_property
    def ill(self) -> list[Finding]:
        """What is wrong: symptoms, and causes that may follow from other causes."""
        return [item for item in self.current if fault(item.kind).role in ILL]


def before(finding: Finding, scope: Scope) -> bool:
    """Whether a finding was there before the incident, or is over and done with."""
    over = not finding.active and fault(finding.kind).role in ILL
    return over or (finding.began is not None and finding.began < scope.window.start)


def _stands(finding: Finding) -> bool:
    return finding.active and fault(finding.kind).role in ILL


def told_ill(finding: Finding) -> set[Entity]:
    """The things that a finding tells to be ill: its own, and those that this one holds."""
    return {finding.entity, *(finding.about if finding.entity.kind in CONTAINERS else ())}
