"""The nouns of an incident: frozen, without I/O, importing nothing of ours.

Everything here is a fact somebody measured or a conclusion that cites such facts. A `Finding` or a
`Hypothesis` without a citation cannot be constructed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue


class Frozen(BaseModel):
    """A value: compared by content, never changed after it was made."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Status(StrEnum):
    """How a tool call ended. Only `ok` and `empty` (and, marked, `stale`) say anything of the world."""

    OK = "ok"
    EMPTY = "empty"
    ERROR = "error"
    DENIED = "denied"
    LIMITED = "limited"
    TIMEOUT = "timeout"
    STALE = "stale"

    @property
    def seen(self) -> bool:
        """Whether the answer shows something of the system that was asked."""
        return self in (Status.OK, Status.EMPTY, Status.STALE)


class Window(Frozen):
    """The span of time that an incident is asked about; both ends are UTC."""

    start: datetime
    end: datetime


class Entity(Frozen):
    """A thing that can be at fault: a Kubernetes object, a called service, a source."""

    kind: str
    name: str
    namespace: str = ""

    def __str__(self) -> str:
        """`Deployment payments/checkout`, or `Node worker-2` for a thing without namespace."""
        place = f"{self.namespace}/" if self.namespace else ""
        return f"{self.kind} {place}{self.name}"


class Alert(Frozen):
    """What woke somebody up."""

    id: str
    title: str
    created_at: datetime
    status: str = "triggered"
    urgency: str = ""
    service: str = ""
    url: str = ""
    number: int | None = None
    resolved_at: datetime | None = None
    labels: Mapping[str, str] = Field(default_factory=dict)
    details: str = ""


class Scope(Frozen):
    """What an alert speaks of: where to look, at what, and over which time."""

    cluster: str = ""
    namespaces: tuple[str, ...] = ()
    entities: tuple[Entity, ...] = ()
    window: Window
    began: datetime = Field(description="when the alert says the trouble began")


class Evidence(Frozen):
    """One answer of one tool. Only `Toolbox.call` makes it.

    The same tool with the same arguments is the same evidence: `id` is a hash of the two.
    """

    id: str
    tool: str = Field(description="full name, server.tool")
    arguments: Mapping[str, JsonValue]
    status: Status
    data: Any = None
    total: int | None = Field(None, description="how many there were, before any cut")
    truncated: bool = False
    reason: str = Field(
        "", description="for anything but ok: what failed, in the other side's words"
    )
    suggestions: tuple[str, ...] = ()
    source: str = Field("", description="which cluster or account answered")
    asked_because: str = ""
    taken_at: datetime
    seconds: float = 0.0

    def cite(self, quote: object) -> Citation:
        """A citation of `quote`, which must stand in this evidence's data.

        Raises ValueError where it does not: nothing can be claimed that was not seen.
        """
        citation = Citation(evidence=self.id, quote=str(quote))
        if not self.holds(citation.quote):
            raise ValueError(f"evidence {self.id} ({self.tool}) does not hold {citation.quote!r}")
        return citation

    def holds(self, quote: str) -> bool:
        """Whether `quote` stands in some key or value of the data (white space folded)."""
        return " ".join(quote.split()) in self.text

    @cached_property
    def text(self) -> str:
        """Every key and leaf of the data, one a line, white space folded."""
        return "\n".join(" ".join(leaf.split()) for leaf in scalars(self.data))

    def cite_absence(self) -> Citation:
        """A citation of the answer as a whole: what was asked for is not in it."""
        return Citation(evidence=self.id, quote="")


def scalars(value: Any) -> Iterator[str]:
    """Every key and leaf of a JSON value, as text, in the order in which they are written."""
    waiting = [value]
    while waiting:
        here = waiting.pop()
        if isinstance(here, str):
            yield here
        elif isinstance(here, Mapping):
            for key, inner in reversed(tuple(here.items())):
                waiting += (inner, str(key))
        elif isinstance(here, list | tuple):
            waiting.extend(reversed(here))
        elif here is not None:
            yield str(here)


def evidence_id(tool: str, arguments: Mapping[str, JsonValue]) -> str:
    """The id of the answer to this question: `e` and eight hex digits."""
    question = json.dumps([tool, arguments], sort_keys=True, separators=(",", ":"), default=str)
    return "e" + hashlib.sha256(question.encode()).hexdigest()[:8]


class Citation(Frozen):
    """Where a claim can be looked up: the evidence, and the words in it that say so.

    An empty quote cites the whole answer (something is *not* there).
    """

    evidence: str
    quote: str = ""


Citations = Annotated[tuple[Citation, ...], Field(min_length=1)]


class Finding(Frozen):
    """A fact that a check computed, with the evidence that says so."""

    kind: str = Field(description="a fault kind of the catalogue")
    entity: Entity
    statement: str = Field(description="one sentence, with the names and numbers")
    citations: Citations
    began: datetime | None = None
    active: bool = Field(default=True, description="still true at the end of the window")
    strength: float = Field(1.0, ge=0, le=1, description="how sure this observation is")
    details: Mapping[str, str] = Field(
        default_factory=dict, description="named particulars, e.g. image, key, port, limit"
    )
    about: tuple[Entity, ...] = Field((), description="other things this fact names")

    @property
    def id(self) -> str:
        """Stable over runs: kind and entity, and particulars, hashed."""
        text = json.dumps([self.kind, str(self.entity), sorted(self.details.items())])
        return "f" + hashlib.sha256(text.encode()).hexdigest()[:8]


class Reason(Frozen):
    """One cited sentence for or against a hypothesis."""

    text: str
    citations: Citations


class Hypothesis(Frozen):
    """A guess at the cause: cites findings, names what speaks against it and what would decide."""

    kind: str = Field(description="a fault kind of the catalogue")
    entity: Entity
    statement: str
    confidence: float = Field(ge=0, le=1)
    findings: Annotated[tuple[str, ...], Field(min_length=1)]
    citations: Citations
    explains: tuple[str, ...] = Field((), description="ids of the findings it accounts for")
    chain: tuple[Entity, ...] = Field((), description="cause first, the alert's symptom last")
    began: datetime | None = None
    against: tuple[Reason, ...] = ()
    ruled_out: bool = False
    next_check: str = Field("", description="the question whose answer would decide")


class Verdict(StrEnum):
    """What a triage may conclude."""

    CAUSE_FOUND = "cause found"
    SEVERAL_CAUSES = "several causes"
    INCONCLUSIVE = "inconclusive"
    HEALTHY = "healthy"
    RECOVERED = "recovered"


class Risk(StrEnum):
    """What carrying out an action can break."""

    NONE = "none: it only reads"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Action(Frozen):
    """A proposed next step. Nothing here is ever carried out by a triage."""

    title: str
    command: str
    risk: Risk
    rollback: str = ""
    verify: str = ""
    findings: tuple[str, ...] = ()


class StepState(StrEnum):
    """A runbook step held against live state."""

    APPLIES = "applies"
    ALREADY_TRUE = "already true"
    CONTRADICTED = "contradicted"
    UNKNOWN = "cannot tell"


class RunbookStep(Frozen):
    """One step of a runbook section and what live state says of it."""

    text: str
    state: StepState
    why: str = ""
    citations: tuple[Citation, ...] = ()
    line: int = Field(0, description="where it begins in the runbook; 0 where that is not known")
    in_section: bool = Field(
        default=True, description="whether it stands in the section that was found"
    )
    changes: bool = Field(
        default=False, description="it changes something: judged, never carried out"
    )
    outdates: bool = Field(
        default=False, description="what it names is not there: the page is out of date"
    )


class RunbookMatch(Frozen):
    """The section of a runbook that applies, with the place it stands in."""

    runbook: str
    title: str
    section: str
    path: str
    url: str = Field("", description="where a person opens it")
    first_line: int
    last_line: int
    text: str = ""
    score: float = 0.0
    why: str = ""
    last_reviewed: str = ""
    outdated: str = Field("", description="what live state contradicts, if anything")
    warnings: tuple[str, ...] = Field((), description="what is suspicious in the section's text")
    steps: tuple[RunbookStep, ...] = ()
    citations: Citations


class BlindSpot(Frozen):
    """Something that could not be seen. Never to be read as "nothing wrong"."""

    tool: str
    status: Status
    reason: str
    consequence: str = ""
    suggestions: tuple[str, ...] = ()
    evidence: str = ""


class TimelineEntry(Frozen):
    """One dated fact, in the order of time."""

    at: datetime
    text: str
    kind: str = Field(description="change | symptom | alert | fault | recovery")
    citations: Citations


class Series(Frozen):
    """One metric over the window, for a chart: (time, value) pairs and the onset, if one was found."""

    title: str
    unit: str = ""
    points: tuple[tuple[datetime, float], ...]
    onset: datetime | None = None
    citations: Citations


class Edge(Frozen):
    """One relation of the topology: owns, selects, mounts, runs on, calls."""

    source: Entity
    relation: str
    target: Entity


class Cost(Frozen):
    """What the triage took."""

    seconds: float
    calls: int
    upstream_requests: int | None = None
    model_calls: int = 0


class Report(Frozen):
    """All that a triage found. Renderers are pure functions of it."""

    id: str
    alert: Alert
    scope: Scope
    verdict: Verdict
    summary: str = Field(description="one or two plain sentences")
    impact: tuple[Reason, ...] = Field((), description="only what was observed")
    hypotheses: tuple[Hypothesis, ...] = Field((), description="best first")
    rivals: tuple[Hypothesis, ...] = Field((), description="considered and ruled out")
    findings: tuple[Finding, ...] = ()
    noise: tuple[Finding, ...] = Field((), description="true, but there before the onset")
    actions: tuple[Action, ...] = Field((), description="safest first")
    runbooks: tuple[RunbookMatch, ...] = ()
    blind_spots: tuple[BlindSpot, ...] = ()
    timeline: tuple[TimelineEntry, ...] = ()
    series: tuple[Series, ...] = ()
    topology: tuple[Edge, ...] = Field((), description="around the fault only")
    on_call: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    cost: Cost
    made_at: datetime
