"""Hypotheses -> the runbook section that applies, its steps held against live state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assistant.diagnosis import Diagnosis
from assistant.faults import fault
from assistant.incident import Alert, Evidence, RunbookMatch, Scope, Status, StepState
from assistant.snapshot import Snapshot, dig, listing, mapping
from assistant.triage.desk import Desk, utc
from assistant.triage.steps import held, slots

MOST_SECTIONS = 2
WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")


async def consult(
    desk: Desk, alert: Alert, scope: Scope, diagnosis: Diagnosis
) -> tuple[RunbookMatch, ...]:
    """The sections that fit, best first; none where the search abstains or cannot be asked."""
    question = {
        "query": _query(alert, diagnosis),
        "alert_name": alert.labels.get("alertname", ""),
        "service": _service(alert, scope),
        "runbook_url": alert.labels.get("runbook_url", ""),
    }
    arguments = {key: value for key, value in question.items() if value}
    answer = await desk.toolbox.call(
        "runbooks.search_runbooks", arguments, reason="which runbook applies"
    )
    if answer.status not in (Status.OK, Status.STALE) or dig(answer.data, "abstained"):
        return ()
    rows = [mapping(row) for row in listing(answer.data, "matches")][:MOST_SECTIONS]
    reader = Reader(desk, desk.view().snapshot, _slots(scope, diagnosis), utc(scope.window.end))
    matches = [await reader.match(answer, row) for row in rows]
    # What the search holds best comes first, but nobody should follow an outdated page if another fits.
    return tuple(sorted(matches, key=lambda match: bool(match.outdated)))


def _slots(scope: Scope, diagnosis: Diagnosis) -> dict[str, str]:
    best = diagnosis.hypotheses[0] if diagnosis.hypotheses else None
    chain = (best.entity, *best.chain) if best else scope.entities
    workload = next((entity for entity in chain if entity.kind in WORKLOADS), None)
    cause = best.entity if best else workload
    return slots(cause, workload) if cause else {}


def _query(alert: Alert, diagnosis: Diagnosis) -> str:
    words = [alert.title]
    for best in diagnosis.hypotheses[:1]:
        words += [fault(best.kind).title, best.kind.replace("_", " "), best.entity.name]
    return " ".join(words)[:500]


def _service(alert: Alert, scope: Scope) -> str:
    named = alert.labels.get("service") or alert.labels.get("deployment") or ""
    return named or next((entity.name for entity in scope.entities), "")


@dataclass(frozen=True)
class Reader:
    """Reads a runbook as somebody on call in this incident does."""

    desk: Desk
    snapshot: Snapshot
    known: Mapping[str, str]
    at: str

    async def match(self, answer: Evidence, row: Mapping[str, Any]) -> RunbookMatch:
        """A section that was found, with the steps of its runbook held against live state."""
        runbook = str(row.get("runbook") or row.get("id"))
        title = str(row.get("title") or runbook)
        whole = await self.desk.toolbox.call(
            "runbooks.get_runbook",
            {"id": runbook},
            reason="the steps of the runbook that was found",
        )
        text = str(dig(whole.data, "text") or row.get("text") or "")
        steps = await held(self.desk, self.snapshot, text, self.known, self.at)
        wrong = [step.why for step in steps if step.state is StepState.CONTRADICTED]
        return RunbookMatch(
            runbook=runbook,
            title=title,
            section=str(row.get("section") or ""),
            path=str(row.get("path") or ""),
            first_line=int(row.get("first_line") or 0),
            last_line=int(row.get("last_line") or 0),
            text=str(row.get("text") or ""),
            score=float(row.get("score") or 0),
            why=str(row.get("why") or ""),
            last_reviewed=str(row.get("last_reviewed") or ""),
            outdated=f"{wrong[0]}, yet {len(wrong)} of its steps need it" if wrong else "",
            steps=steps,
            citations=(answer.cite(title),),
        )
