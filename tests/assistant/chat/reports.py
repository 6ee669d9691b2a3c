"""A small report, made by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from assistant.incident import (
    Alert,
    BlindSpot,
    Cost,
    Entity,
    Evidence,
    Finding,
    Hypothesis,
    Report,
    Scope,
    Status,
    TimelineEntry,
    Verdict,
    Window,
)

NOW = datetime(2026, 4, 8, 19, 47, tzinfo=UTC)
CHECKOUT = Entity(kind="Deployment", name="checkout", namespace="shop")


def report(title="Pods restart", verdict=Verdict.CAUSE_FOUND, *, blind=False):
    """One cause, one answer that shows it, one dated fact."""
    seen = Evidence(
        id="e00000001", tool="kubernetes.list_pods", arguments={"namespace": "shop"},
        status=Status.OK, data={"pods": [{"name": "checkout-1"}]}, taken_at=NOW,
    )  # fmt: skip
    cited = (seen.cite("checkout-1"),)
    found = Finding(kind="oom_killed", entity=CHECKOUT, statement="it was killed", citations=cited)
    cause = Hypothesis(
        kind="oom_killed", entity=CHECKOUT, statement="it was killed for memory", confidence=0.9,
        findings=(found.id,), citations=cited, began=NOW - timedelta(minutes=30),
    )  # fmt: skip
    spot = BlindSpot(tool="prometheus.query", status=Status.ERROR, reason="refused")
    began = NOW - timedelta(minutes=20)
    return Report(
        id="t00000001",
        alert=Alert(
            id="P123", title=title, created_at=began, service="Checkout",
            labels={"alertname": "PodRestartsOften", "service": "checkout"},
        ),
        scope=Scope(
            cluster="north", namespaces=("shop",), entities=(CHECKOUT,), began=began,
            window=Window(start=NOW - timedelta(hours=1), end=NOW),
        ),
        verdict=verdict, summary="it was killed", hypotheses=(cause,), findings=(found,),
        blind_spots=(spot,) if blind else (),
        timeline=(TimelineEntry(at=began, text="it was killed", kind="fault", citations=cited),),
        evidence=(seen,), cost=Cost(seconds=2, calls=1), made_at=NOW,
    )  # fmt: skip
