"""Objects that somebody wrote within the window: configuration, routes, policies, quotas, nodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from assistant.changed import DORMANT, WRITTEN_BY
from assistant.checks.case import Case, containers
from assistant.incident import Finding
from assistant.snapshot import Object, dig, listing, mapping, moment, word

CONFIGURATION = ("ConfigMap", "Secret")
EDITED = ("Service", "Ingress", "NetworkPolicy", "ResourceQuota", "ServiceAccount")
"""Kinds that a controller does not write by itself once they are there."""
BARRIERS = ("NetworkPolicy", "ResourceQuota")
"""Kinds whose coming into being already changes how others live."""
NODE_FIELDS = ("spec.taints", "spec.unschedulable", "metadata.labels")
_FIELDS_SHOWN = 4


def edits(case: Case) -> Iterator[Finding]:
    """One finding for each object that was written within the window and that something depends on."""
    for kind in CONFIGURATION:
        for item in case.namespaced(kind):
            users = _users(case, item)
            if users:
                yield from _configured(case, item, users)
    for kind in EDITED:
        for item in case.namespaced(kind):
            yield from _edited(case, item)
    for node in case.snapshot.of("Node"):
        yield from _marked(case, node)


def last_write(case: Case, item: Object) -> tuple[datetime, Mapping[str, Any]] | None:
    """The last write of an object's content within the window, and who did it."""
    for row in map(mapping, listing(item.raw, "metadata", "lastWrites")):
        at = moment(row.get("at"))
        if at and case.in_window(at):
            return at, row
    return None


def _users(case: Case, item: Object) -> list[Object]:
    edges = case.topology.affects(item.entity)
    found = [case.snapshot.find(e.target) for e in edges if e.relation == "needed by"]
    return [user for user in found if user]


def _configured(case: Case, item: Object, users: list[Object]) -> Iterator[Finding]:
    written = last_write(case, item)
    if not written:
        return
    at, row = written
    asleep = not any(_in_effect(case, item, user, at) for user in users)
    finding = _written(item, at, row, "recent_config_change")
    notes = {DORMANT: "no pod that reads it was started since"} if asleep else {}
    yield finding.model_copy(
        update={
            "about": tuple(user.entity for user in users),
            "details": {**finding.details, **notes},
        }
    )


def _in_effect(case: Case, item: Object, user: Object, at: datetime) -> bool:
    """Whether what was written reached the program: by a mounted volume, or at a start since."""
    if _mounted(item, user.template):
        return True
    pods = case.snapshot.pods_of(user)
    starts = [pod.created for pod in pods] + [
        moment(dig(container.status, "state", "running", "startedAt"))
        for pod in pods
        for container in containers(pod)
    ]
    return not pods or any(start and start >= at for start in starts)


def _mounted(item: Object, template: Mapping[str, Any]) -> bool:
    names = {
        word(dig(source, field, key))
        for volume in listing(template, "volumes")
        for source in (volume, *listing(volume, "projected", "sources"))
        for field, key in (("configMap", "name"), ("secret", "secretName"), ("secret", "name"))
        if (field == "configMap") == (item.kind == "ConfigMap")
    }
    return item.name in names


def _written(item: Object, at: datetime, row: Mapping[str, Any], kind: str) -> Finding:
    fields = [word(field) for field in listing(row, "fields")]
    by = word(row.get("by"))
    shown = ", ".join(fields[:_FIELDS_SHOWN])
    return Finding(
        kind=kind,
        entity=item.entity,
        statement=f"{item.entity} was written by {by or 'somebody'} ({shown})",
        citations=item.cite(item.name, by, row.get("at")),
        began=at,
        details={**dict.fromkeys(fields, "written"), WRITTEN_BY: by},
    )


def _edited(case: Case, item: Object) -> Iterator[Finding]:
    written = last_write(case, item)
    if written:
        yield _written(item, *written, "recent_edit")
    elif item.kind in BARRIERS and case.in_window(item.created) and _older_world(case, item):
        yield Finding(
            kind="recent_edit",
            entity=item.entity,
            statement=f"{item.entity} was created",
            citations=item.cite(item.name, dig(item.raw, "metadata", "creationTimestamp")),
            began=item.created,
            details={"metadata": "created"},
        )


def _older_world(case: Case, item: Object) -> bool:
    """Whether something lived in its namespace before the window: else all of it is new together."""
    rows = [w for w in case.workloads() if w.namespace == item.namespace]
    return any(w.created and w.created < case.scope.window.start for w in rows)


def _marked(case: Case, node: Object) -> Iterator[Finding]:
    """A node whose taints, labels or cordon somebody wrote."""
    written = last_write(case, node)
    fields = [word(field) for field in listing(written[1], "fields")] if written else []
    told = [field for field in fields if field.startswith(NODE_FIELDS)]
    if written and told:
        row = {**written[1], "fields": told}
        yield _written(node, written[0], row, "recent_node_change")
