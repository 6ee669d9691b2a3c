"""The data shapes of the answers, shared by the tools. Rows are shallow: facts, not interpretation."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, WithJsonSchema


def _names_and_types(schema: dict[str, Any]) -> None:
    """Publish what a reader needs of an answer's shape: the whole tool list stays small."""
    for word in ("additionalProperties", "required", "title", "description"):
        schema.pop(word, None)
    for described in schema.get("properties", {}).values():
        described.pop("default", None)


class Shape(BaseModel):
    """A closed shape with a small published schema."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=_names_and_types)


Row = dict[str, Any]
Item = TypeVar("Item")
# Checked here by its model, published as a list: the fields speak for themselves.
Rows = Annotated[list[Item], WithJsonSchema({"type": "array"})]
One = Annotated[Item, WithJsonSchema({"type": "object"})]
Seen = Annotated[Item | None, WithJsonSchema({"type": ["object", "null"]})]


class PodSummary(Shape):
    """One pod on one line; `reason` is empty for a pod with nothing wrong."""

    namespace: str
    name: str
    phase: str
    ready: str
    restarts: int
    reason: str
    message: str
    node: str
    owner: str
    started_at: str


class PodList(Shape):
    """Pods, and where the listing goes on."""

    pods: Rows[PodSummary]
    next_cursor: str = ""


class PodStatus(Shape):
    """One pod in detail."""

    pod: One[PodSummary]
    containers: Rows[Row]
    conditions: Rows[Row]
    events: Rows[Row]


class LogLine(Shape):
    """One line of a log; `time` is RFC 3339 or empty."""

    time: str
    text: str


class PodLogs(Shape):
    """Lines of one container, error-looking ones apart."""

    namespace: str
    pod: str
    container: str
    previous: bool
    errors: Rows[LogLine]
    lines: Rows[LogLine]


class EventRow(Shape):
    """What happened to one object, over all its repetitions."""

    namespace: str
    kind: str
    name: str
    type: str
    reason: str
    message: str
    count: int
    first_seen: str
    last_seen: str
    component: str


class EventList(Shape):
    """Events, newest first."""

    events: Rows[EventRow]


class WorkloadRow(Shape):
    """Replicas wanted and there, of one workload."""

    kind: str
    namespace: str
    name: str
    desired: int
    ready: int
    updated: int
    available: int
    images: list[str]
    conditions: Rows[Row]


class WorkloadList(Shape):
    """Workloads, those with something missing first."""

    workloads: Rows[WorkloadRow]


class Rollouts(Shape):
    """The revisions of one workload, newest first."""

    workload: str
    revisions: Rows[Row]


class Workload(Shape):
    """One object with everything it hangs together with."""

    workload: One[Row]
    owners: Rows[Row]
    pods: Rows[PodSummary]
    services: Rows[Row]
    configs: Rows[Row]
    volumes: Rows[Row]
    autoscalers: Rows[Row]
    budgets: Rows[Row]


class NodeList(Shape):
    """Nodes, those with problems first."""

    nodes: Rows[Row]


class Resources(Shape):
    """Objects of one kind, and where the listing goes on."""

    kind: str
    api_version: str
    items: Rows[Row]
    next_cursor: str = ""


class ClusterHealth(Shape):
    """A cluster at a glance; a part that could not be seen is null."""

    version: Annotated[str | None, WithJsonSchema({"type": ["string", "null"]})]
    nodes: Seen[Row]
    pods: Seen[Row]
    workloads: Seen[Row]
    warnings: Annotated[list[Row] | None, WithJsonSchema({"type": ["array", "null"]})]
