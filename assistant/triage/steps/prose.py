"""Words of a step held against live state: objects that they name, thresholds that they give."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from assistant.incident import Evidence, StepState
from assistant.snapshot import listing, mapping
from assistant.triage.steps.judgement import Judgement, Live, unknown
from assistant.triage.steps.kinds import KINDS, kind_of
from assistant.triage.steps.objects import of_object
from assistant.triage.steps.queries import COMPARE, MORE_LESS, SIGNS, met
from assistant.triage.steps.slots import is_placeholder

MOST_OBJECTS = 4
_KIND = "|".join(sorted((name for name in KINDS if len(name) > 3), key=len, reverse=True))  # noqa: PLR2004 - `po` and `no` are words
_NAMED = re.compile(
    rf"\b(?P<kind>{_KIND})s?(?: +(?:called|named))? +`(?P<name>[a-z0-9][\w.-]*)`", re.IGNORECASE
)
_NAME_FIRST = re.compile(rf"`(?P<name>[a-z0-9][\w.-]*)` +(?P<kind>{_KIND})\b", re.IGNORECASE)
_BARE = re.compile(r"\b(?P<kind>[A-Z][a-z]+(?:[A-Z][a-z]+)*) (?P<name>[a-z0-9]+(?:-[a-z0-9]+)+)\b")
"""Without backticks only what is written as the API writes it, and whose name is no English word."""
_UNMISTAKABLE = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ConfigMap"})
"""A "service" may be one of systemd, a "secret" one of a vault."""
_NAMESPACE = re.compile(
    r"\bnamespace +`?(?P<name>[a-z0-9]+(?:-[a-z0-9]+)*)`?|`(?P<first>[a-z0-9-]+)` +namespace"
)
_SIGNALS: Mapping[str, str] = {
    "memory": "memory_usage", "cpu": "cpu_usage", "error rate": "error_ratio", "error ratio": "error_ratio",
    "errors": "error_ratio", "latency": "latency_p95", "p95": "latency_p95", "p99": "latency_p99",
    "response time": "latency_p95", "restarts": "restarts",
}  # fmt: skip
_LIMIT = re.compile(
    rf"\b(?P<signal>{'|'.join(_SIGNALS)})\b[^.;,`]{{0,40}}?(?P<sign>{SIGNS}) *"
    r"(?P<number>\d+(?:\.\d+)?) ?(?P<unit>%|percent|ms|milliseconds|s\b|seconds?)?",
    re.IGNORECASE,
)
_GOAL = re.compile(r"\b(?:should|must|verify|confirm|until|ensure|make sure)\b", re.IGNORECASE)


def can_be_held(words: str) -> bool:
    """Whether the words name an object, or give a threshold of something that is measured."""
    return bool(_LIMIT.search(words) or _named(words))


def of_objects(live: Live, words: str) -> Iterator[Judgement]:
    """What live state says of each object that the words name."""
    place = _NAMESPACE.search(words)
    namespace = (place["name"] or place["first"]) if place else ""
    for (kind, name), is_doubtful in list(_named(words).items())[:MOST_OBJECTS]:
        judged = of_object(live, kind, namespace, name)
        # Words that only look like a name must not make a page out of date.
        yield judged if not (is_doubtful and judged.outdates) else unknown(judged.why, judged.said)


def _named(words: str) -> dict[tuple[str, str], bool]:
    """(kind, name) of the objects that words name -> whether it may be something else after all."""
    named: dict[tuple[str, str], bool] = {}
    for pattern in (_BARE, _NAMED, _NAME_FIRST):
        for match in pattern.finditer(words):
            kind = kind_of(match["kind"])
            if kind and kind != "Namespace" and not is_placeholder(match["name"]):
                sure = match["kind"] == kind or kind in _UNMISTAKABLE
                named[kind, match["name"]] = pattern is _BARE or not sure
    return named


def of_threshold(words: str, signals: Iterable[Evidence], *, goal: bool) -> Judgement | None:
    """What was measured says of a threshold in the words; None where they give none."""
    match = _LIMIT.search(words)
    if not match:
        return None
    name = _SIGNALS[match["signal"].lower()]
    for evidence in signals:
        rows = [mapping(row) for row in listing(evidence.data, "signals")]
        for row in (row for row in rows if row.get("name") == name):
            measured = _measured(row, (match["unit"] or "").lower())
            if measured is not None:
                return _compared(
                    match, measured, evidence, name, goal=goal or bool(_GOAL.search(words))
                )
    return unknown(f"no {name.replace('_', ' ')} that can be compared with it was measured")


def _measured(row: Mapping[str, Any], unit: str) -> float | None:
    """The latest value in the unit of the threshold; None where there is no way from one to the other."""
    last, limit = row.get("last"), row.get("limit")
    if not isinstance(last, int | float):
        return None
    if unit in ("%", "percent"):
        if row.get("unit") == "ratio":
            return 100.0 * last
        return 100.0 * last / limit if isinstance(limit, int | float) and limit else None
    if unit in ("ms", "milliseconds"):
        return 1000.0 * last
    if unit.startswith("s"):
        return float(last)
    return float(last) if row.get("name") == "restarts" else None


def _compared(
    match: re.Match[str], measured: float, evidence: Evidence, name: str, *, goal: bool
) -> Judgement:
    sign, number = match["sign"].lower(), float(match["number"])
    holds = bool(COMPARE[MORE_LESS[sign]](measured, number))
    unit = f" {match['unit']}" if match["unit"] else ""
    why = f"{name.replace('_', ' ')} is at {measured:.3g}{unit}, {'' if holds else 'not '}{sign} {number:g}{unit}"
    state: StepState = met(holds=holds, goal=goal)
    return Judgement(state, why, (evidence.cite(name),))
