"""From what an alert names down the way of calls to the deepest service that explains it. Pure.

A victim has an ill callee that began no later, went the same way and is slow enough to matter; a
culprit has none. Equals stay equal. Where no way is known, likeness to the alert's own series
decides (as good as causal methods on PetShop, arXiv 2311.04806).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from assistant.checks.case import Case
from assistant.checks.reading.metrics.services import (
    ERRORS,
    LATENCY,
    TRAFFIC,
    Services,
    Signal,
    spoken,
)
from assistant.incident import Entity

LEAST_SHARE = 0.05
"""A callee whose delay is a twentieth of its caller's does not explain it."""
LEAST_LIKENESS = 0.0
"""A callee that was well while its caller was ill, and ill while that was well, explains nothing."""
LEAST_COMMON = 5
FULL_STRENGTH = 10.0
MOST_FAIL = 0.5
OTHER_WAY = 0.8
"""What is left of a suspicion where the alert speaks of latency and the service fails, or vice versa."""
SEEN_FROM_OUTSIDE = 0.85
"""What is left where only callers speak of an address, and a service that speaks for itself is ill
beside it: a load balancer is as slow as what stands behind it."""
TOLD_ALONE = 0.6
"""What is left where an alert fires on a service and no figure of it was seen: that it is ill, not
that the trouble begins there."""
TIED = 0.02
ALIKE = 0.7
"""Where no way is known, only what went as the alert's own series did is suspected."""
_ADDRESS = re.compile(
    r"://|@|^\d+\.\d+\.\d+\.\d+|[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z]{2,8}(?![a-z0-9.-])|:\d{2,5}$",
    re.IGNORECASE,
)
"""A host, an address or a URL: how callers name what does not name itself."""


@dataclass(frozen=True)
class Suspect:
    """A service where the trouble may begin, and how far metrics say so (0 to 1)."""

    entity: Entity
    signal: Signal
    belief: float
    alike: float | None = None
    """Likeness to the alert's own series, where there is one."""
    ties: tuple[Entity, ...] = ()


@dataclass(frozen=True)
class Alarm:
    """What the alert speaks of: its services, and latency or errors if it says which."""

    services: tuple[Entity, ...]
    signal: str = ""


def alarm(case: Case, services: Services) -> Alarm:
    """What the alert names; where it names nothing, the services on which alerts fire."""
    alert = case.alert
    words = (alert.title, alert.details, *alert.labels.values())
    named = {entity for entity in case.scope.entities if entity.kind != "Node"}
    if not named:
        own = alert.labels.get("alertname", "")
        named = {one.entity for one in services.firing if one.name == own or not own}
    return Alarm(tuple(sorted(named, key=str)), spoken(words))


def suspects(services: Services, alarm: Alarm) -> list[Suspect]:
    """Where the trouble may begin, the likeliest first; empty where nothing is ill."""
    ill = worst(services, alarm.signal)
    found = _deepest(services, alarm, ill)
    believed = [_weighed(services, alarm, ill, entity) for entity in sorted(found, key=str)]
    if not found:
        believed = [_weighed(services, alarm, ill, entity) for entity in sorted(ill, key=str)]
        believed = [one for one in believed if (one.alike or 0.0) >= ALIKE]
    believed = [_as_heard(services, one, believed) for one in believed]
    return _tied(sorted(believed, key=lambda one: (-one.belief, str(one.entity))))


def worst(services: Services, wanted: str = "") -> Mapping[Entity, Signal]:
    """The ill services, each with the signal that shows it best: of the wanted kind if any."""
    found: dict[Entity, Signal] = {}
    for entity, signals in services.of.items():
        ill = [one for one in signals if one.ill]
        if ill:
            found[entity] = max(ill, key=lambda one: _telling(one, wanted))
    return found


def _telling(signal: Signal, wanted: str) -> tuple[bool, bool, bool, bool, float]:
    """What a service itself measures tells more than a client's view; an alert alone tells least.

    Of a service that fails most requests the failures are told: who times out is slow as well.
    """
    fails = signal.signal == ERRORS and signal.during >= MOST_FAIL
    own = signal.client is None
    return (signal.signal == wanted, fails, not signal.alert, own, signal.strength)


def _deepest(services: Services, alarm: Alarm, ill: Mapping[Entity, Signal]) -> set[Entity]:
    """The ends of all-ill ways from the alerting services, or from those that no ill one calls."""
    starts = set(alarm.services)
    if not starts:
        explained = {s for c in ill for s in _explaining(services, ill, c)}
        starts = set(ill) - explained or set(ill)
    ends: set[Entity] = set()
    seen: set[Entity] = set()
    frontier = sorted(starts, key=str)
    while frontier:
        here = frontier.pop()
        if here in seen:
            continue
        seen.add(here)
        below = _explaining(services, ill, here)
        frontier.extend(below)
        if not below and here in ill:
            ends.add(here)
    return ends or _first_of({entity: ill[entity] for entity in seen if entity in ill})


def _first_of(circle: Mapping[Entity, Signal]) -> set[Entity]:
    """Those of services that call each other in a circle, all ill, that became so first."""
    began = min((one.onset for one in circle.values() if one.onset), default=None)
    return {entity for entity, one in circle.items() if one.onset in (None, began)}


def _explaining(services: Services, ill: Mapping[Entity, Signal], client: Entity) -> set[Entity]:
    """The ill callees of a service that can be why it is ill, too."""
    return {
        server
        for server in _measured_callees(services, client)
        if server in ill and _explains(services, ill, client, server)
    }


def _measured_callees(services: Services, client: Entity) -> set[Entity]:
    """Whom a service calls, also through those of whose answers nothing is known."""
    found: set[Entity] = set()
    frontier, seen = [client], {client}
    while frontier:
        for server in services.callees.get(frontier.pop(), ()):
            signals = services.of.get(server, ())
            if any(one.signal in (LATENCY, ERRORS) for one in signals):
                found.add(server)
            elif server not in seen:
                frontier.append(server)
            seen.add(server)
    return found - {client}


def _explains(
    services: Services, ill: Mapping[Entity, Signal], client: Entity, server: Entity
) -> bool:
    above = ill.get(client)
    below = _as_seen(services, ill[server], client)
    if above is None:
        return True
    close = likeness(above, below)
    unlike = close is not None and close < LEAST_LIKENESS
    return not _late(services, above, below) and not unlike and _matters(services, client, server)


def _late(services: Services, above: Signal, below: Signal) -> bool:
    """Whether a callee became ill after its caller. An alert fires some time after its trouble."""
    if above.alert or below.alert or not (above.onset and below.onset):
        return False
    return below.onset > above.onset + 2 * services.step


def _matters(services: Services, client: Entity, server: Entity) -> bool:
    ill = [one for one in services.of[server] if one.ill and one.client in (None, client)]
    return max((share(services, client, one) for one in ill), default=1.0) >= LEAST_SHARE


def _as_seen(services: Services, signal: Signal, client: Entity) -> Signal:
    """How this client sees a server's ill signal, where that was measured by itself."""
    return next(
        (
            one
            for one in services.of[signal.service]
            if one.client == client and one.ill and one.signal == signal.signal
        ),
        signal,
    )


def share(services: Services, client: Entity, below: Signal) -> float:
    """How much of a client's delay its calls to a server make up, at most 1; 1 where unknown."""
    alike = [
        one
        for one in services.of.get(client, ())
        if one.signal == below.signal == LATENCY
        and one.ill
        and not one.alert
        and (one.statistic, one.unit) == (below.statistic, below.unit)
    ]
    if not alike or below.alert:
        return 1.0
    own = max(one.during - one.before for one in alike)
    calls = 1.0
    if below.client is None:
        asked, asks = _rate(services, below.service), _rate(services, client)
        calls = asked / asks if asked and asks else 1.0
    return min((below.during - below.before) * max(calls, 1.0) / own, 1.0)


def _rate(services: Services, entity: Entity) -> float:
    rates = [one.before for one in services.of.get(entity, ()) if one.signal == TRAFFIC]
    return max(rates, default=0.0)


def likeness(one: Signal, other: Signal) -> float | None:
    """The correlation of two courses; None where they share too little to tell."""
    import numpy as np  # noqa: PLC0415 - a tenth of a second that a triage without metrics saves

    pairs = [
        (a, b)
        for a, b in zip(one.course, other.course, strict=False)
        if a is not None and b is not None
    ]
    if len(pairs) < LEAST_COMMON:
        return None
    table = np.array(pairs, dtype=float)
    if not table.std(axis=0).all():
        return None
    return float(np.corrcoef(table[:, 0], table[:, 1])[0, 1])


def _weighed(
    services: Services,
    alarm: Alarm,
    ill: Mapping[Entity, Signal],
    entity: Entity,
) -> Suspect:
    """Outside signs alone: how strong, of the alert's kind, alike, and by whose word."""
    signal = ill[entity]
    belief = 0.75 + 0.25 * min(signal.strength / FULL_STRENGTH, 1.0)
    if alarm.signal and signal.signal != alarm.signal:
        belief *= OTHER_WAY
    if signal.alert:
        belief *= TOLD_ALONE
    alike = _likeness_to_alarm(services, alarm, entity, signal)
    if alike is not None:
        belief *= 0.7 + 0.3 * max(alike, 0.0)
    return Suspect(entity, signal, round(belief, 3), alike)


def _likeness_to_alarm(
    services: Services, alarm: Alarm, entity: Entity, signal: Signal
) -> float | None:
    """How alike a suspect's course is to the alert's own, at best; an alerting service is itself."""
    if entity in alarm.services:
        return None
    kinds = (alarm.signal,) if alarm.signal else (LATENCY, ERRORS)
    own = [
        one for named in alarm.services for one in services.of.get(named, ()) if one.signal in kinds
    ]
    found = [alike for one in own if (alike := likeness(one, signal)) is not None]
    return max(found, default=None)


def _seen_from_outside(services: Services, signal: Signal) -> bool:
    """Whether a name is an address of which only callers speak: it calls nobody itself."""
    unmeasured = not services.callees.get(signal.service)
    return unmeasured and signal.service.kind == "Service" and bool(_ADDRESS.search(signal.label))


def _as_heard(services: Services, one: Suspect, others: Sequence[Suspect]) -> Suspect:
    """An address is suspected less than the service beside it that speaks for itself, and is ill."""
    if not _seen_from_outside(services, one.signal):
        return one
    beside = {
        server
        for servers in services.callees.values()
        if one.entity in servers
        for server in servers
    }
    spoken_for = [
        other.belief
        for other in others
        if other.entity in beside and not _seen_from_outside(services, other.signal)
    ]
    if not spoken_for:
        return one
    return replace(one, belief=round(SEEN_FROM_OUTSIDE * min(one.belief, *spoken_for), 3))


def _tied(ordered: Sequence[Suspect]) -> list[Suspect]:
    """Those that metrics do not tell from the best get its belief, and name each other."""
    if not ordered:
        return []
    best = ordered[0].belief
    level = [one for one in ordered if best - one.belief <= TIED]
    names = [one.entity for one in level]
    told = [
        replace(one, belief=best, ties=tuple(name for name in names if name != one.entity))
        for one in level
    ]
    return [*told, *ordered[len(level) :]]
