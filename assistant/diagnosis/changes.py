"""Changes before the court: which one explains a trouble of its own, which one set off another cause.

The last deploy before an alert is usually innocent: a change is a cause only where what it touched
is ill since, nothing there was ill before, nothing more specific is known there or in what it
depends on; and how far it is believed hangs on its content and its timing. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from assistant.changed import NEW_PODS, OLD_PODS, RETURNS_TO, content, ill, well
from assistant.diagnosis.seen import Seen, told_ill
from assistant.diagnosis.touched import Fit, best_fit, fit, touched
from assistant.faults import Role, fault
from assistant.incident import Entity, Finding
from assistant.topology import Topology

CLOCK_SLACK = timedelta(minutes=2)
"""Times from different clocks and scrapes differ by this much; order within it says nothing."""

FOLLOWS: tuple[tuple[timedelta, float], ...] = (
    (timedelta(minutes=10), 1.0),
    (timedelta(minutes=20), 0.88),
    (timedelta(minutes=45), 0.8),
)
"""How soon after a change its trouble shows, and what that leaves of the belief. Most bad releases
show within minutes (pods start, caches fill); a leak takes longer, and anything may have happened
in between."""

CONVICTED = 0.92
"""How far a change is believed that everything speaks for."""

JUST_BEFORE = "the trouble began within five minutes"
PROOF: Mapping[str, float] = {
    "only the new revision's pods are ill": 0.6,
    "the trouble names what was changed": 0.5,
    "it touched what this kind of trouble is about": 0.3,
    "by the calls that were measured it begins here": 0.35,
    "its log complains since, and not of what it depends on": 0.25,
    "nothing that it depends on is known to be ill": 0.12,
    JUST_BEFORE: 0.15,
}
"""What each sign adds, as a share of the way from the kind's own weight to `CONVICTED`."""

CONTENT = frozenset(list(PROOF)[1:3])
CIRCUMSTANCE = frozenset(list(PROOF)[-2:])
"""Signs that an innocent deploy has as well."""

AT_ONCE = timedelta(minutes=5)
BROUGHT_BACK = 0.8
"""What is left for a revision that has run before: it was well then, but its surroundings moved on."""

UNPROVEN = 0.8
"""What is left where nothing but time and place speaks against it: most last deploys are innocent."""

ILL_BELOW = 0.85
"""What is left where something that the changed thing depends on is ill as well, nobody knows why."""

TELLING = 0.4
"""Symptoms from this weight on speak of service given; below it they may be load or noise."""

OUTSIDE = frozenset({"slow_dependency", "failing_dependency"})
"""Causes that say where it begins and nothing of why: a change there explains them."""

WAITED = frozenset({"pool_exhausted", "db_connection_exhaustion", "dependency_timeout"})
SAID_LATE = timedelta(minutes=5)
"""A program says of these only once a wait was in vain: its answers grew slow before it said so."""


@dataclass(frozen=True)
class Charge:
    """A change as a cause: how far it is believed by itself, and what it explains more exactly."""

    change: Finding
    finding: Finding
    """The change under the name of the fault that it is charged with."""
    belief: float
    proof: tuple[str, ...]


def may_follow(cause: datetime | None, effect: datetime | None) -> bool:
    """Whether an effect may follow a cause; unknown times do not speak against it."""
    return cause is None or effect is None or effect >= cause - CLOCK_SLACK


def follows(effect: Finding, cause: Finding) -> bool:
    """Whether one finding may follow from another, by when each is known to have begun."""
    waited = cause.kind in WAITED and (effect.kind in OUTSIDE or effect.kind == "latency_high")
    began = cause.began - SAID_LATE if waited and cause.began else cause.began
    return may_follow(began, effect.began)


def charged(change: Finding, seen: Seen) -> Charge | None:
    """The change as a cause of its own; None where it is innocent, or something is more specific."""
    places = touched(change, seen.topology)
    here = [item for item in seen.ill if item.entity in places and _speaks(item)]
    after = [item for item in here if may_follow(change.began, item.began)]
    prompt = _promptness(change, after)
    if not prompt or len(after) < len(here) or best_fit(change, after) is Fit.NONE:
        return None
    if any(_specific(item) for item in seen.ill if told_ill(item) & places):
        return None
    below = _below(places, seen)
    if any(_specific(item) and may_follow(item.began, _first(after)) for item in below):
        return None
    proof = _proof(change, after, grumbles=_grumbles(change, places, seen), below=bool(below))
    weight = fault(_kind(change)).weight
    belief = weight + (CONVICTED - weight) * min(sum(PROOF[sign] for sign in proof), 1.0)
    belief *= prompt * (ILL_BELOW if below else 1.0)
    belief *= BROUGHT_BACK if change.details.get(RETURNS_TO) else 1.0
    belief *= 1.0 if _proven(change, proof) else UNPROVEN
    return Charge(change, change.model_copy(update={"kind": _kind(change)}), belief, proof)


def _proven(change: Finding, proof: Sequence[str]) -> bool:
    """Whether more than circumstance speaks for a change.

    What was only announced, and touched nothing that was seen, must at least come just before.
    """
    signs = set(proof)
    by_place_alone = change.kind == "recent_change" and not signs & CONTENT
    return bool(signs - CIRCUMSTANCE) and (not by_place_alone or JUST_BEFORE in signs)


def _speaks(item: Finding) -> bool:
    """Whether a finding says that service given is ill, or why."""
    entry = fault(item.kind)
    return entry.role is Role.CAUSE or (entry.role is Role.SYMPTOM and entry.weight >= TELLING)


def _specific(item: Finding) -> bool:
    return fault(item.kind).role is Role.CAUSE and item.kind not in OUTSIDE


def _promptness(change: Finding, effects: Sequence[Finding]) -> float:
    """What the time from the change to its first effect leaves; 0 where it is too long or unknown."""
    first = _first(effects)
    if first is None or change.began is None:
        return 0.0
    return next((left for within, left in FOLLOWS if first - change.began <= within), 0.0)


def _first(effects: Sequence[Finding]) -> datetime | None:
    return min((item.began for item in effects if item.began), default=None)


def _below(places: set[Entity], seen: Seen) -> list[Finding]:
    """What is ill among the things that these depend on, the things themselves left out."""
    found: dict[Entity, None] = {}
    frontier = list(places)
    while frontier:
        edges = [edge for here in frontier for edge in seen.topology.depends_on(here)]
        frontier = list(dict.fromkeys(e.source for e in edges if e.source not in found))
        found |= dict.fromkeys(frontier)
    return [item for item in seen.ill if item.entity in found.keys() - places and _speaks(item)]


def _kind(change: Finding) -> str:
    """Another image is a release; other settings are a change of configuration."""
    released = any(path.endswith("image") for path in content(change))
    return "bad_release" if released or _told_as_release(change) else "config_changed"


def _told_as_release(change: Finding) -> bool:
    return change.kind == "recent_change" and bool(
        {"version", "release", "tag"} & content(change).keys()
    )


def _grumbles(change: Finding, places: set[Entity], seen: Seen) -> bool:
    """Whether a log there complains, since the change, of something that no known fault explains."""
    return any(
        item.kind in ("noisy_log", "errors_logged")
        and item.entity in places
        and may_follow(change.began, item.began)
        for item in seen.ill
    )


def _proof(
    change: Finding, effects: Sequence[Finding], *, grumbles: bool, below: bool
) -> tuple[str, ...]:
    """The signs that speak for the change, by the names of `PROOF`."""
    fits, notes = best_fit(change, effects), change.details
    first = _first(effects)
    signs = (
        ill(notes.get(NEW_PODS, "")) and well(notes.get(OLD_PODS, "")),
        fits is Fit.WORDS,
        fits is Fit.KIND,
        any(item.kind in OUTSIDE for item in effects) and not below,
        grumbles and not below,
        not below,
        bool(first and change.began and first - change.began <= AT_ONCE),
    )
    return tuple(name for name, holds in zip(PROOF, signs, strict=True) if holds)


def trigger(cause: Finding, explained: Sequence[Finding], seen: Seen) -> Finding | None:
    """The change that most likely set off a cause: at its place, before it, of fitting content."""
    near = [
        change
        for change in seen.changes
        if _at(change, cause, seen.topology)
        and change.began is not None
        and (cause.began is None or change.began <= cause.began + CLOCK_SLACK)
        and _could(change, cause, explained)
    ]
    return max(near, key=lambda change: _aptness(change, cause, seen.topology), default=None)


def _at(change: Finding, cause: Finding, topology: Topology) -> bool:
    """Whether a change was made at the cause's own thing, or at what its thing needs."""
    if cause.entity in touched(change, topology):
        return True
    return change.entity in cause.about and fit(change, cause) >= Fit.KIND


def _could(change: Finding, cause: Finding, explained: Sequence[Finding]) -> bool:
    """Whether its content could have brought the cause about, or the first that came of it."""
    return best_fit(change, (cause, *explained)) is not Fit.NONE


def _aptness(change: Finding, cause: Finding, topology: Topology) -> tuple[int, int, int, str, str]:
    """Content first, then the nearness of its place, then that it was really seen, then its time."""
    own = 2 if change.entity == cause.entity else int(cause.entity in touched(change, topology))
    seen = int(change.kind != "recent_change")
    return fit(change, cause), own, seen, str(change.began), change.id
