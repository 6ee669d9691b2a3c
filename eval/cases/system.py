"""The model a world is drawn from: workloads, pods, nodes, traffic and what befell them.

Troubles change this model only; objects, metrics and logs are drawn from it afterwards, which is why
they always agree with each other. Nothing here knows Kubernetes JSON beyond a pod template.
"""

from __future__ import annotations

import hashlib
import random
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from eval.cases.barriers import Cut, Refusal
from eval.cases.runs import Run
from eval.cases.samples import Figure

Json = dict[str, Any]

SAFE_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
"""What Kubernetes makes random names of: nothing that could spell a word."""


def stamp(at: datetime) -> str:
    """The way Kubernetes and PagerDuty print a time."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Traffic:
    """How a service behaves on a good day, and whom it calls how often per request."""

    latency: float = 0.02
    errors: float = 0.0003
    calls: dict[str, float] = field(default_factory=dict)
    entry_rate: float = 0.0
    queue: str = ""
    """The queue its entry traffic waits in, for one that works off jobs."""
    connection: str = ""


@dataclass
class Revision:
    """One pod template of a workload. `template` is the `spec` of the pod template as it prints."""

    number: int
    created: datetime
    template: Json
    digest: str
    cause: str = ""
    annotations: dict[str, str] = field(default_factory=dict)
    pod_annotations: dict[str, str] = field(default_factory=dict)
    pod_labels: dict[str, str] = field(default_factory=dict)
    """Labels of its pods beside the one that its workload selects."""
    refused: Refusal | None = None

    def container(self, name: str) -> Json:
        """The container of that name, of whatever sort."""
        template = self.template
        every: list[Json] = [*template["containers"], *template.get("initContainers", [])]
        return next(row for row in every if row["name"] == name)


@dataclass
class Workload:
    """A Deployment, StatefulSet or DaemonSet with its revisions, newest last.

    Of kind `Node` it is a static pod that the kubelet runs by itself, of kind `Job` the pods of a Job
    that is kept among the objects.
    """

    kind: str
    namespace: str
    name: str
    created: datetime
    replicas: int
    revisions: list[Revision]
    port: int | None = None
    memory_mib: float = 120.0
    cpu_cores: float = 0.02
    cpu_per_request: float = 0.002
    speaks: str = "go"
    routes: tuple[str, ...] = ()
    route_for: dict[str, str] = field(default_factory=dict)
    """Which of its routes needs which callee, where only one does."""
    max_surge: int | str = "25%"
    max_unavailable: int | str = "25%"
    conditions: list[Json] = field(default_factory=list)

    service_selector: dict[str, str] = field(default_factory=dict)
    label: str = "app"
    """The key of the label that says whose pod a pod is."""
    service_port: int | None = None
    """The port of its Service, where that is not the container's."""
    target_port: str = ""
    """Where its Service leads to, if not to the first port of the container by name."""
    headless: bool = False
    cut_off: Cut | None = None
    claim: Json = field(default_factory=dict)
    """What its volume claim template asks for beyond the access mode."""

    @property
    def own_label(self) -> dict[str, str]:
        """What the workload itself selects."""
        return {self.label: self.name}

    @property
    def selector(self) -> dict[str, str]:
        """What its Service selects."""
        return self.service_selector or self.own_label

    @property
    def port_name(self) -> str:
        """The name of the container port that its Service leads to."""
        return str(self.newest.template["containers"][0]["ports"][0]["name"])

    @property
    def newest(self) -> Revision:
        """The revision its pods are meant to have."""
        return self.revisions[-1]

    @property
    def container(self) -> str:
        """The name of its main container."""
        return str(self.newest.template["containers"][0]["name"])

    @property
    def limits(self) -> Json:
        """The limits of its main container in the newest revision."""
        limits: Json = self.newest.template["containers"][0].get("resources", {}).get("limits", {})
        return limits


@dataclass
class Pod:
    """A pod and all that happened to it. Without a node it was never scheduled."""

    workload: Workload
    revision: Revision
    name: str
    uid: str
    node: str
    ip: str
    created: datetime
    runs: dict[str, Run] = field(default_factory=dict)
    init: dict[str, Run] = field(default_factory=dict)
    failed: tuple[datetime, str, str] | None = None
    unready: tuple[datetime, datetime] | None = None
    """A time in which it was not ready although its containers ran."""
    unscheduled: str = ""
    deleted: datetime | None = None
    by_hand: bool = False
    """Deleted, or made to replace one that was: no controller scaled anything."""
    grows_to_mib: float = 0.0
    grows_over_seconds: float = 600.0

    @property
    def namespace(self) -> str:
        """Where it lives."""
        return self.workload.namespace

    @property
    def labels(self) -> dict[str, str]:
        """Its labels, but for those that controllers add."""
        return self.workload.own_label | self.revision.pod_labels

    def exists(self, at: datetime) -> bool:
        """Whether the API server knew it then."""
        return self.created <= at and (self.deleted is None or at < self.deleted)

    def ready(self, at: datetime) -> bool:
        """Whether all of its containers were ready then."""
        if not self.exists(at) or not self.runs or (self.failed and self.failed[0] <= at):
            return False
        if self.unready and self.unready[0] <= at < self.unready[1]:
            return False
        turns = [run.turn(at) for run in self.runs.values()]
        return all(turn is not None and turn.ready for turn in turns)

    @property
    def main(self) -> Run:
        """The run of its first container; an empty one where it was never scheduled."""
        return next(iter(self.runs.values()), Run())


@dataclass
class Node:
    """A machine. `conditions` holds what differs from a healthy node; `disk_used` is a share over time."""

    name: str
    ip: str
    created: datetime
    booted: datetime
    cpu: int = 4
    memory_gib: int = 16
    disk_gib: int = 80
    conditions: dict[str, Json] = field(default_factory=dict)
    taints: list[Json] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)
    disk_used: list[tuple[datetime, float]] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    away: tuple[datetime, datetime] | None = None
    """From when until when it was not Ready, for one that came back."""
    silent_since: datetime | None = None
    """When its kubelet and exporters were last heard of, for one that is gone."""
    unschedulable: bool = False


@dataclass(frozen=True)
class Effect:
    """Something that changes how a service, or one pod, behaves, with a ramp at each end.

    `what` is `latency` (seconds added), `errors` (share added; `says` is what callers then log),
    `rate` (share of its own entry traffic added), `cpu` (cores per pod added), `memory` (MiB per pod).
    Calls between two services alone are called `CLIENT->SERVER`: `errors`, `latency`, and `share` of calls.
    """

    service: str
    what: str
    amount: float
    start: datetime
    end: datetime | None = None
    ramp_seconds: float = 60.0
    says: str = ""

    def at(self, moment: datetime) -> float:
        """The amount in force at a moment."""
        rise = (moment - self.start).total_seconds()
        fall = (self.end - moment).total_seconds() if self.end else float("inf")
        edge = min(rise, fall) / self.ramp_seconds if self.ramp_seconds else float(rise >= 0)
        return self.amount * min(max(edge, 0.0), 1.0) if min(rise, fall) >= 0 else 0.0


@dataclass(frozen=True)
class Happening:
    """A Kubernetes event to be: about what, why, and how often between two moments."""

    kind: str
    namespace: str
    name: str
    reason: str
    message: str
    first: datetime
    last: datetime
    count: int = 1
    warning: bool = False
    component: str = "kubelet"
    host: str = ""


@dataclass(frozen=True)
class Firing:
    """An alert of Prometheus, from the moment it fired until it ended (or still does)."""

    name: str
    start: datetime
    labels: dict[str, str]
    end: datetime | None = None


@dataclass(frozen=True)
class Change:
    """A change event that a pipeline or a person sent to PagerDuty."""

    at: datetime
    summary: str
    source: str
    service: str
    details: dict[str, str] = field(default_factory=dict)
    link: str = ""


@dataclass(frozen=True)
class Page:
    """What the on-call was told, by which alert, about what."""

    alert: str
    title: str
    service: str
    at: datetime
    labels: dict[str, str]
    description: str
    urgency: str = "high"
    runbook_url: str = ""
    resolved: datetime | None = None
    notes: tuple[tuple[datetime, str], ...] = ()


@dataclass(frozen=True)
class PastIncident:
    """An earlier incident that PagerDuty holds to be similar."""

    title: str
    at: datetime
    score: float


@dataclass
class System:
    """Everything an incident's systems would answer, at the moment `as_of`."""

    name: str
    cluster: str
    namespace: str
    as_of: datetime
    namespaces: dict[str, datetime] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)
    workloads: dict[str, Workload] = field(default_factory=dict)
    pods: list[Pod] = field(default_factory=list)
    gone: list[Pod] = field(default_factory=list)
    objects: list[Json] = field(default_factory=list)
    traffic: dict[str, Traffic] = field(default_factory=dict)
    effects: list[Effect] = field(default_factory=list)
    happenings: list[Happening] = field(default_factory=list)
    log_lines: dict[tuple[str, str], list[tuple[datetime, str]]] = field(default_factory=dict)
    firing: list[Firing] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    page: Page | None = None
    other_pages: list[Page] = field(default_factory=list)
    past: list[PastIncident] = field(default_factory=list)
    runbooks: dict[str, str] = field(default_factory=dict)
    telemetry: Callable[..., None] | None = None
    """Draws its requests and stores as metrics, where it does not do so as the parcel shop does."""
    volume_used: dict[str, list[tuple[datetime, float]]] = field(default_factory=dict)
    """The used share of a claim's volume over time, where it is not the usual one."""
    has_kubernetes: bool = True
    has_prometheus: bool = True
    organisation: str = "parcelworks"
    team: str = "Delivery platform"
    figures: list[Figure] = field(default_factory=list)
    unmeasured: tuple[str, ...] = ()
    """Beginnings of metric names that nobody exports here."""
    ending: dict[str, tuple[datetime, list[Json]]] = field(default_factory=dict)
    """Namespaces that were deleted and are still there: since when, and their conditions."""
    denied: list[dict[str, str]] = field(default_factory=list)
    """What our user may not see, as `world.json` says it."""
    down: list[str] = field(default_factory=list)
    """Systems that cannot be reached at all: `kubernetes`, `prometheus` or `pagerduty`."""

    def ago(self, **span: float) -> datetime:
        """A moment so long before now: `ago(minutes=34)`."""
        return self.as_of - timedelta(**span)

    def rng(self, *names: object) -> random.Random:
        """Chance that depends on this world and these names alone, so that no draw moves another."""
        return random.Random("/".join([self.name, *map(str, names)]))  # noqa: S311 # noise, not secrecy

    def uid(self, kind: str, namespace: str, name: str) -> str:
        """The uid an object of this world always has, in the shape of a random one."""
        text = f"{self.name}/{kind}/{namespace}/{name}"
        digest = hashlib.sha256(text.encode()).digest()[:16]
        return str(uuid.UUID(bytes=digest, version=4))

    def suffix(self, length: int, *names: object) -> str:
        """Letters as Kubernetes puts them behind a name."""
        return "".join(self.rng("suffix", *names).choices(SAFE_LETTERS, k=length))

    def address(self, prefix: str, *names: object) -> str:
        """An address below a two-part prefix such as `10.96`."""
        rng = self.rng("address", *names)
        return f"{prefix}.{rng.randint(1, 250)}.{rng.randint(2, 250)}"

    def pods_of(self, name: str) -> list[Pod]:
        """The pods that a workload has now."""
        return [pod for pod in self.pods if pod.workload.name == name]

    def all_pods(self) -> Iterator[Pod]:
        """The pods of now and those that were deleted within the window."""
        yield from self.pods
        yield from self.gone

    def ready_pods(self, name: str, at: datetime) -> int:
        """How many pods of a workload could serve at a moment."""
        return sum(pod.workload.name == name and pod.ready(at) for pod in self.all_pods())

    def find(self, kind: str, namespace: str, name: str) -> Json:
        """One of the objects that are kept as they print (ConfigMap, Secret, claim, …)."""
        for thing in self.objects:
            metadata = thing["metadata"]
            place = (thing["kind"], metadata.get("namespace", ""), metadata["name"])
            if place == (kind, namespace, name):
                return thing
        raise KeyError(f"no {kind} {namespace}/{name} in world {self.name}")

    def log(self, pod: Pod, at: datetime, text: str) -> None:
        """One more line in the log of a pod."""
        self.log_lines.setdefault((pod.namespace, pod.name), []).append((at, text))

    def affect(self, service: str, what: str, amount: float, start: datetime, **how: Any) -> None:
        """Shorthand for one more `Effect`."""
        self.effects.append(Effect(service, what, amount, start, **how))

    def total(self, service: str, what: str, at: datetime) -> float:
        """The sum of all effects of one sort on a service at a moment."""
        wanted = [e for e in self.effects if (e.service, e.what) == (service, what)]
        return sum(effect.at(at) for effect in wanted)
