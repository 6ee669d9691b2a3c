"""Sections by heading, with true lines; blocks are never cut."""

from hypothesis import given
from hypothesis import strategies as st

from ingest.document import parse
from ingest.sections import MAX_CHARACTERS, outline
from tests.ingest.conftest import CHECKOUT, ETCD


def sections_of(text):
    return outline(parse("a.md", text.encode()), "a").sections


def test_a_section_has_the_path_of_its_headings_and_its_lines():
    lines = CHECKOUT.split("\n")
    first, diagnosis, mitigation = sections_of(CHECKOUT)
    assert (first.headings, diagnosis.headings) == ((), ("Diagnosis",))
    assert lines[diagnosis.first_line - 1] == "## Diagnosis"
    assert lines[diagnosis.last_line - 1] == "```"
    assert lines[mitigation.last_line - 1] == "2. Check that the restarts stop."


def test_a_comment_in_a_fence_is_no_heading():
    assert "# not a heading" in sections_of(CHECKOUT)[1].text


def test_sections_with_commands_or_numbered_steps_are_known():
    assert [section.has_steps for section in sections_of(CHECKOUT)] == [False, True, True]


def test_on_a_page_of_many_alerts_each_section_knows_its_own():
    assert [section.subject for section in sections_of(ETCD)] == ["EtcdMembersDown", "EtcdNoLeader"]


def test_a_long_section_is_cut_between_blocks_and_a_fence_never():
    fence = "```sh\n" + "echo line\n" * 300 + "```"
    text = "## Steps\n\n" + "\n\n".join(["word " * 100] * 8) + f"\n\n{fence}\n"
    sections = sections_of(text)
    assert len(sections) > 2
    assert [s for s in sections if "```" in s.text and s.text.count("```") != 2] == []
    assert all(len(s.text) <= MAX_CHARACTERS for s in sections if "```" not in s.text)


def test_ids_survive_an_edit_elsewhere_and_change_with_their_own_text():
    before = {section.heading_path: section.id for section in sections_of(CHECKOUT)}
    edited = CHECKOUT.replace("growing back-off", "growing back-off.\n\nMore words")
    after = {section.heading_path: section.id for section in sections_of(edited)}
    assert before["Diagnosis"] == after["Diagnosis"]
    assert before[""] != after[""]


def test_equal_sections_have_different_ids():
    sections = sections_of("## A\n\nsame\n\n## A\n\nsame\n")
    assert len({section.id for section in sections}) == 2


def test_a_document_of_headings_alone_can_still_be_found():
    assert [section.text for section in sections_of("# Only a title\n")] == ["Only a title"]


@given(st.text(alphabet="#-`>1. \nabc|\t*", max_size=400))
def test_every_section_cites_lines_of_the_document_in_order(text):
    document = parse("a.md", text.encode())
    count = document.text.count("\n") + 1
    last = 0
    for section in outline(document, "a").sections:
        assert 1 <= section.first_line <= section.last_line <= count
        assert section.first_line > last
        last = section.last_line
    assert len({s.id for s in outline(document, "a").sections}) == len(sections_of(text))
