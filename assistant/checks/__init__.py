"""One file per family of faults: each asks tools and returns Findings that cite the answers."""

from collections.abc import Awaitable, Callable, Mapping

from assistant.checks import (
    admission,
    bystanders,
    crashes,
    images,
    nodes,
    probes,
    rollouts,
    routing,
    scheduling,
    signals,
    startup,
    storage,
)
from assistant.checks.case import Case
from assistant.incident import Finding

Check = Callable[[Case], Awaitable[list[Finding]]]

CHECKS: Mapping[str, Check] = {
    "admission": admission.check,
    "bystanders": bystanders.check,
    "crashes": crashes.check,
    "images": images.check,
    "nodes": nodes.check,
    "probes": probes.check,
    "rollouts": rollouts.check,
    "routing": routing.check,
    "scheduling": scheduling.check,
    "signals": signals.check,
    "startup": startup.check,
    "storage": storage.check,
}
"""Every family by its name. The order says nothing: they run at the same time."""

__all__ = ["CHECKS", "Case", "Check"]
