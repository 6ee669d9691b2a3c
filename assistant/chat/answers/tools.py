"""Logs, events, metrics and changes of one thing or place, over a stated window."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from assistant.chat.answers.asked import Asked, Said
from assistant.chat.answers.pods import Pod, pods_in
from assistant.chat.answers.words import at, block, bullets, cite, lasting, plain
from assistant.chat.contract import Choice
from assistant.incident import Citation, Evidence, Window
from assistant.report.words import amount, count
from assistant.snapshot import dig, listing, mapping, moment
from assistant.toolbox import Call
from assistant.triage.desk import utc

_MOST_PODS = 2
_MOST_LINES = 12
_TOPIC_SIGNALS = {
    "latency": ("latency",), "errors": ("error",), "cpu": ("cpu",), "memory": ("memory",),
    "traffic": ("request_rate",), "restarts": ("restart",),
}  # fmt: skip


def which_workload(asked: Asked) -> Said:
    """The question back, where a workload is needed and none was named."""
    word = str(asked.meaning.intent or "that")
    return Said(f"Of which workload? Say for example: {word} of NAMESPACE/NAME.", sure=False)


async def logs(asked: Asked) -> Said:
    """What the pods of a workload wrote, error lines first."""
    if asked.subject is None:
        return which_workload(asked)
    every, answer = await pods_in(asked)
    pods = _in_trouble_first(asked, every)
    if not pods:
        none = f"No pod of {plain(asked.subject)} was seen, so there is no log to read."
        return Said(none if answer.status.seen else "", citations=(cite(answer),))
    since = {"since": utc(asked.meaning.window.start)} if asked.meaning.window else {}
    calls = [_log_call(pod, since) for pod in pods[:_MOST_PODS]]
    answers = await asked.seen.all(calls)
    parts = [_log(one) for one in answers if one.status.seen]
    more = f"\n{len(pods) - _MOST_PODS} more pods were not read." if len(pods) > _MOST_PODS else ""
    head = f"**Logs of {plain(asked.subject)}**"
    text = "\n".join([head, *parts]) + more
    return Said(text, citations=tuple(map(cite, answers)))


def _in_trouble_first(asked: Asked, pods: list[Pod]) -> list[Pod]:
    named = [pod for pod in pods if pod.name == asked.meaning.subject]
    mine = [pod for pod in pods if asked.subject and pod.belongs_to(asked.subject)]
    return named or sorted(mine, key=lambda pod: (not pod.waiting, -pod.restarts))


def _log_call(pod: Pod, since: Mapping[str, str]) -> Call:
    arguments: dict[str, Any] = {"namespace": pod.namespace, "pod": pod.name}
    # A container that waits to be started again wrote its reasons in the run before.
    if "CrashLoop" in pod.waiting:
        arguments["previous"] = True
    return Call("kubernetes.get_pod_logs", {**arguments, **since}, f"the log of {pod.name}")


def _log(answer: Evidence) -> str:
    name = plain(dig(answer.data, "pod") or answer.arguments.get("pod"), 80)
    errors, lines = listing(answer.data, "errors"), listing(answer.data, "lines")
    shown = (errors or lines)[-_MOST_LINES:]
    what = "error lines" if errors else "lines"
    if not shown:
        return f"{name}: {plain(answer.reason or 'no line in this time', 160)} [{answer.id}]"
    total = answer.total if answer.total is not None else len(lines)
    head = f"{name}: the last {len(shown)} {what} of {count(total, 'line')} read [{answer.id}]"
    return f"{head}\n{block(str(dig(line, 'text') or line) for line in shown)}"


async def events(asked: Asked) -> Said:
    """What the cluster reported of a workload or a namespace, newest first."""
    window = asked.window
    arguments: dict[str, Any] = {"since": utc(window.start), "until": utc(window.end), "limit": 200}
    place = {"namespace": asked.namespace} if asked.namespace else {}
    answer = await asked.seen.one(
        "kubernetes.get_recent_events", {**place, **arguments}, "what the cluster reported"
    )
    rows = [mapping(row) for row in listing(answer.data, "events")]
    mine = [row for row in rows if _event_of(asked, row) and _within(row.get("last_seen"), window)]
    where = plain(asked.subject) if asked.subject else plain(asked.namespace or "the cluster", 63)
    if not mine:
        none = f"No event of {where} was seen, {lasting(window, asked.now)}. Clusters keep events for about an hour."
        return Said(none if answer.status.seen else "", citations=(cite(answer),))
    lines = [f"{_event(row, asked.now)} [{answer.id}]" for row in mine]
    head = f"**Events of {where}**, {lasting(window, asked.now)}, newest first:"
    told = tuple(cite(answer, row.get("message"), row.get("reason")) for row in mine[:8])
    return Said(f"{head}\n{bullets(lines)}", citations=told)


def _event_of(asked: Asked, row: Mapping[str, Any]) -> bool:
    if asked.subject is None:
        return True
    name = str(row.get("name"))
    return name == asked.subject.name or name.startswith(f"{asked.subject.name}-")


def _within(stamp: object, window: Window) -> bool:
    when = moment(stamp)
    return when is None or window.start <= when <= window.end


def _event(row: Mapping[str, Any], now: datetime) -> str:
    times = f", {row['count']} times" if int(row.get("count") or 1) > 1 else ""
    thing = plain(f"{row.get('kind')} {row.get('name')}", 120)
    return f"{at(moment(row.get('last_seen')), now)} {thing}: {plain(row.get('reason'), 60)}{times}. {plain(row.get('message'), 160)}"


async def metrics(asked: Asked) -> Said:
    """The golden signals of a workload or a namespace: before, during and last."""
    if not (asked.subject or asked.namespace):
        return which_workload(asked)
    window = asked.window
    arguments = {"start": utc(window.start), "end": utc(window.end), "namespace": asked.namespace}
    if asked.subject:
        arguments["workload"] = asked.subject.name
    where = plain(asked.subject or asked.namespace)
    answer = await asked.seen.one("prometheus.get_metrics", arguments, f"how {where} does")
    rows = [mapping(row) for row in listing(answer.data, "signals")]
    wanted = _TOPIC_SIGNALS.get(asked.meaning.topic, ("",))
    chosen = [row for row in rows if any(word in str(row.get("name")) for word in wanted)] or rows
    if not chosen:
        none = f"No metric of {where} is known, {lasting(window, asked.now)}."
        return Said(none if answer.status.seen else "", citations=(cite(answer),))
    head = f"**Metrics of {where}**, {lasting(window, asked.now)}:"
    lines = [f"{_signal(row)} [{answer.id}]" for row in chosen]
    told = tuple(cite(answer, row.get("name")) for row in chosen)
    return Said(f"{head}\n{bullets(lines, 12)}", citations=told)


def _signal(row: Mapping[str, Any]) -> str:
    unit = str(row.get("unit") or "")
    values = (
        f"{word} {amount(float(row[key]), unit)}"
        for word, key in (
            ("before", "before"),
            ("then", "during"),
            ("now", "last"),
            ("most", "max"),
        )
        if row.get(key) is not None
    )
    limit = f" (limit {amount(float(row['limit']), unit)})" if row.get("limit") else ""
    labels = " ".join(str(value) for value in mapping(row, "labels").values())
    name = f"{plain(row.get('name'), 60)} {plain(labels, 80)}".strip()
    return f"{name}: {', '.join(values)}{limit}"


async def changes(asked: Asked) -> Said:
    """What was changed: announced deployments, new revisions, and what the report dates."""
    window = asked.window
    span = {"since": utc(window.start), "until": utc(window.end)}
    announced, sets = await asked.seen.all(
        [
            Call("pagerduty.list_change_events", span, "what was announced"),
            Call("kubernetes.list_resources", _sets(asked), "which revisions are new"),
        ]
    )
    rows = sorted(
        [*_dated(asked), *_announced(asked, announced), *_revisions(asked, sets)],
        key=lambda row: row[0],
        reverse=True,
    )
    named = asked.meaning.namespace and asked.namespace
    where = plain((asked.meaning.subject and asked.subject) or named or "what is in scope")
    if not rows:
        seen = announced.status.seen or sets.status.seen
        none = f"No change of {where} was seen, {lasting(window, asked.now)}."
        return Said(none if seen else "", citations=(cite(announced), cite(sets)))
    lines = [f"{at(when, asked.now)} {text} [{said.evidence}]" for when, text, said in rows]
    head = f"**Changes of {where}**, {lasting(window, asked.now)}, newest first:"
    choice = Choice(label="Roll back?", text="roll back") if asked.subject else None
    told = tuple(said for _, _, said in rows)
    return Said(f"{head}\n{bullets(lines)}", citations=told, choices=(choice,) if choice else ())


def _sets(asked: Asked) -> dict[str, Any]:
    place = {"namespace": asked.namespace} if asked.namespace else {}
    return {"kind": "ReplicaSet", **place, "view": "full", "limit": 500}


Dated = tuple[datetime, str, Citation]


def _speaks_of(asked: Asked, text: str) -> bool:
    """Whether a text is about what was named; where nothing was, everything in scope counts."""
    if asked.meaning.subject and asked.subject:
        return asked.subject.name in text
    if not asked.meaning.namespace:
        return True
    words = set(re.split(r"[\s/,:()]+", text))
    return asked.namespace in words


def _inside(asked: Asked, when: datetime | None) -> bool:
    return when is not None and asked.window.start <= when <= asked.window.end


def _dated(asked: Asked) -> Iterator[Dated]:
    """The changes of the report's timeline, where it reaches."""
    for entry in asked.report.timeline if asked.report else ():
        if entry.kind == "change" and _inside(asked, entry.at) and _speaks_of(asked, entry.text):
            yield entry.at, plain(entry.text), entry.citations[0]


def _announced(asked: Asked, answer: Evidence) -> Iterator[Dated]:
    told = {entry.text for entry in asked.report.timeline} if asked.report else set()
    for row in (mapping(one) for one in listing(answer.data, "change_events")):
        when, summary = moment(row.get("at")), str(row.get("summary"))
        new = _inside(asked, when) and not any(summary in line for line in told)
        if when and new and _speaks_of(asked, f"{summary} {row.get('service')}".lower()):
            text = f"announced by {plain(row.get('source'), 60)}: {plain(summary)}"
            yield when, text, cite(answer, summary)


def _revisions(asked: Asked, answer: Evidence) -> Iterator[Dated]:
    """ReplicaSets that were made in the window: each is a rollout."""
    told = " ".join(entry.text for entry in asked.report.timeline) if asked.report else ""
    for row in (mapping(one) for one in listing(answer.data, "items")):
        made = moment(dig(row, "metadata", "creationTimestamp"))
        name = str(dig(row, "metadata", "name"))
        path = f"{dig(row, 'metadata', 'namespace')}/{name.rpartition('-')[0]}"
        if (
            made
            and _inside(asked, made)
            and _speaks_of(asked, path)
            and f"{path} was rolled" not in told
        ):
            yield made, f"new revision of {plain(path)}", cite(answer, name)
