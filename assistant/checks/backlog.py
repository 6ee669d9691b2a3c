"""Queues that grow: the work comes in, and whoever should do it stopped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from assistant.checks.case import Case
from assistant.checks.reading.metrics.services import STRONG
from assistant.checks.reading.metrics.whose import owner
from assistant.incident import Entity, Evidence, Finding
from assistant.snapshot import listing, mapping, moment

GROWS = re.compile(
    r"consumer\w*_lag|(queue|stream|list)_?(depth|length|size|lag|messages)|key_size|"
    r"messages_(ready|visible|pending|unacked)|num_undelivered|num_pending|backlog|jobs_(waiting|pending)",
    re.IGNORECASE,
)
"""How exporters call what waits: Kafka, RabbitMQ, Redis, SQS, Pub/Sub, NATS, Celery, Sidekiq."""
NAMES = ("consumergroup", "group", "queue", "queue_name", "topic", "key", "stream", "subscription")
OWNERS = ("deployment", "statefulset", "workload")
LEAST_GROWTH = 10.0
TENFOLD = 3.0
WORKS = re.compile(
    r"container_cpu_usage|client_operation|client_request|_(processed|consumed|completed)"
)
STOPPED = 0.2
"""A worker that does less than a fifth of its work has stopped."""
EARLIER = timedelta(minutes=20)
"""A queue is seen to grow some time after its worker stopped."""

Row = tuple[Evidence, Mapping[str, Any]]


async def check(case: Case) -> list[Finding]:
    """Each queue that grows far beyond its past, and the one worker that stopped before it."""
    rows = list(_rows(case))
    queues = [row for row in rows if _grows(row[1])]
    return [_finding(case, queue, rows) for queue in queues]


def _rows(case: Case) -> Iterator[Row]:
    for answer in case.of_tool("prometheus.find_anomalies"):
        for row in map(mapping, listing(answer.data, "anomalies")):
            if case.in_window(moment(row.get("onset"))):
                yield answer, row


def _grows(row: Mapping[str, Any]) -> bool:
    before, during = float(row.get("before") or 0), float(row.get("during") or 0)
    named = GROWS.search(str(row.get("metric"))) and row.get("direction") == "up"
    strong = float(row.get("strength") or 0) >= STRONG
    return bool(named and strong and during - before >= LEAST_GROWTH and during >= TENFOLD * before)


def _finding(case: Case, queue: Row, rows: Iterable[Row]) -> Finding:
    answer, row = queue
    labels, began = mapping(row, "labels"), moment(row.get("onset"))
    name = next((str(labels[key]) for key in NAMES if labels.get(key)), str(row.get("metric")))
    workers = _stopped(case, rows, began)
    worker = workers[0] if len(workers) == 1 else None
    grew = f"{name} grew from {float(row['before']):.4g} to {float(row['during']):.4g}"
    said = f"; {worker} does hardly any work since" if worker else ""
    return Finding(
        kind="queue_lag",
        entity=worker
        or Entity(kind="Queue", name=name, namespace=str(labels.get("namespace", ""))),
        statement=f"the queue {grew}{said}",
        citations=(answer.cite(row["metric"]), answer.cite(row["onset"])),
        began=began,
        strength=0.95 if worker else 0.8,
        details={"queue": name},
    )


def _stopped(case: Case, rows: Iterable[Row], began: datetime | None) -> list[Entity]:
    """The workloads whose work went down to next to nothing shortly before the queue grew."""
    found: dict[Entity, None] = {}
    for _, row in rows:
        onset, labels = moment(row.get("onset")), mapping(row, "labels")
        before, during = float(row.get("before") or 0), float(row.get("during") or 0)
        down = row.get("direction") == "down" and during <= STOPPED * before
        near = began and onset and began - EARLIER <= onset <= began + timedelta(minutes=2)
        entity = owner(case, labels) if down and near else None
        if entity and WORKS.search(str(row.get("metric"))) and case.snapshot.find(entity):
            found[entity] = None
    return list(found)
