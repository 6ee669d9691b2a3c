"""Autoscalers that cannot act: at their maximum and still short, blind, or without a target."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from assistant.checks.case import Case
from assistant.checks.reading.objects.quantities import quantity
from assistant.checks.reading.objects.spoken import urgency
from assistant.incident import Citation, Entity, Finding
from assistant.snapshot import Object, dig, listing, mapping, moment, whole

WORDS = ("autoscal", "hpa", "replicas", "scaling")
SCALABLE = frozenset({"Deployment", "StatefulSet", "ReplicaSet", "ReplicationController"})
NO_FAULT = frozenset({"ScalingDisabled"})
"""Reasons that say what somebody wanted: a workload at 0 replicas is not scaled."""


async def check(case: Case) -> list[Finding]:
    """What keeps each autoscaler in scope from doing its work, where that harms."""
    found = []
    for scaler in case.namespaced("HorizontalPodAutoscaler"):
        found += [*_without_target(case, scaler), *_at_maximum(case, scaler)]
        found += _blind(case, scaler)
    return found


def target(scaler: Object) -> Entity:
    """What an autoscaler scales."""
    named = mapping(scaler.spec, "scaleTargetRef")
    return Entity(
        kind=str(named.get("kind")), name=str(named.get("name")), namespace=scaler.namespace
    )


def _without_target(case: Case, scaler: Object) -> Iterator[Finding]:
    entity, able = target(scaler), scaler.condition("AbleToScale")
    listed = case.snapshot.listing_of(entity.kind, entity.namespace)
    gone = listed and entity.kind in SCALABLE and not case.snapshot.find(entity)
    if able.get("reason") == "FailedGetScale" or gone:
        message = str(able.get("message") or f"there is no {entity}")
        text = f"it is to scale {entity}, and cannot: {message}"
        said = (
            *scaler.cite(entity.name, message),
            *((listed.cite_absence(),) if listed and gone else ()),
        )
        yield _finding("hpa_target_missing", scaler, text, said).model_copy(
            update={"strength": urgency(case, *WORDS)}
        )


def _finding(kind: str, scaler: Object, text: str, said: tuple[Citation, ...]) -> Finding:
    return Finding(
        kind=kind,
        entity=scaler.entity,
        statement=f"{scaler.entity}: {text}"[:400],
        citations=said,
        details={"target": target(scaler).name},
        about=(target(scaler),),
    )


def _blind(case: Case, scaler: Object) -> Iterator[Finding]:
    """An autoscaler that reads no metric does not scale; that harms once there is load."""
    active = scaler.condition("ScalingActive")
    reason = str(active.get("reason") or "")
    if (
        active.get("status") != "False"
        or reason in NO_FAULT
        or not case.snapshot.find(target(scaler))
    ):
        return
    message = str(active.get("message") or reason)
    kind = "hpa_ambiguous" if reason == "AmbiguousSelector" else "hpa_no_metrics"
    without = _without_requests(case, scaler) if kind == "hpa_no_metrics" else ""
    text = f"it cannot scale {target(scaler)} ({reason}): {message}{without}"
    found = _finding(kind, scaler, text, scaler.cite(reason, message))
    since = moment(active.get("lastTransitionTime"))
    yield found.model_copy(update={"began": since, "strength": urgency(case, *WORDS)})


def _without_requests(case: Case, scaler: Object) -> str:
    """The containers of the target that ask for none of the resource the autoscaler measures."""
    workload = case.snapshot.find(target(scaler))
    names = [
        str(dig(m, "resource", "name"))
        for m in listing(scaler.spec, "metrics")
        if dig(m, "resource")
    ]
    lacking = [
        str(dig(container, "name"))
        for container in (workload.containers() if workload else [])
        if any(
            name not in mapping(container, "resources", "requests")
            and name not in mapping(container, "resources", "limits")
            for name in names
        )
    ]
    return f"; {', '.join(lacking)} requests none of it" if lacking else ""


def _at_maximum(case: Case, scaler: Object) -> Iterator[Finding]:
    """At its maximum and over its target: more would be needed than it may have."""
    limited = scaler.condition("ScalingLimited")
    most, have = whole(scaler.spec.get("maxReplicas")), whole(scaler.status.get("currentReplicas"))
    if limited.get("status") != "True" or limited.get("reason") != "TooManyReplicas" or have < most:
        return
    over = next(_over_target(scaler), None)
    if over is None and listing(scaler.status, "currentMetrics"):
        return  # it has all that it may have, and that is enough
    text = f"{target(scaler)} has all {most} replicas that it may have" + (
        f"; {over}" if over else ""
    )
    said = scaler.cite("TooManyReplicas", most)
    found = _finding("hpa_at_max", scaler, text, said)
    since = moment(limited.get("lastTransitionTime"))
    sure = 1.0 if over else urgency(case, *WORDS)
    # The limit stood before the load that ran into it; only one reached long ago is old news.
    old = since is not None and since < case.scope.window.start
    yield found.model_copy(update={"began": since if old else None, "strength": sure})


def _over_target(scaler: Object) -> Iterator[str]:
    """Each metric that is above what the autoscaler aims at."""
    now = {
        _name(row): mapping(row, _kind(row), "current")
        for row in listing(scaler.status, "currentMetrics")
    }
    for row in listing(scaler.spec, "metrics"):
        aim, current = mapping(row, _kind(row), "target"), now.get(_name(row), {})
        for mine, its in (
            ("averageUtilization", "averageUtilization"),
            ("averageValue", "averageValue"),
            ("value", "value"),
        ):
            if aim.get(mine) and quantity(current.get(its)) > quantity(aim[mine]):
                yield f"{_name(row)} is at {current[its]}, the target is {aim[mine]}"


def _kind(metric: Any) -> str:
    text = str(dig(metric, "type") or "")
    return text[:1].lower() + text[1:]


def _name(metric: Any) -> str:
    inner: Mapping[str, Any] = mapping(metric, _kind(metric))
    return str(inner.get("name") or dig(inner, "metric", "name") or "its metric")
