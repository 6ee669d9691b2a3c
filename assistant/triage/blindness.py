"""What a triage could not see as a whole, and when that forbids calling anything healthy. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from assistant.incident import Alert, BlindSpot, Evidence, Scope, Status
from assistant.snapshot import Snapshot
from assistant.triage.desk import UNREAD


def gone_namespaces(scope: Scope, snapshot: Snapshot) -> Iterator[BlindSpot]:
    """Namespaces that the alert speaks of and the cluster does not have."""
    listed = snapshot.listing_of("Namespace")
    if not listed or not snapshot.listed("Namespace"):
        return
    there = {item.name for item in snapshot.of("Namespace")}
    for name in scope.namespaces:
        if name not in there:
            yield BlindSpot(
                tool=listed.tool,
                status=Status.EMPTY,
                reason=f"{listed.source or 'the cluster'} has no namespace {name!r}",
                consequence=f"nothing of {name} could be looked at",
                suggestions=("check that this is the cluster that the alert came from",),
                evidence=listed.id,
            )


def too_blind(alert: Alert, scope: Scope, snapshot: Snapshot, evidence: Iterable[Evidence]) -> bool:
    """Whether finding nothing wrong says nothing: the alert, a source or the pods stayed unseen."""
    rows = list(evidence)
    asked = {item.tool.partition(".")[0] for item in rows} - {"runbooks"}
    answered = {item.tool.partition(".")[0] for item in rows if item.status.seen}
    failing = any(row.tool == "kubernetes.list_failing_pods" and row.status.seen for row in rows)
    pods = failing or all(snapshot.listed("Pod", name) for name in scope.namespaces)
    gone = any(gone_namespaces(scope, snapshot))
    return alert.status == UNREAD or bool(asked - answered) or not pods or gone
