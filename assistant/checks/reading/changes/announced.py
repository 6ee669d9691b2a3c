"""Change events that somebody sent to PagerDuty: deploys, commits, settings, flags; and what they name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from assistant.changed import SUMMARY, TOLD_BY
from assistant.checks.case import Case
from assistant.incident import Entity, Evidence, Finding
from assistant.snapshot import dig, listing, mapping, moment

WHO = frozenset(
    {"by", "author", "user", "actor", "email", "approved_by", "requested_by", "link", "url"}
)
"""Particulars that say who or where, not what."""
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")
_MOST_DETAILS = 12


def announced(case: Case) -> Iterator[Finding]:
    """What PagerDuty was told of within the window, each at the thing that it names."""
    for answer in case.of_tool("pagerduty.list_change_events"):
        for row in map(mapping, listing(answer.data, "change_events")):
            at = moment(row.get("at"))
            if row.get("summary") and at and case.in_window(at):
                yield _told(case, answer, row, at)


def _told(case: Case, answer: Evidence, row: Mapping[str, Any], at: datetime) -> Finding:
    summary = str(row["summary"])
    return Finding(
        kind="recent_change",
        entity=_changed_thing(case, row),
        statement=f"Change event: {summary}",
        citations=(answer.cite(summary),),
        began=at,
        details={**_particulars(row), TOLD_BY: str(row.get("source") or ""), SUMMARY: summary},
    )


def _particulars(row: Mapping[str, Any]) -> dict[str, str]:
    """What the event says was touched, without who touched it."""
    rows = [(str(key), value) for key, value in mapping(row, "details").items()]
    told = {key: str(value)[:200] for key, value in rows if key.lower() not in WHO}
    return dict(list(told.items())[:_MOST_DETAILS])


def _changed_thing(case: Case, row: Mapping[str, Any]) -> Entity:
    """The configuration, workload or node that an event names; else its PagerDuty service.

    What its summary names comes before what stands in its particulars, and that before its service.
    """
    details = " ".join(str(value) for value in mapping(row, "details").values())
    for text in (row.get("summary"), details, _slug(row.get("service"))):
        found = _named(case, str(text or "").lower())
        if found:
            return found
    return Entity(kind="Service", name=str(row.get("service") or "unknown"))


def _named(case: Case, text: str) -> Entity | None:
    words = set(_NAME.findall(text)) | {part for word in text.split() for part in word.split("/")}
    for kind in ("ConfigMap", "Secret"):
        for item in case.namespaced(kind):
            if item.name.lower() in words:
                return item.entity
    named = [entity for entity in _inventory(case) if entity.name.lower() in words]
    here = [entity for entity in named if entity.namespace.lower() in words]
    near = [entity for entity in named if entity.namespace in case.scope.namespaces]
    rows = here or near or named
    if rows:
        return max(rows, key=lambda entity: (len(entity.name), str(entity)))
    nodes = [node.entity for node in case.snapshot.of("Node") if node.name.lower() in words]
    return nodes[0] if nodes else None


def _slug(service: object) -> str:
    """`Orders DB` as an object would be called: orders-db."""
    return re.sub(r"[^a-z0-9]+", "-", str(service or "").lower()).strip("-")


def _inventory(case: Case) -> Iterator[Entity]:
    """Every workload that was seen: those of the cluster's list, and those that were read."""
    for answer in case.of_tool("kubernetes.list_deployments"):
        for row in listing(answer.data, "workloads"):
            yield Entity(
                kind=str(dig(row, "kind")),
                name=str(dig(row, "name")),
                namespace=str(dig(row, "namespace")),
            )
    for workload in case.workloads():
        yield workload.entity
