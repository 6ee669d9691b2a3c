"""What was changed within the window: rollouts and what they touched, and who else changed something.

It says what was done, not what it did: whether a change is guilty is for the diagnosis to say.
"""

from __future__ import annotations

from typing import Any

import anyio

from assistant.changed import NEW_PODS, OLD_PODS, RETURNS_TO, ill
from assistant.checks.case import Case
from assistant.checks.reading.changes.announced import announced
from assistant.checks.reading.changes.edits import edits
from assistant.checks.reading.changes.revisions import (
    current_pods,
    earlier,
    older_pods,
    readiness,
    revisions,
    rolled_out_at,
)
from assistant.checks.reading.changes.scaling import node_changes, scalings
from assistant.incident import Entity, Evidence, Finding
from assistant.snapshot import Object, dig, listing, mapping, moment

KINDS = ("Deployment", "StatefulSet", "DaemonSet")
HISTORIES_READ = 12
RESTARTED = "kubectl.kubernetes.io/restartedAt"
"""What `kubectl rollout restart` writes: a restart, not a change of content."""
_CHANGES_SHOWN = 4


async def check(case: Case) -> list[Finding]:
    """Everything that somebody or a controller changed within the window."""
    rollouts = await _rollouts(case)
    return [*rollouts, *edits(case), *scalings(case), *node_changes(case), *announced(case)]


async def _rollouts(case: Case) -> list[Finding]:
    """One finding a workload that was rolled out within the window, with what changed."""
    chosen = [w for w in case.workloads() if w.kind in KINDS and rolled_out_at(case, w)]
    chosen.sort(key=lambda w: (w.entity not in case.scope.entities, not _unwell(case, w)))
    answers: dict[Entity, Evidence] = {}

    async def one(workload: Object) -> None:
        arguments = {"namespace": workload.namespace, "name": workload.name}
        if workload.kind != "Deployment":
            arguments["kind"] = workload.kind
        why = f"what the last rollout of {workload.entity} changed"
        answers[workload.entity] = await case.ask("kubernetes.get_rollout_history", arguments, why)

    async with anyio.create_task_group() as group:
        for workload in chosen[:HISTORIES_READ]:
            group.start_soon(one, workload)
    found = [_rollout(case, answers[w.entity], w) for w in chosen[:HISTORIES_READ]]
    return [finding for finding in found if finding]


def _unwell(case: Case, workload: Object) -> bool:
    return ill(readiness(current_pods(case, workload)))


def _rollout(case: Case, answer: Evidence, workload: Object) -> Finding | None:
    rows = listing(answer.data, "revisions")
    if not answer.status.seen or not rows:
        return None
    newest = mapping(rows[0])
    at = moment(newest.get("created_at"))
    if not case.in_window(at):
        at = rolled_out_at(case, workload) if _brought_back(case, workload) else None
    if not at:
        return None
    changes = [mapping(row) for row in listing(newest, "changes")]
    shown = [row for row in changes if row.get("path")][:_CHANGES_SHOWN]
    told = "; ".join(map(change_words, shown)) or "nothing in its template"
    quotes = [newest.get("revision"), *(row["path"] for row in shown)]
    return Finding(
        kind="recent_rollout",
        entity=workload.entity,
        statement=f"{workload.entity} was rolled out (revision {newest.get('revision')}): {told}"
        + _and_since(case, workload),
        citations=tuple(answer.cite(quote) for quote in quotes),
        began=at,
        details=_touched(changes) | _notes(case, workload),
    )


def _touched(changes: list[Any]) -> dict[str, str]:
    """Each path that a rollout changed, with both values; a restart on demand changes none."""
    return {
        str(row.get("path")): f"{row.get('before')} -> {row.get('after')}"[:200]
        for row in changes
        if RESTARTED not in str(row.get("path"))
    }


def _notes(case: Case, workload: Object) -> dict[str, str]:
    notes = {
        NEW_PODS: readiness(current_pods(case, workload)),
        OLD_PODS: readiness(older_pods(case, workload)),
        RETURNS_TO: _brought_back(case, workload),
    }
    return {key: value for key, value in notes.items() if value}


def _and_since(case: Case, workload: Object) -> str:
    new = readiness(current_pods(case, workload))
    return f"; of its pods {new}" if ill(new) else ""


def _brought_back(case: Case, workload: Object) -> str:
    """The number of the earlier revision that the newest one is."""
    return next((earlier(row) for row in revisions(case, workload)[:1]), "")


def change_words(change: Any) -> str:
    """`containers[web].image: a:1 -> a:2`."""
    before, after = dig(change, "before"), dig(change, "after")
    shown = [str(value) if value not in (None, "") else "(none)" for value in (before, after)]
    return f"{dig(change, 'path')}: {shown[0][:80]} -> {shown[1][:80]}"
