"""Trouble between services rather than in one: packets that a node or pod loses, nodes where all is slow."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from assistant.checks.case import Case
from assistant.checks.reading.metrics.culprit import alarm, suspects
from assistant.checks.reading.metrics.services import LATENCY, STRONG, Services, measured
from assistant.checks.reading.metrics.whose import owner
from assistant.incident import Entity, Evidence, Finding
from assistant.snapshot import listing, mapping, moment

LOSS = re.compile(
    r"tcp_?retr?ans|retrans(mit|seg)|packets?_?(drop|loss|lost)|network_(receive|transmit)_(drop|err|packets_drop)",
    re.IGNORECASE,
)
"""Retransmitted, dropped and broken packets, by whatever exporter."""

CLEARLY = 1.5
"""The node that loses is told from its peers by half as many packets again: each lost packet is
missed at both ends."""

LEAST_LOST = 1.0
"""Packets a second: a few are sent twice on every node."""
SEVERAL = 2
MOST_NAMED = 4
LEAST_SERVICES = 3
MOST_OF_THEM = 0.7
FEW_OF_THEM = 0.2


@dataclass(frozen=True)
class Losing:
    """A node or workload whose packets get lost since some time."""

    entity: Entity
    metric: str
    before: float
    during: float
    strength: float
    began: datetime | None
    evidence: Evidence


async def check(case: Case) -> list[Finding]:
    """Lost packets, and nodes on which everything is slow at once."""
    services = measured(case)
    losing = _losing(case)
    ends = {one.entity for one in suspects(services, alarm(case, services))}
    return [
        *map(_symptom, losing),
        *_guilty_node(case, services, losing, ends),
        *_guilty_pods(services, losing),
        *_slow_node(case, services, ends),
    ]


def _losing(case: Case) -> list[Losing]:
    """The worst series of lost packets of each thing."""
    worst: dict[Entity, Losing] = {}
    for answer in case.of_tool("prometheus.find_anomalies"):
        for row in map(mapping, listing(answer.data, "anomalies")):
            entity, onset = owner(case, mapping(row, "labels")), moment(row.get("onset"))
            metric, strength = str(row.get("metric")), float(row.get("strength") or 0)
            fits = LOSS.search(metric) and row.get("direction") == "up" and strength >= STRONG
            if not fits or entity is None or not case.in_window(onset):
                continue
            before, during = float(row.get("before") or 0), float(row.get("during") or 0)
            one = Losing(entity, metric, before, during, strength, onset, answer)
            if _rise(one) < LEAST_LOST:
                continue
            if entity not in worst or _rise(one) > _rise(worst[entity]):
                worst[entity] = one
    return sorted(worst.values(), key=_rise, reverse=True)


def _rise(one: Losing) -> float:
    return one.during - one.before


def _symptom(one: Losing, kind: str = "packets_lost", strength: float = 0.9) -> Finding:
    return Finding(
        kind=kind,
        entity=one.entity,
        statement=f"{one.entity}: {one.metric} went from {one.before:.4g} to {one.during:.4g}",
        citations=(one.evidence.cite(one.metric),),
        began=one.began,
        strength=strength,
        details={"metric": one.metric},
    )


def _guilty_node(
    case: Case, services: Services, losing: Iterable[Losing], ends: set[Entity]
) -> Iterator[Finding]:
    """The node that loses most, where trouble begins there, or in several places at once.

    Callers on the node see what they call slow, so that the ill services need not all run there.
    """
    ill = {signal.service for signal in services.signals if signal.ill}
    there = {node: sorted(names & ill, key=str) for node, names in _placed(case).items()}
    hit = [one for one in losing if one.entity.kind == "Node" and there.get(one.entity)]
    level = [one for one in hit if _rise(one) * CLEARLY > _rise(hit[0])]
    begins = len(ends) >= SEVERAL or any(ends & set(there[one.entity]) for one in level)
    for one in level if begins else []:
        names = ", ".join(entity.name for entity in there[one.entity][:MOST_NAMED])
        tie = [other.entity.name for other in level if other is not one]
        said = f"; metrics do not tell it from {' or '.join(tie)}" if tie else ""
        finding = _symptom(one, "node_network_packet_loss", 1.0 if not tie else 0.85)
        more = f"{finding.statement}{said}; ill with pods on it: {names}"
        yield finding.model_copy(update={"statement": more})


def _guilty_pods(services: Services, losing: Iterable[Losing]) -> Iterator[Finding]:
    """A workload whose own packets get lost while it is slow or fails."""
    for one in losing:
        ill = any(signal.ill for signal in services.of.get(one.entity, ()))
        if ill and one.entity.kind != "Node":
            yield _symptom(one, "pod_network_loss")


def _placed(case: Case) -> Mapping[Entity, frozenset[Entity]]:
    """Node -> the workloads with pods on it."""
    found: dict[Entity, set[Entity]] = {}
    for edge in case.topology.edges:
        if edge.relation == "runs":
            found.setdefault(edge.source, set()).add(edge.target)
    return {node: frozenset(names) for node, names in found.items()}


def _slow_node(case: Case, services: Services, ends: set[Entity]) -> Iterator[Finding]:
    """A node on which nearly all services are slow, while hardly any is that neither runs there nor
    calls one that does.
    """
    placed = _placed(case)
    slow = {one.service for one in services.signals if one.ill and one.signal == LATENCY}
    known = {one.service for one in services.signals if one.signal == LATENCY}
    for node, there in placed.items():
        alone = {e for e in there & known if sum(e in on for on in placed.values()) == 1}
        others = known - alone - _callers(services, alone)
        bad = alone & slow
        most = len(alone) >= LEAST_SERVICES and len(bad) >= MOST_OF_THEM * len(alone)
        most = most and len(bad & ends) >= SEVERAL and ends <= there
        if most and others and len(others & slow) <= FEW_OF_THEM * len(others):
            yield _of_node(services, node, sorted(bad, key=str), len(alone))


def _callers(services: Services, of: set[Entity]) -> set[Entity]:
    """Everything that calls one of these, at any distance."""
    found: set[Entity] = set()
    grown = True
    while grown:
        more = {c for c, s in services.calls if s in of | found and c not in found}
        grown = bool(more)
        found |= more
    return found


def _of_node(services: Services, node: Entity, bad: list[Entity], of: int) -> Finding:
    worst = [next(s for s in services.of[e] if s.ill and s.signal == LATENCY) for e in bad]
    began = min((one.onset for one in worst if one.onset), default=None)
    names = ", ".join(entity.name for entity in bad)
    return Finding(
        kind="node_network_delay",
        entity=node,
        statement=f"{len(bad)} of the {of} measured services that run on {node} alone are slow "
        f"({names}), and hardly any elsewhere that does not call them",
        citations=tuple(one.evidence.cite(one.label) for one in worst),
        began=began,
        active=not all(one.over for one in worst),
        about=tuple(bad),
        strength=0.9,
    )
