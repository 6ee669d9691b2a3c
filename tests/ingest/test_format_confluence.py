"""Confluence's storage format: macros, panels, tasks and links as what a reader sees of them."""

from hypothesis import given

from ingest.document import Metadata, parse
from ingest.sections import outline
from tests.ingest.fuzzing import damaged, read_or_refused

PAGE = b"""<ac:structured-macro ac:name="toc" ac:schema-version="1"/>
<ac:structured-macro ac:name="details"><ac:rich-text-body><table><tbody>
<tr><th>Owner</th><td>team-storage</td></tr><tr><th>Services</th><td>disk, node</td></tr>
<tr><th>Last reviewed</th><td><time datetime="2026-10-01"/></td></tr></tbody></table></ac:rich-text-body>
</ac:structured-macro><h2>Do&nbsp;it</h2>
<ac:structured-macro ac:name="warning"><ac:parameter ac:name="title">Careful</ac:parameter>
<ac:rich-text-body><p>It deletes.</p><ac:structured-macro ac:name="code">
<ac:parameter ac:name="language">bash</ac:parameter><ac:plain-text-body><![CDATA[if [ 1 < 2 ]; then
  echo "<b>&amp;"   # stays
fi]]></ac:plain-text-body></ac:structured-macro></ac:rich-text-body></ac:structured-macro>
<ac:task-list><ac:task><ac:task-id>7</ac:task-id><ac:task-status>incomplete</ac:task-status>
<ac:task-body>Call <strong>storage</strong></ac:task-body></ac:task>
<ac:task><ac:task-status>complete</ac:task-status><ac:task-body>Look</ac:task-body></ac:task></ac:task-list>
<p>See <ac:link><ri:page ri:content-title="Other page"/></ac:link> and
<ac:structured-macro ac:name="jira"><ac:parameter ac:name="key">OPS-1</ac:parameter></ac:structured-macro>.</p>
"""


def page(raw=PAGE, given=Metadata()):  # noqa: B008 - frozen
    return parse("spaces/OPS/1", raw, "text/html", given)


def test_a_code_macro_becomes_a_fence_with_its_text_verbatim():
    code = '```bash\nif [ 1 < 2 ]; then\n  echo "<b>&amp;"   # stays\nfi\n```'
    assert code in page().text


def test_code_in_a_panel_is_a_step_that_can_be_read():
    section = outline(page(), "a").sections[1]
    assert (section.has_steps, "**Warning: Careful**" in section.text) == (True, True)


def test_tasks_links_and_references_are_words():
    text = page().text
    assert "- [ ] Call **storage**\n- [x] Look\n" in text
    assert "See Other page and\nOPS-1." in text


def test_page_properties_are_metadata_and_the_page_knows_its_title_from_its_source():
    said = page(given=Metadata(title="Disk full", owner="somebody else")).metadata
    assert (said.title, said.owner) == ("Disk full", "team-storage")
    assert (said.services, said.last_reviewed) == (("disk", "node"), "2026-10-01")


def test_a_macro_with_a_body_that_nobody_knows_keeps_its_words():
    raw = b'<ac:structured-macro ac:name="x"><ac:rich-text-body><p>kept</p></ac:rich-text-body></ac:structured-macro>'
    assert page(raw).text == "kept\n"


def test_an_empty_element_does_not_swallow_what_follows():
    assert page(b'<p><ac:emoticon ac:name="x"/>a</p><p>b</p>').text == "a\n\nb\n"


@given(damaged(PAGE))
def test_a_damaged_page_is_read_or_refused(raw):
    read_or_refused("a.html", raw)
