"""What speaks for a topic: words, titles, siblings; what is left out; what is folded; how sure it is."""

from contextlib import asynccontextmanager
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.candidates import Query, rank, read
from ingest.confidence import Signs, Traits, confidence
from ingest.generations import Generations
from ingest.job import ingest
from ingest.lookup import REMEMBERED, Lookup, remembered
from ingest.ranking import NAMED, PROSE, Evidence, age, nearness, normalised, reviewed
from ingest.search import RunbookSearch
from ingest.stems import Stemmer
from ingest.triples import likeness, packed, triples, unpacked
from ingest.words import identifiers
from tests.ingest.conftest import DISK, write

pytestmark = pytest.mark.anyio

MESSAGE = "Target disappeared from Prometheus target discovery, the kubelet sends nothing."
LIST = f"# Alerts\n\n## KubeletDown\n\n{MESSAGE}\n\n## KubeProxyDown\n\nThe proxy is gone.\n"
GUIDE = "# KubeletDown\n\n## Meaning\n\n" + "A node agent gives no sign of life. " * 40
NOTE = "# Handover\n\n" + "Hand the pager over at noon, with all that is open. " * 5
SERVICE = (
    "---\nservices: [{}]\nenvironment: {}\nlast_reviewed: {}\n---\n# {}\n\nRestart the worker.\n"
)


@asynccontextmanager
async def opened(settings, files):
    write(settings.source, files)
    await ingest(settings)
    lookup = Lookup(Generations(settings.index).current())
    try:
        yield lookup
    finally:
        lookup.close()


def ranked(lookup, query):
    return rank(lookup, read(query, lookup), {})


async def answered(settings, files, query):
    write(settings.source, files)
    await ingest(settings)
    search = RunbookSearch(settings.index)
    try:
        return (await search.search(query)).matches
    finally:
        await search.close()


def paths(candidates):
    return [candidate.runbook.path for candidate in candidates]


async def test_who_wrote_the_alerts_message_down_names_the_alert_for_the_fuller_page(settings):
    async with opened(settings, {"list.md": LIST, "guide/KubeletDown.md": GUIDE}) as lookup:
        first, second, *_ = ranked(lookup, Query(MESSAGE))
    assert {first.topic.title, second.topic.title} == {"KubeletDown"}
    evidence = {one.runbook.path: one.evidence for one in (first, second)}
    assert evidence["guide/KubeletDown.md"].sibling == evidence["list.md"].sibling > 0
    assert {one.runbook.path: one.stub for one in (first, second)} == {
        "guide/KubeletDown.md": False,
        "list.md": True,
    }


async def test_of_two_pages_about_an_alert_the_one_that_says_something_is_shown(settings):
    files = {"list.md": LIST, "guide/KubeletDown.md": GUIDE}
    match, *_ = await answered(settings, files, Query(f"KubeletDown: {MESSAGE}"))
    assert match.runbook.path == "guide/KubeletDown.md"
    assert [one.path for one in match.likewise] == ["list.md"]
    assert "also about this alert: list.md" in match.why


async def test_pages_about_one_alert_for_different_services_stay_apart(settings):
    page = "---\nservices: [{}]\n---\n# QueueTooLong\n\nDrain the queue of the workers.\n"
    files = {f"{name}.md": page.format(name) for name in ("basket", "search")}
    found = await answered(settings, files, Query("drain the queue of the workers"))
    assert {match.runbook.path for match in found} == {"basket.md", "search.md"}
    assert not [match for match in found if match.likewise]


async def test_pages_of_other_titles_about_one_alert_stay_apart_as_one_may_be_out_of_date(settings):
    page = "---\nalerts: [QueueTooLong]\n---\n# {}\n\nDrain the queue of the workers.\n"
    files = {f"{name}.md": page.format(name) for name in ("Workers", "Queues")}
    found = await answered(settings, files, Query("drain the queue of the workers"))
    assert {match.runbook.path for match in found} == {"Workers.md", "Queues.md"}


async def test_who_quotes_the_question_has_its_pairs_and_who_has_its_words_apart_has_not(settings):
    words = "# {}\n\nThe {} of the cluster reach the {} from the {}.\n"
    files = {
        "quoted.md": words.format("One", "disk pressure evictions", "workers", "night"),
        "apart.md": words.format("Two", "evictions", "disk", "pressure"),
    }
    async with opened(settings, files) as lookup:
        found = {one.runbook.path: one for one in ranked(lookup, Query("disk pressure evictions"))}
    assert found["quoted.md"].evidence.pairs > found["apart.md"].evidence.pairs == 0.0


async def test_a_guide_whose_whole_title_is_in_the_question_is_entitled_and_an_alert_is_not(
    settings,
):
    files = {"thanos-store.md": "# Thanos store\n\nAll of it.\n", "KubeletDown.md": GUIDE}
    async with opened(settings, files) as lookup:
        found = ranked(lookup, Query("Thanos Store is slow, KubeletDown fires"))
    entitled = {one.runbook.path: one.evidence.entitled for one in found}
    assert (entitled["thanos-store.md"], entitled["KubeletDown.md"]) == (1.0, 0.0)


async def test_a_source_can_be_left_out(settings):
    async with opened(settings, {"copy/disk.md": DISK}) as lookup:
        everywhere = paths(ranked(lookup, Query("journal files")))
        without = paths(ranked(lookup, Query("journal files", without=("copy",))))
    assert "copy/disk.md" in everywhere
    assert without
    assert not [path for path in without if path.startswith("copy/")]


@pytest.fixture
def services():
    return {
        "own.md": SERVICE.format("basket", "production", "2026-10-01", "Basket worker"),
        "other.md": SERVICE.format("search", "production", "2026-10-01", "Search worker"),
        "staging.md": SERVICE.format("basket", "staging", "2026-10-01", "Staging worker"),
        "old.md": SERVICE.format("basket", "production", "2019-01-01", "Old worker"),
    }


async def test_another_service_or_environment_and_an_old_review_put_a_runbook_lower(
    settings, services
):
    query = Query("restart the worker", "", "basket", "production", today=date(2026, 11, 1))
    async with opened(settings, services) as lookup:
        found = {one.runbook.path: one for one in ranked(lookup, query)}
    assert found["own.md"].context.same_service
    assert found["other.md"].context.other_service
    assert found["staging.md"].context.other_environment
    assert found["old.md"].context.stale
    best = found["own.md"].context.score
    assert all(best > found[path].context.score for path in ("other.md", "staging.md", "old.md"))


async def test_hard_filters_leave_them_out_and_keep_what_says_nothing(settings, services):
    query = Query(
        "restart the worker journal files",
        service="basket",
        environment="production",
        today=date(2026, 11, 1),
        strict=True,
        max_age_days=365,
    )
    async with opened(settings, services) as lookup:
        found = paths(ranked(lookup, query))
    assert "own.md" in found
    assert "node/NodeFilesystemSpaceFillingUp.md" in found
    assert not {"other.md", "staging.md", "old.md"} & set(found)


async def test_a_question_with_every_word_unknown_ranks_nothing(settings):
    async with opened(settings, {}) as lookup:
        assert ranked(lookup, Query("zzz qqq")) == []


async def test_pages_about_different_alerts_are_never_folded(settings):
    quota = "# Quota{}Alert\n\n" + "The bucket claim has crossed the limit of its quota. " * 20
    files = {f"{name}.md": quota.format(name) for name in ("Bytes", "Objects")}
    write(settings.source, files)
    await ingest(settings)
    search = RunbookSearch(settings.index)
    found = await search.search(Query("bucket claim crossed the limit of its quota"))
    await search.close()
    assert {"Bytes.md", "Objects.md"} <= {match.runbook.path for match in found.matches}
    assert not [match for match in found.matches if match.copies]


async def test_a_match_names_its_copies_and_where_a_person_opens_it(settings):
    write(settings.source, {"copy/guide.md": NOTE, "node/note.md": NOTE})
    await ingest(settings)
    search = RunbookSearch(settings.index)
    note = (await search.search(Query("hand the pager over at noon"))).matches[0]
    disk = (await search.search(Query("journal files of the node"))).matches[0]
    crash = (await search.search(Query("x", alert_name="KubePodCrashLooping"))).matches[0]
    await search.close()
    assert [copy.path for copy in note.copies] == ["node/note.md"]
    assert "the same text is in: node/note.md" in note.why
    assert disk.runbook.inferred == ("alerts",)
    assert not disk.runbook.converted
    assert crash.runbook.url == "https://wiki.example.com/x/CRASH"


@given(st.lists(st.floats(0, 1), min_size=len(PROSE), max_size=len(PROSE)))
def test_weighed_evidence_is_a_part_of_the_most_there_can_be(values):
    for weights in (PROSE, NAMED):
        assert 0 <= Evidence(*values).weighed(weights) <= 1 + 1e-9
    assert Evidence(*[1.0] * len(PROSE)).weighed(PROSE) == pytest.approx(1)


def test_confidence_rises_with_every_trait_and_is_whole_where_the_alert_points():
    nothing = confidence(Signs(certain=False, dense=True, traits=Traits()))
    everything = confidence(Signs(certain=False, dense=True, traits=Traits(*[1.0] * 6)))
    assert nothing < 0.01
    assert 0.99 < everything < 1
    assert confidence(Signs(certain=True, dense=False, traits=Traits())) == 1.0


def test_the_same_words_in_another_form_have_one_stem():
    stemmer = Stemmer()
    assert stemmer.stems("crashing crashes crash") == stemmer.stems("crash")
    stemmer.close()


def test_only_long_identifiers_in_running_text_may_be_alerts():
    assert identifiers("ClickHouse says KubePodNotReady") == ["kubepodnotready"]


def test_scores_become_parts_of_the_best_and_cosines_parts_of_a_range():
    assert normalised({"a": 4.0, "b": 1.0}) == {"a": 1.0, "b": 0.25}
    assert normalised({"a": 0.0}) == {"a": 0.0}
    assert (nearness(0.1), nearness(0.5), nearness(0.9)) == (0.0, pytest.approx(0.5), 1.0)


def test_likeness_is_the_part_of_triples_that_two_texts_share():
    one = triples("a b c d")
    assert likeness(one, one) == 1.0
    assert likeness(one, triples("a b c x")) == pytest.approx(1 / 3)
    assert likeness(triples("a"), triples("b")) == 0.0


async def test_a_topic_leads_with_its_first_steps_or_else_its_first_section(settings):
    pages = {
        "steps.md": "# Steps\n\nWords.\n\n## Fix\n\n1. Restart it.\n2. Look again.\n",
        "prose.md": "# Prose\n\nWords.\n\n## More\n\nMore words.\n",
    }
    write(settings.source, pages)
    await ingest(settings)
    lookup = Lookup(Generations(settings.index).current())
    leads = lookup.leads(range(1, 1000)).values()
    headings = {
        section.id.split("#")[0]: section.heading_path
        for section in lookup.sections([lead.number for lead in leads])
    }
    lookup.close()
    assert (headings["steps"], headings["prose"]) == ("Fix", "")


def test_what_is_remembered_of_a_catalogue_has_a_bound():
    kept: dict[int, int] = {}
    for start in range(0, 4 * REMEMBERED, 1000):
        wanted = range(start, start + 1000)
        assert remembered(kept, wanted, lambda new: {n: -n for n in new})[start] == -start
        assert len(kept) <= REMEMBERED


@given(st.text())
def test_an_index_gives_back_the_triples_it_was_given(text):
    assert unpacked(packed(triples(text))) == triples(text)


def test_a_review_is_told_in_days_or_in_its_authors_words():
    today = date(2026, 11, 10)
    assert (age("2026-10-01", today), age("", today), age("spring", today)) == (40, None, None)
    assert reviewed("2026-10-01", today) == "reviewed 40 days ago"
    assert reviewed("last spring", today) == "reviewed last spring"
    assert reviewed("2027-01-01", today) == ""


async def test_a_title_of_failures_fits_a_message_that_says_failing(settings):
    files = {
        "RuleFailures.md": "# RuleFailures\n\nLook.\n",
        "RuleLimits.md": "# RuleLimits\n\nLook.\n",
    }
    async with opened(settings, files) as lookup:
        fit = {
            one.runbook.path: one.evidence.fit for one in ranked(lookup, Query("a rule is failing"))
        }
    assert fit["RuleFailures.md"] > fit["RuleLimits.md"] > 0
