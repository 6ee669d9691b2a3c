"""Causes seen from outside alone, and what explains them from inside. Pure.

That a service fails or is slow for its callers says where trouble begins, never why. A specific cause
at the service, at what it is made of, or at the only caller that it fails, says why: what it looks
like from outside is then an effect.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from assistant.diagnosis.changes import OUTSIDE, follows
from assistant.diagnosis.seen import Seen, told_ill
from assistant.faults import Role, fault
from assistant.incident import Entity, Finding
from assistant.topology import Topology

CLEAR_ENOUGH = 0.5
"""How far a cause must be trusted by itself to explain what was measured: a stray line does not."""

CALLS = ("called by", "routed by")
MEASURED = ("errors_high", "latency_high")
OF_A_CALL = frozenset(
    {"credentials_refused", "certificate_untrusted", "certificate_name_mismatch", "rate_limited"}
)
"""What a caller says of an answer that it got, often without saying whose."""


def told_inside(finding: Finding, seen: Seen) -> Finding | None:
    """The specific cause that explains one that is seen from outside alone, if there is one."""
    if finding.kind not in OUTSIDE:
        return None
    rows = [item for item in seen.ill if _specific(item) and follows(finding, item)]
    if not rows:
        return None
    # Metrics name several where they cannot tell: what is wrong inside one of them can.
    level = {item.entity for item in seen.ill if item.kind == finding.kind} & set(finding.about)
    made_of = _made_of(finding.entity, seen.topology)
    made_of = made_of.union(*(_made_of(one, seen.topology) for one in level))
    return next(
        (item for item in rows if told_ill(item) & made_of or blames(item, finding, seen)), None
    )


def _specific(item: Finding) -> bool:
    entry = fault(item.kind)
    trusted = entry.role is Role.CAUSE and item.kind not in OUTSIDE
    return trusted and entry.weight * item.strength >= CLEAR_ENOUGH


def _made_of(entity: Entity, topology: Topology) -> set[Entity]:
    """A thing and all that it needs to run, whom it calls left out: those are measured themselves."""
    found, frontier = {entity}, [entity]
    while frontier:
        edges = [edge for here in frontier for edge in topology.depends_on(here)]
        frontier = [e.source for e in edges if e.relation not in CALLS and e.source not in found]
        found |= set(frontier)
    return found


def blames(cause: Finding, effect: Finding, seen: Seen) -> bool:
    """Whether a cause lies with the one caller that a thing fails, and speaks of that thing.

    What a server answers to wrong credentials counts as its failure; if it fails others as well,
    the caller is not to blame.
    """
    if effect.kind not in (*MEASURED, *OUTSIDE) or cause.kind in OUTSIDE:
        return False
    faces = _faces(effect.entity, seen.topology)
    if cause.entity in faces or not _speaks_of(cause, faces):
        return False
    callers = {
        edge.target
        for face in faces
        for edge in seen.topology.affects(face)
        if edge.relation == "called by"
    }
    if cause.entity not in callers:
        return False
    reach = seen.topology.reach(cause.entity)
    return not _ill_among(callers - reach.keys(), seen.ill)


def _speaks_of(cause: Finding, faces: set[Entity]) -> bool:
    if faces & set(cause.about):
        return True
    if cause.kind in OF_A_CALL and not cause.details.get("host"):
        return True
    names = "|".join(re.escape(face.name) for face in faces)
    return bool(re.search(rf"(?<![\w-])(?:{names})(?![\w-])", cause.statement))


def _faces(entity: Entity, topology: Topology) -> set[Entity]:
    """A thing and the Services by which it is called, or the things behind a Service."""
    onward = {e.target for e in topology.affects(entity) if e.relation == "serves"}
    behind = {e.source for e in topology.depends_on(entity) if e.relation == "serves"}
    return {entity} | onward | behind


def _ill_among(entities: Iterable[Entity], ill: Iterable[Finding]) -> bool:
    wanted = set(entities)
    return any(item.entity in wanted and item.kind in MEASURED for item in ill)
