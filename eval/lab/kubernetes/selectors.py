"""Label and field selectors, as the Kubernetes API reads them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from eval.lab.kubernetes.kinds import Kind
from eval.lab.kubernetes.status import bad_request

Object = dict[str, Any]
Test = Callable[[Object], bool]

_SET = re.compile(r"^\s*(\S+)\s+(in|notin)\s*\(([^)]*)\)\s*$")
_EQUAL = re.compile(r"^\s*([^\s=!]+)\s*(==|!=|=)\s*([^\s=!]*)\s*$")
_EXISTS = re.compile(r"^\s*(!?)\s*([^\s=!,()]+)\s*$")
_COMMA_OUTSIDE_PARENTHESES = re.compile(r",(?![^()]*\))")

_ANY_KIND = frozenset(("metadata.name", "metadata.namespace"))
_FIELDS: Mapping[str, frozenset[str]] = {
    "pods": frozenset(
        (
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.nominatedNodeName",
        )
    ),
    "events": frozenset(
        (
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        )
    ),
    "namespaces": frozenset(("status.phase",)),
    "nodes": frozenset(("spec.unschedulable",)),
    "secrets": frozenset(("type",)),
    "services": frozenset(("spec.clusterIP", "spec.type")),
    "replicasets": frozenset(("status.replicas",)),
    "replicationcontrollers": frozenset(("status.replicas",)),
    "jobs": frozenset(("status.successful",)),
}


def label_test(selector: str) -> Test | None:
    """Whether an object's labels fit, or None for a selector that asks nothing."""
    parts = [part for part in _COMMA_OUTSIDE_PARENTHESES.split(selector) if part.strip()]
    if not parts:
        return None
    tests = [_requirement(part, selector) for part in parts]

    def fits(item: Object) -> bool:
        labels = item["metadata"].get("labels") or {}
        return all(test(labels) for test in tests)

    return fits


def _requirement(part: str, selector: str) -> Callable[[Mapping[str, str]], bool]:
    if match := _SET.match(part):
        key, values = match[1], {value.strip() for value in match[3].split(",")}
        if match[2] == "in":
            return lambda labels: labels.get(key) in values
        return lambda labels: labels.get(key) not in values
    if match := _EQUAL.match(part):
        key, value = match[1], match[3]
        if match[2] == "!=":
            return lambda labels: labels.get(key) != value
        return lambda labels: labels.get(key) == value
    if match := _EXISTS.match(part):
        key, wanted = match[2], not match[1]
        return lambda labels: (key in labels) is wanted
    raise bad_request(f"unable to parse requirement: found {part.strip()!r} in {selector!r}")


def field_test(kind: Kind, selector: str) -> Test | None:
    """Whether an object's fields fit, or None for a selector that asks nothing."""
    parts = [part for part in selector.split(",") if part.strip()]
    if not parts:
        return None
    tests = [_field_requirement(kind, part, selector) for part in parts]
    return lambda item: all(test(item) for test in tests)


def _field_requirement(kind: Kind, part: str, selector: str) -> Test:
    match = _EQUAL.match(part)
    if not match:
        raise bad_request(f"invalid selector: {selector!r}; can't understand {part!r}")
    path, wanted, equal = match[1], match[3], match[2] != "!="
    if path not in _ANY_KIND and path not in _FIELDS.get(kind.plural, ()):
        raise bad_request(
            f'Unable to find "{kind.group}/{kind.version}, Resource={kind.plural}" that match '
            f'label selector "", field selector "{selector}": field label not supported: {path}'
        )
    steps = ("source", "component") if path == "source" else tuple(path.split("."))
    return lambda item: (_at(item, steps) == wanted) is equal


def _at(item: Object, steps: tuple[str, ...]) -> str:
    """The value at a path as a selector compares it: absent is empty, booleans are words."""
    value: Any = item
    for step in steps:
        value = value.get(step) if isinstance(value, dict) else None
    if value is None:
        return "false" if steps in (("spec", "unschedulable"), ("spec", "hostNetwork")) else ""
    return str(value).lower() if isinstance(value, bool) else str(value)
