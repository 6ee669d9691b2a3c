"""All that was found -> the Report. Every claim in it is checked against the evidence it cites."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from assistant.diagnosis import Diagnosis
from assistant.diagnosis.changes import OUTSIDE
from assistant.faults import Role, fault
from assistant.incident import (
    Alert,
    BlindSpot,
    Citation,
    Cost,
    Evidence,
    Finding,
    Frozen,
    Hypothesis,
    Reason,
    Report,
    RunbookMatch,
    Scope,
    Series,
    TimelineEntry,
    Verdict,
)
from assistant.series import moved
from assistant.snapshot import dig, listing, mapping
from assistant.triage.blindness import gone_namespaces
from assistant.triage.desk import UNREAD, blind_spots
from assistant.triage.propose import propose
from assistant.triage.view import View

IMPACT = ("errors_high", "latency_high", "service_without_endpoints", "crash_loop", "dependency_refused",
          "rollout_stuck", "traffic_low", "evicted")  # fmt: skip
MOST_IMPACT, MOST_SERIES, MOST_ENTRIES = 3, 3, 24
_LIFE = re.compile(r"watchdog|dead(man|mans)(switch|snitch)|(alertmanager|prometheus)?heartbeat")
SIGNALS = ("error_ratio", "latency_p95", "latency_p99", "request_rate", "memory_usage", "cpu_usage")


class Parts(Frozen):
    """What the steps of a triage found, one after the other."""

    id: str
    alert: Alert
    scope: Scope
    diagnosis: Diagnosis
    findings: tuple[Finding, ...]
    runbooks: tuple[RunbookMatch, ...]
    failures: tuple[BlindSpot, ...]


def compose(parts: Parts, view: View, cost: Cost, made_at: datetime) -> Report:
    """The report. Pure: the same parts give the same report."""
    alert, scope, diagnosis, findings = parts.alert, parts.scope, parts.diagnosis, parts.findings
    evidence = view.evidence
    chosen = diagnosis.hypotheses
    around = [entity for item in chosen for entity in (item.entity, *item.chain)]
    noise = {finding.id for finding in diagnosis.noise}
    return Report(
        id=parts.id,
        alert=alert,
        scope=scope,
        verdict=diagnosis.verdict,
        summary=summary(alert, diagnosis),
        impact=tuple(_impact(findings, noise))[:MOST_IMPACT],
        hypotheses=chosen,
        rivals=diagnosis.rivals,
        findings=tuple(sorted((f for f in findings if _tells(f, noise)), key=_order)),
        noise=diagnosis.noise,
        actions=propose(diagnosis, findings, scope.window),
        runbooks=parts.runbooks,
        blind_spots=(
            *parts.failures,
            *gone_namespaces(scope, view.snapshot),
            *blind_spots(evidence),
        ),
        timeline=timeline(alert, scope, diagnosis, findings, evidence),
        series=tuple(_series(evidence, findings))[:MOST_SERIES],
        topology=view.topology.around(around or scope.entities),
        on_call=tuple(_on_call(evidence)),
        evidence=evidence,
        cost=cost,
        made_at=made_at,
    )


ROLES = (Role.CAUSE, Role.SYMPTOM, Role.CHANGE)


def _tells(finding: Finding, noise: set[str]) -> bool:
    """Whether a finding says that something is, or was made, different; the innocent are rivals."""
    return finding.id not in noise and fault(finding.kind).role in ROLES


def _order(finding: Finding) -> tuple[int, float, str]:
    """Causes first, then symptoms, then changes; the surest of each first."""
    return ROLES.index(fault(finding.kind).role), -finding.strength, finding.id


def summary(alert: Alert, diagnosis: Diagnosis) -> str:
    """One or two plain sentences: the verdict and its reason."""
    best = diagnosis.hypotheses[0] if diagnosis.hypotheses else None
    if diagnosis.verdict is Verdict.RECOVERED:
        return f'The condition of "{alert.title}" is gone. Nothing that is still wrong explains it.'
    if diagnosis.verdict is Verdict.HEALTHY:
        meant = f'"{alert.title}" is meant to fire always. ' if a_sign_of_life(alert) else ""
        return f"{meant}Nothing that was seen is wrong."
    if best is None or diagnosis.verdict is Verdict.INCONCLUSIVE:
        return _uncertain(diagnosis, best)
    title = fault(best.kind).title
    others = [f"{fault(h.kind).title.lower()} at {h.entity}" for h in diagnosis.hypotheses[1:]]
    also = f" Independently: {'; '.join(others)}." if others else ""
    return f"{title}: {best.statement}.{also}"


def _uncertain(diagnosis: Diagnosis, best: Hypothesis | None) -> str:
    if best is None and diagnosis.rivals:
        return "No cause can be named: what was seen to be wrong shows effects, not their cause."
    if best is None:
        return "No cause can be named: nothing wrong was seen, and too much could not be seen."
    if best.kind in OUTSIDE:
        where = f"It begins at {best.entity}, and nothing seen there says why"
        return f"No cause is certain. {where}: {best.statement}."
    title = fault(best.kind).title.lower()
    return f"No cause is certain. The likeliest: {title} at {best.entity}. {best.statement}."


def _impact(findings: Iterable[Finding], noise: set[str]) -> Iterator[Reason]:
    rows = [f for f in findings if f.kind in IMPACT and f.active and f.id not in noise]
    for finding in sorted(rows, key=lambda f: (IMPACT.index(f.kind), -f.strength, f.id)):
        yield Reason(text=finding.statement, citations=finding.citations)


KIND_OF_ROLE: Mapping[Role, str] = {
    Role.CAUSE: "fault",
    Role.SYMPTOM: "symptom",
    Role.CHANGE: "change",
    Role.CLEAR: "symptom",
}


def timeline(
    alert: Alert,
    scope: Scope,
    diagnosis: Diagnosis,
    findings: Iterable[Finding],
    evidence: Iterable[Evidence],
) -> tuple[TimelineEntry, ...]:
    """What happened when, oldest first; of many entries those of the cause and its trigger stay."""
    asked = next((item for item in evidence if item.tool == "pagerduty.get_incident"), None)
    rows: list[TimelineEntry] = []
    if asked:
        said = asked.cite_absence()
        rows.append(_entry(alert.created_at, f"Alert: {alert.title}", "alert", (said,)))
        if alert.resolved_at:
            rows.append(_entry(alert.resolved_at, "Alert resolved", "recovery", (said,)))
    wanted = {id for item in diagnosis.hypotheses for id in item.findings}
    dated = [f for f in findings if f.began and scope.window.start <= f.began <= scope.window.end]
    dated.sort(key=lambda f: (f.id not in wanted, -f.strength, f.id))
    for finding in dated[: MOST_ENTRIES - len(rows)]:
        if finding.began:
            kind = KIND_OF_ROLE[fault(finding.kind).role]
            rows.append(_entry(finding.began, finding.statement, kind, finding.citations))
    return tuple(sorted(rows, key=lambda row: (row.at, row.text)))


def _entry(at: datetime, text: str, kind: str, said: tuple[Citation, ...]) -> TimelineEntry:
    return TimelineEntry(at=at, text=text[:200], kind=kind, citations=said)


def _series(evidence: Iterable[Evidence], findings: Iterable[Finding]) -> Iterator[Series]:
    """The golden signals of the alert's own workload that moved, in the order a reader wants them."""
    onset = min((f.began for f in findings if f.began and f.kind in IMPACT), default=None)
    signals = [
        (SIGNALS.index(str(signal["name"])), _subject(item), item, signal)
        for item in evidence
        if item.tool == "prometheus.get_metrics" and item.status.seen
        for signal in (mapping(row) for row in listing(item.data, "signals"))
        if signal.get("name") in SIGNALS and moved(listing(signal, "points"))
    ]
    for _, subject, item, signal in sorted(signals, key=lambda row: row[:2]):
        yield Series(
            title=f"{subject} {signal['name']}".strip(),
            unit=str(signal.get("unit") or ""),
            points=tuple(_points(listing(signal, "points"))),
            onset=onset,
            citations=(item.cite(signal["name"]),),
        )


def _subject(item: Evidence) -> str:
    return str(item.arguments.get("workload") or item.arguments.get("service") or "")


def _points(rows: Iterable[Any]) -> Iterator[tuple[datetime, float]]:
    for at, value in rows:
        yield datetime.fromtimestamp(float(at), UTC), float(value)


def _on_call(evidence: Iterable[Evidence]) -> Iterator[str]:
    for item in evidence:
        if item.tool == "pagerduty.get_oncall" and item.status.seen:
            for row in listing(item.data, "on_call"):
                level = dig(row, "level")
                yield f"{dig(row, 'name')} (level {level})" if level else str(dig(row, "name"))


def alert_gone(alert: Alert, scope: Scope, evidence: Iterable[Evidence]) -> bool:
    """Whether the alert was seen to fire and is seen to have stopped before the window ended.

    By the ALERTS series of Prometheus. An alert that never stood there says nothing.
    """
    if alert.resolved_at is not None:
        return True
    if alert.status == UNREAD:
        return False  # it is not known which of the alerts that fired it was
    silent = _silent_for(alert, scope, evidence)
    return silent is not None and silent > 0


def alert_fires(alert: Alert, scope: Scope, evidence: Iterable[Evidence]) -> bool:
    """Whether the alert, or one of its namespaces, is seen to fire when the window ends."""
    silent = _silent_for(alert, scope, evidence)
    return silent is not None and silent <= 0


def a_sign_of_life(alert: Alert) -> bool:
    """Whether an alert is meant to fire always: it shows that alerts arrive, and nothing more.

    Told by its severity, `none`, or by the names that such alerts have in common rule sets.
    """
    told = alert.labels.get("alertname") or re.sub(r"\[[^\]]*\]|\([^)]*\)", "", alert.title)
    name = re.sub(r"[^a-z]", "", told.lower())
    return alert.labels.get("severity", "").lower() == "none" or bool(_LIFE.fullmatch(name))


def _silent_for(alert: Alert, scope: Scope, evidence: Iterable[Evidence]) -> float | None:
    """Seconds since the alert's last sample beyond what scrapes explain; None if it has none."""
    last: list[datetime] = []
    step = 60.0
    for item in evidence:
        if item.tool == "prometheus.query_range" and "ALERTS{" in str(item.arguments.get("query")):
            step = float(dig(item.data, "step_seconds") or step)
            series = [mapping(row) for row in listing(item.data, "series")]
            mine = [row for row in series if _same_alert(alert, scope, mapping(row, "labels"))]
            last += [_last(row) for row in mine if listing(row, "points")]
    return (scope.window.end - max(last)).total_seconds() - 2 * step - 30 if last else None


def _last(series: Any) -> datetime:
    return datetime.fromtimestamp(float(listing(series, "points")[-1][0]), UTC)


def _same_alert(alert: Alert, scope: Scope, labels: Mapping[str, Any]) -> bool:
    name = alert.labels.get("alertname")
    if name:
        return labels.get("alertname") == name
    return not scope.namespaces or labels.get("namespace", "") in ("", *scope.namespaces)


def unsupported(report: Report) -> list[str]:
    """Every citation in the report whose words do not stand in the evidence. Empty in a sound one."""
    known = {item.id: item for item in report.evidence}
    return [
        f"{citation.evidence}: {citation.quote!r}"
        for citation in citations(report)
        if citation.evidence not in known or not known[citation.evidence].holds(citation.quote)
    ]


def citations(report: Report) -> Iterator[Citation]:
    """Every citation of the report."""
    for hypothesis in (*report.hypotheses, *report.rivals):
        yield from hypothesis.citations
        yield from (c for reason in hypothesis.against for c in reason.citations)
    cited = (
        report.findings,
        report.noise,
        report.impact,
        report.timeline,
        report.series,
        report.runbooks,
    )
    yield from (citation for parts in cited for part in parts for citation in part.citations)
    for match in report.runbooks:
        yield from (c for step in match.steps for c in step.citations)
