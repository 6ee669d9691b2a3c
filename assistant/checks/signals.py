"""Metrics that left their own past: who is slow, failing or busy, and the deepest that explains it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from assistant.checks.case import Case
from assistant.checks.reading.metrics.culprit import Suspect, alarm, suspects
from assistant.checks.reading.metrics.inside import short_of
from assistant.checks.reading.metrics.services import (
    ERRORS,
    LATENCY,
    STRONG,
    TRAFFIC,
    Services,
    Signal,
    measured,
)
from assistant.checks.reading.metrics.whose import owner
from assistant.incident import Entity, Evidence, Finding
from assistant.snapshot import listing, mapping, moment

MEANINGS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("", r"^(kube_|ALERTS|up$|go_|scrape_|prometheus_)"),
        ("disk_low", r"node_filesystem_(avail|free)|volume_stats_available"),
        ("resource_high", r"cpu_usage|memory_(working_set|usage)|process_(cpu|resident)|throttled"),
        ("errors_high", r"fail|error|5xx|availability"),
        ("traffic", r"requests?(_\w+)?(_total|_count)$|_count$|requests_per|rps"),
        ("latency_high", r"latency|duration|seconds|response_time|_p9\d"),
    )
)
"""Tried in order; metric names of exporters and meshes alike. An empty kind is no signal of its own:
what kube-state-metrics says stands in the objects."""

MEDIANS = ("p50", "median")
ALIKE_RISE = 2.5
"""A delay on the wire adds about the same to the median and to the slowest; work does not."""

SYMPTOM = {LATENCY: "latency_high", ERRORS: "errors_high"}
CULPRIT = {LATENCY: "slow_dependency", ERRORS: "failing_dependency"}
ANOMALIES = "prometheus.find_anomalies"
INSIDE = ("disk_low", "resource_high")


async def check(case: Case) -> list[Finding]:
    """Symptoms from metrics, and the deepest ill service on the way that calls take."""
    services = measured(case)
    moved = [*case.of_tool(ANOMALIES), *await _whole(case, services)]
    inside = list(_anomalies(case, moved, whole=not services.signals))
    found = suspects(services, alarm(case, services))
    short = await short_of(case, services, found)
    busy = {one.entity for one in (*inside, *short)}
    known = {one.entity for one in short} | {thing for one in short for thing in one.about}
    causes = [_cause(services, one, busy) for one in found]
    return [
        *_symptoms(services),
        *inside,
        *short,
        *(_halved(cause) if cause.entity in known else cause for cause in causes),
        *_steady(services, {cause.entity for cause in causes}),
    ]


def _halved(cause: Finding) -> Finding:
    """What is seen from outside counts half where what is wrong inside was seen."""
    return cause.model_copy(update={"strength": cause.strength / 2})


async def _whole(case: Case, services: Services) -> list[Evidence]:
    """Every series that moved, where no service is measured in a way that is known."""
    if services.signals or not case.of_tool(ANOMALIES):
        return []
    window = case.scope.window
    span = {
        "start": window.start.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "end": window.end.isoformat(timespec="seconds").replace("+00:00", "Z"),
    }
    namespaces = case.scope.namespaces or ("",)
    why = "which series of all moved"
    asked = [{**span, "namespace": name, "limit": 60} for name in namespaces]
    answers = [await case.ask(ANOMALIES, arguments, why) for arguments in asked]
    return [answer for answer in answers if answer.status.seen]


def _symptoms(services: Services) -> Iterator[Finding]:
    """One symptom for each service and kind: its worst signal."""
    for signals in services.of.values():
        for kind in (LATENCY, ERRORS):
            ill = [one for one in signals if one.ill and one.signal == kind]
            if ill:
                yield _finding(services, SYMPTOM[kind], max(ill, key=_shows_best))


def _shows_best(signal: Signal) -> tuple[bool, bool, float]:
    return (not signal.alert, signal.client is None, signal.strength)


def _finding(services: Services, kind: str, signal: Signal) -> Finding:
    fires = signal.alert or any(one.entity == signal.service for one in services.firing)
    return Finding(
        kind=kind,
        entity=signal.service,
        statement=_said(signal),
        citations=(signal.evidence.cite(signal.label), signal.evidence.cite(signal.metric)),
        began=signal.onset,
        active=bool(fires) or not signal.over,
        strength=min(1.0, 0.7 + signal.strength / 50),
        details={"signal": signal.signal, "client": signal.client.name if signal.client else ""},
    )


def _said(signal: Signal) -> str:
    """`Deployment shop/web: answers take 2.0 s, 200 ms before`."""
    if signal.alert:
        return f"{signal.service}: the alert {signal.alert} fires on it"
    asker = f" for {signal.client.name}" if signal.client else ""
    if signal.signal == LATENCY and not signal.unit and signal.before > 0:
        times = signal.during / signal.before
        return f"{signal.service}: answers take {times:.3g} times as long as before{asker}"
    what = "answers take" if signal.signal == LATENCY else "share of failed requests"
    during, before = _amount(signal, signal.during), _amount(signal, signal.before)
    return f"{signal.service}: {what} {during}{asker}, {before} before"


def _amount(signal: Signal, value: float) -> str:
    if signal.signal == ERRORS:
        return f"{value:.1%}"
    if signal.unit != "s":
        return f"{value:.4g}"
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.1f} s"


def _cause(services: Services, suspect: Suspect, busy: set[Entity]) -> Finding:
    """The end of an ill way as a cause; the kind as far as metrics tell kinds apart."""
    signal = suspect.signal
    delayed = suspect.entity not in busy and _delayed(services, suspect.entity)
    finding = _finding(services, "pod_network_delay" if delayed else CULPRIT[signal.signal], signal)
    below = services.callees.get(suspect.entity)
    said = "; nothing that it calls is ill" if below else "; it calls nothing that is measured"
    if delayed:
        said += ", and every request takes longer by about as much while it does no more work"
    if suspect.ties:
        said += "; metrics do not tell it from " + " or ".join(one.name for one in suspect.ties)
    statement = finding.statement + said
    ties = tuple(dict.fromkeys((*finding.about, *suspect.ties)))
    return finding.model_copy(
        update={"statement": statement, "strength": suspect.belief, "about": ties}
    )


def _delayed(services: Services, entity: Entity) -> bool:
    """Whether a workload waits rather than works: median and tail later by as much, nothing fails."""
    if entity.kind == "Service":
        return False
    own = services.of.get(entity, ())
    if any(one.ill and one.signal == ERRORS for one in own):
        return False
    return _slow_only_to_clients(own) or _later_by_as_much(own)


def _slow_only_to_clients(own: Sequence[Signal]) -> bool:
    """Whether clients wait for answers that took no longer to make: the way between is slow."""
    at_home = [one for one in own if one.client is None and one.signal == LATENCY and not one.alert]
    away = [one for one in own if one.client is not None and one.signal == LATENCY]
    return (
        bool(at_home)
        and all(one.kept for one in at_home)
        and bool(away)
        and all(o.ill for o in away)
    )


def _later_by_as_much(own: Sequence[Signal]) -> bool:
    """Whether the median and the slowest answers are later by as much, and no more were asked for."""
    slow = [one for one in own if one.ill and one.signal == LATENCY and one.client is None]
    most = max((one.during - one.before for one in slow if one.statistic in MEDIANS), default=0.0)
    tail = max((one.during - one.before for one in slow if one.tail), default=0.0)
    floor = max((one.before for one in slow), default=0.0)
    busier = any(one.strength >= STRONG for one in own if one.signal == TRAFFIC)
    return not busier and most > floor and most <= tail <= ALIKE_RISE * most


def _steady(services: Services, guilty: set[Entity]) -> Iterator[Finding]:
    """Callees of ill services that kept their level: looked at, and found innocent."""
    sick = {one.service for one in services.signals if one.ill} | guilty
    for client in sorted(sick, key=str):
        for server in sorted(services.callees.get(client, ()), key=str):
            kept = [one for one in services.of.get(server, ()) if one.signal == LATENCY]
            if kept and server not in sick and all(one.kept for one in kept):
                yield _innocent(client, kept[0])
                sick.add(server)


def _innocent(client: Entity, signal: Signal) -> Finding:
    return Finding(
        kind="dependency_steady",
        entity=signal.service,
        statement=f"{signal.service} answers {client.name} in {_amount(signal, signal.during)}, "
        "as before",
        citations=(signal.evidence.cite(signal.label),),
    )


def _anomalies(case: Case, answers: Iterable[Evidence], *, whole: bool) -> Iterator[Finding]:
    """Series that left their past; requests among them only where services do not tell it better."""
    told: dict[tuple[str, Entity], Finding] = {}
    for answer in answers:
        for row in listing(answer.data, "anomalies"):
            finding = _symptom(case, answer, mapping(row))
            if finding and (whole or finding.kind in INSIDE):
                told.setdefault((finding.kind, finding.entity), finding)
    yield from told.values()


def _symptom(case: Case, answer: Evidence, row: Mapping[str, Any]) -> Finding | None:
    metric, labels = str(row.get("metric") or ""), mapping(row, "labels")
    kind = _kind(metric, labels, str(row.get("direction")))
    entity = owner(case, labels)
    strength, onset = abs(float(row.get("strength") or 0)), moment(row.get("onset"))
    if not kind or entity is None or strength < STRONG or not case.in_window(onset):
        return None
    before, during = row.get("before"), row.get("during")
    return Finding(
        kind=kind,
        entity=entity,
        statement=f"{entity}: {metric} went from {_figure(metric, before)} to "
        f"{_figure(metric, during)}",
        citations=(answer.cite(metric), answer.cite(row["onset"])),
        began=onset,
        strength=min(1.0, 0.5 + strength / 40),
        details={"metric": metric},
    )


def _kind(metric: str, labels: Mapping[str, Any], direction: str) -> str:
    code = str(labels.get("code") or labels.get("status") or labels.get("status_code") or "")
    kind = next((kind for kind, pattern in MEANINGS if pattern.search(metric)), "")
    up = direction != "down"
    if kind == "traffic" and code.startswith("5"):
        kind = "errors_high"
    if kind == "traffic":
        return "traffic_high" if up else "traffic_low"
    wanted = not up if kind == "disk_low" or "availability" in metric else up
    return kind if wanted else ""


def _figure(metric: str, value: object) -> str:
    """A level in the unit that the metric's name tells; of a counter it is the rate."""
    if not isinstance(value, int | float):
        return str(value)
    if "cpu_usage_seconds" in metric:
        return f"{value:.3g} cores"
    if re.search(r"_bytes$", metric):
        return f"{value / 2**20:.4g} MiB"
    return f"{value:.4g}"
