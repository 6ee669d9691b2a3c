"""The search over past incidents, and the list at the left."""

from __future__ import annotations

from datetime import timedelta

import anyio
import pytest

from assistant.chat.web.search import past, search_for
from assistant.errors import ToolUnavailable
from assistant.incident import Verdict
from assistant.store import Store
from tests.assistant.chat.reports import report
from tests.assistant.chat.web.conftest import NOW, Web, incident

pytestmark = pytest.mark.anyio
HOSTILE = '"><script>alert(1)</script>'


async def triaged(store: Store, alert: str, title: str, verdict: Verdict, days_ago: int) -> str:
    begun = await store.start(alert, NOW - timedelta(days=days_ago))
    await store.finish(begun.id, report(title, verdict).model_copy(update={"id": begun.id}))
    return begun.id


async def some_incidents(store: Store) -> None:
    await triaged(store, "P1", "Bookings slow", Verdict.CAUSE_FOUND, 9)
    await triaged(store, "P2", "Bookings fail", Verdict.INCONCLUSIVE, 5)
    await triaged(store, "P2", "Bookings fail", Verdict.HEALTHY, 4)
    await triaged(store, "P3", "Archive late", Verdict.INCONCLUSIVE, 1)


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("", ["P3", "P2", "P1"]),
        ("bookings", ["P2", "P1"]),
        ("BOOKINGS slow", ["P1"]),
        ("verdict:inconclusive", ["P3", "P2"]),
        ("verdict:cause_found", ["P1"]),
        ("service:check bookings", ["P2", "P1"]),
        ("alert:P3", ["P3"]),
        ("since:2026-03-10", ["P3", "P2"]),
        ("until:2026-03-09", ["P2", "P1"]),
        ("p2", ["P2"]),
        ("nothing like it", []),
        ("%", []),
        (HOSTILE, []),
    ],
)
async def test_past_incidents_are_found_by_words_and_by_what_they_are(
    web: Web, typed: str, found: list[str]
) -> None:
    await some_incidents(web.store)
    assert [one.alert_id for one in await past(web.store, search_for(typed))] == found


async def test_the_list_shows_each_incident_once_with_its_newest_verdict(web: Web) -> None:
    await some_incidents(web.store)
    web.incidents[:] = [incident("P3", "Archive late"), incident("P9", "Portal down")]
    async with web.client() as client:
        text = (await client.get("/side")).text
    assert text.count('id="row-') == 4
    assert text.index("Portal down") < text.index("Triaged before") < text.index("Bookings fail")
    assert "healthy" in text
    assert text.count("Triage</span>") == 1


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("checkout", True), ("service:check", True), ("#7", True), ("since:2026-03-14", True), ("alert:pay", True),
        ("until:2026-03-13", False), ("verdict:healthy", False), ("service:other", False), ("other", False),
    ],
)  # fmt: skip
async def test_the_search_looks_at_what_is_open_too(web: Web, typed: str, *, shown: bool) -> None:
    async with web.client() as client:
        text = (await client.get("/side", params={"q": typed})).text
    assert ("Checkout fails" in text) == shown


async def test_what_cannot_be_asked_for_is_never_shown_as_none(web: Web) -> None:
    web.unseen = "HTTP 401 of PagerDuty"
    async with web.client() as client:
        text = (await client.get("/")).text
    assert "Could not be seen" in text
    assert "HTTP 401 of PagerDuty" in text
    assert "No incident is open" not in text


@pytest.mark.parametrize("failure", [ToolUnavailable("no server pagerduty"), RuntimeError("a bug")])
async def test_a_list_that_cannot_be_made_takes_no_page_with_it(
    web: Web, failure: Exception
) -> None:
    web.failure = failure
    async with web.client() as client:
        shown = await client.get("/")
    assert shown.status_code == 200
    assert "Could not be seen" in shown.text
    assert "a bug" not in shown.text


async def test_a_system_that_hangs_keeps_no_page_waiting(web: Web) -> None:
    web.ready = anyio.Event()
    async with web.client() as client:
        assert "Asking PagerDuty" in (await client.get("/")).text
        assert "No incident is open" not in (await client.get("/side")).text
        assert "not known whether it is open" in (await client.get("/incidents/PAY1")).text
        web.ready.set()
        assert "Checkout fails" in (await client.get("/side")).text
    assert web.asked == 1


async def test_many_tabs_ask_the_systems_once(web: Web) -> None:
    async with web.client() as client:
        for _ in range(5):
            await client.get("/side")
    assert web.asked == 1


async def test_a_day_that_is_none_is_said(web: Web) -> None:
    async with web.client() as client:
        text = (await client.get("/side", params={"q": f"since:{HOSTILE}"})).text
    assert "says no day" in text
    assert "<script>" not in text


@pytest.mark.parametrize("title", ["", HOSTILE, "x" * 5000, None, 7])
async def test_a_title_of_any_kind_is_one_harmless_line(web: Web, title: object) -> None:
    web.incidents[:] = [incident("a b/c", title=title, number="x", created_at="y", assigned_to=3)]
    async with web.client() as client:
        text = (await client.get("/side")).text
    assert 'class="row' in text
    assert "<script>" not in text
    assert len(text) < 4000
