"""Draws the PagerDuty account of a system in the shape of its REST API v2."""

from __future__ import annotations

from datetime import datetime, timedelta

from eval.cases.system import Change, Json, Page, PastIncident, System, stamp

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
TEAM = ("Ines Okafor", "Mateo Lindqvist", "Priya Raman", "Tomasz Wrona")


def identity(system: System, letter: str, *names: object) -> str:
    """An id as PagerDuty makes them: a letter for the sort of thing, then thirteen signs."""
    return letter + "".join(system.rng("pagerduty", *names).choices(LETTERS, k=13))


def incident_id(system: System, page: Page) -> str:
    """The id of the incident that a page belongs to."""
    return identity(system, "Q", "incident", page.alert, page.at)


def account(system: System) -> Json:
    """Everything the account holds: incidents with their alerts, changes, and who is on call."""
    pages = [page for page in [system.page, *system.other_pages] if page]
    pages.sort(key=lambda page: page.at)
    ids = {incident_id(system, page): page for page in pages}
    first = system.rng("incident number").randint(1800, 4200)
    numbers = {id_: first + place for place, id_ in enumerate(ids)}
    return {
        "incidents": [_incident(system, page, numbers[id_]) for id_, page in ids.items()],
        "alerts": {id_: [_alert(system, page, numbers[id_])] for id_, page in ids.items()},
        "log_entries": {id_: _log(system, page, numbers[id_]) for id_, page in ids.items()},
        "notes": {id_: [_note(system, note) for note in page.notes] for id_, page in ids.items()},
        "change_events": [_change(system, change) for change in _newest_first(system)],
        "services": [_service(system, name) for name in _service_names(system)],
        "oncalls": _on_calls(system),
        "past_incidents": {
            id_: [_past(system, past) for past in system.past] if page is system.page else []
            for id_, page in ids.items()
        },
    }


def _newest_first(system: System) -> list[Change]:
    return sorted(system.changes, key=lambda change: change.at, reverse=True)


def _service_names(system: System) -> list[str]:
    pages = [page for page in [system.page, *system.other_pages] if page]
    return sorted({page.service for page in pages} | {change.service for change in system.changes})


def _reference(system: System, id_: str, kind: str, summary: str, path: str) -> Json:
    return {
        "html_url": f"https://{system.organisation}.pagerduty.example/{path}/{id_}",
        "id": id_,
        "self": f"https://api.pagerduty.com/{path}/{id_}",
        "summary": summary,
        "type": kind,
    }


def _service_reference(system: System, name: str) -> Json:
    return _reference(
        system, identity(system, "P", "service", name), "service_reference", name, "services"
    )


def _policy(system: System) -> Json:
    id_ = identity(system, "P", "policy")
    return _reference(
        system, id_, "escalation_policy_reference", system.team, "escalation_policies"
    )


def _user(system: System, level: int) -> Json:
    names = list(TEAM)
    system.rng("team").shuffle(names)
    name = names[level]
    return _reference(system, identity(system, "P", "user", name), "user_reference", name, "users")


def _incident_reference(system: System, page: Page, number: int) -> Json:
    summary = f"[#{number}] {page.title}"
    return _reference(system, incident_id(system, page), "incident_reference", summary, "incidents")


def _incident(system: System, page: Page, number: int) -> Json:
    status = "resolved" if page.resolved else "triggered"
    assigned = [] if page.resolved else [{"assignee": _user(system, 0), "at": stamp(page.at)}]
    return {
        **_incident_reference(system, page, number),
        "acknowledgements": [],
        "alert_counts": {
            "all": 1,
            "resolved": int(bool(page.resolved)),
            "triggered": int(not page.resolved),
        },
        "assigned_via": "escalation_policy",
        "assignments": assigned,
        "body": {"details": _details(system, page), "type": "incident_body"},
        "created_at": stamp(page.at),
        "description": page.title,
        "escalation_policy": _policy(system),
        "incident_key": _key(system, page),
        "incident_number": number,
        "last_status_change_at": stamp(page.resolved or page.at),
        "pending_actions": [],
        "priority": None,
        "resolved_at": stamp(page.resolved) if page.resolved else None,
        "service": _service_reference(system, page.service),
        "status": status,
        "teams": [],
        "title": page.title,
        "type": "incident",
        "updated_at": stamp(page.resolved or page.at),
        "urgency": page.urgency,
    }


def _key(system: System, page: Page) -> str:
    return identity(system, "k", "key", page.alert, page.at).lower()


def _details(system: System, page: Page) -> dict[str, str]:
    details = {
        "alertname": page.alert,
        **page.labels,
        "cluster": system.cluster,
        "description": page.description,
        "firing": "1",
    }
    return details | ({"runbook_url": page.runbook_url} if page.runbook_url else {})


def _alert(system: System, page: Page, number: int) -> Json:
    id_ = identity(system, "Q", "alert", page.alert, page.at)
    severity = page.labels.get("severity", "critical")
    details = _details(system, page)
    described = {"client": "Alertmanager", "description": page.title, "severity": severity}
    return {
        **_reference(system, id_, "alert", page.title, "alerts"),
        "alert_key": _key(system, page),
        "body": {
            "cef_details": {**described, "details": details, "source_origin": system.cluster},
            "contexts": [],
            "details": details,
            "type": "alert_body",
        },
        "created_at": stamp(page.at),
        "incident": _incident_reference(system, page, number),
        "resolved_at": stamp(page.resolved) if page.resolved else None,
        "service": _service_reference(system, page.service),
        "severity": severity,
        "status": "resolved" if page.resolved else "triggered",
        "suppressed": False,
    }


def _log(system: System, page: Page, number: int) -> list[Json]:
    who = _user(system, 0)
    tool = {"id": identity(system, "P", "integration"), "type": "inbound_integration_reference"}
    rows = [
        ("trigger_log_entry", "Triggered through the API.", page.at, {**tool, "summary": "API"}),
        ("assign_log_entry", f"Assigned to {who['summary']}.", page.at, _policy(system)),
        (
            "notify_log_entry",
            f"Notified {who['summary']} by push.",
            page.at + timedelta(seconds=8),
            who,
        ),
    ]
    if page.resolved:
        rows.append(("resolve_log_entry", "Resolved through the API.", page.resolved, tool))
    return [
        {
            "agent": agent,
            "channel": {"type": "api" if kind.startswith(("trigger", "resolve")) else "auto"},
            "created_at": stamp(at),
            "id": identity(system, "R", kind, page.alert, page.at),
            "incident": _incident_reference(system, page, number),
            "service": _service_reference(system, page.service),
            "summary": summary,
            "type": kind,
        }
        for kind, summary, at, agent in reversed(rows)
    ]


def _note(system: System, note: tuple[datetime, str]) -> Json:
    at, text = note
    return {
        "content": text,
        "created_at": stamp(at),
        "id": identity(system, "P", "note", at),
        "user": _user(system, 0),
    }


def _change(system: System, change: Change) -> Json:
    link = [{"href": change.link, "text": "Pipeline"}] if change.link else []
    id_ = identity(system, "0", "change", change.at, change.summary)
    return {
        "custom_details": change.details,
        "id": id_,
        "images": [],
        "integration": {
            "id": identity(system, "P", "change integration"),
            "type": "inbound_integration_reference",
        },
        "links": link,
        "services": [_service_reference(system, change.service)],
        "source": change.source,
        "summary": change.summary,
        "timestamp": stamp(change.at),
        "type": "change_event",
    }


def _service(system: System, name: str) -> Json:
    paged = [page for page in [system.page, *system.other_pages] if page and not page.resolved]
    id_ = identity(system, "P", "service", name)
    return {
        **_reference(system, id_, "service", name, "services"),
        "created_at": stamp(system.ago(days=200)),
        "escalation_policy": _policy(system),
        "name": name,
        "status": "critical" if any(page.service == name for page in paged) else "active",
    }


def _on_calls(system: System) -> list[Json]:
    id_ = identity(system, "P", "schedule")
    summary = f"{system.team}, primary"
    schedule = _reference(system, id_, "schedule_reference", summary, "schedules")
    start = system.as_of.replace(hour=9, minute=0, second=0) - timedelta(days=3)
    return [
        {
            "end": stamp(start + timedelta(days=7)) if level == 0 else None,
            "escalation_level": level + 1,
            "escalation_policy": _policy(system),
            "schedule": schedule if level == 0 else None,
            "start": stamp(start) if level == 0 else None,
            "user": _user(system, level),
        }
        for level in range(2)
    ]


def _past(system: System, past: PastIncident) -> Json:
    id_ = identity(system, "Q", "past", past.at)
    return {
        "incident": {
            "created_at": stamp(past.at),
            "id": id_,
            "self": f"https://api.pagerduty.com/incidents/{id_}",
            "title": past.title,
        },
        "score": past.score,
    }
