"""Reports of every kind that a renderer must read well: the tests' shared material."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import timedelta

from assistant.incident import (
    Action,
    Alert,
    BlindSpot,
    Cost,
    Edge,
    Entity,
    Finding,
    Hypothesis,
    Reason,
    Report,
    Risk,
    RunbookStep,
    Series,
    Status,
    StepState,
    Verdict,
)
from tests.assistant.report.ledger_incident import (
    ACTIONS,
    ALERT,
    CAUSE,
    CHANGES,
    CHECKOUT,
    DEPLOY_RIVAL,
    DISK,
    ERROR_SERIES,
    ERRORS,
    EVENTS,
    FRONTEND,
    KEY_MISSING,
    LOGS_DENIED,
    LOGS_UNSEEN,
    MADE,
    MATCH,
    MEMORY_SERIES,
    METRICS,
    NO_ENDPOINTS,
    NODE_RIVAL,
    NODES,
    ON_CALL,
    POD,
    POD_STUCK,
    ROLLOUT,
    RUNBOOK,
    SCOPE,
    TIMELINE,
    TOPOLOGY,
    WORKLOAD,
    answer,
    at,
    entry,
)

CAUSE_FOUND = Report(
    id="r-20261121-0300",
    alert=ALERT,
    scope=SCOPE,
    verdict=Verdict.CAUSE_FOUND,
    summary="checkout fails because ledger has no ready pod. Ledger cannot start since a rotation "
    "dropped the key DATABASE_URL from its Secret.",
    impact=(
        Reason(
            text="31 % of checkout requests fail with 5xx (0.1 % before)",
            citations=(METRICS.cite(0.314),),
        ),
        Reason(text="ledger serves nothing: 0 ready addresses", citations=(WORKLOAD.cite(0),)),
    ),
    hypotheses=(CAUSE,),
    rivals=(DEPLOY_RIVAL, NODE_RIVAL),
    findings=(KEY_MISSING, POD_STUCK, NO_ENDPOINTS, ERRORS),
    noise=(DISK,),
    actions=ACTIONS,
    runbooks=(MATCH,),
    blind_spots=(LOGS_UNSEEN,),
    timeline=TIMELINE,
    series=(ERROR_SERIES, MEMORY_SERIES),
    topology=TOPOLOGY,
    on_call=("Ines Duarte (level 1, Payments primary)", "Tom Okafor (level 2)"),
    evidence=(
        WORKLOAD,
        POD,
        EVENTS,
        METRICS,
        ROLLOUT,
        NODES,
        CHANGES,
        ON_CALL,
        RUNBOOK,
        LOGS_DENIED,
    ),
    cost=Cost(seconds=2.41, calls=10, upstream_requests=23),
    made_at=MADE,
)

OOM_METRICS = answer(
    "prometheus.query",
    {"query": 'container_memory_working_set_bytes{namespace="shop",pod=~"search-.*"}'},
    {"series": [{"labels": {"pod": "search-0"}, "value": 536870912}]},
    total=1,
)
SEARCH = Entity(kind="StatefulSet", name="search", namespace="shop")
OOM = Finding(
    kind="oom_killed",
    entity=SEARCH,
    statement="search-0 was killed 4 times at its memory limit of 512 MiB",
    citations=(OOM_METRICS.cite(536870912),),
    began=at("02:30"),
)
SECOND_CAUSE = Hypothesis(
    kind="oom_killed",
    entity=SEARCH,
    statement="search is killed at its memory limit, which was halved at 02:28",
    confidence=0.81,
    findings=(OOM.id,),
    citations=OOM.citations,
    chain=(SEARCH, FRONTEND),
    began=at("02:28"),
    against=(
        Reason(
            text="one replica of two did not restart", citations=(OOM_METRICS.cite("search-0"),)
        ),
    ),
)
SEVERAL_CAUSES = CAUSE_FOUND.model_copy(
    update={
        "id": "r-20261121-0301",
        "verdict": Verdict.SEVERAL_CAUSES,
        "summary": "Two things broke at once, and neither explains the other.",
        "hypotheses": (CAUSE, SECOND_CAUSE),
        "findings": (*CAUSE_FOUND.findings, OOM),
        "evidence": (*CAUSE_FOUND.evidence, OOM_METRICS),
        "blind_spots": (),
        "runbooks": (MATCH.model_copy(update={"outdated": "", "last_reviewed": ""}),),
    }
)

GUESS = CAUSE.model_copy(
    update={
        "statement": "The ledger database may be refusing connections",
        "confidence": 0.41,
        "next_check": "does the ledger database accept a connection from namespace payments?",
        "against": (
            Reason(
                text="its connection count is as before",
                citations=(METRICS.cite_absence(),),
            ),
        ),
    }
)
INCONCLUSIVE = CAUSE_FOUND.model_copy(
    update={
        "id": "r-20261121-0302",
        "verdict": Verdict.INCONCLUSIVE,
        "summary": "checkout fails, and what was seen does not decide between two causes.",
        "hypotheses": (
            GUESS,
            SECOND_CAUSE.model_copy(update={"confidence": 0.33, "against": ()}),
        ),
        "findings": (ERRORS, KEY_MISSING, OOM),
        "actions": ACTIONS[:1],
        "runbooks": (),
        "evidence": (*CAUSE_FOUND.evidence, OOM_METRICS),
        "on_call": (),
    }
)

RECOVERED = Report(
    id="r-20261121-0303",
    alert=ALERT.model_copy(update={"status": "resolved", "resolved_at": at("02:52")}),
    scope=SCOPE,
    verdict=Verdict.RECOVERED,
    summary="The 5xx ratio of checkout rose at 02:43 and was back at its usual level by 02:52. "
    "Nothing is wrong now.",
    findings=(ERRORS.model_copy(update={"active": False}),),
    noise=(DISK,),
    timeline=(
        entry(at("02:43"), "symptom", ERRORS.statement, METRICS.cite(0.314)),
        entry(at("02:52"), "recovery", "5xx back at 0.1 %", METRICS.cite(0.001)),
    ),
    series=(ERROR_SERIES,),
    topology=TOPOLOGY[:3],
    on_call=("Ines Duarte (level 1, Payments primary)",),
    evidence=(METRICS, NODES, ON_CALL),
    cost=Cost(seconds=1.92, calls=3),
    made_at=MADE,
)

HEALTHY = RECOVERED.model_copy(
    update={
        "id": "r-20261121-0304",
        "alert": ALERT,
        "verdict": Verdict.HEALTHY,
        "summary": "Everything that was asked answered, and nothing is out of order.",
        "findings": (),
        "noise": (),
        "series": (),
        "timeline": (),
        "topology": (),
    }
)

SILENT = tuple(
    answer(tool, {}, status=status, reason=reason)
    for tool, status, reason in (
        (
            "kubernetes.check_cluster_health",
            Status.ERROR,
            "connection refused: https://10.0.0.1:6443",
        ),
        ("prometheus.get_metrics", Status.TIMEOUT, "no answer within 8 s from http://prometheus"),
        ("pagerduty.get_oncall", Status.DENIED, 'HTTP 401 "Invalid token"'),
        ("runbooks.search_runbooks", Status.LIMITED, "60 calls a minute are allowed"),
    )
)
EVERYTHING_BLIND = Report(
    id="r-20261121-0305",
    alert=ALERT,
    scope=SCOPE,
    verdict=Verdict.INCONCLUSIVE,
    summary="No source answered, so nothing can be said but what the alert says.",
    blind_spots=tuple(
        BlindSpot(
            tool=one.tool,
            status=one.status,
            reason=one.reason,
            evidence=one.id,
            consequence="nothing is known from there",
            suggestions=("assistant doctor",),
        )
        for one in SILENT
    ),
    evidence=SILENT,
    cost=Cost(seconds=14.8, calls=4, upstream_requests=0),
    made_at=MADE,
)

NASTY = (
    'a "quoted" [label] {x} (y) ; end\n--> n1["x"]:::cause %%{init: {"theme":"dark"}}%% '
    "#quot; `code` <script>alert(1)</script> <img src=x onerror=alert(1)> | pipe \\ "
    "![i](http://evil/x.png) [l](javascript:alert(1)) \x1b[31mred\x1b[0m \u202egnp.exe 🔥 naïve 日本語"
)
NASTY_ENTITY = Entity(kind="Pod", name="end", namespace=NASTY)
NASTY_EVIDENCE = answer(
    "kubernetes.list_pods", {"namespace": NASTY}, {"pods": [{"name": NASTY}]}, total=1, source=NASTY
)
NASTY_FINDING = Finding(
    kind="x",
    entity=NASTY_ENTITY,
    statement=NASTY,
    citations=(NASTY_EVIDENCE.cite(NASTY),),
    began=at("02:41"),
)
NASTY_GUESS = Hypothesis(
    kind="x",
    entity=NASTY_ENTITY,
    statement=NASTY,
    confidence=0.5,
    findings=(NASTY_FINDING.id,),
    citations=NASTY_FINDING.citations,
    chain=(NASTY_ENTITY, CHECKOUT),
    against=(Reason(text=NASTY, citations=NASTY_FINDING.citations),),
    next_check=NASTY,
)
HOSTILE = Report(
    id="r-hostile",
    alert=Alert(id=NASTY, title=NASTY, created_at=at("02:45"), service=NASTY, urgency=NASTY),
    scope=SCOPE.model_copy(update={"cluster": NASTY, "entities": (NASTY_ENTITY,)}),
    verdict=Verdict.CAUSE_FOUND,
    summary=NASTY,
    impact=(Reason(text=NASTY, citations=NASTY_FINDING.citations),),
    hypotheses=(NASTY_GUESS,),
    rivals=(NASTY_GUESS.model_copy(update={"ruled_out": True}),),
    findings=(NASTY_FINDING,),
    noise=(NASTY_FINDING,),
    actions=(Action(title=NASTY, command=NASTY, risk=Risk.HIGH, rollback=NASTY, verify=NASTY),),
    runbooks=(
        MATCH.model_copy(
            update={
                "title": NASTY,
                "section": NASTY,
                "path": NASTY,
                "outdated": NASTY,
                "warnings": (NASTY,),
                "steps": (RunbookStep(text=NASTY, state=StepState.UNKNOWN, why=NASTY),),
            }
        ),
    ),
    blind_spots=(
        BlindSpot(tool=NASTY, status=Status.ERROR, reason=NASTY, suggestions=(NASTY, NASTY)),
    ),
    timeline=tuple(
        entry(at("02:41") + timedelta(minutes=i), NASTY, NASTY, *NASTY_FINDING.citations)
        for i in range(30)
    ),
    series=(
        Series(
            title=NASTY,
            unit=NASTY,
            points=((at("02:41"), math.nan), (at("02:42"), math.inf), (at("02:43"), 1.0)),
            onset=at("02:42"),
            citations=NASTY_FINDING.citations,
        ),
    ),
    topology=tuple(
        Edge(
            source=NASTY_ENTITY,
            relation=NASTY,
            target=Entity(kind="Pod", name=f"{NASTY}{i}", namespace=NASTY),
        )
        for i in range(40)
    ),
    on_call=(NASTY,),
    evidence=(NASTY_EVIDENCE,),
    cost=Cost(seconds=0.5, calls=1),
    made_at=MADE,
)

SAMPLES: Mapping[str, Report] = {
    "cause_found": CAUSE_FOUND,
    "several_causes": SEVERAL_CAUSES,
    "inconclusive": INCONCLUSIVE,
    "recovered": RECOVERED,
    "healthy": HEALTHY,
    "everything_blind": EVERYTHING_BLIND,
    "hostile": HOSTILE,
}
