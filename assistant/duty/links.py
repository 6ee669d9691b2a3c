"""Pairs of alerts that have to do with each other: the same again, one service, one node, one kind of
trouble in one namespace, or one that calls the other. Pure.
"""

from __future__ import annotations

from bisect import bisect
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import IntEnum
from functools import cached_property
from itertools import chain, pairwise, product

from assistant.duty.received import Received
from assistant.duty.subject import Subject, slug, subject
from assistant.settings import Terms

Line = list[tuple[float, str, int]]
"""Alerts in the order in which they began: when, which, and its place."""


class Rank(IntEnum):
    """Kinds of links, the surest first."""

    AGAIN = 0
    SERVICE = 1
    NODE = 2
    KIND = 3
    CALLS = 4


@dataclass(frozen=True, slots=True)
class Placed:
    """An alert, and the incident that it is part of; empty while it is in none."""

    alert: Received
    incident: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """Two alerts, by their places, and why they belong together. For calls, `one` calls `other`."""

    rank: Rank
    one: int
    other: int
    why: str

    def order(self, nodes: Sequence[Placed]) -> tuple[object, ...]:
        """Surest first; of calls, first to whom was in trouble first: a cause precedes its effect."""
        one, other = nodes[self.one].alert, nodes[self.other].alert
        return self.rank, other.starts_at, other.id, one.starts_at, one.id, self.why


@dataclass(frozen=True)
class Calls:
    """Who calls whom, by the names of services."""

    pairs: frozenset[tuple[str, str]] = field(default_factory=frozenset)

    @classmethod
    def of(cls, pairs: Sequence[tuple[str, str]]) -> Calls:
        """The calls among services as any system spells their names; none calls itself."""
        spelt = ((slug(one), slug(other)) for one, other in pairs)
        return cls(frozenset((a, b) for a, b in spelt if a and b and a != b))

    @cached_property
    def needs(self) -> Mapping[str, frozenset[str]]:
        """Whom each known service calls; those that call nobody are known as well."""
        called: dict[str, set[str]] = defaultdict(set)
        for one, other in self.pairs:
            called[one].add(other)
            called.setdefault(other, set())
        return {name: frozenset(others) for name, others in called.items()}

    def shared(self, services: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
        """Each service that several of these call, with those who do."""
        callers: dict[str, list[str]] = defaultdict(list)
        for name in sorted(services):
            for server in self.needs.get(name, ()):
                callers[server].append(name)
        yield from sorted((name, those) for name, those in callers.items() if len(those) > 1)


def links(nodes: Sequence[Placed], calls: Calls, terms: Terms) -> Iterator[Link]:
    """Every pair that has to do with each other and of which one is in no incident yet."""
    spoken = _placed([subject(node.alert) for node in nodes])
    finder = _Finder(nodes, spoken, terms)
    yield from finder.again()
    yield from finder.services()
    yield from finder.nodes_of_the_cluster()
    yield from finder.kinds(calls)
    yield from finder.calls(calls)


def _placed(subjects: list[Subject]) -> list[Subject]:
    """The subjects, with a cluster and a namespace where only one can be meant by a service's name."""
    known: dict[str, set[tuple[str, str]]] = defaultdict(set)
    clusters = {one.cluster for one in subjects if one.cluster}
    only = clusters.pop() if len(clusters) == 1 else ""
    settled = [one if one.cluster else replace(one, cluster=only) for one in subjects]
    for one in settled:
        if one.service and one.namespace:
            known[one.service].add((one.cluster, one.namespace))
    return [_home(one, known[one.service]) for one in settled]


def _home(one: Subject, homes: set[tuple[str, str]]) -> Subject:
    fitting = {home for home in homes if one.cluster in ("", home[0])}
    if not one.service or one.namespace or len(fitting) != 1:
        return one
    ((cluster, namespace),) = fitting
    return replace(one, cluster=cluster, namespace=namespace)


@dataclass(frozen=True, slots=True)
class _Finder:
    """Finds the links among these alerts; each kind looks only among what shares a key."""

    all: Sequence[Placed]
    spoken: Sequence[Subject]
    terms: Terms

    def again(self) -> Iterator[Link]:
        keyed: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for place, node in enumerate(self.all):
            if node.alert.fingerprint:
                keyed[node.alert.source, node.alert.fingerprint].append(place)
        for places in keyed.values():
            yield from self._chained(places, Rank.AGAIN, "the same alert again")

    def services(self) -> Iterator[Link]:
        keyed: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for place, said in enumerate(self.spoken):
            if said.service:
                keyed[said.cluster, said.namespace, said.service].append(place)
        for (*_, name), places in keyed.items():
            yield from self._chained(places, Rank.SERVICE, f"same service {name}")

    def nodes_of_the_cluster(self) -> Iterator[Link]:
        """What runs on a node belongs to what is said of that node itself."""
        keyed: dict[tuple[str, str], list[int]] = defaultdict(list)
        for place, said in enumerate(self.spoken):
            if said.node:
                keyed[said.cluster, said.node].append(place)
        for (_, name), places in keyed.items():
            own = [place for place in places if self.spoken[place].of_a_node]
            yield from self._chained(own, Rank.NODE, f"same node {name}")
            there = self._line(own)
            for place in places:
                if not self.spoken[place].of_a_node:
                    yield from self._nearest(place, there, Rank.NODE, f"runs on node {name}")

    def kinds(self, calls: Calls) -> Iterator[Link]:
        """The same kind of trouble in a namespace; of services of which it is known whom they call,
        those that call the same one, which may be the cause.

        Where one of the two calls the other, `calls` decides: it lets a caller join one cause only.
        """
        keyed: dict[tuple[str, ...], dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        for place, said in enumerate(self.spoken):
            if said.family and said.namespace:
                keyed[said.cluster, said.namespace, said.family][said.service].append(place)
        for (_, namespace, _), services in keyed.items():
            rule = min(self.spoken[place].rule for places in services.values() for place in places)
            why = f"same kind of alert {rule} in namespace {namespace}"
            strange = [places for name, places in services.items() if name not in calls.needs]
            yield from self._chained(chain.from_iterable(strange), Rank.KIND, why)
            for server, those in calls.shared(services):
                places = chain.from_iterable(services[name] for name in those)
                yield from self._chained(places, Rank.KIND, f"{why}, where several call {server}")

    def calls(self, calls: Calls) -> Iterator[Link]:
        """Those who call a service in trouble, each with its own trouble."""
        keyed: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        for place, said in enumerate(self.spoken):
            if said.service:
                keyed[said.service][said.cluster].append(place)
        for client, server in sorted(calls.pairs):
            if client not in keyed or server not in keyed:
                continue
            for one, other in product(keyed[client], keyed[server]):
                if one == other or "" in (one, other):
                    there = self._line(keyed[server][other])
                    for place in keyed[client][one]:
                        yield from self._nearest(
                            place, there, Rank.CALLS, f"{client} calls {server}"
                        )

    def _chained(self, places: Iterable[int], rank: Rank, why: str) -> Iterator[Link]:
        """Each with the one before it, and each new one with the nearest that is in an incident."""
        ordered = self._line(places)
        for (_, _, one), (_, _, other) in pairwise(ordered):
            yield from self._linked(other, one, rank, why)
        settled = [row for row in ordered if self.all[row[-1]].incident]
        for _, _, place in ordered:
            if not self.all[place].incident:
                yield from self._nearest(place, settled, rank, why)

    def _nearest(self, place: int, there: Line, rank: Rank, why: str) -> Iterator[Link]:
        """With the one that began nearest to it."""
        if there:
            at = bisect(there, (self._at(place), "", -1))
            near = there[max(0, at - 1) : at + 1]
            _, other = min((self._apart(place, row[-1]), row[-1]) for row in near)
            yield from self._linked(place, other, rank, why)

    def _linked(self, one: int, other: int, rank: Rank, why: str) -> Iterator[Link]:
        settled = [bool(self.all[place].incident) for place in (one, other)]
        sure = rank <= Rank.SERVICE and any(settled)
        most = max(self.terms.window, self.terms.cooldown) if sure else self.terms.window
        if not all(settled) and self._apart(one, other) <= most:
            yield Link(rank, one, other, why)

    def _line(self, places: Iterable[int]) -> Line:
        """The places in the order in which their alerts began."""
        return sorted((self._at(place), self.all[place].alert.id, place) for place in places)

    def _at(self, place: int) -> float:
        return self.all[place].alert.starts_at.timestamp()

    def _apart(self, one: int, other: int) -> timedelta:
        return abs(self.all[one].alert.starts_at - self.all[other].alert.starts_at)
