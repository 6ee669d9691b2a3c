"""Objects as no API server should send them: a check finds less in them, and never breaks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.checks import CHECKS, Case
from assistant.diagnosis import diagnose
from assistant.incident import Alert, Evidence, Finding, Scope, Status, Window
from assistant.snapshot import Snapshot
from assistant.topology import topology
from tests.assistant.checks.cluster import NOW, SHOP, evidence, listings, logs, range_of
from tests.robustness import sick_cluster

DELETED = "(deleted)"
ODD: tuple[Any, ...] = (
    DELETED, None, "", "x", 7, -1, 1e300, True, [], [None], ["x"], [[]], {}, {"x": None}, [{}],
    "2026-99-01T00:00:00Z", "²", 10**12,
)  # fmt: skip
"""What a field may hold instead of what it should."""

OBJECTS = sick_cluster.objects()
EVENTS = sick_cluster.events(OBJECTS)
NULL_EVENT: dict[str, Any] = dict.fromkeys(EVENTS[0])

Path = tuple[str | int, ...]


def paths(value: Any, here: Path = ()) -> Iterator[Path]:
    """Every place within a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, one in inner:
        yield (*here, key)
        if isinstance(one, dict | list):
            yield from paths(one, (*here, key))


PLACES = tuple(
    path for path in paths(OBJECTS) if len(path) > 1 and path[1:] != ("metadata", "name")
)


def replaced(value: Any, path: Path, odd: Any) -> Any:
    """A JSON value with something else at this place; itself where the place is gone already."""
    key, *rest = path
    there = isinstance(value, dict | list) and (
        key in value if isinstance(value, dict) else isinstance(key, int) and key < len(value)
    )
    if not there:
        return value
    new = odd if not rest else replaced(value[key], tuple(rest), odd)
    if isinstance(value, dict):
        kept = {name: one for name, one in value.items() if name != key}
        return kept if new == DELETED else {**kept, key: new}
    return [*value[:key], *([] if new == DELETED else [new]), *value[key + 1 :]]


def seen(objects: list[Any], events: list[Any]) -> list[Evidence]:
    """The evidence that shows these objects, each in the list in which a well one would stand."""
    by_name = {id(old): new for old, new in zip(OBJECTS, objects, strict=True)}
    found = []
    for item in listings(OBJECTS):
        items = [by_name[id(old)] for old in item.data["items"]]
        found.append(item.model_copy(update={"data": {**item.data, "items": items}}))
    return [*found, evidence("kubernetes.get_recent_events", {}, {"events": events})]


def of(known: list[Evidence], answer: Callable[[str], Any]) -> Case:
    """The incident; further questions are answered by tool."""
    snapshot = Snapshot.made_of(known)
    window = Window(start=NOW - timedelta(hours=1), end=NOW)

    async def ask(tool: str, arguments: Any, reason: str) -> Evidence:
        data = answer(tool)
        status = Status.OK if data is not None else Status.ERROR
        return evidence(tool, arguments, data, status=status, asked_because=reason)

    return Case(
        alert=Alert(id="Q1", title="web answers 503", created_at=NOW - timedelta(minutes=15)),
        scope=Scope(namespaces=(SHOP,), window=window, began=NOW - timedelta(minutes=15)),
        snapshot=snapshot,
        topology=topology(snapshot, known),
        evidence=tuple(known),
        ask=ask,
    )


async def all_findings(case: Case) -> list[Finding]:
    """What every check finds; whatever one raises comes out."""
    found = [finding for check in CHECKS.values() for finding in await check(case)]
    known = {item.id: item for item in case.evidence}
    for finding in found:
        for citation in finding.citations:
            if citation.evidence in known:
                assert known[citation.evidence].holds(citation.quote)
    diagnose(case.alert, case.scope, found, case.topology, quiet=False)
    return found


def nothing(_: str) -> None:
    """Further questions that nobody answers."""


MEASURED = {"backlog", "headroom", "network", "node_traffic", "signals"}
"""Families that read metrics, of which an object tells nothing."""

ASKED = {"disruption", "gateway_api", "gitops"}
"""Families whose objects are asked for only once something points to them."""

ELSEWHERE = {"bystanders", "changes", "images"}
"""Families that look at other namespaces, at what others announced, or leave the image to a better one."""


def test_in_the_sick_cluster_nearly_every_family_finds_something() -> None:
    """Otherwise the tests below would look at checks that have nothing to do."""
    case = of(
        seen(OBJECTS, EVENTS), lambda tool: logs(*sick_cluster.SAID) if "logs" in tool else None
    )

    async def families() -> set[str]:
        return {name for name, check in CHECKS.items() if await check(case)}

    assert set(CHECKS) - anyio.run(families) <= MEASURED | ASKED | ELSEWHERE


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from(ODD)), min_size=1, max_size=8))
def test_no_check_breaks_at_fields_that_are_missing_or_of_the_wrong_type(
    changes: list[tuple[Path, Any]],
) -> None:
    objects: list[Any] = OBJECTS
    for path, odd in changes:
        objects = replaced(objects, path, odd)
    anyio.run(all_findings, of(seen(objects, EVENTS), nothing))


@pytest.mark.parametrize("field", ["spec", "status", "metadata"])
@pytest.mark.parametrize("odd", [DELETED, None, "x", 7, []], ids=str)
def test_no_check_breaks_at_objects_without_a_part(field: str, odd: Any) -> None:
    objects: list[Any] = OBJECTS
    for number in range(len(OBJECTS)):
        objects = replaced(objects, (number, field), odd)
    anyio.run(all_findings, of(seen(objects, EVENTS), nothing))


def test_no_check_breaks_at_items_that_are_no_objects() -> None:
    anyio.run(all_findings, of(seen([None for _ in OBJECTS], [NULL_EVENT]), nothing))


def test_no_check_breaks_at_events_with_null_fields() -> None:
    rows = [{**row, name: None} for row in EVENTS for name in row]
    anyio.run(all_findings, of(seen(OBJECTS, [*rows, NULL_EVENT]), nothing))


NUMBERS = st.floats(allow_nan=True, allow_infinity=True)


@settings(max_examples=100, deadline=None)
@given(st.lists(NUMBERS, max_size=40), st.lists(NUMBERS, max_size=40))
def test_no_check_breaks_at_metrics_that_are_no_numbers(one: list[float], two: list[float]) -> None:
    labels = {"client": "web", "server": "store"}

    def answer(tool: str) -> Any:
        return range_of((labels, one), (labels | {"client": "x"}, two)) if "range" in tool else None

    query = "sum by (client, server) (last_over_time(traces_service_graph_request_total[1h]))"
    graph = evidence("prometheus.query", {"query": query}, range_of((labels, one)))
    anyio.run(all_findings, of([*seen(OBJECTS, EVENTS), graph], answer))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(max_size=200), max_size=20))
def test_no_check_breaks_at_any_log_line(lines: list[str]) -> None:
    anyio.run(
        all_findings,
        of(seen(OBJECTS, EVENTS), lambda tool: logs(*lines) if "logs" in tool else None),
    )
