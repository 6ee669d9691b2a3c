"""Which alerts belong together, and why, in words. Pure, and blind to the order of arrival.

Two causes near in time stay two: a link needs a shared subject as well as a shared time, a caller
that suffers joins one of those it calls and never ties two of them together, and what stands in one
incident is never moved into another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from assistant.duty.links import Calls, Link, Placed, Rank, links
from assistant.duty.received import Received
from assistant.report.words import count, span
from assistant.settings import Terms

ALONE = "nothing else that began near it has to do with it"


@dataclass(frozen=True, slots=True)
class Member:
    """An alert in its group, and why it is there."""

    alert: Received
    why: str


@dataclass(frozen=True, slots=True)
class Group:
    """Alerts that are one incident: a known one, or, without an id, a new one."""

    incident: str
    members: tuple[Member, ...]
    beside: tuple[str, ...] = ()
    """Why it could have gone elsewhere as well, and was kept apart."""


def group(
    waiting: Sequence[Received], placed: Sequence[Placed], calls: Calls, terms: Terms
) -> list[Group]:
    """Each waiting alert in exactly one group, oldest group first.

    `placed` are alerts of incidents that may still take some in.
    """
    nodes = [*sorted(placed, key=_order), *sorted((Placed(one) for one in waiting), key=_order)]
    forest = _Forest(nodes)
    every = sorted(links(nodes, calls, terms), key=lambda link: link.order(nodes))
    for link in every:
        if link.rank is not Rank.CALLS:
            forest.join(link)
    suffering = [forest.root(place) for place in range(len(nodes))]
    served: set[int] = set()
    for link in every:
        if link.rank is Rank.CALLS:
            forest.attach(link, suffering[link.one], served)
    return sorted(forest.groups(), key=lambda group: _order(Placed(group.members[0].alert)))


def explained(whys: Iterable[str], lasting: timedelta) -> str:
    """`same service checkout; 3 alerts within 5 min`: why an incident is one."""
    counted = Counter(whys)
    total = sum(counted.values())
    if total <= 1:
        return f"1 alert; {ALONE}"
    within = f"{count(total, 'alert')} within {span(max(lasting.total_seconds(), 1))}"
    reasons = [(why, times) for why, times in counted.most_common() if why != ALONE]
    if len(reasons) == 1:
        return f"{reasons[0][0]}; {within}"
    return f"{', '.join(f'{why} ({times})' for why, times in reasons)}; {within}"


def _order(node: Placed) -> tuple[object, ...]:
    return node.alert.starts_at, node.alert.id


class _Forest:
    """Sets of alerts that grow together; each holds at most one known incident."""

    def __init__(self, nodes: Sequence[Placed]) -> None:
        self._nodes = nodes
        self._above = list(range(len(nodes)))
        self._incident = [node.incident for node in nodes]
        self._held = [[place] for place in range(len(nodes))]
        self._because: list[Link | None] = [None for _ in nodes]
        self._beside: list[tuple[int, str]] = []
        first: dict[str, int] = {}
        for place, node in enumerate(nodes):
            if node.incident and (top := first.setdefault(node.incident, place)) != place:
                self._above[place] = top
                self._held[top].append(place)

    def root(self, place: int) -> int:
        while self._above[place] != place:
            self._above[place] = self._above[self._above[place]]
            place = self._above[place]
        return place

    def join(self, link: Link) -> bool:
        """Put the two ends into one set, unless both are incidents already."""
        one, other = self.root(link.one), self.root(link.other)
        if one != other and self._incident[one] and self._incident[other]:
            self._beside += [(link.one, link.why), (link.other, link.why)]
            return False
        for end in (link.one, link.other):
            self._because[end] = self._because[end] or link
        if one != other:
            self._bridge(link, other if self._incident[one] else one)
            self._merge(max(one, other), min(one, other))
        return True

    def _bridge(self, link: Link, side: int) -> None:
        """What ties a service to others says more of its alerts than that they are of one service."""
        if link.rank > Rank.SERVICE:
            for place in self._held[side]:
                because = self._because[place]
                if because is None or because.rank <= Rank.SERVICE:
                    self._because[place] = link

    def _merge(self, lower: int, upper: int) -> None:
        self._above[lower] = upper
        self._held[upper] += self._held[lower]
        self._incident[upper] = self._incident[upper] or self._incident[lower]

    def attach(self, link: Link, caller: int, served: set[int]) -> None:
        """Let those who suffer together join one of those they call."""
        if self.root(link.one) == self.root(link.other):
            self.join(link)
        elif caller in served:
            self._beside.append((link.one, link.why))
        elif self.join(link):
            served.add(caller)

    def groups(self) -> Iterable[Group]:
        members: dict[int, list[Member]] = {}
        for place, node in enumerate(self._nodes):
            if not node.incident:
                because = self._because[place]
                member = Member(node.alert, because.why if because else ALONE)
                members.setdefault(self.root(place), []).append(member)
        beside: dict[int, dict[str, None]] = {}
        for place, why in self._beside:
            beside.setdefault(self.root(place), {})[why] = None
        for root, rows in members.items():
            yield Group(self._incident[root], tuple(rows), tuple(beside.get(root, ())))
