from __future__ import annotations

import pytest
from kubernetes_objects import ago, event, pod

from mcp_servers.answer import Status

pytestmark = pytest.mark.anyio


async def test_repetitions_are_one_row_with_the_sum_and_the_whole_span(cluster):
    twice = [
        event("BackOff", "web", first=500, last=400, count=3),
        event("BackOff", "web", first=300, last=100, count=4),
    ]
    async with cluster(*twice) as tools:
        answer = await tools("get_recent_events")
    (row,) = answer.data.events
    assert (row.count, row.first_seen, row.last_seen) == (7, ago(500), ago(100))
    assert answer.total == 1


async def test_newest_come_first_and_a_cut_is_told(cluster):
    made = [event("Pulled", f"p{n}", first=n * 10, last=n * 10) for n in range(1, 9)]
    async with cluster(*made) as tools:
        answer = await tools("get_recent_events", namespace="payments", limit=3)
    assert [row.name for row in answer.data.events] == ["p1", "p2", "p3"]
    assert (answer.total, answer.truncated) == (8, True)


async def test_a_window_holds_what_was_going_on_in_it(cluster):
    made = [
        event("Old", "web", first=900, last=800),
        event("Across", "web", first=900, last=100),
        event("New", "web", first=50, last=40),
    ]
    async with cluster(*made) as tools:
        answer = await tools("get_recent_events", since=ago(700), until=ago(60))
    assert [row.reason for row in answer.data.events] == ["Across"]


async def test_events_are_narrowed_by_object_and_to_warnings(cluster):
    made = [
        event("Pulled", "web", first=9, last=9, type="Normal"),
        event("BackOff", "web", first=9, last=9),
        event("BackOff", "db", first=9, last=9),
    ]
    async with cluster(*made) as tools:
        answer = await tools("get_recent_events", kind="po", name="web", warnings_only=True)
    assert [(row.name, row.reason) for row in answer.data.events] == [("web", "BackOff")]


async def test_events_of_a_node_are_found_whatever_namespace_is_asked(cluster):
    made = event(
        "NodeNotReady", "worker-1", first=9, last=9, about_kind="Node", namespace="default"
    )
    async with cluster(made, pod("a")) as tools:
        answer = await tools("get_recent_events", namespace="payments", kind="node")
    assert answer.status is Status.OK


async def test_an_event_without_any_old_style_time_is_placed_by_its_event_time(cluster):
    made = event("Scheduled", "web", first=9, last=9)
    made |= {"firstTimestamp": None, "lastTimestamp": None, "count": None}
    made |= {"eventTime": "2026-03-01T01:59:00.123456Z", "reportingComponent": "scheduler"}
    async with cluster(made) as tools:
        (row,) = (await tools("get_recent_events")).data.events
    assert (row.first_seen, row.count, row.component) == (
        "2026-03-01T01:59:00.123456Z", 1, "scheduler",
    )  # fmt: skip


async def test_many_events_are_read_by_page_and_a_listing_that_expires_starts_again(cluster):
    made = [event("Pulled", f"p{n}", first=9, last=9) for n in range(1200)]
    async with cluster(*made) as tools:
        assert (await tools("get_recent_events", limit=5)).total == 1200
        assert tools.lab.requests["kubernetes"] == 3
