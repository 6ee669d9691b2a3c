"""What fails, what restarted, what is out of the ordinary, who is on call."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import groupby
from typing import Any

from assistant.chat.answers.asked import Asked, Said
from assistant.chat.answers.pods import Pod, pods_in
from assistant.chat.answers.words import at, bullets, cite, lasting, marks, plain
from assistant.chat.contract import Choice
from assistant.incident import Citation, Evidence
from assistant.report.words import amount, confidence, count
from assistant.snapshot import listing, mapping, moment
from assistant.toolbox import Call
from assistant.triage.desk import utc

FAILING = Call("kubernetes.list_failing_pods", {"limit": 100}, "what fails in the cluster")
INVENTORY = Call("kubernetes.list_deployments", {"limit": 500}, "which workloads lack replicas")
ALERTS = Call("prometheus.list_alerts", {}, "which alerts fire")
INCIDENTS = Call("pagerduty.get_active_incidents", {}, "which incidents are open")
_MOST_OFFERED = 4

Row = tuple[str, Citation]


async def failing(asked: Asked) -> Said:
    """What fails in a place, by pods, replicas and alerts."""
    report = asked.report if asked.seen.stored else None
    # A report stands for its moment: what else fires, or is open, is asked with "right now".
    present = [] if report else [ALERTS, INCIDENTS]
    pods, workloads, *further = await asked.seen.all([FAILING, INVENTORY, *present])
    rows = [*_pods(asked, pods), *_replicas(asked, workloads)]
    rows += [row for one in further for row in _alerts(asked, one)]
    where, when = _where(asked), at(pods.taken_at, asked.now)
    seen = any(one.status.seen for one in (pods, workloads, *further))
    clear = f"Nothing fails {where} in what was seen, as of {when}."
    head = f"**Failing {where}**, as of {when}:" if rows else clear if seen else ""
    text = "\n".join(
        filter(None, (head, bullets(f"{row} [{said.evidence}]" for row, said in rows)))
    )
    told = tuple(said for _, said in rows) or (cite(pods),)
    now = Choice(label="Right now", text="what is failing right now?")
    offered = (now,) if report else tuple(triage_choices(further[-1], asked))
    return Said(text, citations=told, choices=offered, moment=pods.taken_at)


def _where(asked: Asked) -> str:
    if asked.subject and asked.meaning.subject:
        return f"at {plain(asked.subject)}"
    return f"in {plain(asked.namespace, 63)}" if asked.namespace else "in the cluster"


def _mine(asked: Asked, namespace: object, name: object = "") -> bool:
    if asked.meaning.subject and asked.subject:
        same = str(name) == asked.subject.name or str(name).startswith(f"{asked.subject.name}-")
        return same and namespace in (asked.subject.namespace, "")
    return not asked.namespace or namespace == asked.namespace


def _pods(asked: Asked, answer: Evidence) -> Iterator[Row]:
    rows = [mapping(row) for row in listing(answer.data, "pods")]
    mine = [row for row in rows if _mine(asked, row.get("namespace"), row.get("name"))]

    def alike(row: Mapping[str, Any]) -> tuple[str, ...]:
        return tuple(str(row.get(key) or "") for key in ("namespace", "owner", "reason"))

    for (namespace, owner, reason), group in groupby(sorted(mine, key=alike), alike):
        pods = list(group)
        kind, _, name = owner.partition(" ")
        restarts = sum(int(pod.get("restarts") or 0) for pod in pods)
        again = f", {count(restarts, 'restart')}" if restarts else ""
        whose = f"{kind} {namespace}/{name}" if name else f"Pod {namespace}/{pods[0].get('name')}"
        why = plain(pods[0].get("message") or "", 160)
        text = f"{plain(whose)}: {count(len(pods), 'pod')} {plain(reason or 'not ready')}{again}"
        yield f"{text}. {why}".rstrip(". "), cite(answer, pods[0].get("name"))


def _replicas(asked: Asked, answer: Evidence) -> Iterator[Row]:
    for row in (mapping(one) for one in listing(answer.data, "workloads")):
        desired, ready = int(row.get("desired") or 0), int(row.get("ready") or 0)
        if ready < desired and _mine(asked, row.get("namespace"), row.get("name")):
            whose = f"{row.get('kind')} {row.get('namespace')}/{row.get('name')}"
            yield f"{plain(whose)}: {ready} of {desired} replicas ready", cite(answer, row["name"])


def _alerts(asked: Asked, answer: Evidence) -> Iterator[Row]:
    for row in (mapping(one) for one in listing(answer.data, "alerts")):
        labels = mapping(row, "labels")
        name = labels.get("service") or labels.get("deployment") or labels.get("pod") or ""
        if row.get("state") == "firing" and _mine(asked, labels.get("namespace"), name):
            since = at(moment(row.get("active_since")), asked.now)
            text = f"Alert {plain(row.get('name'), 80)} fires since {since}"
            yield text, cite(answer, row.get("name"))


def triage_choices(answer: Evidence, asked: Asked) -> Iterator[Choice]:
    """One for each open incident of the place that is asked about."""
    rows = [mapping(row) for row in listing(answer.data, "incidents")]
    near = [row for row in rows if not asked.namespace or _speaks_of(row, asked.namespace)]
    for row in (_naming(near, asked) or near)[:_MOST_OFFERED]:
        label = f"Triage #{row.get('number')}: {row.get('title')}"
        yield Choice(label=label[:75], text=f"triage {row.get('id')}")


def named(answer: Evidence, asked: Asked) -> bool:
    """Whether an open incident speaks of what is asked about, or nothing is named at all."""
    rows = [mapping(row) for row in listing(answer.data, "incidents")]
    return not asked.meaning.subject or bool(_naming(rows, asked))


def _naming(rows: list[Mapping[str, Any]], asked: Asked) -> list[Mapping[str, Any]]:
    """The incidents in whose words the subject stands."""
    subject = asked.meaning.subject.lower()
    return [row for row in rows if subject and subject in json.dumps(row, default=str).lower()]


def _speaks_of(incident: Mapping[str, Any], namespace: str) -> bool:
    named = mapping(incident, "details").get("namespace")
    return named is None or named == namespace


async def restarts(asked: Asked) -> Said:
    """How often a workload's pods restarted, how the last run ended, and why, where that is known."""
    pods, answer = await pods_in(asked)
    if asked.subject:
        mine = [pod for pod in pods if pod.belongs_to(asked.subject)]
    else:
        mine = [pod for pod in pods if pod.restarts]
    if not answer.status.seen:
        return Said("", citations=(cite(answer),))
    total = sum(pod.restarts for pod in mine)
    whose = plain(asked.subject) if asked.subject else _where(asked).removeprefix("in ")
    head = (
        f"**{whose}**: {count(total, 'restart')} of {count(len(mine), 'pod')} so far [{answer.id}]."
    )
    most = sorted(mine, key=lambda pod: -pod.restarts)[:3]
    head += "" if total else " It did not restart, as far as the pods show that are there."
    lines = [line for pod in most for line in _ends(pod, answer, asked.now)]
    why = _why_restarted(asked) if total else None
    told = (*(cite(answer, pod.name) for pod in most), *(why[1] if why else ()))
    text = "\n".join(filter(None, (head, bullets(lines), why[0] if why else "")))
    choices = (Choice(label="Its logs", text="show its logs"),) if asked.subject else ()
    return Said(text, citations=told or (cite(answer),), choices=choices)


def _ends(pod: Pod, answer: Evidence, now: datetime) -> Iterator[str]:
    for end in pod.ends:
        if not end.restarts:
            continue
        code = f", exit code {end.exit_code}" if end.exit_code is not None else ""
        how = f"; last end {plain(end.reason, 60)}{code} at {at(end.at, now)}" if end.reason else ""
        name = f"{plain(pod.name, 80)}, container {plain(end.container, 63)}"
        yield f"{name}: {count(end.restarts, 'restart')}{how} [{answer.id}]"


def _why_restarted(asked: Asked) -> tuple[str, tuple[Citation, ...]] | None:
    """The cause that the report names for this very workload."""
    for guess in asked.report.hypotheses if asked.report else ():
        if asked.subject in (guess.entity, *guess.chain):
            sure = confidence(guess.confidence)
            text = f"**Why:** {plain(guess.statement)}; confidence {sure} {marks(guess.citations)}"
            return text, guess.citations
    return None


async def unusual(asked: Asked) -> Said:
    """Series that left their past, what fails, and which alerts fire: is it quiet?"""
    window = asked.window
    span = {"start": utc(window.start), "end": utc(window.end)}
    place = {"namespace": asked.namespace} if asked.namespace else {}
    odd = Call("prometheus.find_anomalies", {**span, **place, "limit": 20}, "what left its past")
    series, pods, alerts = await asked.seen.all([odd, FAILING, ALERTS])
    rows = [*_anomalies(series, asked.now), *_pods(asked, pods), *_alerts(asked, alerts)]
    blind = [one for one in (series, pods, alerts) if not one.status.seen]
    verdict = (
        f"**Not quiet {_where(asked)}** ({lasting(window, asked.now)}); look before you deploy:"
    )
    calm = f"**Quiet {_where(asked)}** ({lasting(window, asked.now)}): nothing unusual was seen."
    unclear = f"Nothing unusual {_where(asked)} in the part that could be seen."
    head = verdict if rows else unclear if blind else calm
    text = "\n".join(
        filter(None, (head, bullets(f"{row} [{said.evidence}]" for row, said in rows)))
    )
    told = tuple(said for _, said in rows) or tuple(map(cite, (series, pods, alerts)))
    return Said(text, citations=told)


def _anomalies(answer: Evidence, now: datetime) -> Iterator[Row]:
    rows = [mapping(one) for one in listing(answer.data, "anomalies")]
    for row in rows[:5]:
        labels = mapping(row, "labels")
        whose = next(
            (labels[k] for k in ("service", "server", "pod", "container") if k in labels), ""
        )
        onset = at(moment(row.get("onset")), now)
        before, during = (amount(float(row.get(key) or 0), "") for key in ("before", "during"))
        text = f"{plain(row.get('metric'), 80)} {plain(whose, 80)}: {before} before, {during} since {onset}"
        yield text, cite(answer, row.get("metric"))


async def on_call(asked: Asked) -> Said:
    """Who is on call, first level first."""
    answer = await asked.seen.one("pagerduty.get_oncall", {}, "who is on call")
    rows = [mapping(row) for row in listing(answer.data, "on_call")]
    if not rows:
        none = "No source named anyone on call." if answer.status.seen else ""
        return Said(none, citations=(cite(answer),))
    lines = [_person(row, answer, asked.now) for row in rows]
    head = f"**On call**, as of {at(answer.taken_at, asked.now)}:"
    told = tuple(cite(answer, row.get("name")) for row in rows)
    scope = f"PagerDuty, all escalation policies, as of {at(answer.taken_at, asked.now)}"
    return Said(f"{head}\n{bullets(lines)}", citations=told, scope=scope)


def _person(row: Mapping[str, Any], answer: Evidence, now: datetime) -> str:
    until = f", until {at(moment(row['until']), now)}" if row.get("until") else ""
    policy = plain(row.get("escalation_policy") or "no policy", 80)
    return f"{plain(row.get('name'), 80)} (level {plain(row.get('level'), 5)}, {policy}{until}) [{answer.id}]"
