"""What a change touched, and whether that can bring about what is wrong. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import IntEnum

from assistant.changed import DORMANT, content
from assistant.diagnosis.words import shared_words
from assistant.incident import Entity, Finding
from assistant.topology import Topology


class Fit(IntEnum):
    """How well what a change touched fits what is wrong."""

    NONE = 0
    """It touched nothing, or nothing that could bring this about."""
    OPEN = 1
    """It could bring about almost anything: another image, a change without known content."""
    KIND = 2
    """It touched what this kind of trouble is about."""
    WORDS = 3
    """What is wrong speaks of the very thing that it touched."""


BRINGS_ABOUT: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...] = tuple(
    (re.compile(path), re.compile(kinds))
    for path, kinds in (
        (r"livenessProbe", r"^liveness_|^restarted|^crash_loop"),
        (r"startupProbe", r"^startup_|^restarted|^crash_loop"),
        (r"readinessProbe", r"^readiness_|without_endpoints|rollout_stuck"),
        (r"imagePullSecrets", r"pull|image"),
        (r"limits\b", r"oom|memory|cpu|throttl|limit_range|demands_limits|evict|latency|slow|gc_"),
        (r"requests\b", r"quota|cpu|memory|capacity|limit_range|evict|preempt|pending"),
        (
            r"(command|args)$",
            r"command|binary|crash|missing_env|config|port|latency|slow|error|failing|oom|memory",
        ),
        (
            r"env(From)?\[",
            r"env|credential|secret|configmap|missing_key|mysql|db_|pool|address|dependency"
            r"|resolv|config|crash|oom|memory|latency|slow|error|failing|port|refused|timeout",
        ),
        (
            r"volume",
            r"missing_|mount|volume|claim|pvc|permission|config|storage|disk|attach|crash",
        ),
        (r"serviceAccount", r"service_account|rbac|forbidden|denied"),
        (
            r"nodeSelector|affinity|toleration|topologySpread|schedulerName|nodeName|priorityClass",
            r"node_|affinity|taint|spread|scheduler|capacity|preempt|pending|host_port",
        ),
        (r"securityContext", r"permission|run_as|security|bad_user|root|denied"),
        (
            r"(?<!mount)[pP]orts?(\[|\.|$)|hostPort|targetPort",
            r"port|probe|routing|refused|endpoints|readiness|liveness",
        ),
        (r"dns|hostNetwork|hostAliases", r"dns|resolv|network|port"),
        (r"labels", r"selector|endpoints|network_policy|selects|webhook|affinity|mesh"),
        (r"selector", r"selector|endpoints|selects|refused|failing|error"),
        (r"replicas", r"zero_replicas|endpoints|quota|capacity|latency|saturat|cpu|slow|traffic"),
        (r"strategy|maxUnavailable", r"strategy|rollout|endpoints"),
        (r"podSelector|ingress\b|egress\b|policyTypes", r"policy|timeout|refused|dns|dependency"),
        (r"rules|backend|path", r"misroute|backend|ingress|gateway|error|failing"),
        (r"\bhard\b|quota", r"quota|replicas|endpoints"),
        (
            r"taints|unschedulable|^node$",
            r"node_|taint|cordon|evict|schedule|scheduling|capacity|pending",
        ),
    )
)
"""(a path that was changed, the kinds of trouble that it is about). Names of kinds are matched by
their stems, so that a kind added to the catalogue falls to the row that it belongs to."""

GENERAL = re.compile(
    r"^(errors|latency|slow|failing|crash_loop|restarted|traffic|resource_high|dependency_(ref|tim)"
    r"|rollout_stuck|readiness_failing|liveness_failing|startup_failing|service_without)"
)
"""Kinds that almost any fault brings with it: that a change could bring them about is no sign."""

_NOTHING = re.compile(r"(?!)")
_SUFFIXES = {"": 1.0, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12} | {
    f"{letter}i": 1024.0**power for power, letter in enumerate("KMGT", start=1)
}
_QUANTITY = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<suffix>m|k|M|G|T|Ki|Mi|Gi|Ti|)")
_ANYTHING = re.compile(
    r"image$|^data\b|^binaryData\b|^stringData\b|^(version|previous|release|tag)$"
)


def touched(change: Finding, topology: Topology) -> set[Entity]:
    """The thing changed, what needs it directly, and what it is known to be read by."""
    direct = {
        edge.target
        for edge in topology.affects(change.entity)
        if edge.relation in ("needed by", "guards", "serves")
    }
    return {change.entity, *change.about} | direct


def fit(change: Finding, effect: Finding) -> Fit:
    """How well what the change touched fits this trouble; a change without content fits nothing."""
    rows = content(change)
    if DORMANT in change.details or not (rows or change.kind == "recent_change"):
        return Fit.NONE
    if shared_words(change, effect):
        return Fit.WORDS
    about = {path: kinds for path, value in rows.items() if (kinds := _about(path, value))}
    meant = [path for path, kinds in about.items() if any(k.search(effect.kind) for k in kinds)]
    if meant and (not GENERAL.search(effect.kind) or any("Probe" in path for path in meant)):
        return Fit.KIND
    # What no row of the table knows may do anything; so may another image or other data.
    unknown = len(about) < len(rows) or any(_ANYTHING.search(path) for path in rows)
    return Fit.OPEN if meant or unknown or not rows else Fit.NONE


def _about(path: str, value: str) -> list[re.Pattern[str]]:
    """The kinds of trouble that a changed path is about; none where it was changed for the better."""
    rows = [kinds for where, kinds in BRINGS_ABOUT if where.search(path)]
    return [_NOTHING] if rows and _eased(path, value) else rows


def _eased(path: str, value: str) -> bool:
    """Whether a limit was raised or a request lowered: neither starves anybody."""
    before, arrow, after = value.partition(" -> ")
    old, new = _quantity(before), _quantity(after)
    if not arrow or old is None or new is None:
        return False
    return new >= old if "limits" in path else new <= old if "requests" in path else False


def _quantity(text: str) -> float | None:
    """`512Mi`, `250m`, `2` as a number; None for what is no Kubernetes quantity."""
    match = _QUANTITY.fullmatch(text.strip())
    return float(match["number"]) * _SUFFIXES[match["suffix"]] if match else None


def best_fit(change: Finding, effects: Iterable[Finding]) -> Fit:
    """The best fit to any of these."""
    return max((fit(change, effect) for effect in effects), default=Fit.NONE)
