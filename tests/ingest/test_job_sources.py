"""Several sources into one index: each by its own name, and none lost by another's failure."""

from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ingest import catalogue
from ingest.document import Metadata
from ingest.errors import IngestError
from ingest.generations import Generations
from ingest.job import ingest
from ingest.lookup import Lookup
from ingest.report import ExitCode
from tests.ingest.shelf import Shelf, pages

pytestmark = pytest.mark.anyio


def held(settings):
    return set(catalogue.ledger(Generations(settings.index).current()))


def lookup(settings):
    return closing(Lookup(Generations(settings.index).current()))


async def test_documents_of_several_sources_stand_under_their_names(settings):
    wiki, code = Shelf("wiki", pages(1)), Shelf("code", pages(1))
    report = await ingest(settings, sources=[wiki, code])
    assert report.added == ("wiki/page-0.md", "code/page-0.md")
    assert held(settings) == {"wiki/page-0.md", "code/page-0.md"}
    assert (wiki.closed, code.closed) == (1, 1)


async def test_what_has_the_same_fingerprint_is_not_even_read(settings):
    await ingest(settings, sources=[Shelf("wiki", pages(3))])
    again = Shelf("wiki", {**pages(3), "page-1.md": "# Other\n\nwords\n"})
    report = await ingest(settings, sources=[again])
    assert again.read == ["page-1.md"]
    assert (report.changed, report.unchanged) == (("wiki/page-1.md",), 2)


async def test_a_source_that_fails_is_reported_and_keeps_its_documents(settings):
    await ingest(settings, sources=[Shelf("wiki", pages(2)), Shelf("code", pages(2))])
    broken = Shelf("wiki", down="the wiki answers 503")
    report = await ingest(settings, sources=[broken, Shelf("code", pages(3))])
    assert [str(one) for one in report.failed] == ["wiki: the wiki answers 503"]
    assert (report.added, report.removed) == (("code/page-2.md",), ())
    assert {"wiki/page-0.md", "wiki/page-1.md"} <= held(settings)
    assert report.exit_code == ExitCode.SOURCE_FAILED
    assert broken.closed == 1


async def test_a_run_fails_where_no_source_can_be_listed(settings):
    down = [Shelf("wiki", down="503"), Shelf("code", down="no such branch")]
    with pytest.raises(IngestError, match=r"wiki: 503; code: no such branch"):
        await ingest(settings, sources=down)
    assert Generations(settings.index).current() is None


async def test_a_document_that_cannot_be_read_is_skipped_and_keeps_its_last_text(settings):
    await ingest(settings, sources=[Shelf("wiki", pages(2))])
    torn = Shelf("wiki", {**pages(2), "page-0.md": "new", "new.md": "new"}, torn={"page-0.md"})
    report = await ingest(settings, sources=[torn])
    assert [str(one) for one in report.skipped] == ["wiki/page-0.md: the page is torn"]
    assert held(settings) == {"wiki/page-0.md", "wiki/page-1.md", "wiki/new.md"}
    assert report.exit_code == ExitCode.SOME_SKIPPED


async def test_nothing_is_removed_of_a_source_that_was_listed_in_part(settings):
    await ingest(settings, sources=[Shelf("wiki", pages(3))])
    partly = Shelf("wiki", pages(1), unreadable=("folder archive: cannot be opened",))
    report = await ingest(settings, sources=[partly])
    assert report.removed == ()
    assert [str(one) for one in report.skipped] == ["wiki: folder archive: cannot be opened"]
    assert len(held(settings)) == 3


async def test_since_reads_what_changed_and_removes_nothing(settings):
    await ingest(settings, sources=[Shelf("wiki", pages(3))])
    later = datetime(2026, 11, 20, tzinfo=UTC)
    changed = Shelf(
        "wiki",
        {"page-0.md": "# One\n\nx\n", "page-1.md": "# Two\n\ny\n"},
        modified={"page-1.md": later},
    )
    report = await ingest(replace(settings, since=later), sources=[changed])
    assert (report.changed, report.removed) == (("wiki/page-1.md",), ())
    assert len(held(settings)) == 3


async def test_since_is_set_aside_where_the_index_is_made_anew(settings):
    later = datetime(2026, 11, 20, tzinfo=UTC)
    report = await ingest(replace(settings, since=later), sources=[Shelf("wiki", pages(2))])
    assert len(report.added) == 2


async def test_what_the_source_knows_of_a_document_is_kept_with_it(settings):
    given = Metadata(services=("checkout",), owner="team-payments")
    wiki = Shelf("wiki", pages(1), url="https://wiki.example.com", given=given)
    await ingest(settings, sources=[wiki])
    with lookup(settings) as found:
        (runbook,) = found.runbooks()
    assert (runbook.services, runbook.owner) == (("checkout",), "team-payments")
    assert runbook.url == "https://wiki.example.com/page-0.md"


async def test_a_document_is_read_again_when_its_source_says_something_else_of_it(settings):
    await ingest(settings, sources=[Shelf("wiki", pages(1))])
    told = Shelf("wiki", pages(1), given=Metadata(owner="team-search"))
    report = await ingest(settings, sources=[told])
    assert report.changed == ("wiki/page-0.md",)


async def test_an_unexpected_error_of_a_source_still_closes_all_of_them(settings):
    good, odd = Shelf("good", pages(1)), Shelf("odd", {"x.md": "# X"})
    odd.torn = None  # a slip in the source: reading raises what no source may raise
    with pytest.raises(ExceptionGroup):
        await ingest(settings, sources=[good, odd])
    assert (good.closed, odd.closed) == (1, 1)
    assert Generations(settings.index).current() is None
