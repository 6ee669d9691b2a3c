"""PagerDuty's records as the tools give them: names instead of people's addresses. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, WithJsonSchema

Record = Mapping[str, Any]
LONGEST_LABEL = 256
_LABEL = re.compile(r"^\s*-?\s*([A-Za-z_][\w./-]*)\s*[=:]\s*(.*?)\s*$")
_NAME = re.compile(r"[A-Za-z_][\w./-]*")
_SECTION = re.compile(r"^\s*(labels|annotations|source|silence|value)\b.*:", re.IGNORECASE)
_COUNTS = frozenset({"firing", "resolved", "num_firing", "num_resolved"})


def _wordless(schema: dict[str, Any]) -> None:
    """Docstrings and lists of fields (all are always there) would be paid for in each tool list."""
    schema.pop("description", None)
    schema.pop("required", None)


class Flat(BaseModel):
    """A value of a result: nothing but the fields it names."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=_wordless)


class Incident(Flat):
    """An incident, without what only the web page needs."""

    id: str
    number: Annotated[int | None, WithJsonSchema({"type": ["integer", "null"]})]
    title: str
    status: str
    urgency: str
    created_at: str
    resolved_at: str
    service: str
    service_id: str
    escalation_policy: str
    escalation_policy_id: str
    url: str
    assigned_to: list[str]
    priority: str
    details: dict[str, Any]


class Alert(Flat):
    """One alert of an incident; `labels` are what its details say in names and values."""

    id: str
    summary: str
    status: str
    severity: str
    created_at: str
    incident_id: str
    service: str
    labels: dict[str, str]
    details: dict[str, Any]


class Note(Flat):
    """What somebody wrote on an incident."""

    at: str
    author: str
    text: str


class ChangeEvent(Flat):
    """A deployment or another change that somebody announced."""

    id: str
    at: str
    summary: str
    source: str
    service: str
    details: dict[str, Any]
    links: list[str]


class LogEntry(Flat):
    """One line of an incident's history."""

    at: str
    type: str
    summary: str
    agent: str


class OnCall(Flat):
    """Who is on call at one level of one escalation policy."""

    level: int
    name: str
    schedule: str
    escalation_policy: str
    until: str


class PastIncident(Flat):
    """An earlier incident that PagerDuty finds similar."""

    id: str
    title: str
    created_at: str
    score: float


def incident(said: Record) -> Incident:
    """An incident as PagerDuty's REST API v2 gives it."""
    people = [_name(one.get("assignee")) for one in said.get("assignments") or ()]
    return Incident(
        id=str(said["id"]),
        number=said.get("incident_number"),
        title=str(said.get("title") or said.get("summary") or ""),
        status=str(said.get("status") or ""),
        urgency=str(said.get("urgency") or ""),
        created_at=str(said.get("created_at") or ""),
        resolved_at=_resolved_at(said),
        service=_name(said.get("service")),
        service_id=_id(said.get("service")),
        escalation_policy=_name(said.get("escalation_policy")),
        escalation_policy_id=_id(said.get("escalation_policy")),
        url=str(said.get("html_url") or ""),
        assigned_to=[name for name in people if name],
        priority=_name(said.get("priority")),
        details=details(said.get("body")),
    )


def alert(said: Record) -> Alert:
    """An alert as PagerDuty's REST API v2 gives it."""
    return Alert(
        id=str(said["id"]),
        summary=str(said.get("summary") or ""),
        status=str(said.get("status") or ""),
        severity=str(said.get("severity") or ""),
        created_at=str(said.get("created_at") or ""),
        incident_id=_id(said.get("incident")),
        service=_name(said.get("service")),
        labels=labels(said.get("body")),
        details=details(said.get("body")),
    )


def note(said: Record) -> Note:
    """A note as PagerDuty's REST API v2 gives it."""
    return Note(
        at=str(said.get("created_at") or ""),
        author=_name(said.get("user")),
        text=str(said.get("content") or ""),
    )


def change_event(said: Record) -> ChangeEvent:
    """A change event as PagerDuty's REST API v2 gives it."""
    services = said.get("services") or [said.get("service")]
    links = [str(one.get("href") or "") for one in said.get("links") or ()]
    return ChangeEvent(
        id=str(said.get("id") or ""),
        at=str(said.get("timestamp") or ""),
        summary=str(said.get("summary") or ""),
        source=str(said.get("source") or ""),
        service=", ".join(name for name in map(_name, services) if name),
        details=_mapping(said.get("custom_details")),
        links=[link for link in links if link],
    )


def log_entry(said: Record) -> LogEntry:
    """A log entry as PagerDuty's REST API v2 gives it."""
    return LogEntry(
        at=str(said.get("created_at") or ""),
        type=str(said.get("type") or "").removesuffix("_log_entry"),
        summary=str(said.get("summary") or ""),
        agent=_name(said.get("agent")),
    )


def on_call(said: Record) -> OnCall:
    """An on-call entry as PagerDuty's REST API v2 gives it."""
    return OnCall(
        level=int(said.get("escalation_level") or 0),
        name=_name(said.get("user")),
        schedule=_name(said.get("schedule")),
        escalation_policy=_name(said.get("escalation_policy")),
        until=str(said.get("end") or ""),
    )


def past_incident(said: Record) -> PastIncident:
    """A past incident as PagerDuty's REST API v2 gives it."""
    known = said["incident"]
    return PastIncident(
        id=str(known["id"]),
        title=str(known.get("title") or known.get("summary") or ""),
        created_at=str(known.get("created_at") or ""),
        score=float(said.get("score") or 0),
    )


def details(body: Any) -> dict[str, Any]:
    """What the monitoring tool sent along: a text becomes {"text": …}."""
    sent = _object(body)
    return _mapping(sent.get("details") or _object(sent.get("cef_details")).get("details"))


def labels(body: Any) -> dict[str, str]:
    """Names and values in an alert's details.

    Flat details are labels themselves; Alertmanager sends its labels as the text `firing`, one
    block per alert: then those count that all blocks have in common.
    """
    said = details(body)
    texts = [text for key in ("firing", "text") if isinstance(text := said.get(key), str)]
    found = {name: value for text in texts for name, value in common_labels(text).items()}
    for key, value in said.items():
        if key.lower() in ("labels", "commonlabels", "grouplabels") and isinstance(value, Mapping):
            found |= {str(name): str(one) for name, one in value.items()}
        elif key not in _COUNTS and _label_like(key, value):
            found.setdefault(key, str(value))
    return found


def common_labels(text: str) -> dict[str, str]:
    """The labels that every `Labels:` block of Alertmanager's text holds with the same value."""
    blocks = list(_label_blocks(text.splitlines()))
    counted = Counter(pair for block in blocks for pair in block.items())
    return {name: value for (name, value), times in counted.items() if times == len(blocks)}


def _label_blocks(lines: Iterable[str]) -> Iterator[dict[str, str]]:
    block: dict[str, str] | None = None
    for line in lines:
        if section := _SECTION.match(line):
            if block:
                yield block
            block = {} if section[1].lower() == "labels" else None
        elif block is not None and (label := _LABEL.match(line)):
            block[label[1]] = label[2]
    if block:
        yield block


def _label_like(key: str, value: object) -> bool:
    if not isinstance(value, str | int | float | bool) or not _NAME.fullmatch(key):
        return False
    text = str(value)
    return 0 < len(text) <= LONGEST_LABEL and "\n" not in text and key != "text"


def _mapping(value: Any) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    return {"text": value if isinstance(value, str) else str(value)} if value else {}


def _resolved_at(said: Record) -> str:
    at = said.get("resolved_at")
    if not at and said.get("status") == "resolved":
        at = said.get("last_status_change_at")
    return str(at or "")


def _name(reference: Any) -> str:
    """The name that a reference shows; never an e-mail address."""
    said = _object(reference)
    return str(said.get("summary") or said.get("name") or "")


def _id(reference: Any) -> str:
    return str(_object(reference).get("id") or "")


def _object(value: Any) -> Mapping[str, Any]:
    """An object, or an empty one for anything else: what tools send along has any shape."""
    return value if isinstance(value, Mapping) else {}
