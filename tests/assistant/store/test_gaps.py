"""Where the runbooks fail those on call: counted over triages, kept with them."""

import sqlite3
from datetime import timedelta

import pytest

from assistant.incident import Citation, Evidence, RunbookMatch, Status, evidence_id
from assistant.store import GapKind, Store
from tests.assistant.store.test_store import NOW, report

pytestmark = pytest.mark.anyio


def searched(status=Status.EMPTY, suggestions=("closest, but too far to rely on: Disk is full",)):
    arguments = {"query": "5xx"}
    return Evidence(
        id=evidence_id("runbooks.search_runbooks", arguments),
        tool="runbooks.search_runbooks",
        arguments=arguments,
        status=status,
        data={"matches": []},
        suggestions=suggestions,
        taken_at=NOW,
    )


def match(path="crash.md", outdated="there is no namespace routing, yet 3 of its steps need it"):
    cites = (Citation(evidence="e1", quote=""),)
    place = {"runbook": "crash", "section": "Fix", "first_line": 1, "last_line": 9}
    return RunbookMatch(title="Crash", path=path, outdated=outdated, citations=cites, **place)


def told(id, *, at=NOW, labels=None, **fields):
    made = report(id)
    alert = made.alert.model_copy(update={"labels": labels or {"alertname": "Errors"}})
    return made.model_copy(update={"alert": alert, "made_at": at, **fields})


async def finished(store, made, at=NOW):
    triage = await store.start("Q1", at)
    await store.finish(triage.id, made)
    return triage


@pytest.fixture
async def store(tmp_path):
    async with Store.open(tmp_path / "incidents.db") as opened:
        yield opened


async def test_alerts_without_a_runbook_are_counted_with_the_last_time(store):
    for hours in (2, 0, 1):
        at = NOW + timedelta(hours=hours)
        await finished(store, told("r", at=at, evidence=(searched(),)), at)
    (gap,) = await store.gaps()
    assert (gap.kind, gap.subject, gap.count) == (GapKind.NO_RUNBOOK, "Errors", 3)
    assert gap.last == NOW + timedelta(hours=2)
    assert "Disk is full" in gap.detail


async def test_runbooks_that_live_state_contradicts_are_listed_by_path(store):
    await finished(store, told("r", runbooks=(match(), match("ok.md", outdated=""))))
    await finished(
        store,
        told("r", runbooks=(match(outdated="there is no Deployment web"),), at=NOW + timedelta(1)),
    )
    (gap,) = await store.gaps()
    assert (gap.kind, gap.subject, gap.count) == (GapKind.OUT_OF_DATE, "crash.md", 2)
    assert gap.detail == "there is no Deployment web"


@pytest.mark.parametrize("status", [Status.ERROR, Status.TIMEOUT, Status.OK, Status.DENIED])
async def test_a_search_that_could_not_be_asked_shows_no_gap(store, status):
    await finished(store, told("r", evidence=(searched(status),)))
    assert await store.gaps() == []


async def test_the_commonest_gap_comes_first_and_no_more_than_asked_for(store):
    for name in ("Rare", "Common", "Common"):
        await finished(store, told("r", labels={"alertname": name}, evidence=(searched(),)))
    assert [gap.subject for gap in await store.gaps()] == ["Common", "Rare"]
    assert len(await store.gaps(limit=1)) == 1


async def test_an_alert_without_a_name_is_listed_by_its_title(store):
    await finished(store, told("r", labels={"x": "y"}, evidence=(searched(),)))
    assert [gap.subject for gap in await store.gaps()] == ["5xx"]


async def test_a_report_that_is_written_again_counts_once_and_a_dropped_triage_not_at_all(store):
    made = told("r", evidence=(searched(),))
    triage = await finished(store, made)
    await store.finish(triage.id, made)
    assert [gap.count for gap in await store.gaps()] == [1]
    await store.drop(triage.id)
    assert await store.gaps() == []


async def test_a_database_of_before_gets_the_table_and_keeps_what_it_has(tmp_path):
    path = tmp_path / "incidents.db"
    async with Store.open(path) as store:
        triage = await finished(store, report("r"))
    before = sqlite3.connect(path)
    before.execute("DROP TABLE runbook_gaps")
    before.execute("PRAGMA user_version = 1")
    before.commit()
    before.close()
    async with Store.open(path) as store:
        assert await store.gaps() == []
        assert (await store.report(triage.id)).summary == "A bad image."
