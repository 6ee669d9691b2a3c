"""Resolved incidents with notes, of the lab's PagerDuty."""

from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from eval.lab.listener import listening
from eval.lab.pagerduty import PagerDutyApi
from eval.lab.world import World
from ingest.document import parse
from ingest.errors import IngestError
from ingest.sources.settings import Table
from ingest.sources.table import sources

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 6, 1, tzinfo=UTC)
TOKEN = "s3cr3t-of-the-pager"


def incident(
    id, status="resolved", title="[FIRING:1] EtcdNoLeader", created="2026-05-01T10:00:00Z"
):
    return {
        "id": id,
        "incident_number": int(id[1:]),
        "title": title,
        "status": status,
        "urgency": "high",
        "created_at": created,
        "resolved_at": created.replace("T10", "T11") if status == "resolved" else None,
        "service": {"id": "SVC1", "type": "service_reference", "summary": "etcd"},
        "html_url": f"https://example.pagerduty.com/incidents/{id}",
    }


def note(id, content, created="2026-05-01T10:30:00Z"):
    user = {"id": "U1", "type": "user_reference", "summary": "Ines"}
    return {"id": id, "content": content, "created_at": created, "user": user}


@pytest.fixture
def pager():
    return {
        "incidents": [incident("P1"), incident("P2"), incident("P3", "acknowledged")],
        "alerts": {"P1": [{"id": "A1", "summary": "etcd has no leader", "status": "resolved"}]},
        "notes": {
            "P1": [note("N1", "Restarted member 2."), note("N2", "Then 3.", "2026-05-01T10:40:00Z")]
        },
    }


@asynccontextmanager
async def opened(pager, tmp_path, token=TOKEN, **settings):
    world = World(id="w", as_of=NOW, pager=pager)
    async with listening(PagerDutyApi(world, TOKEN, lambda: NOW)) as listener:
        table = Table.model_validate(
            {"sources": [{"kind": "pagerduty", "url": listener.url, **settings}]}
        )
        (source,) = sources(table, tmp_path, {"PAGERDUTY_TOKEN": token}, clock=lambda: NOW)
        yield source
        await source.close()


async def fingerprints(pager, tmp_path):
    async with opened(pager, tmp_path) as source:
        return {item.path: item.fingerprint for item in (await source.list()).items}


async def test_only_resolved_incidents_with_notes_are_documents(pager, tmp_path):
    pager["notes"]["P3"] = [note("N9", "still looking")]
    async with opened(pager, tmp_path) as source:
        listing = await source.list()
    (item,) = listing.items
    assert (item.path, item.media_type, listing.whole) == ("P1.md", "text/markdown", True)
    assert item.url == "https://example.pagerduty.com/incidents/P1"
    assert item.modified == datetime(2026, 5, 1, 11, tzinfo=UTC)


async def test_an_incident_reads_as_a_document_of_its_service_and_alert(pager, tmp_path):
    async with opened(pager, tmp_path) as source:
        (item,) = (await source.list()).items
        document = parse(item.path, await item.read())
    assert document.metadata.services == ("etcd",)
    assert document.metadata.alerts == ("EtcdNoLeader",)
    assert document.metadata.last_reviewed == "2026-05-01"
    assert "- etcd has no leader" in document.body
    first, second = (document.body.index(words) for words in ("Restarted member 2.", "Then 3."))
    assert first < second


async def test_a_note_that_comes_late_changes_the_fingerprint(pager, tmp_path):
    before = await fingerprints(pager, tmp_path)
    pager["notes"]["P1"].append(note("N3", "It was the disk."))
    after = await fingerprints(pager, tmp_path)
    assert before.keys() == after.keys()
    assert before["P1.md"] != after["P1.md"]


async def test_more_incidents_than_one_answer_holds_are_all_listed(pager, tmp_path):
    ids = [f"P{number}" for number in range(100, 330)]
    pager["incidents"] = [incident(id) for id in ids]
    pager["notes"] = {id: [note("N1", "x")] for id in ids}
    assert set(await fingerprints(pager, tmp_path)) == {f"{id}.md" for id in ids}


async def test_incidents_before_the_window_and_of_other_services_are_left_out(pager, tmp_path):
    pager["incidents"][0] = incident("P1", created="2026-01-01T10:00:00Z")
    async with opened(pager, tmp_path, days=30) as source:
        assert (await source.list()).items == ()
    async with opened(pager, tmp_path, services=["SVC2"]) as source:
        assert (await source.list()).items == ()


async def test_since_leaves_out_what_was_resolved_before(pager, tmp_path):
    async with opened(pager, tmp_path) as source:
        listing = await source.list(datetime(2026, 5, 20, tzinfo=UTC))
    assert (listing.items, listing.whole) == ((), False)


async def test_a_refused_key_is_an_error_that_does_not_hold_it(pager, tmp_path):
    async with opened(pager, tmp_path, token="old-s3cr3t") as source:
        with pytest.raises(
            IngestError, match=r"HTTP 401 .*read-only REST API key in PAGERDUTY_TOKEN"
        ) as raised:
            await source.list()
    assert "s3cr3t" not in str(raised.value)


async def test_words_of_a_note_stay_words(pager, tmp_path):
    pager["notes"]["P1"] = [note("N1", "---\ntitle: other\n---")]
    pager["incidents"][0]["title"] = "a: b\n---\n# c"
    async with opened(pager, tmp_path) as source:
        (item,) = (await source.list()).items
        assert parse("a.md", await item.read()).metadata.title == "a: b --- # c"
