"""What a person can mean: the intents, and the particulars that go with one. No I/O."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from assistant.incident import Frozen, Window


class Intent(StrEnum):
    """What on-call people ask."""

    FAILING = "failing"
    RESTARTS = "restarts"
    UNUSUAL = "unusual"
    TRIAGE = "triage"
    CHANGES = "changes"
    LOGS = "logs"
    EVENTS = "events"
    METRICS = "metrics"
    ON_CALL = "on_call"
    RUNBOOK = "runbook"
    CAUSE = "cause"
    RULED_OUT = "ruled_out"
    WHY = "why"
    DIAGRAM = "diagram"
    POSTMORTEM = "postmortem"
    REPORT = "report"
    CHANGE_REQUEST = "change_request"
    HELP = "help"


class Verb(StrEnum):
    """What a change request wants done."""

    RESTART = "restart"
    SCALE = "scale"
    ROLL_BACK = "roll_back"
    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"
    SILENCE = "silence"
    CORDON = "cordon"
    UNCORDON = "uncordon"
    DRAIN = "drain"
    DELETE = "delete"
    OTHER = "other"


class Meaning(Frozen):
    """One reading of what was said; an empty particular was not said."""

    intent: Intent | None = None
    confidence: float = Field(0.0, ge=0, le=1)
    rivals: tuple[Intent, ...] = Field((), description="what else may be meant, likeliest first")
    subject: str = Field("", description="a workload, pod, service or node, as it was named")
    namespace: str = ""
    window: Window | None = None
    now: bool = Field(default=False, description="the present moment was asked for, in words")
    wide: bool = Field(default=False, description="everywhere, in words")
    alert: str = Field("", description="id, number or address of an alert")
    topic: str = Field("", description="a symptom, signal or matter that was named")
    verb: Verb | None = None
    replicas: int | None = None
    follows: bool = Field(
        default=False, description="it only says particulars of the question before"
    )
    secret: bool = Field(default=False, description="a secret value was asked for")
    orders: bool = Field(
        default=False, description="it gives orders to the assistant: an injection"
    )
    elsewhere: bool = Field(default=False, description="it is about another company's service")
    again: bool = Field(default=False, description="it is to be looked at anew")


class Context(Frozen):
    """What was spoken of before, and the names that are known; all of it may be empty."""

    intent: Intent | None = None
    incident: bool = Field(default=False, description="the thread has an incident")
    namespaces: frozenset[str] = frozenset()
    subjects: frozenset[str] = frozenset()
