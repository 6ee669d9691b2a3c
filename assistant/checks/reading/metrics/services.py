"""What metrics say of every service: how its answers went, who calls it, and which alerts fire on it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from assistant.checks.case import Case
from assistant.checks.reading.metrics.whose import OWN_WORDS
from assistant.incident import Entity, Evidence
from assistant.snapshot import dig, listing, mapping, moment, whole
from assistant.topology import called

TOOL = "prometheus.list_services"
LATENCY, ERRORS, TRAFFIC = "latency", "errors", "traffic"

STRONG = 3.0
"""Spreads of its own past: below three is ordinary life."""

SLOWER = 1.5
"""A service is called slow from half as much again on: less is seldom what an alert is about."""

LIKE_BEFORE = 0.25
"""A level within a quarter of the one before is called steady: load alone moves it by as much."""

FAILING = 0.01
"""A service is called failing when at least one request in a hundred fails more than before."""

STILL_FIRES = timedelta(minutes=5)
"""An alert whose last sample is no older than Prometheus looks back is one that fires."""

BEFORE_THE_WINDOW = timedelta(minutes=2)
"""An alert that fires from the window's begin on fired before: it is not of this incident."""

_SLOW = re.compile(
    r"latenc|\bslow|duration|response[ _-]?time|delay|p9\d|p50|timeout", re.IGNORECASE
)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
"""`CheckoutsLow` is not slow."""
_FAILS = re.compile(r"error|fail|5xx|availab|success|unreachable|5\d\d\b", re.IGNORECASE)


@dataclass(frozen=True)
class Signal:
    """One signal of one service, as seen by one client or by itself."""

    service: Entity
    client: Entity | None
    label: str
    signal: str
    statistic: str
    unit: str
    metric: str
    before: float
    during: float
    strength: float
    onset: datetime | None
    over: bool
    course: tuple[float | None, ...] = field(repr=False)
    evidence: Evidence = field(repr=False, compare=False)
    alert: str = ""
    """The alert that says so, where no figure of ours does."""

    @property
    def ill(self) -> bool:
        """Whether answers have become slow, or have begun to fail."""
        if self.alert:
            return True
        if self.strength < STRONG:
            return False
        if self.signal == ERRORS:
            return self.during - self.before >= FAILING
        return self.signal == LATENCY and self.during > SLOWER * self.before

    @property
    def kept(self) -> bool:
        """Whether it kept its level, so far as load alone lets it."""
        if self.signal == ERRORS:
            return self.during - self.before < FAILING
        return abs(self.during - self.before) <= LIKE_BEFORE * abs(self.before)

    @property
    def tail(self) -> bool:
        """Whether it tells of the slowest few alone."""
        return bool(re.fullmatch(r"p(7[5-9]|[89]\d|9\d\d*|100)|max\w*", self.statistic))


@dataclass(frozen=True)
class Firing:
    """An alert that Prometheus itself says fires on a thing."""

    entity: Entity
    name: str
    label: str
    """The thing as the alert names it."""
    signal: str
    began: datetime
    evidence: Evidence = field(repr=False, compare=False)


@dataclass(frozen=True)
class Services:
    """Everything that metrics say of services."""

    signals: tuple[Signal, ...]
    calls: frozenset[tuple[Entity, Entity]]
    """(client, server), by metrics or by configuration."""
    firing: tuple[Firing, ...]
    step: timedelta

    @cached_property
    def of(self) -> Mapping[Entity, tuple[Signal, ...]]:
        """The signals of each service, the strongest first."""
        index: dict[Entity, list[Signal]] = {}
        for one in self.signals:
            index.setdefault(one.service, []).append(one)
        return {
            entity: tuple(sorted(found, key=lambda one: -abs(one.strength)))
            for entity, found in index.items()
        }

    @cached_property
    def callees(self) -> Mapping[Entity, frozenset[Entity]]:
        """Whom each service calls."""
        index: dict[Entity, set[Entity]] = {}
        for client, server in self.calls:
            if client != server:
                index.setdefault(client, set()).add(server)
        return {client: frozenset(servers) for client, servers in index.items()}


def measured(case: Case) -> Services:
    """The services of the case; nothing where nobody measures requests."""
    serving = _serving(case)
    signals: dict[tuple[object, ...], Signal] = {}
    calls: set[tuple[Entity, Entity]] = set()
    steps = [60]
    for answer in case.of_tool(TOOL):
        steps.append(whole(dig(answer.data, "step_seconds")))
        for one in _signals(case, answer, serving):
            signals.setdefault((one.service, one.client, one.signal, one.tail), one)
        for row in listing(answer.data, "calls"):
            pair = str(dig(row, "client") or ""), str(dig(row, "server") or "")
            calls.add((named(case, pair[0], serving), named(case, pair[1], serving)))
    firing = tuple(_firing(case, serving))
    for alarmed in _alarmed(firing):
        own = [one for one in signals.values() if one.service == alarmed.service]
        if not _well(one for one in own if one.signal == alarmed.signal):
            signals.setdefault((alarmed.service, alarmed.signal, alarmed.alert), alarmed)
    return Services(
        signals=tuple(signals.values()),
        calls=frozenset({*calls, *_configured(case, serving)}),
        firing=firing,
        step=timedelta(seconds=steps[-1]),
    )


def named(case: Case, name: str, serving: Mapping[Entity, Entity]) -> Entity:
    """What a metric's service name means: the workload behind it, where only one is."""
    entity = called(case.snapshot, name)
    return serving.get(entity, entity)


def _serving(case: Case) -> Mapping[Entity, Entity]:
    """Service -> the one workload that serves it."""
    behind: dict[Entity, set[Entity]] = {}
    for edge in case.topology.edges:
        if edge.relation == "serves":
            behind.setdefault(edge.target, set()).add(edge.source)
    return {service: next(iter(found)) for service, found in behind.items() if len(found) == 1}


def _configured(case: Case, serving: Mapping[Entity, Entity]) -> Iterator[tuple[Entity, Entity]]:
    for edge in case.topology.edges:
        if edge.relation == "called by":
            client, server = edge.target, edge.source
            yield serving.get(client, client), serving.get(server, server)


def _signals(case: Case, answer: Evidence, serving: Mapping[Entity, Entity]) -> Iterator[Signal]:
    for row in map(mapping, listing(answer.data, "signals")):
        labels = mapping(row, "labels")
        label, client = str(labels.get("service") or ""), str(labels.get("client") or "")
        numbers = [row.get(key) for key in ("before", "during", "strength")]
        if not label or any(not isinstance(number, int | float) for number in numbers):
            continue
        before, during, strength = (float(number) for number in numbers)  # type: ignore[arg-type]
        yield Signal(
            service=named(case, label, serving),
            client=named(case, client, serving) if client else None,
            label=label,
            signal=str(labels.get("signal")),
            statistic=str(labels.get("statistic") or ""),
            unit=str(labels.get("unit") or ""),
            metric=str(labels.get("metric") or ""),
            before=before,
            during=during,
            strength=strength,
            onset=moment(row.get("onset")),
            over=bool(row.get("over")),
            course=tuple(listing(row, "course")),
            evidence=answer,
        )


def _firing(case: Case, serving: Mapping[Entity, Entity]) -> Iterator[Firing]:
    """Alerts on services that fire when the window ends; `Watchdog` and its like name none."""
    for answer in case.of_tool("prometheus.query_range"):
        if not str(answer.arguments.get("query")).startswith("ALERTS"):
            continue
        for series in map(mapping, listing(answer.data, "series")):
            labels, points = mapping(series, "labels"), listing(series, "points")
            entity = about(case, labels, serving)
            if entity is None or not points or not _near(case, labels):
                continue
            first, last = (
                datetime.fromtimestamp(float(points[end][0]), _zone(case)) for end in (0, -1)
            )
            fresh = first - case.scope.window.start > BEFORE_THE_WINDOW
            if fresh and case.scope.window.end - last <= STILL_FIRES:
                name, label = str(labels.get("alertname") or ""), _label(labels)
                yield Firing(entity, name, label, spoken(labels.values()), first, answer)


def _alarmed(firing: Iterable[Firing]) -> Iterator[Signal]:
    """What an alert on a service says of its answers; one on anything else of it says nothing."""
    for one in firing:
        if one.signal:
            yield Signal(
                service=one.entity,
                client=None,
                label=one.label,
                signal=one.signal,
                statistic="",
                unit="",
                metric=one.name,
                before=0.0,
                during=0.0,
                strength=STRONG,
                onset=one.began,
                over=False,
                course=(),
                evidence=one.evidence,
                alert=one.name,
            )


def _well(own: Iterable[Signal]) -> bool:
    """Whether what an alert speaks of is measured, and as it was: then its threshold is the trouble."""
    known = list(own)
    return bool(known) and all(one.kept for one in known)


def _zone(case: Case) -> Any:
    return case.scope.window.end.tzinfo


def _near(case: Case, labels: Mapping[str, Any]) -> bool:
    namespaces = case.scope.namespaces
    return not namespaces or str(labels.get("namespace") or "") in ("", *namespaces)


def about(case: Case, labels: Mapping[str, Any], serving: Mapping[Entity, Entity]) -> Entity | None:
    """The service or workload that an alert's labels name; None where they name none."""
    pod = case.snapshot.get("Pod", str(labels.get("namespace", "")), str(labels.get("pod", "")))
    if pod:
        return case.snapshot.owner(pod).entity
    name = _label(labels)
    return named(case, name, serving) if name else None


def _label(labels: Mapping[str, Any]) -> str:
    return next((str(labels[word]) for word in (*OWN_WORDS, "pod") if labels.get(word)), "")


def spoken(texts: Iterable[object]) -> str:
    """Which signal words speak of: latency or errors; empty where of both, or of neither."""
    text = _CAMEL.sub(" ", " ".join(map(str, texts)))
    slow, fails = bool(_SLOW.search(text)), bool(_FAILS.search(text))
    return {(True, False): LATENCY, (False, True): ERRORS}.get((slow, fails), "")
