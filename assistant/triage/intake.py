"""Alert id -> Alert; Alert -> Scope: what it speaks of, where, and over which time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from assistant.errors import NotFound
from assistant.incident import Alert, Entity, Evidence, Scope, Status, Window
from assistant.snapshot import dig, listing, mapping, moment
from assistant.toolbox import Call
from assistant.triage.desk import UNREAD, Desk

LABELS = ("namespace", "cluster", "service", "deployment", "statefulset", "daemonset", "pod",
          "app", "workload", "container", "node", "job_name", "alertname", "runbook_url",
          "environment", "severity")  # fmt: skip
"""Labels that mean something to a triage; `instance` and `job` name the scraper as often."""

LONGEST = timedelta(days=6)
"""An alert may be open for weeks; Prometheus is asked over seven days at most."""

SYSTEM = frozenset({"kube-system", "kube-public", "kube-node-lease"})
MOST_NAMESPACES = 4
LONGEST_ID = 300
INVENTORY = (
    Call("kubernetes.list_deployments", {"limit": 500}, "which workloads the alert can mean"),
    Call("kubernetes.list_failing_pods", {"limit": 100}, "what fails anywhere in the cluster"),
)
"""Asked together with the alert: it does not depend on it, and one slow system holds up once."""
SPEECH = frozenset({"error", "errors", "failed", "rate", "latency", "request", "requests", "traffic", "service", "services",
                    "health", "availability", "cpu", "memory", "disk", "node", "pod", "pods", "high", "users", "monitor"})  # fmt: skip
"""Words of which titles of alerts are made: in a title they are no name of a workload."""
_WORD = re.compile(r"[a-z0-9][a-z0-9.-]*[a-z0-9]")


async def take_in(desk: Desk, alert_id: str) -> Alert:
    """The alert of this id. Raises NotFound where PagerDuty says there is none, or can be none.

    Where PagerDuty cannot be asked, an alert that holds no more than its id: the rest goes on.
    An alert that the desk was given by value is taken as it is, with the labels that mean something.
    """
    if desk.given is not None and desk.given.id == alert_id:
        return desk.given.model_copy(update={"labels": _meaningful([desk.given.labels])})
    if not _may_be_an_id(alert_id):
        raise NotFound(f"{alert_id[:60]!r} is no alert: give an id, a number or a web address")
    asked = Call("pagerduty.get_incident", {"id": alert_id}, "the alert")
    answer, *_ = await desk.toolbox.collect([asked, *INVENTORY])
    if answer.status in (Status.OK, Status.STALE) and mapping(answer.data, "incident"):
        return _alert(answer, alert_id, desk.clock())
    if answer.status is Status.EMPTY or answer.status is Status.OK:
        raise NotFound(
            f"no alert {alert_id!r}: {answer.reason or 'PagerDuty has no such incident'}"
        )
    title = f"alert {alert_id}; PagerDuty could not be read ({answer.status})"
    return Alert(id=alert_id, title=title, created_at=desk.clock(), status=UNREAD)


def _may_be_an_id(text: str) -> bool:
    """Whether a text may be the id of an alert at all; what may not, no server would be asked."""
    climbs = ".." in re.split(r"[/\\]", text)
    fits = len(text.strip()) in range(1, LONGEST_ID + 1)
    return fits and text.isprintable() and not text.startswith("-") and not climbs


def _alert(answer: Evidence, alert_id: str, now: datetime) -> Alert:
    incident = mapping(answer.data, "incident")
    created = moment(incident.get("created_at"))
    return Alert(
        id=str(incident.get("id") or alert_id),
        title=str(incident.get("title") or alert_id),
        created_at=created if created and created.year > 1 else now,  # year 1 is Go's "no time"
        status=str(incident.get("status") or ""),
        urgency=str(incident.get("urgency") or ""),
        service=str(incident.get("service") or ""),
        url=str(incident.get("url") or ""),
        number=incident.get("number"),
        resolved_at=moment(incident.get("resolved_at")),
        labels=_labels(answer.data),
        details=_details(answer.data),
    )


def _labels(data: Any) -> dict[str, str]:
    """The labels of the incident and its alerts that mean something; the first alert wins."""
    sources = [mapping(row, "labels") for row in listing(data, "alerts")]
    sources += [mapping(row, "details") for row in listing(data, "alerts")]
    sources += [mapping(data, "incident", "details")]
    return _meaningful(sources)


def _meaningful(sources: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The labels that mean something; of the same name, the first."""
    found: dict[str, str] = {}
    for source in sources:
        for key, value in source.items():
            if str(key).lower() in LABELS and isinstance(value, str | int | float):
                found.setdefault(str(key).lower(), str(value))
    return found


def _details(data: Any) -> str:
    incident = mapping(data, "incident", "details")
    texts = [str(value) for value in incident.values() if isinstance(value, str)]
    texts += [str(dig(row, "summary") or "") for row in listing(data, "alerts")]
    return "\n".join(dict.fromkeys(text for text in texts if text))


async def narrow(desk: Desk, alert: Alert) -> Scope:
    """What the alert speaks of. Without a namespace in its labels, those that its words name."""
    now = desk.clock()
    began = min(alert.created_at, now)  # clocks differ: an alert may seem to come from the future
    window = Window(start=max(began - desk.lookback, now - LONGEST), end=now)
    named = alert.labels.get("namespace", "")
    inventory, failing = await desk.toolbox.collect(INVENTORY)
    rows = [mapping(row) for row in listing(inventory.data, "workloads")]
    near = [row for row in rows if not named or row.get("namespace") == named]
    entities = tuple(_named(alert, near))
    namespaces = (named,) if named else _namespaces(entities, rows, failing)
    return Scope(
        cluster=inventory.source or alert.labels.get("cluster", ""),
        namespaces=namespaces,
        entities=entities,
        window=window,
        began=began,
    )


def _named(alert: Alert, rows: Iterable[Mapping[str, Any]]) -> list[Entity]:
    """The workloads and the node that the alert's labels or words name, the longest name first."""
    said = {
        value.lower()
        for key, value in alert.labels.items()
        if key not in ("namespace", "cluster", "alertname")
    }
    said |= set(_WORD.findall(alert.title.lower())) - SPEECH
    said |= set(_WORD.findall(alert.service.lower()))
    pod = alert.labels.get("pod", "")
    found = [
        Entity(kind=str(row["kind"]), name=str(row["name"]), namespace=str(row["namespace"]))
        for row in rows
        if str(row["name"]).lower() in said or pod.startswith(f"{row['name']}-")
    ]
    if alert.labels.get("node"):
        found.append(Entity(kind="Node", name=alert.labels["node"]))
    return sorted(found, key=lambda entity: (-len(entity.name), str(entity)))


def measured_entities(alert: Alert, evidence: Iterable[Evidence]) -> tuple[Entity, ...]:
    """The services that only metrics know and that the alert's labels, words or service name."""
    said = {value.lower() for key, value in alert.labels.items() if key != "alertname"}
    said |= {alert.service.lower(), *_WORD.findall(alert.title.lower())}
    names = {
        str(name)
        for item in evidence
        if item.tool == "prometheus.list_services" and item.status.seen
        for name in (
            *(dig(row, "labels", "service") for row in listing(item.data, "signals")),
            *(dig(row, end) for row in listing(item.data, "calls") for end in ("client", "server")),
        )
        if name
    }
    found = sorted(name for name in names if name.lower() in said)
    return tuple(Entity(kind="Service", name=name) for name in found)


def _namespaces(
    entities: Iterable[Entity], rows: Iterable[Mapping[str, Any]], failing: Evidence
) -> tuple[str, ...]:
    """Where to look: where what is named lives, else where pods fail, else where workloads are."""
    named = dict.fromkeys(entity.namespace for entity in entities if entity.namespace)
    ill = _most_common(str(dig(pod, "namespace")) for pod in listing(failing.data, "pods"))
    all_of_them = _most_common(str(row["namespace"]) for row in rows)
    chosen = list(named) or ill or all_of_them
    return tuple(chosen[:MOST_NAMESPACES])


def _most_common(names: Iterable[str]) -> list[str]:
    counts: dict[str, int] = {}
    for name in names:
        if name not in SYSTEM:
            counts[name] = counts.get(name, 0) + 1
    return sorted(counts, key=lambda name: (-counts[name], name))
