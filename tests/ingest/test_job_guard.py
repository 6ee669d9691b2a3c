"""Many documents gone at once look like an accident: they stay until somebody says that it is meant."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from ingest import catalogue
from ingest.changes import MASS, MASS_SHARE, Known, Wanted, compare, silent
from ingest.errors import IngestError
from ingest.generations import Generations
from ingest.job import ingest
from ingest.report import ExitCode
from tests.ingest.shelf import Shelf, pages

pytestmark = pytest.mark.anyio


def held(settings):
    return set(catalogue.ledger(Generations(settings.index).current()))


async def test_a_mass_removal_is_withheld_for_its_source_alone(settings):
    await ingest(settings, sources=[Shelf("wiki", pages(20)), Shelf("code", pages(20))])
    now = [Shelf("wiki", pages(15)), Shelf("code", {**pages(19), "new.md": "# New\n\nx\n"})]
    report = await ingest(settings, sources=now)
    assert report.removed == ("code/page-19.md",)
    assert report.added == ("code/new.md",)
    assert len(report.withheld) == 5
    assert set(report.withheld) <= held(settings)
    assert report.exit_code == ExitCode.REMOVALS_WITHHELD
    assert "5 of its 20 documents vanished at once" in report.notes[0]
    assert "--allow-mass-delete" in report.notes[0]


async def test_a_mass_removal_goes_through_when_it_is_allowed(settings):
    await ingest(settings, sources=[Shelf("wiki", pages(20))])
    allowed = replace(settings, allow_mass_delete=True)
    report = await ingest(allowed, sources=[Shelf("wiki", pages(2))])
    assert (len(report.removed), report.withheld) == (18, ())
    assert len(held(settings)) == 2
    assert report.exit_code == ExitCode.DONE


async def test_documents_of_a_source_that_is_no_longer_named_need_the_same_word(settings):
    await ingest(settings, sources=[Shelf("wiki", pages(2)), Shelf("code", pages(2))])
    report = await ingest(settings, sources=[Shelf("code", pages(2))])
    assert report.withheld == ("wiki/page-0.md", "wiki/page-1.md")
    allowed = replace(settings, allow_mass_delete=True)
    report = await ingest(allowed, sources=[Shelf("code", pages(2))])
    assert report.removed == ("wiki/page-0.md", "wiki/page-1.md")


async def test_a_rebuild_is_refused_where_it_would_lose_what_a_source_does_not_show(settings):
    await ingest(settings, sources=[Shelf("wiki", pages(20)), Shelf("code", pages(2))])
    rebuild = replace(settings, rebuild=True)
    for wiki in (Shelf("wiki", pages(3)), Shelf("wiki", down="503")):
        with pytest.raises(IngestError, match="documents would be lost"):
            await ingest(rebuild, sources=[wiki, Shelf("code", pages(2))])
    assert len(held(settings)) == 22


@given(before=st.integers(0, 60), now=st.integers(0, 60))
@examples(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
async def test_removals_are_withheld_exactly_beyond_the_bound(before, now):
    ledger = {f"wiki/page-{n}.md": (f"page-{n}", "old") for n in range(before)}
    shelf = Shelf("wiki", pages(min(before, now)))
    found = await compare([shelf], Known(ledger), Wanted(), silent)
    gone = before - min(before, now)
    accident = gone > 0 and (gone == before or (gone >= MASS and gone > MASS_SHARE * before))
    assert (len(found.withheld), len(found.removed)) == ((gone, 0) if accident else (0, gone))
