"""What a suspected service uses of what it may: CPU, memory, and who else takes it on its node."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from assistant.checks.case import Case
from assistant.checks.reading.metrics.culprit import Suspect
from assistant.checks.reading.metrics.services import TRAFFIC, Services
from assistant.checks.reading.metrics.whose import owner
from assistant.incident import Citation, Entity, Evidence, Finding
from assistant.snapshot import WORKLOADS, dig, listing, mapping, moment
from assistant.topology import called

GOLDEN = "prometheus.get_metrics"
MOST_ASKED = 2
THROTTLED = 0.25
"""Share of CPU periods throttled from which on latency suffers."""
NEAR_LIMIT = 0.9
RISEN = 1.3
"""A use near its limit that was so before is how somebody sized it."""
NODE_CPU = re.compile(r"node_cpu|cpu_utili[sz]ation|node_load", re.IGNORECASE)
LEAST_CORES = 0.5
MOST_OF_IT = 0.5
TWICE = 2.0
"""Traffic twice what it was is a load of its own kind; less is a busy hour."""


async def short_of(case: Case, services: Services, found: Sequence[Suspect]) -> list[Finding]:
    """What the suspects have run out of, and by whose doing."""
    answers = [*case.of_tool(GOLDEN), *[answer async for answer in _asked(case, found)]]
    spikes = list(_spikes(services, found))
    asked = {spike.entity for spike in spikes}
    return [
        *(_follows(one) if one.entity in asked else one for one in _saturated(case, answers)),
        *spikes,
        *[finding async for finding in _neighbours(case, found)],
    ]


def _follows(shortage: Finding) -> Finding:
    """Who is asked twice as often as before runs short by that: it counts half as a cause."""
    return shortage.model_copy(update={"strength": shortage.strength / 2})


async def _asked(case: Case, found: Iterable[Suspect]) -> AsyncIterator[Evidence]:
    """The golden signals of the likeliest suspects, where nobody asked for them yet."""
    known = {str(one.arguments.get("workload")) for one in case.of_tool(GOLDEN)}
    wanted = [one.entity for one in found if one.entity.kind in WORKLOADS]
    for entity in [one for one in wanted if one.name not in known][:MOST_ASKED]:
        arguments = {
            "start": _utc(case.scope.window.start.isoformat(timespec="seconds")),
            "end": _utc(case.scope.window.end.isoformat(timespec="seconds")),
            "namespace": entity.namespace,
            "workload": entity.name,
            "onset": _utc(case.scope.began.isoformat(timespec="seconds")),
        }
        yield await case.ask(GOLDEN, arguments, f"what {entity} uses of what it may")


def _utc(text: str) -> str:
    return text.replace("+00:00", "Z")


def _saturated(case: Case, answers: Iterable[Evidence]) -> Iterator[Finding]:
    for answer in answers:
        name = str(answer.arguments.get("workload") or answer.arguments.get("service") or "")
        entity = called(case.snapshot, name)
        signals = {str(dig(row, "name")): mapping(row) for row in listing(answer.data, "signals")}
        yield from _throttled(entity, answer, signals)
        yield from _near_limit(entity, answer, signals)


def _throttled(entity: Entity, answer: Evidence, signals: Mapping[str, Any]) -> Iterator[Finding]:
    last, usage = dig(signals, "cpu_throttling", "last"), mapping(signals, "cpu_usage")
    if isinstance(last, int | float) and last > THROTTLED:
        said, quote = f"throttled in {last:.0%} of its CPU periods", "cpu_throttling"
    elif _full(usage) and "cpu_throttling" not in signals:
        said = f"uses {usage['last']:.2g} of the {usage['limit']:.2g} CPU that it may"
        quote = "cpu_usage"
    else:
        return
    yield Finding(
        kind="cpu_saturated",
        entity=entity,
        statement=f"{entity}: {said}",
        citations=(answer.cite(quote),),
        strength=0.9,
    )


def _near_limit(entity: Entity, answer: Evidence, signals: Mapping[str, Any]) -> Iterator[Finding]:
    memory = mapping(signals, "memory_usage")
    if _full(memory):
        yield Finding(
            kind="memory_near_limit",
            entity=entity,
            statement=f"{entity}: uses {memory['last'] / memory['limit']:.0%} of the memory that "
            f"it may, {memory['before'] / memory['limit']:.0%} before",
            citations=(answer.cite("memory_usage"),),
            strength=0.9,
        )


def _full(signal: Mapping[str, Any]) -> bool:
    """Whether a use has come near its limit, and was not there before."""
    numbers = [signal.get(key) for key in ("last", "limit", "before")]
    known = [float(one) for one in numbers if isinstance(one, int | float)]
    if len(known) < len(numbers):
        return False
    last, limit, before = known
    return limit > 0 and last >= NEAR_LIMIT * limit and last >= RISEN * before


def _spikes(services: Services, found: Iterable[Suspect]) -> Iterator[Finding]:
    """A suspect that is asked at least twice as often as before, from before its trouble on."""
    for suspect in found:
        own = [one for one in services.of[suspect.entity] if one.signal == TRAFFIC]
        for one in own:
            began, ill = one.onset, suspect.signal.onset
            first = began and ill and began <= ill + 2 * services.step
            if one.strength > 0 and first and one.during >= TWICE * one.before > 0:
                asker = f" by {one.client.name}" if one.client else ""
                yield Finding(
                    kind="load_spike",
                    entity=suspect.entity,
                    statement=f"{suspect.entity}: asked {one.during / one.before:.1f} times as "
                    f"often{asker} as before, before it became ill",
                    citations=(one.evidence.cite(one.label),),
                    began=began,
                    active=not one.over,
                    strength=0.9,
                )
                break


async def _neighbours(case: Case, found: Iterable[Suspect]) -> AsyncIterator[Finding]:
    """Who took the CPU of a node on which a suspect runs and whose CPU use is up."""
    ill = {one.entity for one in found}
    hosts = {e.source for e in case.topology.edges if e.relation == "runs" and e.target in ill}
    for answer, row in _busy_nodes(case):
        node = owner(case, mapping(row, "labels"))
        busy = answer.cite(row["metric"])
        if node and node in hosts:
            finding = await _greedy(case, node, ill, moment(row.get("onset")), busy)
            if finding:
                yield finding


def _busy_nodes(case: Case) -> Iterator[tuple[Evidence, Mapping[str, Any]]]:
    for answer in case.of_tool("prometheus.find_anomalies"):
        for row in map(mapping, listing(answer.data, "anomalies")):
            idle = str(mapping(row, "labels").get("mode") or "") == "idle"
            up = row.get("direction") == "up"
            if NODE_CPU.search(str(row.get("metric"))) and up and not idle:
                yield answer, row


async def _greedy(
    case: Case, node: Entity, ill: set[Entity], began: datetime | None, busy: Citation
) -> Finding | None:
    """The workload that took most of the cores that a node lost."""
    answer = await case.ask("prometheus.query", _rises(case, node), f"who takes the CPU of {node}")
    rows = [mapping(row) for row in listing(answer.data, "series")]
    rises = [(float(row["value"]), mapping(row, "labels")) for row in rows if _is_number(row)]
    total = sum(rise for rise, _ in rises if rise > 0)
    rise, labels = max(rises, key=lambda one: one[0], default=(0.0, {}))
    pod, namespace = str(labels.get("pod") or ""), str(labels.get("namespace") or "")
    taker = _workload(case, namespace, pod, labels)
    if rise < max(LEAST_CORES, MOST_OF_IT * total) or taker in ill or not pod:
        return None
    victims = ", ".join(sorted(one.name for one in ill))
    return Finding(
        kind="noisy_neighbour",
        entity=node,
        statement=f"{taker} takes {rise:.1f} cores more than an hour ago on {node}, where "
        f"{victims} became ill",
        citations=(answer.cite(pod), busy),
        began=began,
        strength=0.95,
        about=(taker, *sorted(ill, key=str)),
    )


def _is_number(row: Mapping[str, Any]) -> bool:
    return isinstance(row.get("value"), int | float)


def _rises(case: Case, node: Entity) -> dict[str, Any]:
    use = 'rate(container_cpu_usage_seconds_total{container!="",container!="POD"}[5m]%s)'
    here = (
        "sum by (namespace,pod) ({use}) * on (namespace,pod) group_left(created_by_kind,"
        'created_by_name) max by (namespace,pod,created_by_kind,created_by_name) (kube_pod_info{{node="{node}"}})'
    )
    now = here.format(use=use % "", node=node.name)
    then = here.format(use=use % " offset 1h", node=node.name)
    query = f"topk(5, {now} - ({then} or {now} * 0))"
    return {"query": query, "time": _utc(case.scope.window.end.isoformat(timespec="seconds"))}


def _workload(case: Case, namespace: str, pod: str, labels: Mapping[str, Any]) -> Entity:
    """What a pod belongs to: as its object says, else as kube-state-metrics does."""
    seen = case.snapshot.get("Pod", namespace, pod)
    if seen:
        return case.snapshot.owner(seen).entity
    kind, name = str(labels.get("created_by_kind") or ""), str(labels.get("created_by_name") or "")
    if kind == "ReplicaSet":
        kind, name = "Deployment", name.rpartition("-")[0]
    return Entity(kind=kind or "Pod", name=name or pod, namespace=namespace)
