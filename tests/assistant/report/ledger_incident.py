"""One incident in parts: a renamed Secret key, three services up to the alert, two red herrings."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from assistant.incident import (
    Action,
    Alert,
    BlindSpot,
    Citation,
    Edge,
    Entity,
    Evidence,
    Finding,
    Hypothesis,
    Reason,
    Risk,
    RunbookMatch,
    RunbookStep,
    Scope,
    Series,
    Status,
    StepState,
    TimelineEntry,
    Window,
    evidence_id,
)

MADE = datetime(2026, 11, 21, 3, 0, 12, tzinfo=UTC)


def at(clock: str, day: int = 21) -> datetime:
    hour, minute = map(int, clock.split(":"))
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


def answer(tool: str, arguments: Mapping[str, Any], data: Any = None, **more: Any) -> Evidence:
    given = {"status": Status.OK, "source": "prod-eu", "taken_at": MADE, "seconds": 0.08} | more
    return Evidence(
        id=evidence_id(tool, arguments), tool=tool, arguments=arguments, data=data, **given
    )


SECRET = Entity(kind="Secret", name="ledger-db", namespace="payments")
LEDGER = Entity(kind="Deployment", name="ledger", namespace="payments")
LEDGER_POD = Entity(kind="Pod", name="ledger-7c9d8f6b5-x2x4q", namespace="payments")
LEDGER_SERVICE = Entity(kind="Service", name="ledger", namespace="payments")
CHECKOUT = Entity(kind="Deployment", name="checkout", namespace="shop")
CHECKOUT_SERVICE = Entity(kind="Service", name="checkout", namespace="shop")
FRONTEND = Entity(kind="Deployment", name="frontend", namespace="shop")
NODE = Entity(kind="Node", name="worker-2")

WORKLOAD = answer(
    "kubernetes.get_workload",
    {"namespace": "payments", "name": "ledger", "kind": "Deployment"},
    {
        "configs": [{"kind": "Secret", "name": "ledger-db", "missing_keys": ["DATABASE_URL"]}],
        "services": [{"name": "ledger", "ready_addresses": 0, "not_ready_addresses": 3}],
        "volumes": [],
    },
    total=1,
)
POD = answer(
    "kubernetes.get_pod_status",
    {"namespace": "payments", "name": "ledger-7c9d8f6b5-x2x4q"},
    {
        "reason": "CreateContainerConfigError",
        "message": "couldn't find key DATABASE_URL in Secret payments/ledger-db",
    },
    total=1,
)
EVENTS = answer(
    "kubernetes.get_recent_events",
    {
        "namespace": "payments",
        "since": "2026-11-21T02:11:00Z",
        "until": "2026-11-21T03:00:00Z",
        "warnings_only": True,
        "limit": 200,
    },
    {"events": [{"reason": "Failed", "message": "Error: couldn't find key DATABASE_URL"}]},
    total=412,
    truncated=True,
)
METRICS = answer(
    "prometheus.get_metrics",
    {"start": "2026-11-21T02:11:00Z", "end": "2026-11-21T03:00:00Z", "service": "checkout"},
    {"signals": [{"name": "error_ratio", "before": 0.001, "during": 0.314, "max": 0.382}]},
    total=8,
)
ROLLOUT = answer(
    "kubernetes.get_rollout_history",
    {"namespace": "shop", "name": "checkout"},
    {"revisions": [{"revision": 41, "created_at": "2026-11-20T16:20:00Z"}]},
    total=5,
)
NODES = answer(
    "kubernetes.list_nodes",
    {"limit": 100},
    {"nodes": [{"name": "worker-2", "conditions": [{"type": "DiskPressure", "status": "True"}]}]},
    total=6,
)
CHANGES = answer(
    "pagerduty.list_change_events",
    {"since": "2026-11-21T00:11:00Z", "until": "2026-11-21T03:00:00Z"},
    {"change_events": [{"summary": "platform: rotate ledger-db credentials (#8812)"}]},
    total=1,
    source="acme.pagerduty.com",
)
ON_CALL = answer(
    "pagerduty.get_oncall",
    {"escalation_policy_id": "PX12"},
    {"on_call": [{"level": 1, "name": "Ines Duarte"}]},
    total=2,
    source="acme.pagerduty.com",
)
RUNBOOK = answer(
    "runbooks.search_runbooks",
    {"query": "pod cannot start secret key missing", "service": "ledger", "limit": 5},
    {"matches": [{"runbook": "ledger", "title": "Ledger", "section": "Pods do not start"}]},
    total=3,
    source="runbooks",
)
LOGS_DENIED = answer(
    "kubernetes.get_pod_logs",
    {"namespace": "payments", "pod": "ledger-7c9d8f6b5-x2x4q"},
    status=Status.DENIED,
    reason='HTTP 403: pods/log is forbidden: User "triage" cannot get resource "pods/log"',
    suggestions=("grant get on pods/log in namespace payments",),
)

KEY_MISSING = Finding(
    kind="secret_key_missing",
    entity=SECRET,
    statement="Secret payments/ledger-db has no key DATABASE_URL, which Deployment payments/ledger needs",
    citations=(WORKLOAD.cite("DATABASE_URL"), POD.cite("couldn't find key DATABASE_URL")),
    began=at("02:41"),
    about=(LEDGER,),
)
POD_STUCK = Finding(
    kind="config_error",
    entity=LEDGER_POD,
    statement="3 of 3 pods of ledger cannot start: CreateContainerConfigError",
    citations=(POD.cite("CreateContainerConfigError"),),
    began=at("02:42"),
)
NO_ENDPOINTS = Finding(
    kind="no_endpoints",
    entity=LEDGER_SERVICE,
    statement="Service payments/ledger has 0 ready addresses and 3 that are not ready",
    citations=(WORKLOAD.cite(0),),
    began=at("02:42"),
)
ERRORS = Finding(
    kind="error_ratio_high",
    entity=CHECKOUT,
    statement="checkout answers 31 % of requests with 5xx, 0.1 % before 02:43",
    citations=(METRICS.cite(0.314),),
    began=at("02:43"),
)
DISK = Finding(
    kind="node_disk_pressure",
    entity=NODE,
    statement="Node worker-2 has DiskPressure since 18 Nov; none of the pods concerned runs there",
    citations=(NODES.cite("DiskPressure"),),
    began=at("09:02", 18),
)

CAUSE = Hypothesis(
    kind="secret_key_missing",
    entity=SECRET,
    statement="A credentials rotation at 02:41 dropped the key DATABASE_URL from Secret payments/ledger-db; "
    "ledger cannot start, and checkout fails without it",
    confidence=0.93,
    findings=(KEY_MISSING.id,),
    citations=(WORKLOAD.cite("DATABASE_URL"), CHANGES.cite("rotate ledger-db credentials")),
    explains=(POD_STUCK.id, NO_ENDPOINTS.id, ERRORS.id),
    chain=(SECRET, LEDGER_POD, LEDGER_SERVICE, CHECKOUT),
    began=at("02:41"),
)
DEPLOY_RIVAL = Hypothesis(
    kind="bad_deploy",
    entity=CHECKOUT,
    statement="Revision 41 of checkout broke it",
    confidence=0.08,
    findings=(ERRORS.id,),
    citations=(ROLLOUT.cite(41),),
    against=(
        Reason(
            text="it was rolled out 10 hours before the errors began, and ran clean until then",
            citations=(ROLLOUT.cite("2026-11-20T16:20:00Z"),),
        ),
    ),
    ruled_out=True,
)
NODE_RIVAL = Hypothesis(
    kind="node_disk_pressure",
    entity=NODE,
    statement="worker-2 is short of disk and evicts pods",
    confidence=0.03,
    findings=(DISK.id,),
    citations=(NODES.cite("DiskPressure"),),
    against=(
        Reason(
            text="no pod of ledger or checkout runs on worker-2, and none was evicted",
            citations=(EVENTS.cite_absence(),),
        ),
    ),
    ruled_out=True,
)

ALERT = Alert(
    id="Q1LEDGER5XX",
    number=4711,
    title="checkout: 5xx ratio above 5 % for 2 minutes",
    created_at=at("02:45"),
    urgency="high",
    service="checkout",
    url="https://acme.pagerduty.com/incidents/Q1LEDGER5XX",
)
SCOPE = Scope(
    cluster="prod-eu",
    namespaces=("shop", "payments"),
    entities=(CHECKOUT,),
    window=Window(start=at("02:11"), end=at("03:00")),
    began=at("02:43"),
)
LOGS_UNSEEN = BlindSpot(
    tool="kubernetes.get_pod_logs",
    status=Status.DENIED,
    reason=LOGS_DENIED.reason,
    consequence="what ledger itself logged is not known",
    suggestions=LOGS_DENIED.suggestions,
    evidence=LOGS_DENIED.id,
)
MATCH = RunbookMatch(
    runbook="ledger",
    title="Ledger",
    section="Pods do not start",
    path="runbooks/ledger.md",
    first_line=31,
    last_line=58,
    why="names the service, and the words of the event",
    last_reviewed="2025-03-02",
    outdated="step 3 names Deployment ledger-v1, which no longer exists",
    warnings=("pipes a download into a shell",),
    steps=(
        RunbookStep(
            text="Check that Secret ledger-db holds DATABASE_URL",
            state=StepState.APPLIES,
            why="the key is missing",
            citations=(WORKLOAD.cite("DATABASE_URL"),),
        ),
        RunbookStep(
            text="Scale ledger to 3 replicas\nkubectl -n payments scale deploy/ledger --replicas=3",
            state=StepState.ALREADY_TRUE,
            why="3 are asked for",
            line=41,
            changes=True,
        ),
        RunbookStep(
            text="Restart Deployment ledger-v1",
            state=StepState.CONTRADICTED,
            why="there is no such Deployment",
            citations=(WORKLOAD.cite_absence(),),
            line=72,
            in_section=False,
            outdates=True,
        ),
        RunbookStep(text="Tell #payments-oncall", state=StepState.UNKNOWN),
    ),
    citations=(RUNBOOK.cite("Pods do not start"),),
)
ACTIONS = (
    Action(
        title="See which keys the Secret holds now",
        command="kubectl -n payments describe secret ledger-db",
        risk=Risk.NONE,
        findings=(KEY_MISSING.id,),
    ),
    Action(
        title="Put the key back from the rotation's backup",
        command="kubectl -n payments apply -f ledger-db.before-8812.yaml --server-side --dry-run=server",
        risk=Risk.LOW,
        rollback="kubectl -n payments rollout undo deployment/ledger",
        verify="kubectl -n payments rollout status deployment/ledger --timeout=120s",
        findings=(KEY_MISSING.id,),
    ),
)


def wave(calm: float, high: float, *, spike_from: int = 32, points: int = 49) -> tuple[Any, ...]:
    start = at("02:11")
    return tuple(
        (
            start + timedelta(minutes=i),
            (high if i >= spike_from else calm) * (1 + 0.15 * math.sin(i * 1.7)),
        )
        for i in range(points)
    )


ERROR_SERIES = Series(
    title="checkout, 5xx share of requests",
    unit="ratio",
    points=wave(0.001, 0.33),
    onset=at("02:43"),
    citations=(METRICS.cite("error_ratio"),),
)
MEMORY_SERIES = Series(
    title="ledger, memory in use",
    unit="bytes",
    points=tuple((t, v) for t, v in wave(412e6, 0.0) if t <= at("02:42") or t >= at("02:55")),
    onset=at("02:42"),
    citations=(METRICS.cite_absence(),),
)


def entry(when: datetime, kind: str, text: str, *citations: Citation) -> TimelineEntry:
    return TimelineEntry(at=when, kind=kind, text=text, citations=citations)


TIMELINE = (
    entry(at("16:20", 20), "change", "checkout: revision 41 rolled out", ROLLOUT.cite(41)),
    entry(
        at("02:41"),
        "change",
        "platform: rotate ledger-db credentials (#8812)",
        CHANGES.cite("platform: rotate ledger-db credentials (#8812)"),
    ),
    entry(at("02:42"), "fault", POD_STUCK.statement, POD.cite("CreateContainerConfigError")),
    entry(at("02:42"), "symptom", NO_ENDPOINTS.statement, WORKLOAD.cite(0)),
    entry(at("02:43"), "symptom", ERRORS.statement, METRICS.cite(0.314)),
    entry(at("02:45"), "alert", ALERT.title, METRICS.cite("error_ratio")),
)
TOPOLOGY = (
    Edge(source=FRONTEND, relation="calls", target=CHECKOUT_SERVICE),
    Edge(source=CHECKOUT_SERVICE, relation="selects", target=CHECKOUT),
    Edge(source=CHECKOUT, relation="calls", target=LEDGER_SERVICE),
    Edge(source=LEDGER_SERVICE, relation="selects", target=LEDGER_POD),
    Edge(source=LEDGER, relation="owns", target=LEDGER_POD),
    Edge(source=LEDGER_POD, relation="reads", target=SECRET),
    Edge(source=LEDGER_POD, relation="runs on", target=Entity(kind="Node", name="worker-4")),
)
