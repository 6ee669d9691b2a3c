"""What the evidence of a triage shows, made once: the objects, and the graph of what they do to each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from assistant.incident import Evidence
from assistant.snapshot import Snapshot
from assistant.topology import Topology, topology

_OBJECTS = ("kubernetes.list_resources", "kubernetes.get_recent_events")
_RELATIONS = (*_OBJECTS, "kubernetes.get_pod_logs", "prometheus.")
"""Whose answers make the snapshot, and whose the topology; both are too dear to make for each step."""

RUNBOOK_STEP = "a step of the runbook"
"""Why a runbook's own query is asked; one that cannot be answered is said at its step."""


@dataclass(frozen=True)
class View:
    """One set of evidence, and what is made of it when it is first looked at."""

    evidence: tuple[Evidence, ...]

    @cached_property
    def snapshot(self) -> Snapshot:
        """Every object and event, but for what only a runbook asked about.

        A runbook is read after the diagnosis: a replay, which knows all from the start, must come to
        the same one.
        """
        return Snapshot.made_of(_of(self.evidence, _OBJECTS))

    @cached_property
    def topology(self) -> Topology:
        """Who is needed, selected, guarded and called by whom."""
        return topology(self.snapshot, _of(self.evidence, _RELATIONS))

    def followed_by(self, evidence: tuple[Evidence, ...]) -> View:
        """The view of later evidence, with what more answers did not change."""
        later = View(evidence)
        for made, tools in (("snapshot", _OBJECTS), ("topology", _RELATIONS)):
            if made in self.__dict__ and _of(self.evidence, tools) == _of(evidence, tools):
                later.__dict__[made] = self.__dict__[made]
        return later


def _of(evidence: tuple[Evidence, ...], tools: tuple[str, ...]) -> list[Evidence]:
    asked = (item for item in evidence if item.asked_because != RUNBOOK_STEP)
    return [item for item in asked if item.tool.startswith(tools)]


@dataclass
class Sight:
    """The latest view; asked again with the same evidence, it is the same."""

    latest: View = field(default_factory=lambda: View(()))

    def of(self, evidence: tuple[Evidence, ...]) -> View:
        """The view of this evidence."""
        self.latest = self.latest.followed_by(evidence)
        return self.latest
